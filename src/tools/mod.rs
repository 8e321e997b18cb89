//! The tools that a model may call: built-in ones, and the user's own (`manifest`); `offer` is either as the model sees
//! it. Each call runs as a process of its own, so that nothing it does can reach into the run: `process` starts it with
//! an `order`; it confines itself (`sandbox`), does the work (`builtin`, with `child` for the programs it starts, of which
//! nothing is left behind), and gives back an `answer`. `git` notices what it has changed that runs later.

pub mod about;
pub mod answer;
pub mod builtin;
pub mod child;
pub mod closure;
pub mod environment;
mod git;
mod job;
mod lock;
pub mod manifest;
pub mod offer;
pub mod order;
mod pipe;
pub mod process;
mod removal;
pub mod sandbox;
pub mod scratch;
pub mod sensitive;
mod small;
pub mod worktree;

use crate::wire::request::Function;

/// The most of a tool's output that goes to the model, in bytes.
pub const OUTPUT: usize = 64 << 10;

/// A built-in tool.
#[derive(Debug)]
pub struct Tool {
    /// What the model is told.
    pub function: Function<'static>,
    /// The argument that says in a few words what a call is about.
    pub subject: &'static str,
    /// It changes files, so its calls run alone, in their place among the others.
    pub changes_files: bool,
    /// It is offered only on request.
    pub on_request: bool,
}

/// The built-in tools, in the order in which they are offered.
pub const TOOLS: &[Tool] = &[
    Tool {
        function: Function {
            name: "bash",
            description: "Run a command with bash. Returns stdout and stderr in order, then the exit code. No terminal, \
                          no input; what it leaves running is ended. Other calls of the same answer run at the same \
                          time, except edit and write.",
            parameters: r#"{"type":"object","properties":{"command":{"type":"string"},"workdir":{"type":"string"},"timeout":{"type":"number","description":"seconds"}},"required":["command"],"additionalProperties":false}"#,
        },
        subject: "command",
        changes_files: false,
        on_request: false,
    },
    Tool {
        function: Function {
            name: "read",
            description: "Read a text file, 2000 lines at most, or see a picture.",
            parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"offset":{"type":"integer","description":"first line, from 1"},"limit":{"type":"integer"}},"required":["path"],"additionalProperties":false}"#,
        },
        subject: "path",
        changes_files: false,
        on_request: false,
    },
    Tool {
        function: Function {
            name: "edit",
            description: "Change a text file by exact replacement, all or none. Each old_text must occur exactly once.",
            parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"edits":{"type":"array","items":{"type":"object","properties":{"old_text":{"type":"string"},"new_text":{"type":"string"}},"required":["old_text","new_text"],"additionalProperties":false}}},"required":["path","edits"],"additionalProperties":false}"#,
        },
        subject: "path",
        changes_files: true,
        on_request: false,
    },
    Tool {
        function: Function {
            name: "write",
            description: "Create or replace a file; parents are made.",
            parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"content":{"type":"string"}},"required":["path","content"],"additionalProperties":false}"#,
        },
        subject: "path",
        changes_files: true,
        on_request: false,
    },
    Tool {
        function: Function {
            name: "grep",
            description: "Search files for a regex.",
            parameters: r#"{"type":"object","properties":{"pattern":{"type":"string"},"path":{"type":"string"},"glob":{"type":"string"},"ignore_case":{"type":"boolean"},"context":{"type":"integer"},"limit":{"type":"integer"}},"required":["pattern"]}"#,
        },
        subject: "pattern",
        changes_files: false,
        on_request: true,
    },
    Tool {
        function: Function {
            name: "find",
            description: "Find files by glob.",
            parameters: r#"{"type":"object","properties":{"pattern":{"type":"string"},"path":{"type":"string"},"limit":{"type":"integer"}},"required":["pattern"]}"#,
        },
        subject: "pattern",
        changes_files: false,
        on_request: true,
    },
    Tool {
        function: Function {
            name: "ls",
            description: "List a directory.",
            parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"limit":{"type":"integer"}}}"#,
        },
        subject: "path",
        changes_files: false,
        on_request: true,
    },
];

/// The tool of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.function.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::request::tests::HEAD;
    use crate::wire::request::{Body, Head};

    #[test]
    fn every_schema_is_json_that_names_the_subject() {
        for tool in TOOLS {
            let schema: serde_json::Value =
                serde_json::from_str(tool.function.parameters).expect("the schema is JSON");
            assert!(
                schema["properties"][tool.subject].is_object(),
                "{}",
                tool.function.name
            );
        }
    }

    #[test]
    fn all_tools_together_take_little_of_a_request() {
        let functions: Vec<Function<'_>> = TOOLS.iter().map(|tool| tool.function).collect();
        let size = |tools: &[Function<'_>]| Body::new(&Head { tools, ..HEAD }).bytes().len();
        assert!(
            size(&functions) - size(&[]) < 2500,
            "{}",
            size(&functions) - size(&[])
        );
    }
}
