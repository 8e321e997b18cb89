//! The content of an answer: items, and the ending of the stream. The events themselves are made by
//! `events`; this is what can be requested, in Rust and in JSON.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::events::Events;
use super::id::Ids;
use super::route::Backend;
use super::token;

/// A complete answer, before the ids and numbers of the request that gets it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) items: Vec<Item>,
    pub(super) split: Split,
    pub(super) ends: Ends,
    /// `None` is the backend's default.
    pub(super) output: Option<FinalOutput>,
}

/// An item of the model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "ItemText")]
pub(crate) enum Item {
    Reasoning {
        summary: String,
    },
    Text {
        text: String,
        phase: Option<String>,
    },
    Call {
        name: String,
        /// The model's text, which need not be JSON.
        arguments: String,
    },
    /// What stands for a compacted conversation.
    Compaction,
    /// A message with a repeated text, each time in a delta of about 290 bytes.
    Deltas {
        count: usize,
        each: String,
    },
}

impl Item {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        let (text, phase) = (text.into(), None);
        Self::Text { text, phase }
    }

    /// A message before the final answer.
    pub(crate) fn commentary(text: impl Into<String>) -> Self {
        let phase = Some("commentary".to_owned());
        let text = text.into();
        Self::Text { text, phase }
    }

    pub(crate) fn reasoning(summary: impl Into<String>) -> Self {
        let summary = summary.into();
        Self::Reasoning { summary }
    }

    /// A call whose arguments are a `serde_json::Value`, or a text to be sent unchanged.
    #[allow(clippy::needless_pass_by_value, reason = "tests pass what they made")]
    pub(crate) fn call(name: &str, arguments: impl ToString) -> Self {
        Self::Call {
            name: name.to_owned(),
            arguments: arguments.to_string(),
        }
    }
}

/// How a text is split into deltas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub(crate) enum Split {
    #[default]
    Words,
    Chars,
    Whole,
}

/// The end of the stream, written as in `failed:server_error:try again`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Ends {
    #[default]
    Completed,
    Incomplete(String),
    Failed {
        code: String,
        message: String,
    },
    /// A top-level `error` event.
    Error {
        code: String,
        message: String,
    },
    /// No terminal event.
    None,
}

/// Whether the last event's response repeats the items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FinalOutput {
    Full,
    Empty,
}

/// The parts of the request that the events depend on.
pub(super) struct Context<'a> {
    pub(super) ids: &'a Ids,
    pub(super) backend: Backend,
    pub(super) model: String,
    pub(super) tier: String,
    pub(super) parallel: bool,
    /// Whether encrypted reasoning was requested.
    pub(super) encrypted: bool,
    pub(super) input_tokens: usize,
    pub(super) cached_tokens: usize,
    pub(super) created_at: u64,
}

impl<'a> Context<'a> {
    /// The context of a request with default settings.
    pub(super) fn new(ids: &'a Ids) -> Self {
        Self {
            ids,
            backend: Backend::Api,
            model: String::new(),
            tier: "default".to_owned(),
            parallel: true,
            encrypted: false,
            input_tokens: 0,
            cached_tokens: 0,
            created_at: token::now_unix(),
        }
    }
}

impl Answer {
    /// Whether it is worth keeping, once made.
    pub(super) fn is_large(&self) -> bool {
        let large = |item: &Item| matches!(item, Item::Deltas { .. });
        self.items.iter().any(large)
    }
}

/// The whole stream of an answer, with LF line ends.
pub(super) fn render(answer: &Answer, context: &Context<'_>) -> Vec<u8> {
    let mut events = Events::begin(context);
    let cut_short = matches!(answer.ends, Ends::Incomplete(_));
    for (place, item) in answer.items.iter().enumerate() {
        let is_last = place + 1 == answer.items.len();
        let status = if cut_short && is_last {
            "incomplete"
        } else {
            "completed"
        };
        match item {
            Item::Reasoning { summary } => events.reasoning(summary, answer.split),
            Item::Compaction => events.compaction(),
            Item::Text { text, phase } => {
                events.message(answer.split.pieces(text), phase.as_deref(), status, 0);
            }
            Item::Call { name, arguments } => events.call(name, arguments, status),
            Item::Deltas { count, each } => {
                let pieces = std::iter::repeat_n(each.as_str(), *count);
                events.message(pieces, None, status, 290);
            }
        }
    }
    let output = answer.output.unwrap_or(match context.backend {
        Backend::Subscription => FinalOutput::Empty,
        Backend::Api => FinalOutput::Full,
    });
    events.end(&answer.ends, output)
}

/// Approximate number of tokens of this many bytes.
pub(super) fn tokens(bytes: usize) -> usize {
    bytes.div_ceil(4)
}

impl Split {
    /// The text in pieces: a word with the white space before it, like a model's tokens.
    pub(super) fn pieces(self, text: &str) -> impl Iterator<Item = &str> {
        let mut rest = text;
        std::iter::from_fn(move || {
            let end = match self {
                Self::Whole => rest.len(),
                Self::Chars => rest.chars().next().map_or(0, char::len_utf8),
                Self::Words => end_of_word(rest),
            };
            let (piece, after) = rest.split_at(end);
            rest = after;
            (!piece.is_empty()).then_some(piece)
        })
    }
}

/// The end of the first word. White space at the end of a text belongs to its last word.
fn end_of_word(text: &str) -> usize {
    let word = text.trim_start();
    let ends = word.find(char::is_whitespace);
    match ends {
        Some(end) if !word[end..].trim_start().is_empty() => text.len() - word.len() + end,
        _ => text.len(),
    }
}

impl TryFrom<serde_json::Value> for Split {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        match value {
            serde_json::Value::Bool(true) => Ok(Self::Words),
            serde_json::Value::Bool(false) => Ok(Self::Whole),
            value if value == "chars" => Ok(Self::Chars),
            other => Err(format!("words is true, false or \"chars\", not {other}")),
        }
    }
}

impl TryFrom<String> for Ends {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parts: Vec<String> = text.splitn(3, ':').map(str::to_owned).collect();
        let wrong = "ends is completed, none, incomplete:REASON, failed:CODE:MESSAGE or \
                     error:CODE:MESSAGE";
        match parts.as_slice() {
            [kind] if kind == "completed" => Ok(Self::Completed),
            [kind] if kind == "none" => Ok(Self::None),
            [kind, reason] if kind == "incomplete" => Ok(Self::Incomplete(reason.clone())),
            [kind, code, message] if kind == "failed" || kind == "error" => {
                let (code, message) = (code.clone(), message.clone());
                Ok(if kind == "failed" {
                    Self::Failed { code, message }
                } else {
                    Self::Error { code, message }
                })
            }
            _ => Err(format!("{wrong}, not {text:?}")),
        }
    }
}

/// An item as written in a round.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemText {
    reasoning: Option<String>,
    text: Option<String>,
    phase: Option<String>,
    call: Option<CallText>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallText {
    name: String,
    arguments: Box<RawValue>,
}

impl TryFrom<ItemText> for Item {
    type Error = String;

    fn try_from(item: ItemText) -> Result<Self, String> {
        match (item.reasoning, item.text, item.call, item.phase) {
            (Some(summary), None, None, None) => Ok(Self::Reasoning { summary }),
            (None, Some(text), None, phase) => Ok(Self::Text { text, phase }),
            (None, None, Some(CallText { name, arguments }), None) => {
                let raw = arguments.get();
                // A string is sent unchanged, anything else as its JSON.
                let arguments = serde_json::from_str(raw).unwrap_or_else(|_| raw.to_owned());
                Ok(Self::Call { name, arguments })
            }
            _ => Err(
                "an item has exactly one of reasoning, text and call, and a phase only with text"
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(split: Split, text: &str, expected: &[&str]) {
        let pieces: Vec<&str> = split.pieces(text).collect();
        assert_eq!(pieces, expected, "{text:?}");
        assert_eq!(pieces.concat(), text);
    }

    #[test]
    fn texts_are_split_without_loss() {
        check(Split::Words, "", &[]);
        check(Split::Words, "one", &["one"]);
        check(
            Split::Words,
            " one  two\nthree\n",
            &[" one", "  two", "\nthree\n"],
        );
        check(Split::Words, " \n", &[" \n"]);
        check(Split::Chars, "äb", &["ä", "b"]);
        check(Split::Whole, "a b", &["a b"]);
    }
}
