//! The response object of a terminal event: how the answer ended, the tokens it used, and its items. Fields of an
//! unexpected type count as absent.

use std::ops::ControlFlow;

use super::json::{beginning, each, text, values};
use super::output_items;

/// Tokens counted by the service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Input tokens.
    pub input: u64,
    /// Input tokens read from the cache.
    pub cached: u64,
    /// Input tokens written to the cache.
    pub written: u64,
    /// Output tokens.
    pub output: u64,
    /// Output tokens spent on reasoning.
    pub reasoning: u64,
}

impl Usage {
    /// Adds the tokens of another answer.
    pub fn add(&mut self, other: Self) {
        self.input = self.input.saturating_add(other.input);
        self.cached = self.cached.saturating_add(other.cached);
        self.written = self.written.saturating_add(other.written);
        self.output = self.output.saturating_add(other.output);
        self.reasoning = self.reasoning.saturating_add(other.reasoning);
    }
}

/// Size limit in bytes of a string from the service.
const MAX_WORD_BYTES: usize = 1000;

/// Size limit in bytes of the reason for a removed item. There may be many of them.
const MAX_REASON_BYTES: usize = 40;

/// The fields of a response object.
#[derive(Debug, Default)]
pub(super) struct Response<'a> {
    /// The status of the answer.
    pub(super) status: Option<String>,
    /// The reason why it is incomplete.
    pub(super) reason: Option<String>,
    /// Whether it contains an error.
    pub(super) error: bool,
    pub(super) usage: Usage,
    /// Whether it reports the input and output tokens.
    pub(super) is_counted: bool,
    /// The output items; the subscription backend often sends an empty list.
    pub(super) output: Option<&'a str>,
    /// Why reasoning from earlier answers was withheld from the model: one entry for each item, with the reason if
    /// given.
    pub(super) withheld: Vec<Option<String>>,
}

impl<'a> Response<'a> {
    /// Parses a response object; `None` if it cannot be parsed at all.
    pub(super) fn read(raw: &'a str) -> Option<Self> {
        let [status, details, error, usage, output, transformations] = values(
            raw,
            [
                "status",
                "incomplete_details",
                "error",
                "usage",
                "output",
                "input_transformations",
            ],
        )?;
        let [reason] = object(details, ["reason"]);
        let [input_count, input, output_count, output_details] = object(
            usage,
            [
                "input_tokens",
                "input_tokens_details",
                "output_tokens",
                "output_tokens_details",
            ],
        );
        let [cached, written] = object(input, ["cached_tokens", "cache_write_tokens"]);
        let [reasoning] = object(output_details, ["reasoning_tokens"]);
        let word = |raw: &str| text(raw).map(|text| beginning(&text, MAX_WORD_BYTES));
        let status = status.map(|raw| word(raw).unwrap_or_else(|| beginning(raw, MAX_WORD_BYTES)));
        let (input_tokens, output_tokens) = (number(input_count), number(output_count));
        Some(Self {
            status: status.filter(|word| !word.is_empty()),
            reason: (reason.and_then(word)).filter(|word| !word.is_empty()),
            error: error.is_some(),
            usage: Usage {
                input: input_tokens.unwrap_or_default(),
                cached: number(cached).unwrap_or_default(),
                written: number(written).unwrap_or_default(),
                output: output_tokens.unwrap_or_default(),
                reasoning: number(reasoning).unwrap_or_default(),
            },
            is_counted: input_tokens.is_some() && output_tokens.is_some(),
            output,
            withheld: withheld(transformations),
        })
    }
}

/// Why input items were removed. Older models always drop reasoning at the end of its turn, so that is not reported.
fn withheld(transformations: Option<&str>) -> Vec<Option<String>> {
    let mut reasons = Vec::new();
    let Some(list) = transformations else {
        return reasons;
    };
    each(list, |raw| {
        let [action, reason] = object(Some(raw), ["action", "reason"]);
        let reason = reason.and_then(text).filter(|word| !word.is_empty());
        let reason = reason.map(|reason| beginning(&reason, MAX_REASON_BYTES));
        if action.and_then(text).as_deref() == Some("removed")
            && reason.as_deref() != Some("turn_boundary")
        {
            reasons.push(reason);
        }
        match reasons.len() {
            output_items::MAX_ITEMS.. => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        }
    });
    reasons
}

/// These fields of an object; none if it is not an object.
fn object<'a, const N: usize>(raw: Option<&'a str>, names: [&str; N]) -> [Option<&'a str>; N] {
    raw.and_then(|raw| values(raw, names)).unwrap_or([None; N])
}

/// A whole number, in any notation of JSON. One that is too large becomes the largest.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a cast saturates
fn number(raw: Option<&str>) -> Option<u64> {
    let raw = raw?;
    raw.parse().ok().or_else(|| {
        let number: f64 = raw.parse().ok()?;
        let is_whole = number.is_infinite() || number.fract() == 0.0;
        (is_whole && number >= 0.0).then_some(number as u64)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str) -> Response<'_> {
        Response::read(raw).expect("an object")
    }

    #[test]
    fn an_odd_field_does_not_hide_the_others() {
        let response = read(
            r#"{"status":7,"incomplete_details":[],"usage":{"input_tokens":"1","output_tokens":2},"output":{}}"#,
        );
        assert_eq!(response.status.as_deref(), Some("7"));
        assert_eq!(response.reason, None);
        assert_eq!(
            response.usage,
            Usage {
                output: 2,
                ..Usage::default()
            }
        );
        assert_eq!(response.output, Some("{}"));
        let deep = "[".repeat(300) + &"]".repeat(300);
        for usage in ["{\"x\":1e999}", "{\"x\":\"\\ud800\"}", &*deep] {
            let raw = format!(r#"{{"usage":{usage},"status":"failed","error":{{}}}}"#);
            let response = read(&raw);
            assert_eq!(
                (response.status.as_deref(), response.error),
                (Some("failed"), true),
                "{usage}"
            );
        }
        assert!(Response::read(r#"{"status":"a","status":"b"}"#).is_none());
        assert!(Response::read("null").is_none());
    }

    #[test]
    fn numbers_that_are_too_large_count_as_the_largest() {
        let check = |input: &str, expected: u64, is_counted: bool| {
            let raw = format!(r#"{{"usage":{{"input_tokens":{input},"output_tokens":2}}}}"#);
            let response = read(&raw);
            let found = (response.usage.input, response.is_counted);
            assert_eq!(found, (expected, is_counted), "{input}");
        };
        check("7", 7, true);
        check("1.5e1", 15, true);
        for large in ["99999999999999999999999", "1e26", "1e999"] {
            check(large, u64::MAX, true);
        }
        for odd in ["5.5", "-1", "-1e999", "null", "\"7\"", "[]"] {
            check(odd, 0, false);
        }
        for usage in ["null", "{}", "7", r#"{"prompt_tokens":1}"#] {
            let raw = format!(r#"{{"usage":{usage}}}"#);
            assert!(!read(&raw).is_counted, "{usage}");
        }
    }

    #[test]
    fn withheld_reasoning_is_read() {
        let raw = r#"{"input_transformations":[
            {"type":"reasoning","id":"rs_1","action":"removed","reason":"prefix_mismatch"}, 7, {"action":"moved"},
            {"type":"reasoning","id":"rs_2","action":"removed","reason":"turn_boundary"},
            {"type":"reasoning","id":"rs_3","action":"removed"}]}"#;
        assert_eq!(
            read(raw).withheld,
            [Some("prefix_mismatch".to_owned()), None]
        );
        for odd in ["{}", "7", "null", "[]"] {
            let raw = format!(r#"{{"input_transformations":{odd}}}"#);
            assert!(read(&raw).withheld.is_empty(), "{odd}");
        }
    }

    #[test]
    fn nested_numbers_and_reasons_are_read() {
        let response = read(
            r#"{"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":8},"output_tokens":7,"output_tokens_details":{"reasoning_tokens":6}},"incomplete_details":{"reason":"x"}}"#,
        );
        let usage = response.usage;
        assert_eq!(
            (usage.input, usage.cached, usage.output, usage.reasoning),
            (9, 8, 7, 6)
        );
        assert_eq!(response.reason.as_deref(), Some("x"));
        assert!(Response::read(r#"["completed"]"#).is_none());
        let long = format!(r#"{{"status":"{}"}}"#, "x".repeat(5000));
        let length = read(&long).status.map(|status| status.len());
        assert_eq!(length, Some(MAX_WORD_BYTES + " ...".len()));
    }
}
