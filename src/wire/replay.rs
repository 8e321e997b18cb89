//! Adapts items of earlier answers so that the service accepts them again. An id ties an item to the reasoning that led
//! to it: the service rejects a message or a call with an id if that reasoning is missing ("Item 'msg_..' of type
//! 'message' was provided without its required 'reasoning' item"). So if reasoning is omitted, the ids of the items
//! after it are omitted too.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::input::NO_OUTPUT;

/// The model that receives an item of an earlier answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// The model that wrote it.
    Same,
    /// A different model, which may not know the phase of a message or the namespace of a call.
    Other,
}

/// An item without the reasoning that led to it; `None` for reasoning itself and for items that only their model
/// understands. A message becomes plain text, because one with parts must have an id. A call loses its id and keeps the
/// `call_id` that ties it to its output. An item handled by the service must have an id and is omitted. An item that
/// cannot be parsed is unchanged: omitting a call would orphan its output.
#[must_use]
pub fn without_reasoning(item: &[u8], recipient: Recipient) -> Option<Cow<'_, [u8]>> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(item) else {
        return Some(Cow::Borrowed(item));
    };
    let written = |fields| Some(Cow::Owned(Value::Object(fields).to_string().into_bytes()));
    let is_answer = fields.get("role").and_then(Value::as_str) == Some("assistant");
    match fields.get("type").and_then(Value::as_str) {
        // Their content is encrypted for a particular model.
        Some("reasoning" | "compaction" | "context_compaction") => None,
        Some("message") if is_answer => written(plain(&fields, recipient)?),
        _ if fields.get("call_id").is_some_and(Value::is_string) => {
            let named = fields.remove("id").is_some();
            let spaced = recipient == Recipient::Other && fields.remove("namespace").is_some();
            if named || spaced {
                written(fields)
            } else {
                Some(Cow::Borrowed(item))
            }
        }
        _ if fields.get("id").is_none_or(Value::is_null) => Some(Cow::Borrowed(item)),
        // A user message with an id from another client.
        _ if fields.contains_key("role") => Some(Cow::Borrowed(item)),
        _ => None,
    }
}

/// A model's message as plain text, without an id; `None` if it has no text.
fn plain(message: &Map<String, Value>, recipient: Recipient) -> Option<Map<String, Value>> {
    let text = match message.get("content")? {
        Value::String(text) => text.clone(),
        Value::Array(parts) => {
            let text = |part: &Value| {
                let text = part["text"].as_str().or_else(|| part["refusal"].as_str());
                text.map(str::to_owned)
            };
            parts.iter().filter_map(text).collect()
        }
        _ => return None,
    };
    if text.is_empty() {
        return None;
    }
    let mut plain = Map::new();
    plain.insert("type".to_owned(), json!("message"));
    plain.insert("role".to_owned(), json!("assistant"));
    plain.insert("content".to_owned(), Value::from(text));
    if let (Recipient::Same, Some(phase)) = (recipient, message.get("phase")) {
        plain.insert("phase".to_owned(), phase.clone());
    }
    Some(plain)
}

/// Fills in the placeholder for an empty call output: services reject an output of nothing but white space. Other items
/// are returned unchanged.
#[must_use]
pub fn with_placeholder(item: &[u8]) -> Cow<'_, [u8]> {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(item) else {
        return Cow::Borrowed(item);
    };
    let kind = fields.get("type").and_then(Value::as_str);
    if !matches!(
        kind,
        Some("function_call_output" | "custom_tool_call_output")
    ) {
        return Cow::Borrowed(item);
    }
    let is_blank = |text: &Value| text.as_str().is_some_and(|text| text.trim().is_empty());
    let mut changed = false;
    match fields.get_mut("output") {
        Some(Value::Array(parts)) => {
            for part in parts.iter_mut().filter(|part| is_blank(&part["text"])) {
                part["text"] = json!(NO_OUTPUT);
                changed = true;
            }
        }
        Some(output) if is_blank(output) => {
            *output = json!(NO_OUTPUT);
            changed = true;
        }
        _ => {}
    }
    if changed {
        Cow::Owned(Value::from(fields).to_string().into_bytes())
    } else {
        Cow::Borrowed(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_after_reasoning_lose_their_ids_and_keep_their_text() {
        let check = |recipient, item: Value, expected: Value| {
            let item = item.to_string();
            let left = without_reasoning(item.as_bytes(), recipient);
            let left = left.map(|left| serde_json::from_slice(&left).expect("JSON"));
            assert_eq!(left, (!expected.is_null()).then_some(expected), "{item}");
        };
        let text = |text: &str| json!({"type": "output_text", "text": text, "annotations": []});
        let message = json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "phase": "commentary", "content": [text("a"), text("b"), {"type": "refusal", "refusal": "c"}]});
        let plain = json!({"type": "message", "role": "assistant", "content": "abc"});
        check(Recipient::Other, message.clone(), plain.clone());
        let mut with_phase = plain;
        with_phase["phase"] = json!("commentary");
        check(Recipient::Same, message, with_phase);
        for kind in ["function_call", "custom_tool_call", "brand_new_call"] {
            let call = json!({"type": kind, "id": "x_1", "call_id": "c", "namespace": "f"});
            let without = json!({"type": kind, "call_id": "c", "namespace": "f"});
            check(Recipient::Same, call.clone(), without);
            let without = json!({"type": kind, "call_id": "c"});
            check(Recipient::Other, call, without);
        }
        let user = json!({"type": "message", "role": "user", "content": "hi"});
        check(Recipient::Other, user.clone(), user);
        let output = json!({"type": "function_call_output", "call_id": "c", "output": "x"});
        check(Recipient::Other, output.clone(), output);
        for gone in [
            json!({"type": "reasoning", "id": "rs_1", "encrypted_content": "g"}),
            json!({"type": "compaction", "encrypted_content": "g"}),
            json!({"type": "web_search_call", "id": "ws_1", "status": "completed"}),
        ] {
            check(Recipient::Other, gone, Value::Null);
        }
        let odd = without_reasoning(b"[", Recipient::Other);
        assert_eq!(odd.as_deref(), Some(&b"["[..]));
    }

    #[test]
    fn a_blank_output_gets_a_placeholder() {
        let check = |output: Value, expected: Value| {
            let item = json!({"type": "function_call_output", "call_id": "c", "output": output});
            let item = item.to_string();
            let found = with_placeholder(item.as_bytes());
            let found: Value = serde_json::from_slice(&found).expect("JSON");
            assert_eq!(found["output"], expected, "{item}");
        };
        for blank in ["", " ", "\n\t\r ", "\u{3000}"] {
            check(json!(blank), json!("(no output)"));
        }
        check(json!(" x "), json!(" x "));
        check(
            json!([{"type": "input_text", "text": "\n"}, {"type": "input_image", "image_url": "data:x"}]),
            json!([{"type": "input_text", "text": "(no output)"}, {"type": "input_image", "image_url": "data:x"}]),
        );
        let message = br#"{"type":"message","role":"user","content":" "}"#;
        assert_eq!(&*with_placeholder(message), &message[..]);
    }
}
