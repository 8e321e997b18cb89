//! What was said in a stored conversation, from its items.

use std::collections::HashMap;

use serde_json::Value;

use super::tool_call::stored;
use crate::chat::event::Said;

/// The value of an item; null if it is not JSON.
pub(in crate::command) fn value(item: &[u8]) -> Value {
    serde_json::from_slice(item).unwrap_or_default()
}

/// The messages and tool calls among these items.
pub(in crate::command) fn said(values: &[Value]) -> Vec<Said> {
    let outputs: HashMap<&str, &Value> = values
        .iter()
        .filter(|value| value["type"] == "function_call_output")
        .filter_map(|value| Some((value["call_id"].as_str()?, &value["output"])))
        .collect();
    values
        .iter()
        .filter_map(|value| one(value, &outputs))
        .collect()
}

/// What one item says, if anything.
fn one(value: &Value, outputs: &HashMap<&str, &Value>) -> Option<Said> {
    let field = |name: &str| value[name].as_str().unwrap_or_default();
    if field("type") == "function_call" {
        let id = field("call_id");
        return Some(Said::Tool {
            call: stored(id, field("name"), field("arguments")),
            output: outputs
                .get(id)
                .map(|output| text(output))
                .unwrap_or_default(),
        });
    }
    let is_message = matches!(field("type"), "message" | "");
    let text = text(&value["content"]);
    match field("role") {
        _ if !is_message || text.trim().is_empty() => None,
        "user" => Some(Said::User(text)),
        "assistant" => Some(Said::Model(text)),
        _ => None,
    }
}

/// The text of a content: a string, or parts with text.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts
            .iter()
            .filter_map(|part| part["text"].as_str())
            .collect(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::event::{ToolCall, ToolSubject};

    #[test]
    fn messages_and_calls_are_said_and_nothing_else() {
        let items = [
            r#"{"type":"message","role":"developer","content":[{"type":"input_text","text":"d"}]}"#,
            r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"u"},{"type":"input_image"}]}"#,
            r#"{"type":"reasoning","summary":[]}"#,
            r#"{"type":"function_call","call_id":"1","name":"bash","arguments":"{\"command\":\"ls\"}"}"#,
            r#"{"type":"function_call_output","call_id":"1","output":"a\nb"}"#,
            r#"{"type":"message","role":"assistant","content":[{"type":"output_text","text":"m"}]}"#,
            "not JSON",
        ];
        let items = items.map(|item| value(item.as_bytes()));
        let call = ToolCall {
            id: "1".to_owned(),
            name: "bash".to_owned(),
            subject: ToolSubject::Command("ls".to_owned()),
        };
        let output = "a\nb".to_owned();
        let expected = [
            Said::User("u".to_owned()),
            Said::Tool { call, output },
            Said::Model("m".to_owned()),
        ];
        assert_eq!(said(&items), expected);
    }
}
