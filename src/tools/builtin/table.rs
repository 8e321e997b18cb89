//! The built-in tools: how the model sees each, and the function that does its work.

use serde::de::DeserializeOwned;

use super::arguments::parse;
use super::context::Context;
use super::{bash, edit, find, grep, ls, read, write};
use crate::result::{CallResult, Status};
use crate::tools::topic::Topic;

/// A built-in tool.
pub struct BuiltIn {
    /// Its name.
    pub name: &'static str,
    /// The description for the model.
    pub description: &'static str,
    /// JSON Schema of its arguments.
    pub parameters: &'static str,
    /// What its calls are about.
    pub topic: Topic,
    /// It changes files, so its calls run alone, in order with the others.
    pub changes_files: bool,
    /// It is offered only on request.
    pub on_request: bool,
    /// Does the work, in the process of the call.
    pub(super) work: fn(&[u8], &Context<'_>) -> CallResult,
}

/// The built-in tools, in the order they are offered.
pub const TOOLS: &[BuiltIn] = &[
    BuiltIn {
        name: "bash",
        description: "Run a command with bash. Returns stdout and stderr in order, then the exit code. No terminal, \
                      no input; what it leaves running is ended. Other calls of the same answer run at the same time, \
                      except edit and write.",
        parameters: r#"{"type":"object","properties":{"command":{"type":"string"},"workdir":{"type":"string"},"timeout":{"type":"number","description":"seconds"}},"required":["command"],"additionalProperties":false}"#,
        topic: Topic::Command("command"),
        changes_files: false,
        on_request: false,
        work: |arguments, context| with(arguments, context, bash::run),
    },
    BuiltIn {
        name: "read",
        description: "Read a text file, 2000 lines at most, or view an image.",
        parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"offset":{"type":"integer","description":"first line, from 1"},"limit":{"type":"integer"}},"required":["path"],"additionalProperties":false}"#,
        topic: Topic::Argument("path"),
        changes_files: false,
        on_request: false,
        work: |arguments, context| with(arguments, context, read::run),
    },
    BuiltIn {
        name: "edit",
        description: "Change a text file by exact replacement, all or none. Each old_text must occur exactly once.",
        parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"edits":{"type":"array","items":{"type":"object","properties":{"old_text":{"type":"string"},"new_text":{"type":"string"}},"required":["old_text","new_text"],"additionalProperties":false}}},"required":["path","edits"],"additionalProperties":false}"#,
        topic: Topic::File("path"),
        changes_files: true,
        on_request: false,
        work: |arguments, context| with(arguments, context, edit::run),
    },
    BuiltIn {
        name: "write",
        description: "Create or replace a file; missing directories are created.",
        parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"content":{"type":"string"}},"required":["path","content"],"additionalProperties":false}"#,
        topic: Topic::File("path"),
        changes_files: true,
        on_request: false,
        work: |arguments, context| with(arguments, context, write::run),
    },
    BuiltIn {
        name: "grep",
        description: "Search files for a regex.",
        parameters: r#"{"type":"object","properties":{"pattern":{"type":"string"},"path":{"type":"string"},"glob":{"type":"string"},"ignore_case":{"type":"boolean"},"context":{"type":"integer"},"limit":{"type":"integer"}},"required":["pattern"]}"#,
        topic: Topic::Argument("pattern"),
        changes_files: false,
        on_request: true,
        work: |arguments, context| with(arguments, context, grep::run),
    },
    BuiltIn {
        name: "find",
        description: "Find files by glob.",
        parameters: r#"{"type":"object","properties":{"pattern":{"type":"string"},"path":{"type":"string"},"limit":{"type":"integer"}},"required":["pattern"]}"#,
        topic: Topic::Argument("pattern"),
        changes_files: false,
        on_request: true,
        work: |arguments, context| with(arguments, context, find::run),
    },
    BuiltIn {
        name: "ls",
        description: "List a directory.",
        parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"limit":{"type":"integer"}}}"#,
        topic: Topic::Argument("path"),
        changes_files: false,
        on_request: true,
        work: |arguments, context| with(arguments, context, ls::run),
    },
];

/// Finds a built-in tool by name.
#[must_use]
pub fn find_tool(name: &str) -> Option<&'static BuiltIn> {
    TOOLS.iter().find(|tool| tool.name == name)
}

/// Parses the arguments and does the work.
fn with<T: DeserializeOwned>(
    arguments: &[u8],
    context: &Context<'_>,
    work: fn(&T, &Context<'_>) -> CallResult,
) -> CallResult {
    match parse(arguments) {
        Ok(arguments) => work(&arguments, context),
        Err(words) => CallResult::new(Status::BadArguments, words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::builtin::offered::tool;
    use crate::tools::tool::Tool;
    use crate::wire::request::tests::HEAD;
    use crate::wire::request::{Function, RequestBody, RequestHead};

    #[test]
    fn every_schema_is_json_that_names_the_subject() {
        for tool in TOOLS {
            let schema: serde_json::Value =
                serde_json::from_str(tool.parameters).expect("the schema is JSON");
            let argument = tool.topic.argument().expect("one argument");
            assert!(schema["properties"][argument].is_object(), "{}", tool.name);
        }
    }

    #[test]
    fn the_tool_definitions_are_small() {
        let tools: Vec<Tool> = TOOLS.iter().map(tool).collect();
        let functions: Vec<Function<'_>> = tools.iter().map(Tool::function).collect();
        let size = |tools: &[Function<'_>]| {
            RequestBody::new(&RequestHead { tools, ..HEAD })
                .bytes()
                .len()
        };
        assert!(
            size(&functions) - size(&[]) < 2500,
            "{}",
            size(&functions) - size(&[])
        );
    }
}
