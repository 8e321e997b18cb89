//! A tool as it is offered to the model: a built-in one, or one of the user's own.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::answer::Answer;
use super::closure::Closure;
use super::manifest::Manifest;
use super::order::Order;
use super::process::Setup;
use super::{Tool, find};
use crate::schema;
use crate::wire::request::Function;

/// A tool that is offered.
#[derive(Clone, Debug)]
pub enum Offer {
    /// A built-in one.
    BuiltIn(&'static Tool),
    /// One of the user's own, and the JSON of its parameters.
    Own(Arc<Manifest>, String),
    /// A function of the program that uses this library.
    Closure(Arc<Closure>),
}

impl Offer {
    /// The built-in tool of this name.
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        find(name).map(Self::BuiltIn)
    }

    /// A tool of the user's own.
    #[must_use]
    pub fn own(manifest: Manifest) -> Self {
        let parameters = manifest.parameters.to_string();
        Self::Own(Arc::new(manifest), parameters)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.function().name
    }

    /// What the model is told.
    #[must_use]
    pub fn function(&self) -> Function<'_> {
        match self {
            Self::BuiltIn(tool) => tool.function,
            Self::Own(manifest, parameters) => Function {
                name: &manifest.name,
                description: &manifest.description,
                parameters,
            },
            Self::Closure(closure) => Function {
                name: &closure.name,
                description: &closure.description,
                parameters: &closure.json,
            },
        }
    }

    /// Whether it declares that it changes files, so that its calls run alone, in their place among the others.
    #[must_use]
    pub fn changes_files(&self) -> bool {
        match self {
            Self::BuiltIn(tool) => tool.changes_files,
            Self::Own(manifest, _) => manifest.write,
            Self::Closure(_) => false,
        }
    }

    /// What a call with these arguments is about, in a few words; empty where they do not say.
    #[must_use]
    pub fn subject_of(&self, arguments: &str) -> String {
        let subject = match self {
            Self::BuiltIn(tool) => tool.subject,
            Self::Own(..) | Self::Closure(_) => return arguments.to_owned(),
        };
        let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
        arguments[subject].as_str().unwrap_or_default().to_owned()
    }

    /// Checks the arguments of a call as far as that can be done before it starts. The built-in tools do it themselves.
    ///
    /// # Errors
    /// With the answer to the model where they are wrong.
    pub(super) fn check(&self, arguments: &str) -> Result<(), Answer> {
        let parameters = match self {
            Self::BuiltIn(_) => return Ok(()),
            Self::Own(manifest, _) => &manifest.parameters,
            Self::Closure(closure) => &closure.parameters,
        };
        let wrong = |words: String| Answer::not(words, "bad arguments");
        let value: Value = serde_json::from_str(arguments).map_err(|error| {
            wrong(format!(
                "the arguments are not JSON: {error}. Send one JSON object as the tool's schema has it."
            ))
        })?;
        schema::check(parameters, &value).map_err(|mismatch| {
            let place = match &*mismatch.place {
                "" => "the arguments do not fit",
                place => &format!("the arguments do not fit at {place}"),
            };
            wrong(format!(
                "{place}: {}. Send them as the tool's schema has it.",
                mismatch.what
            ))
        })
    }

    /// What its process is told.
    pub(super) fn order(&self, setup: &Setup) -> Order {
        let order = Order {
            name: self.name().to_owned(),
            timeout: setup.timeout,
            walls: setup.walls.clone(),
            program: None,
        };
        let Self::Own(manifest, _) = self else {
            return order;
        };
        Order {
            timeout: manifest.timeout.unwrap_or(Duration::MAX).min(order.timeout),
            walls: order.walls.map(|walls| manifest.walls(&walls)),
            program: Some(manifest.command.clone()),
            ..order
        }
    }

    /// The program that it is, if it is one of the user's own, as the manifest names it.
    #[must_use]
    pub fn program(&self) -> Option<(&Manifest, &Path)> {
        match self {
            Self::BuiltIn(_) | Self::Closure(_) => None,
            Self::Own(manifest, _) => Some((manifest, Path::new(manifest.command.first()?))),
        }
    }

    /// Whether it has Python run a module or a program text (`-m`, `-c`): Python looks for it, and for what it imports, in
    /// the working directory first. A script has its own directory for that.
    pub(super) fn is_code_for_python(&self) -> bool {
        let Some((manifest, program)) = self.program() else {
            return false;
        };
        let name = program.file_name().map(OsStr::as_bytes);
        let mut words = manifest.command.iter().skip(1).map(|word| word.as_bytes());
        let mut is_code = false;
        while let Some(flag) = words.next().filter(|word| word.starts_with(b"-")) {
            // These have a word of their own behind them.
            if flag == b"-W" || flag == b"-X" {
                words.next();
            }
            is_code |= !flag.starts_with(b"--") && flag.iter().any(|c| b"mc".contains(c));
        }
        is_code && name.is_some_and(|name| name.starts_with(b"python"))
    }

    /// The variables that it is to find beside those that every tool does.
    #[must_use]
    pub fn variables(&self) -> &[String] {
        match self {
            Self::BuiltIn(_) | Self::Closure(_) => &[],
            Self::Own(manifest, _) => &manifest.env,
        }
    }
}
