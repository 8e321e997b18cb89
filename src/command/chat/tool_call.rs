//! Tool calls as the screen shows them: what a call is about, from its arguments, and what a change replaces.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use crate::chat::event::{ToolCall, ToolSubject};
use crate::file::read_regular;
use crate::output::{CallNotice, Subject};

/// The largest file that is shown as replaced, in bytes.
const MAX_REPLACED_BYTES: u64 = 256 << 10;

/// The arguments of the built-in tools that change a file.
#[derive(Default, Deserialize)]
#[serde(default)]
struct ChangeArguments {
    path: String,
    edits: Vec<EditTexts>,
    content: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct EditTexts {
    old_text: String,
    new_text: String,
}

/// A call that begins. The file that it replaces is read if it is in `directory`, the working directory of the tools.
pub(super) fn starting(call: &CallNotice<'_>, directory: &Path) -> ToolCall {
    let subject = match call.subject {
        Subject::Command(command) => ToolSubject::Command(command.to_owned()),
        Subject::Changes(changes) => {
            let path = changes.first().map_or("", |(path, _)| *path);
            change(path, call.arguments, |path| replaced(path, directory))
        }
        Subject::ServerCall { arguments, .. } | Subject::Other(arguments) => {
            ToolSubject::Other(on_one_line(arguments))
        }
    };
    ToolCall {
        id: call.id.to_owned(),
        name: call.name.to_owned(),
        subject,
    }
}

/// A call of a stored conversation.
pub(super) fn stored(id: &str, name: &str, arguments: &str) -> ToolCall {
    let value: Value = serde_json::from_str(arguments).unwrap_or_else(|_| Value::from(arguments));
    let subject = match (name, &value["command"], &value["path"]) {
        ("bash", Value::String(command), _) => ToolSubject::Command(command.clone()),
        ("edit" | "write", _, Value::String(path)) => change(path, arguments, |_| String::new()),
        _ => ToolSubject::Other(on_one_line(&value)),
    };
    ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        subject,
    }
}

/// A change of the file at this path.
fn change(path: &str, arguments: &str, old: impl Fn(&Path) -> String) -> ToolSubject {
    let arguments: ChangeArguments = serde_json::from_str(arguments).unwrap_or_default();
    let lines = |texts: Vec<&str>| {
        let whole = |text: &&str| {
            let end = if text.ends_with('\n') || text.is_empty() {
                ""
            } else {
                "\n"
            };
            format!("{text}{end}")
        };
        texts.iter().map(whole).collect::<String>()
    };
    let edits = &arguments.edits;
    let (removed, added) = match arguments.content {
        Some(content) => (old(Path::new(path)), content),
        None => (
            lines(edits.iter().map(|edit| &*edit.old_text).collect()),
            lines(edits.iter().map(|edit| &*edit.new_text).collect()),
        ),
    };
    let path = match &*arguments.path {
        "" => path.to_owned(),
        named => named.to_owned(),
    };
    ToolSubject::Change {
        path,
        removed,
        added,
    }
}

/// The text of a file that is about to be replaced; empty if it is not a small text file in this directory.
fn replaced(path: &Path, directory: &Path) -> String {
    let real = path.canonicalize().ok();
    let Some(real) = real.filter(|real| real.starts_with(directory)) else {
        return String::new();
    };
    let bytes = read_regular(&real, MAX_REPLACED_BYTES).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    text.unwrap_or_default()
}

/// Arguments as one line: the text itself if there is only one.
fn on_one_line(arguments: &Value) -> String {
    match arguments {
        Value::String(text) => text.clone(),
        Value::Object(fields) => match (fields.len(), fields.values().next()) {
            (1, Some(Value::String(text))) => text.clone(),
            (0, _) => String::new(),
            _ => arguments.to_string(),
        },
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_of_a_call_say_what_it_is_about() {
        let check = |name: &str, arguments: &str, expected: ToolSubject| {
            assert_eq!(
                stored("1", name, arguments).subject,
                expected,
                "{arguments}"
            );
        };
        let other = |text: &str| ToolSubject::Other(text.to_owned());
        check(
            "bash",
            r#"{"command":"ls"}"#,
            ToolSubject::Command("ls".to_owned()),
        );
        check("bash", "{", other("{"));
        check("read", r#"{"path":"a"}"#, other("a"));
        check(
            "read",
            r#"{"limit":1,"path":"a"}"#,
            other(r#"{"limit":1,"path":"a"}"#),
        );
        let change = |removed: &str, added: &str| ToolSubject::Change {
            path: "a".to_owned(),
            removed: removed.to_owned(),
            added: added.to_owned(),
        };
        let edits = r#"{"path":"a","edits":[{"old_text":"x","new_text":"y"},{"old_text":"z\n","new_text":""}]}"#;
        check("edit", edits, change("x\nz\n", "y\n"));
        check(
            "write",
            r#"{"path":"a","content":"b\n"}"#,
            change("", "b\n"),
        );
        check("edit", r#"{"path":"a","edits":3}"#, change("", ""));
    }
}
