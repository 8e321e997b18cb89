//! A tool that is a function of the program that uses this library. It runs on a thread of that program, without walls
//! and without a time limit: whoever writes it knows what it does.

use std::fmt;

use serde_json::Value;

use super::answer::Answer;

/// What a function is given, and what it gives back: words for the model, and whether it did what it was asked to.
pub type Work = dyn Fn(&Value) -> Result<String, String> + Send + Sync;

/// A tool that is a function.
pub struct Closure {
    /// Its name.
    pub name: String,
    /// What it does, for the model.
    pub description: String,
    /// The JSON Schema of its arguments.
    pub parameters: Value,
    /// The same as JSON.
    pub(super) json: String,
    work: Box<Work>,
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Closure({})", self.name)
    }
}

impl Closure {
    /// A tool of this name, for which the model is given this description and the JSON Schema of its arguments.
    #[must_use]
    pub fn new(name: &str, description: &str, parameters: Value, work: Box<Work>) -> Self {
        Self {
            name: name.to_owned(),
            description: description.to_owned(),
            json: parameters.to_string(),
            parameters,
            work,
        }
    }

    /// Runs it with arguments that were checked.
    pub(super) fn call(&self, arguments: &str) -> Answer {
        let value: Value = serde_json::from_str(arguments).unwrap_or_default();
        match (self.work)(&value) {
            Ok(text) => Answer::ok(text),
            Err(text) => Answer::failed(text),
        }
    }
}
