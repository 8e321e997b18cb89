//! The response object that comes with a terminal event: how it ended, the tokens it cost, and the items
//! once more. Fields of an unexpected type read as if they were absent.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::item::Item;

/// Tokens counted by the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Tokens sent.
    pub input: u64,
    /// Of these, the ones that were cached.
    pub cached: u64,
    /// Tokens answered.
    pub output: u64,
    /// Of these, the ones spent on reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// Adds the tokens of another answer.
    pub fn add(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.cached = self.cached.saturating_add(other.cached);
        self.output = self.output.saturating_add(other.output);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
    }
}

/// What a response object says beside its items.
#[derive(Debug, Default)]
pub(super) struct Response {
    pub(super) status: String,
    /// Why it is incomplete.
    pub(super) reason: String,
    pub(super) usage: Usage,
    /// Its items by position; the subscription backend often sends none.
    pub(super) output: Vec<(u64, Item)>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    status: Value,
    incomplete_details: Value,
    usage: Value,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
}

impl Response {
    pub(super) fn read(raw: &str) -> Self {
        let fields: Fields<'_> = serde_json::from_str(raw).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let usage = &fields.usage;
        let items: Vec<&RawValue> = fields
            .output
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default();
        Self {
            status: text(&fields.status),
            reason: text(&fields.incomplete_details["reason"]),
            usage: Usage {
                input: number(&usage["input_tokens"]),
                cached: number(&usage["input_tokens_details"]["cached_tokens"]),
                output: number(&usage["output_tokens"]),
                reasoning: number(&usage["output_tokens_details"]["reasoning_tokens"]),
            },
            output: (0..)
                .zip(items)
                .filter_map(|(at, raw)| Some((at, Item::parse(raw)?)))
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_types_read_as_absent() {
        let response = Response::read(
            r#"{"status":7,"incomplete_details":[],"usage":{"input_tokens":"1","output_tokens":2},"output":{}}"#,
        );
        assert_eq!((&*response.status, &*response.reason), ("", ""));
        assert_eq!(
            response.usage,
            Usage {
                output: 2,
                ..Usage::default()
            }
        );
        assert!(response.output.is_empty());
        assert!(Response::read("null").output.is_empty());
    }

    #[test]
    fn items_keep_their_positions() {
        let response = Response::read(
            r#"{"output":[7,{"type":"reasoning"}],"incomplete_details":{"reason":"x"}}"#,
        );
        assert_eq!(
            response
                .output
                .iter()
                .map(|(at, _)| *at)
                .collect::<Vec<_>>(),
            [1]
        );
        assert_eq!(response.reason, "x");
    }
}
