//! Parses frames into events. One flat struct holds the fields that matter and borrows them from the frame; their
//! meaning is decided afterwards. An unknown type or a field of an unexpected form is not an error: a frame is
//! malformed only if it is not a JSON object with a string as its type.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{fields, text};

/// The item that an event refers to. The index takes precedence: some servers change ids between events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ItemPosition<'a> {
    /// The item's `output_index`.
    pub index: Option<u64>,
    /// The item's id, for servers that send no index. Still in quotes, since it is only compared.
    pub id: Option<&'a str>,
}

/// A stream event, reduced to what this program uses.
#[derive(Debug)]
pub enum Event<'a> {
    /// A text delta of a message.
    Text(ItemPosition<'a>, Cow<'a, str>),
    /// An item begins. Its content is not reliable yet.
    Added(ItemPosition<'a>, &'a RawValue),
    /// A delta of something that is useful only once complete: call arguments, a refusal.
    Part(ItemPosition<'a>),
    /// A finished item.
    Done(ItemPosition<'a>, &'a RawValue),
    /// `response.completed`, with the response object.
    Completed(Option<&'a RawValue>),
    /// `response.incomplete`, with the response object.
    Incomplete(Option<&'a RawValue>),
    /// `response.failed`, with the response object.
    Failed(Option<&'a RawValue>),
    /// An error event; the details are in the frame itself.
    Error,
    /// Any other event.
    Other,
}

#[derive(Deserialize)]
struct EventFields<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    delta: Option<&'a RawValue>,
    #[serde(borrow, default)]
    output_index: Option<&'a RawValue>,
    #[serde(borrow, default)]
    item_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    item: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
}

/// Parses a frame; `None` if it is malformed.
///
/// `[DONE]`, which some proxies add, is not part of this protocol and parses as [`Event::Other`].
#[must_use]
pub fn parse(frame: &[u8]) -> Option<Event<'_>> {
    if frame == b"[DONE]" {
        return Some(Event::Other);
    }
    let fields: EventFields<'_> = fields(std::str::from_utf8(frame).ok()?)?;
    let place = ItemPosition {
        index: fields.output_index.and_then(|raw| raw.get().parse().ok()),
        id: fields.item_id.map(RawValue::get),
    };
    Some(match &*fields.kind {
        "response.output_text.delta" => match fields.delta.map(RawValue::get).and_then(text) {
            Some(delta) => Event::Text(place, delta),
            None => return None,
        },
        "response.refusal.delta"
        | "response.function_call_arguments.delta"
        | "response.custom_tool_call_input.delta" => Event::Part(place),
        "response.output_item.added" => match fields.item {
            Some(item) => Event::Added(place, item),
            None => return None,
        },
        "response.output_item.done" => match fields.item {
            Some(item) => Event::Done(place, item),
            None => return None,
        },
        // Some servers call it `response.done`.
        "response.completed" | "response.done" => Event::Completed(fields.response),
        "response.incomplete" => Event::Incomplete(fields.response),
        "response.failed" | "response.cancelled" => Event::Failed(fields.response),
        "error" => Event::Error,
        "" if fields.error.is_some() => Event::Error,
        "" => return None,
        _ => Event::Other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(frame: &str) -> Option<(Option<u64>, Cow<'_, str>)> {
        match parse(frame.as_bytes()) {
            Some(Event::Text(place, delta)) => Some((place.index, delta)),
            _ => None,
        }
    }

    #[test]
    fn a_plain_delta_is_borrowed() {
        let frame =
            r#"{"type":"response.output_text.delta","output_index":3,"delta":"caf\u00e9 or café"}"#;
        assert!(
            matches!(delta(frame), Some((Some(3), Cow::Owned(text))) if text == "café or café")
        );
        let frame = r#"{"type":"response.output_text.delta","output_index":3,"delta":"café"}"#;
        assert!(matches!(
            delta(frame),
            Some((Some(3), Cow::Borrowed("café")))
        ));
    }

    #[test]
    fn wrong_types_of_unused_fields_are_ignored() {
        let frame = r#"{"type":"response.output_text.delta","output_index":"x","item_id":7,"delta":"a","item":5}"#;
        assert_eq!(delta(frame), Some((None, Cow::Borrowed("a"))));
        let frame = r#"{"type":"response.shell_call_output_content.delta","delta":{"stdout":"x"}}"#;
        assert!(matches!(parse(frame.as_bytes()), Some(Event::Other)));
    }

    #[test]
    fn malformed_frames_are_none() {
        for frame in [
            "",
            "{",
            "null",
            "[]",
            r#"["response.completed"]"#,
            "{}",
            "3",
            r#"{"type":3}"#,
            r#"{"type":"response.output_item.done"}"#,
            r#"{"type":"response.output_text.delta","delta":3}"#,
        ] {
            assert!(parse(frame.as_bytes()).is_none(), "{frame}");
        }
        assert!(parse(b"{\"type\":\"response.output_text.delta\",\"delta\":\"\xff\"}").is_none());
    }

    #[test]
    fn an_error_without_a_type_is_an_error() {
        assert!(matches!(
            parse(br#"{"error":{"message":"no"}}"#),
            Some(Event::Error)
        ));
        assert!(matches!(parse(b"[DONE]"), Some(Event::Other)));
    }
}
