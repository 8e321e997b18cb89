//! What the stand-in reads from a conversation: the last user message, and the number of rounds
//! since then. It relies only on the order of items, whichever client wrote them.

use serde_json::Value;

/// The role of an item in a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    User,
    Model,
    ToolOutput,
    Other,
}

fn part(item: &Value) -> Part {
    let kind = item["type"].as_str().unwrap_or("message");
    match (kind, item["role"].as_str()) {
        ("message", Some("user")) => Part::User,
        ("message", Some("assistant"))
        | ("reasoning" | "function_call" | "custom_tool_call", _) => Part::Model,
        ("function_call_output" | "custom_tool_call_output", _) => Part::ToolOutput,
        _ => Part::Other,
    }
}

/// The items of a request's `input`, which some clients of the API send as plain text.
fn items(input: &Value) -> &[Value] {
    input.as_array().map_or(&[], Vec::as_slice)
}

/// The text of the last user message, with its parts on separate lines.
pub(super) fn last_user_text(input: &Value) -> String {
    if let Some(text) = input.as_str() {
        return text.to_owned();
    }
    let last = items(input).iter().rfind(|item| part(item) == Part::User);
    last.map(text).unwrap_or_default()
}

/// The texts of all user messages, on separate lines.
pub(super) fn user_texts(input: &Value) -> String {
    let users = items(input).iter().filter(|item| part(item) == Part::User);
    let texts: Vec<String> = users.map(text).collect();
    texts.join("\n")
}

/// The text of a message, with its parts on separate lines.
fn text(message: &Value) -> String {
    match &message["content"] {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts
                .iter()
                .filter_map(|part| part["text"].as_str())
                .collect();
            texts.join("\n")
        }
        _ => String::new(),
    }
}

/// Number of rounds since the last user message that ended with tool outputs: sequences of the
/// model's items that are followed by at least one output.
pub(super) fn rounds_done(input: &Value) -> usize {
    let items = items(input);
    let since = items
        .iter()
        .rposition(|item| part(item) == Part::User)
        .map_or(0, |at| at + 1);
    let mut done = 0;
    let mut in_round = false;
    for item in &items[since..] {
        match part(item) {
            Part::Model => in_round = true,
            Part::ToolOutput if in_round => {
                in_round = false;
                done += 1;
            }
            _ => {}
        }
    }
    done
}

/// Whether there is an earlier answer, so that some of the input may be cached.
pub(super) fn has_history(input: &Value) -> bool {
    items(input).iter().any(|item| part(item) == Part::Model)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kinds: &str, expected: usize) {
        let item = |letter| match letter {
            'u' => r#"{"role":"user","content":"hello"}"#,
            'a' => r#"{"type":"message","role":"assistant","content":[]}"#,
            'r' => r#"{"type":"reasoning"}"#,
            'c' => r#"{"type":"function_call"}"#,
            'o' => r#"{"type":"function_call_output"}"#,
            _ => r#"{"type":"message","role":"developer"}"#,
        };
        let texts: Vec<&str> = kinds.chars().map(item).collect();
        let input = serde_json::from_str(&format!("[{}]", texts.join(","))).expect("JSON");
        assert_eq!(rounds_done(&input), expected, "{kinds}");
    }

    #[test]
    fn rounds_are_counted_since_the_last_user_message() {
        check("", 0);
        check("u", 0);
        check("ucou", 0);
        check("urcco", 1);
        check("uraccoo", 1);
        check("uracoo-rcoa", 2);
        check("ucorcorco", 3);
        check("ua", 0);
    }
}
