//! The inside of `codex tool NAME`: each takes its arguments as one JSON object and says how it went in
//! words for the model. A mistake in a call is such a result too.

mod bash;
mod edit;
mod read;
mod replace;
mod write;

use std::time::Duration;

use serde::de::DeserializeOwned;

/// What a tool answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Result {
    /// The words for the model.
    pub text: String,
    /// It did what was asked.
    pub ok: bool,
}

impl Result {
    fn ok(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ok: true,
        }
    }

    fn failed(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ok: false,
        }
    }
}

/// Runs a built-in tool in this process, which leads its own session; a command may take this long.
/// `None` where there is no tool of this name.
#[must_use]
pub fn run(name: &str, arguments: &[u8], timeout: Duration) -> Option<Result> {
    let run = match name {
        "bash" => |arguments: &[u8], timeout| parse(arguments).map(|a| bash::run(&a, timeout)),
        "read" => |arguments: &[u8], _| parse(arguments).map(|a| read::run(&a)),
        "edit" => |arguments: &[u8], _| parse(arguments).map(|a| edit::run(&a)),
        "write" => |arguments: &[u8], _| parse(arguments).map(|a| write::run(&a)),
        _ => return None,
    };
    Some(run(arguments, timeout).unwrap_or_else(Result::failed))
}

/// Reads the arguments; where they are wrong, the words that tell the model so.
fn parse<T: DeserializeOwned>(arguments: &[u8]) -> std::result::Result<T, String> {
    serde_json::from_slice(arguments).map_err(|error| {
        let what = if error.is_data() {
            "do not fit"
        } else {
            "are not JSON"
        };
        format!("the arguments {what}: {error}. Send one JSON object as the tool's schema has it.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_arguments_are_answered_in_words() {
        let check = |name: &str, arguments: &str, expected: &str| {
            let result = run(name, arguments.as_bytes(), Duration::from_secs(1)).expect("a tool");
            assert!(
                !result.ok && result.text.contains(expected),
                "{name} {arguments}: {}",
                result.text
            );
        };
        check("read", "{\"path\":", "are not JSON");
        check("read", "{}", "missing field `path`");
        check(
            "bash",
            "{\"cmd\":\"ls\"}",
            "unknown field `cmd`, expected one of `command`",
        );
        check("edit", "{\"path\":\"x\",\"edits\":7}", "do not fit");
        check("write", "[]", "do not fit");
        assert_eq!(run("rm", b"{}", Duration::ZERO), None);
    }
}
