//! `codex sessions show`: a stored conversation as readable text.

use std::path::Path;

use serde_json::Value;

use super::super::chat::said;
use super::super::stdout::Stdout;
use super::{Error, find};
use crate::chat::event::{Said, ToolCall, ToolSubject};
use crate::clock::local;
use crate::output::visible::line;
use crate::session::StoredConversation;

/// How many lines of a tool's output are shown on a terminal.
const MAX_OUTPUT_LINES: usize = 10;

/// Prints the conversation with this id.
///
/// # Errors
/// If it does not exist, is ambiguous or damaged, or standard output cannot be written.
pub fn show(home: Option<&Path>, id: &str, mut stdout: Stdout) -> Result<(), Error> {
    let (sessions, id) = find(home, id)?;
    let (stored, file) = sessions.read(&id).map_err(Error::Session)?;
    let (mut values, mut room) = (Vec::new(), Vec::new());
    for item in &stored.items {
        let item = file.read_item(&item.range, &mut room);
        values.push(said::value(item.map_err(Error::Session)?));
    }
    let most = stdout.is_terminal().then_some(MAX_OUTPUT_LINES);
    stdout
        .print(&text(&stored, &values, most))
        .map_err(Error::Output)
}

/// The conversation with these items as text; with at most this many lines of a tool's output.
fn text(stored: &StoredConversation, items: &[Value], most: Option<usize>) -> String {
    let facts = [
        ("id", stored.id.as_str().to_owned()),
        ("created", local(stored.created_at)),
        ("directory", stored.cwd.clone()),
        ("model", stored.model.clone()),
        ("turns", stored.turns.to_string()),
    ];
    let mut text = String::new();
    for (name, value) in facts {
        text.push_str(&format!("{name:<9} {}\n", line(&value)));
    }
    let mut begin = 0;
    for compacted in &stored.compactions.after {
        let end = (*compacted).clamp(begin, items.len());
        push_items(&mut text, &items[begin..end], most);
        text.push_str(COMPACTED);
        begin = end;
    }
    push_items(&mut text, &items[begin..], most);
    text
}

/// The mark after the items that were compacted.
const COMPACTED: &str = "\n(the conversation was compacted here)\n";

/// Adds items. They have the result of every call.
fn push_items(text: &mut String, items: &[Value], most: Option<usize>) {
    for said in said::said(items) {
        text.push('\n');
        match said {
            Said::User(words) => push_lines(text, "> ", words.trim_end()),
            Said::Model(words) => push_lines(text, "", words.trim_end()),
            Said::Tool { call, output } => {
                push_lines(text, "", &title(&call));
                push_output(text, output.trim_end(), most);
            }
        }
    }
}

/// What a call does.
fn title(call: &ToolCall) -> String {
    match &call.subject {
        ToolSubject::Command(command) => format!("{}: {command}", call.name),
        ToolSubject::Change { path, .. } => format!("{}: {path}", call.name),
        ToolSubject::Other(arguments) => format!("{}: {arguments}", call.name),
    }
}

fn push_lines(text: &mut String, mark: &str, lines: &str) {
    for line in lines.lines() {
        text.push_str(format!("{mark}{line}").trim_end());
        text.push('\n');
    }
}

fn push_output(text: &mut String, output: &str, most: Option<usize>) {
    let count = output.lines().count();
    let shown = most.filter(|most| count > *most).unwrap_or(count);
    for line in output.lines().take(shown) {
        text.push_str(format!("    {line}").trim_end());
        text.push('\n');
    }
    if shown < count {
        text.push_str(&format!("    … {} more lines\n", count - shown));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_is_readable() {
        let lines = [
            r#"{"type":"codex.session","version":2,"id":"019ac5b1-0000-7000-8000-000000000000","created_at":0,"cwd":"/w"}"#,
            r#"{"type":"codex.turn","at":0,"model":"m","cwd":"/w"}"#,
            r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"go\n\non\n"}]}"#,
            r#"{"type":"function_call","call_id":"1","name":"bash","arguments":"{\"command\":\"ls\"}"}"#,
            r#"{"type":"function_call_output","call_id":"1","output":"a\nb\nc\n"}"#,
            r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"done"}]}"#,
        ];
        let bytes: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let (stored, _) = StoredConversation::read(bytes.as_bytes()).expect("a conversation");
        let items: Vec<Value> = lines.map(|line| said::value(line.as_bytes())).to_vec();
        let head = "id        019ac5b1-0000-7000-8000-000000000000\ncreated   1970-01-01 00:00 UTC\n\
                    directory /w\nmodel     m\nturns     1\n";
        let whole = format!("{head}\n> go\n>\n> on\n\nbash: ls\n    a\n    b\n    c\n\ndone\n");
        assert_eq!(text(&stored, &items, None), whole);
        assert_eq!(text(&stored, &items, Some(3)), whole);
        let cut = whole.replace("    b\n    c\n", "    … 2 more lines\n");
        assert_eq!(text(&stored, &items, Some(1)), cut);
    }
}
