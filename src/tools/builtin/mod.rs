//! The inside of `codex tool NAME`: each takes its arguments as one JSON object and says how it went in
//! words for the model. A mistake in a call is such an answer too.

mod bash;
mod context;
mod edit;
mod ended;
mod find;
mod glob;
mod grep;
mod ignore;
mod lines;
mod ls;
pub mod program;
mod read;
mod replace;
mod rg;
mod walk;
mod wild;
mod write;

use serde::de::DeserializeOwned;

use super::answer::Answer;
pub use context::Context;

/// Runs a built-in tool in this process, which leads its own session. `None` where there is no tool of this name.
#[must_use]
pub fn run(name: &str, arguments: &[u8], context: &Context<'_>) -> Option<Answer> {
    let run = match name {
        "bash" => |arguments: &[u8], context| parse(arguments).map(|a| bash::run(&a, context)),
        "read" => |arguments: &[u8], context| parse(arguments).map(|a| read::run(&a, context)),
        "edit" => |arguments: &[u8], context| parse(arguments).map(|a| edit::run(&a, context)),
        "write" => |arguments: &[u8], context| parse(arguments).map(|a| write::run(&a, context)),
        "grep" => |arguments: &[u8], context| parse(arguments).map(|a| grep::run(&a, context)),
        "find" => |arguments: &[u8], context| parse(arguments).map(|a| find::run(&a, context)),
        "ls" => |arguments: &[u8], context| parse(arguments).map(|a| ls::run(&a, context)),
        _ => return None,
    };
    Some(run(arguments, context).unwrap_or_else(|words| Answer::not(words, "bad arguments")))
}

/// Reads the arguments; where they are wrong, the words that tell the model so.
fn parse<T: DeserializeOwned>(arguments: &[u8]) -> Result<T, String> {
    // A list of the right values in the right order would be taken for an object.
    if arguments.trim_ascii_start().starts_with(b"[") {
        return Err("the arguments do not fit: they are an array. Send one JSON object as the tool's schema has it.".to_owned());
    }
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
    use std::time::Duration;

    use super::*;
    use crate::tools::sandbox::confine::Reach;

    #[test]
    fn wrong_arguments_are_answered_in_words() {
        let context = Context {
            timeout: Duration::from_secs(1),
            walls: None,
            reach: Reach::default(),
            environment: &[],
        };
        let check = |name: &str, arguments: &str, expected: &str| {
            let answer = run(name, arguments.as_bytes(), &context).expect("a tool");
            assert!(
                !answer.ok && answer.text.contains(expected) && answer.result == "bad arguments",
                "{name} {arguments}: {answer:?}"
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
        check("write", "[\"a\", \"b\"]", "they are an array");
        check("grep", "{\"pattern\":7}", "do not fit");
        assert_eq!(run("rm", b"{}", &context), None);
    }
}
