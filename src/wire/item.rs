//! Items: the parts of answers and conversations. An item is kept as the bytes received, because these bytes go back
//! to the service; the few fields that this program uses are parsed.

use std::borrow::Cow;
use std::ops::ControlFlow;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::json::{beginning, each, text, values};
pub use super::pending_item::PendingItem;
use super::raw_text::RawText;

/// One finished item of an answer.
#[derive(Debug)]
pub struct Item {
    /// Its JSON as received.
    raw: Box<str>,
    /// The type of the item, with the fields in use.
    pub kind: ItemKind,
}

/// The type of an item, with the fields in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A message for the user.
    Message(Message),
    /// The model's reasoning. The service accepts it back only with its encrypted content.
    Reasoning {
        /// Whether the encrypted content is present.
        sealed: bool,
    },
    /// A call of one of the client's tools.
    Call(Call),
    /// An item that waits for a result, such as an approval or a patch, or an item of an unknown type. The service may
    /// have handled it already.
    Waiting(PendingItem),
    /// A result that the service produced for the item with this `call_id`, or for an unnamed one.
    Result(Option<String>),
    /// Any other item, handled by the service.
    Other,
}

/// A message for the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Whether the text contains more than white space.
    pub has_text: bool,
    /// A fingerprint of the text: equal for equal texts. The text itself is in the item's bytes, and can be long.
    pub fingerprint: u64,
    /// The model's refusal, if it declined, cut to a maximum length.
    pub refusal: Option<String>,
    /// Whether the service reports the message as cut off.
    pub unfinished: bool,
}

/// A web search made by the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchCall {
    /// The query, if the service names it.
    pub query: Option<String>,
}

/// A tool call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Ties the call to its output.
    pub call_id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments: one JSON object as the model wrote it, which may be malformed.
    pub arguments: String,
    /// Whether the service reports the call as cut off.
    pub unfinished: bool,
}

impl Call {
    /// Whether `other` repeats this call: equal except for blanks in its arguments.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let json = |call: &Self| serde_json::from_str::<serde_json::Value>(&call.arguments).ok();
        self.call_id == other.call_id
            && self.name == other.name
            && (self.arguments == other.arguments
                || json(self).is_some_and(|a| json(other) == Some(a)))
    }
}

/// What an item says, read once.
#[derive(Debug)]
pub(super) struct ReadItem<'a> {
    pub(super) kind: ItemKind,
    /// Its id, in quotes.
    pub(super) id: Option<&'a str>,
    /// The text of a message; empty for any other item.
    pub(super) text: RawText<'a>,
}

/// A part of a message: its type and one of its strings.
struct ContentPart<'a> {
    kind: Option<&'a str>,
    text: Option<&'a str>,
    refusal: Option<&'a str>,
}

impl Item {
    /// Parses an item. `None` if it is not a JSON object, a call without a name or an id, or a message whose text
    /// cannot be decoded.
    #[must_use]
    pub fn parse(raw: &RawValue) -> Option<Self> {
        let read = ReadItem::of(raw.get())?;
        Some(Self::new(raw.get(), read.kind))
    }

    /// The item of this JSON, whose type is known.
    pub(super) fn new(json: &str, kind: ItemKind) -> Self {
        Self {
            raw: json.into(),
            kind,
        }
    }

    pub(super) fn json(&self) -> &str {
        &self.raw
    }

    /// This reasoning item with the encrypted content of `other`, where the service sent it; `None` if this is not such
    /// an item, or `other` has no encrypted content.
    pub(super) fn sealed_by(&self, other: &str) -> Option<Self> {
        let mut own: Map<String, Value> = serde_json::from_str(&self.raw).ok()?;
        let mut other: Map<String, Value> = serde_json::from_str(other).ok()?;
        let name = "encrypted_content";
        own.insert(name.to_owned(), other.remove(name)?);
        let raw = serde_json::value::to_raw_value(&own).ok()?;
        Self::parse(&raw).filter(|item| item.kind == (ItemKind::Reasoning { sealed: true }))
    }

    /// The bytes of the item as received.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.raw.as_bytes()
    }

    /// The reasoning summary, its parts as paragraphs; `None` for other items, or if it is empty.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        if !matches!(self.kind, ItemKind::Reasoning { .. }) {
            return None;
        }
        let [summary] = values(&self.raw, ["summary"])?;
        let mut all = Vec::new();
        parts(summary, |part| {
            all.extend(part.text.and_then(text));
            Some(())
        });
        let summary = all.join("\n\n");
        (!summary.trim().is_empty()).then_some(summary)
    }

    /// The web search, if the item is one.
    #[must_use]
    pub fn searched(&self) -> Option<SearchCall> {
        let is_search = |value: &Value| value["type"] == "web_search_call";
        if self.kind != ItemKind::Other {
            return None;
        }
        let value: Value = serde_json::from_str(&self.raw).ok().filter(is_search)?;
        let query = value["action"]["query"].as_str();
        let query = query.filter(|query| !query.is_empty());
        Some(SearchCall {
            query: query.map(str::to_owned),
        })
    }

    /// Whether it stands for a part of the conversation that the service has compacted.
    #[must_use]
    pub fn is_compaction(&self) -> bool {
        let is_it = |[kind, sealed]: [Option<&str>; 2]| {
            kind.and_then(text).as_deref() == Some("compaction") && sealed.is_some_and(is_filled)
        };
        self.kind == ItemKind::Other
            && values(&self.raw, ["type", "encrypted_content"]).is_some_and(is_it)
    }

    /// The text of a message as it was received; empty for any other item.
    #[must_use]
    pub fn raw_text(&self) -> RawText<'_> {
        match (&self.kind, values(&self.raw, ["content"])) {
            (ItemKind::Message(_), Some([content])) => message(content).unwrap_or_default().0,
            _ => RawText::default(),
        }
    }

    /// The text of a message, all parts joined; empty for any other item.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        self.raw_text().text()
    }
}

impl<'a> ReadItem<'a> {
    /// Reads an item; `None` as in [`Item::parse`].
    pub(super) fn of(json: &'a str) -> Option<Self> {
        let [
            id,
            kind,
            content,
            sealed,
            call_id,
            name,
            called_with,
            status,
            execution,
        ] = values(
            json,
            [
                "id",
                "type",
                "content",
                "encrypted_content",
                "call_id",
                "name",
                "arguments",
                "status",
                "execution",
            ],
        )?;
        let word = |field: Option<&str>| {
            let word = field.and_then(text).filter(|word| !word.is_empty());
            word.map(Cow::into_owned)
        };
        let is =
            |field: Option<&str>, word: &str| field.and_then(text).is_some_and(|text| text == word);
        let mut text_of_message = RawText::default();
        let kind = match word(kind).as_deref() {
            Some("message") => {
                let (text, refusal) = message(content)?;
                let message = Message {
                    has_text: text.has_text(),
                    fingerprint: text.fingerprint(),
                    refusal: Some(refusal).filter(|words| !words.is_empty()),
                    unfinished: is(status, "incomplete"),
                };
                text_of_message = text;
                ItemKind::Message(message)
            }
            Some("reasoning") => ItemKind::Reasoning {
                sealed: sealed.is_some_and(is_filled),
            },
            Some("function_call") => ItemKind::Call(Call {
                call_id: word(call_id)?,
                name: word(name)?,
                arguments: arguments(called_with),
                unfinished: is(status, "incomplete"),
            }),
            Some(kind) if kind.ends_with("_output") => ItemKind::Result(word(call_id)),
            kind => {
                let execution = word(execution);
                match PendingItem::read(kind, word(call_id), execution.as_deref()) {
                    Some(waiting) => ItemKind::Waiting(waiting),
                    None => ItemKind::Other,
                }
            }
        };
        Some(Self {
            kind,
            id,
            text: text_of_message,
        })
    }
}

/// Whether a value is a string that is not empty.
fn is_filled(raw: &str) -> bool {
    raw.starts_with('"') && raw != "\"\""
}

const MAX_REFUSAL_BYTES: usize = 16 << 10;

/// Whether this part of a message is text.
fn is_text(part: &ContentPart<'_>) -> bool {
    // Some servers call it `text`.
    let kind = part.kind.and_then(text);
    matches!(kind.as_deref(), Some("output_text" | "text"))
}

/// The text of a message, and the model's refusal, empty if it did not decline; `None` if a part cannot be decoded.
fn message(content: Option<&str>) -> Option<(RawText<'_>, String)> {
    let (mut all, mut refusal) = (RawText::default(), String::new());
    parts(content, |part| {
        if is_text(&part) {
            all.push(part.text?)?;
        } else if part.kind.and_then(text).as_deref() == Some("refusal") {
            let text = part.refusal.and_then(text)?;
            refusal.push_str(&beginning(
                &text,
                MAX_REFUSAL_BYTES.saturating_sub(refusal.len()),
            ));
        }
        Some(())
    })?;
    Some((all, refusal))
}

/// Passes on the parts of a message; `None` if one of them cannot be parsed, or the content is not a list. Only text
/// and refusal parts are printed.
fn parts<'a>(
    content: Option<&'a str>,
    mut take: impl FnMut(ContentPart<'a>) -> Option<()>,
) -> Option<()> {
    let Some(content) = content else {
        return Some(());
    };
    let mut read = Some(());
    let list = each(content, |part| {
        read = match values(part, ["type", "text", "refusal"]) {
            Some([kind, text, refusal]) => take(ContentPart {
                kind,
                text,
                refusal,
            }),
            // An object that cannot be parsed may have been text.
            None => (!part.starts_with('{')).then_some(()),
        };
        match read {
            Some(()) => ControlFlow::Continue(()),
            None => ControlFlow::Break(()),
        }
    });
    read.filter(|()| list)
}

/// Call arguments: by the protocol a string of JSON. An object, which some servers send, is accepted too.
fn arguments(raw: Option<&str>) -> String {
    match raw.map(|raw| text(raw).ok_or(raw)) {
        Some(Ok(text)) => text.into_owned(),
        Some(Err(other)) => other.to_owned(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests;
