//! The tools that a model may call. Each runs as a process of its own, `codex tool NAME`, so that nothing
//! it does can reach into the run: `process` starts it from outside, `builtin` is its inside, and `reaper`
//! sees to it that nothing of it is left behind.

pub mod builtin;
mod capture;
pub mod environment;
pub mod process;
pub mod reaper;

use crate::wire::request::Function;

/// The most of a tool's output that goes to the model, in bytes.
pub const OUTPUT: usize = 64 << 10;

/// A built-in tool.
pub struct Tool {
    /// What the model is told.
    pub function: Function,
    /// The argument that says in a few words what a call is about.
    pub subject: &'static str,
    /// It changes files, so calls of such tools run one after the other.
    pub changes_files: bool,
}

/// The built-in tools, in the order in which they are offered.
pub const TOOLS: &[Tool] = &[
    Tool {
        function: Function {
            name: "bash",
            description: "Run a command with bash. Returns what it writes to stdout and stderr, then its exit code. \
                          No terminal, no input. Processes it leaves behind are ended.",
            parameters: r#"{"type":"object","properties":{"command":{"type":"string"},"workdir":{"type":"string","description":"default: the current directory"},"timeout":{"type":"number","description":"seconds"}},"required":["command"],"additionalProperties":false}"#,
        },
        subject: "command",
        changes_files: false,
    },
    Tool {
        function: Function {
            name: "read",
            description: "Read a text file. Returns at most 2000 lines; go on with offset.",
            parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"offset":{"type":"integer","description":"first line, counted from 1"},"limit":{"type":"integer","description":"number of lines"}},"required":["path"],"additionalProperties":false}"#,
        },
        subject: "path",
        changes_files: false,
    },
    Tool {
        function: Function {
            name: "edit",
            description: "Change a file by exact replacement. Each old_text must occur exactly once in the file; \
                          nothing is changed unless all of them do.",
            parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"edits":{"type":"array","items":{"type":"object","properties":{"old_text":{"type":"string"},"new_text":{"type":"string"}},"required":["old_text","new_text"],"additionalProperties":false}}},"required":["path","edits"],"additionalProperties":false}"#,
        },
        subject: "path",
        changes_files: true,
    },
    Tool {
        function: Function {
            name: "write",
            description: "Create a file, or replace all of it. Parent directories are made.",
            parameters: r#"{"type":"object","properties":{"path":{"type":"string"},"content":{"type":"string"}},"required":["path","content"],"additionalProperties":false}"#,
        },
        subject: "path",
        changes_files: true,
    },
];

/// The tool of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Tool> {
    TOOLS.iter().find(|tool| tool.function.name == name)
}

impl Tool {
    /// What a call with these arguments is about, in a few words; empty where they do not say.
    #[must_use]
    pub fn subject_of(&self, arguments: &str) -> String {
        let arguments: serde_json::Value = serde_json::from_str(arguments).unwrap_or_default();
        arguments[self.subject]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
            assert_eq!(schema["additionalProperties"], false);
        }
    }

    #[test]
    fn the_tools_take_little_of_a_request() {
        let functions: Vec<Function> = TOOLS.iter().map(|tool| tool.function).collect();
        let size = |tools: &[Function]| {
            let head = Head {
                model: "m",
                instructions: "i",
                tools,
                effort: None,
                cache_key: "k",
            };
            Body::new(&head).bytes().len()
        };
        assert!(
            size(&functions) - size(&[]) < 2500,
            "{}",
            size(&functions) - size(&[])
        );
    }
}
