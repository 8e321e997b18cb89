//! What a call is about, read from its arguments before it runs: a command, changes to files, or something else.

use std::path::Path;

use serde_json::Value;

/// What the calls of a tool are about. Each variant names the argument with that information.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// The command that is run.
    Command(&'static str),
    /// The file that is changed.
    File(&'static str),
    /// The value of one argument.
    Argument(&'static str),
    /// All arguments together.
    Arguments,
}

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// Runs this command.
    Command(String),
    /// Changes these files.
    Changes(Vec<FileChange>),
    /// Asks an MCP server.
    ServerCall {
        /// The server.
        server: String,
        /// The tool, as the server spells it.
        tool: String,
        /// The arguments; a string if they are not JSON.
        arguments: Value,
    },
    /// Anything else, with its arguments; a string if they are not JSON.
    Other(Value),
}

/// A file that a call changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// Whether it already exists.
    pub there: bool,
}

impl Topic {
    /// The argument that describes the call in a few words, if any.
    #[must_use]
    pub fn argument(self) -> Option<&'static str> {
        match self {
            Self::Command(name) | Self::File(name) | Self::Argument(name) => Some(name),
            Self::Arguments => None,
        }
    }

    /// What a call with these arguments is about, in a few words; empty if the arguments do not show that.
    #[must_use]
    pub fn brief(self, arguments: &str) -> String {
        let Some(name) = self.argument() else {
            return arguments.to_owned();
        };
        let arguments: Value = serde_json::from_str(arguments).unwrap_or_default();
        arguments[name].as_str().unwrap_or_default().to_owned()
    }

    /// What a call with these arguments is about, given the files in its working directory.
    #[must_use]
    pub fn about(self, arguments: &str, directory: &Path) -> About {
        let value: Value =
            serde_json::from_str(arguments).unwrap_or_else(|_| Value::from(arguments));
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        match self {
            Self::Command(name) => text(name).map(About::Command),
            Self::File(name) => text(name).map(|path| {
                let path = directory.join(path);
                let there = path.exists();
                let path = path.to_string_lossy().into_owned();
                About::Changes(vec![FileChange { path, there }])
            }),
            Self::Argument(_) | Self::Arguments => None,
        }
        .unwrap_or(About::Other(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_show_what_a_call_is_about() {
        let check = |topic: Topic, arguments: &str, brief: &str, about: About| {
            assert_eq!(topic.brief(arguments), brief);
            assert_eq!(topic.about(arguments, Path::new("/gone")), about);
        };
        let command = Topic::Command("command");
        let ls = r#"{"command":"ls"}"#;
        let value = |json: &str| About::Other(serde_json::from_str(json).expect("JSON"));
        check(command, ls, "ls", About::Command("ls".to_owned()));
        check(command, "{}", "", value("{}"));
        check(command, "{", "", About::Other(Value::from("{")));
        let path = r#"{"path":"x"}"#;
        let change = FileChange {
            path: "/gone/x".to_owned(),
            there: false,
        };
        check(Topic::File("path"), path, "x", About::Changes(vec![change]));
        check(Topic::Argument("path"), path, "x", value(path));
        check(Topic::Arguments, path, path, value(path));
    }
}
