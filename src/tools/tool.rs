//! A tool as one value: what the model is shown of it, what has to be known before it runs, and what runs it. Kinds of
//! tools differ in their runner alone.

use std::fmt;
use std::io;
use std::sync::Arc;

use super::launch::Launcher;
use super::manifest::Manifest;
use super::topic::Topic;
use crate::result::CallResult;
use crate::wire::request::Function;

/// A tool.
#[derive(Clone, Debug)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// The JSON Schema of its arguments, as JSON.
    pub parameters: String,
    /// It declares that it changes files, so its calls run alone, in their place among the others.
    pub changes_files: bool,
    /// What its calls are about.
    pub topic: Topic,
    /// What runs its calls.
    pub runner: Arc<dyn Runner>,
}

/// What runs the calls of a tool.
pub trait Runner: fmt::Debug + Send + Sync {
    /// Runs a call to its end, on the caller's thread. `number` counts the calls of a run from 1. What is wrong with the
    /// arguments is a result too.
    ///
    /// # Errors
    /// When the system did not let it start.
    fn run(&self, arguments: &str, number: usize, launcher: &Launcher) -> io::Result<CallResult>;

    /// The manifest that names the program, where the tool is a program of the user's own.
    fn manifest(&self) -> Option<&Manifest> {
        None
    }
}

impl Tool {
    /// The variables that it finds beside those that every tool does.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        let manifest = self.runner.manifest();
        manifest.map_or(&[], |manifest| &manifest.env)
    }

    /// What the model is shown.
    #[must_use]
    pub fn function(&self) -> Function<'_> {
        Function {
            name: &self.name,
            description: &self.description,
            parameters: &self.parameters,
        }
    }
}
