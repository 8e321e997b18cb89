//! A tool as one value: what the model sees, what must be known before a call, and what runs it. Kinds of tools
//! differ only in their runner.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::launch::Launcher;
use super::live_output::OutputFollower;
use super::manifest::Manifest;
use super::topic::Topic;
use crate::result::CallResult;
use crate::wire::request::Function;

/// A tool.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// The description for the model.
    pub description: String,
    /// JSON Schema of its arguments, as JSON text.
    pub parameters: String,
    /// It declares that it changes files, so its calls run alone, in order with the others.
    pub changes_files: bool,
    /// What its calls are about.
    pub topic: Topic,
    /// What runs its calls.
    pub runner: Arc<dyn Runner>,
}

/// What a call is run with, besides its arguments.
#[derive(Clone, Copy)]
pub struct CallContext<'a> {
    /// The number of the call in the run, counted from 1.
    pub number: usize,
    /// Starts its process.
    pub launcher: &'a Launcher,
    /// Takes what it prints while it runs, if a reader follows it.
    pub follower: Option<&'a OutputFollower>,
}

/// Runs the calls of a tool.
pub trait Runner: fmt::Debug + Send + Sync {
    /// Runs a call until it ends, on the caller's thread. Invalid arguments are reported as a result.
    ///
    /// # Errors
    ///
    /// If the system could not start it.
    fn run(&self, arguments: &str, call: CallContext<'_>) -> io::Result<CallResult>;

    /// The manifest, if the tool is a user-defined program.
    fn manifest(&self) -> Option<&Manifest> {
        None
    }

    /// The MCP server that offers the tool, if one does.
    fn origin(&self) -> Option<ToolOrigin<'_>> {
        None
    }
}

/// The MCP server that offers a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToolOrigin<'a> {
    /// The server's name.
    pub server: &'a str,
    /// The tool, as the server spells it.
    pub tool: &'a str,
}

impl Tool {
    /// Names of the additional environment variables of the tool.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        let manifest = self.runner.manifest();
        manifest.map_or(&[], |manifest| &manifest.env)
    }

    /// The definition for the model.
    #[must_use]
    pub fn function(&self) -> Function<'_> {
        Function {
            name: &self.name,
            description: &self.description,
            parameters: &self.parameters,
        }
    }
}
