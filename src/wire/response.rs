//! The response object that comes with a terminal event: how it ended, the tokens it cost, and the items
//! once more. Fields of an unexpected type read as if they were absent.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::event::text;
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

/// What a response object says.
#[derive(Debug, Default)]
pub(super) struct Response {
    /// Empty where it says none.
    pub(super) status: String,
    /// Why it is incomplete.
    pub(super) reason: String,
    /// It names an error.
    pub(super) error: bool,
    pub(super) usage: Usage,
    /// Its items by position; the subscription backend often sends none.
    pub(super) output: Vec<(u64, Item)>,
}

/// Each field is read by itself, so that an odd one does not hide what the others say.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Fields<'a> {
    #[serde(borrow)]
    status: Option<&'a RawValue>,
    #[serde(borrow)]
    incomplete_details: Option<&'a RawValue>,
    #[serde(borrow)]
    error: Option<&'a RawValue>,
    #[serde(borrow)]
    usage: Option<&'a RawValue>,
    #[serde(borrow)]
    output: Option<&'a RawValue>,
}

impl Response {
    /// Reads a response object; `None` where it cannot be read at all.
    pub(super) fn read(raw: &str) -> Option<Self> {
        let fields: Fields<'_> = serde_json::from_str(raw).ok()?;
        let value = |raw: Option<&RawValue>| -> Value {
            raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
                .unwrap_or_default()
        };
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let usage = value(fields.usage);
        let items: Vec<&RawValue> = fields
            .output
            .and_then(|raw| serde_json::from_str(raw.get()).ok())
            .unwrap_or_default();
        let status = fields
            .status
            .map(|raw| text(raw).map_or_else(|| raw.get().to_owned(), Into::into));
        Some(Self {
            status: status.unwrap_or_default(),
            reason: value(fields.incomplete_details)["reason"]
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            error: fields.error.is_some(),
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
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Response {
        Response::read(raw).expect("an object")
    }

    #[test]
    fn an_odd_field_does_not_hide_the_others() {
        let response = read(
            r#"{"status":7,"incomplete_details":[],"usage":{"input_tokens":"1","output_tokens":2},"output":{}}"#,
        );
        assert_eq!((&*response.status, &*response.reason), ("7", ""));
        assert_eq!(
            response.usage,
            Usage {
                output: 2,
                ..Usage::default()
            }
        );
        assert!(response.output.is_empty());
        let deep = "[".repeat(300) + &"]".repeat(300);
        for usage in ["{\"x\":1e999}", "{\"x\":\"\\ud800\"}", &*deep] {
            let response = read(&format!(
                r#"{{"usage":{usage},"status":"failed","error":{{}}}}"#
            ));
            assert_eq!(
                (&*response.status, response.error),
                ("failed", true),
                "{usage}"
            );
        }
        assert!(Response::read(r#"{"status":"a","status":"b"}"#).is_none());
        assert!(Response::read("null").is_none());
    }

    #[test]
    fn items_keep_their_positions() {
        let response =
            read(r#"{"output":[7,{"type":"reasoning"}],"incomplete_details":{"reason":"x"}}"#);
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
