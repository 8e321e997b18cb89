//! A tool that is a function of the program using this library. It runs on one of that program's threads, without a
//! sandbox and without a time limit: its author knows what it does.

use std::fmt;
use std::io;
use std::sync::Arc;

use serde_json::Value;

use super::arguments::check;
use super::tool::{CallContext, Runner, Tool};
use super::topic::Topic;
use crate::result::{CallResult, Status};

/// The function: takes the arguments and returns a message for the model, as a success or a failure.
pub type Work = dyn Fn(&Value) -> Result<String, String> + Send + Sync;

/// Runs a function as a tool.
struct Closure {
    parameters: Value,
    work: Box<Work>,
}

/// Creates a tool with this name, description and JSON Schema of its arguments.
#[must_use]
pub fn tool(name: &str, description: &str, parameters: Value, work: Box<Work>) -> Tool {
    Tool {
        name: name.to_owned(),
        description: description.to_owned(),
        parameters: parameters.to_string(),
        changes_files: false,
        topic: Topic::Arguments,
        runner: Arc::new(Closure { parameters, work }),
    }
}

impl fmt::Debug for Closure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Closure(..)")
    }
}

impl Runner for Closure {
    fn run(&self, arguments: &str, _: CallContext<'_>) -> io::Result<CallResult> {
        Ok(match check(&self.parameters, arguments) {
            Ok(arguments) => match (self.work)(&arguments) {
                Ok(text) => CallResult::done(text),
                Err(text) => CallResult::failed(text),
            },
            Err(wrong) => CallResult::new(Status::BadArguments, wrong),
        })
    }
}
