//! Items: what an answer and a conversation are made of. An item is kept as the bytes it came in, because
//! it goes back to the service as these bytes; beside them stands the little that this program reads of it.

use std::borrow::Cow;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::fingerprint::mark;
use super::json::{beginning, each, fields, text};
pub use super::pending_item::PendingItem;

/// One finished item of an answer.
#[derive(Debug)]
pub struct Item {
    raw: Box<RawValue>,
    /// What it is.
    pub kind: ItemKind,
}

/// What an item is, and what of it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// Words for the user.
    Message(Message),
    /// The model's reasoning. Without its encrypted form the service cannot take it back.
    Reasoning {
        /// It holds the encrypted form.
        sealed: bool,
    },
    /// A call of one of our tools.
    Call(Call),
    /// An item that waits for a result, such as an approval, a patch, or one of a type that is not known. The service may
    /// have served it itself.
    Waiting(PendingItem),
    /// What the service has found for an item with this `call_id`, or for one that it does not name.
    Result(Option<String>),
    /// Anything else: served by the service itself.
    Other,
}

/// Words for the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Its text holds more than white space.
    pub said: bool,
    /// Stands for the text: equal for equal ones. The text itself is in the item's bytes, and can be long.
    pub mark: u64,
    /// Why the model declined, if it did: the beginning of it, where that is long.
    pub refusal: Option<String>,
    /// The service says that it was cut off before its end.
    pub unfinished: bool,
}

/// A search of the web that the service has made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchCall {
    /// The words that were looked for, where the service names them.
    pub query: Option<String>,
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Ties the call to its output.
    pub call_id: String,
    /// The tool's name.
    pub name: String,
    /// One JSON object, as the model wrote it; not always well-formed.
    pub arguments: String,
    /// The service says that the call was cut off before its end.
    pub unfinished: bool,
}

impl Call {
    /// Whether that call is this one, sent once more: the same but for the blanks in its arguments.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let json = |call: &Self| serde_json::from_str::<serde_json::Value>(&call.arguments).ok();
        self.call_id == other.call_id
            && self.name == other.name
            && (self.arguments == other.arguments
                || json(self).is_some_and(|a| json(other) == Some(a)))
    }
}

#[derive(Deserialize)]
struct RawItem<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    summary: Option<&'a RawValue>,
    #[serde(borrow, default)]
    encrypted_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    call_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    status: Option<&'a RawValue>,
    #[serde(borrow, default)]
    execution: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ContentPart<'a> {
    #[serde(rename = "type", borrow, default)]
    kind: Option<&'a RawValue>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    refusal: Option<&'a RawValue>,
}

impl Item {
    /// Reads an item; `None` where it is no JSON object, a call without a name or an id, or a message whose text
    /// cannot be read.
    #[must_use]
    pub fn parse(raw: &RawValue) -> Option<Self> {
        Some(Self {
            kind: ItemKind::read(raw)?,
            raw: raw.to_owned(),
        })
    }

    /// The JSON object it came as.
    pub(super) fn json(&self) -> &RawValue {
        &self.raw
    }

    /// The same reasoning with its encrypted form, which the service has sent elsewhere; nothing where this is no such
    /// item, or that no encrypted form.
    pub(super) fn sealed_by(&self, other: &RawValue) -> Option<Self> {
        let mut own: Map<String, Value> = serde_json::from_str(self.raw.get()).ok()?;
        let mut other: Map<String, Value> = serde_json::from_str(other.get()).ok()?;
        let name = "encrypted_content";
        own.insert(name.to_owned(), other.remove(name)?);
        let raw = serde_json::value::to_raw_value(&own).ok()?;
        Self::parse(&raw).filter(|item| item.kind == (ItemKind::Reasoning { sealed: true }))
    }

    /// The bytes it came in.
    #[must_use]
    pub fn raw(&self) -> &[u8] {
        self.raw.get().as_bytes()
    }

    /// What the model says of what it thought, its parts as paragraphs; nothing for other items, or where it says
    /// nothing.
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        if !matches!(self.kind, ItemKind::Reasoning { .. }) {
            return None;
        }
        let fields: RawItem<'_> = fields(self.raw.get())?;
        let mut all = Vec::new();
        parts(fields.summary, |part| {
            all.extend(part.text.and_then(text));
            Some(())
        });
        let summary = all.join("\n\n");
        (!summary.trim().is_empty()).then_some(summary)
    }

    /// The search of the web that the service has made, where the item is one.
    #[must_use]
    pub fn searched(&self) -> Option<SearchCall> {
        let is_search = |value: &Value| value["type"] == "web_search_call";
        if self.kind != ItemKind::Other {
            return None;
        }
        let value: Value = serde_json::from_str(self.raw.get())
            .ok()
            .filter(is_search)?;
        let query = value["action"]["query"].as_str();
        let query = query.filter(|query| !query.is_empty());
        Some(SearchCall {
            query: query.map(str::to_owned),
        })
    }

    /// The text of a message, all its parts together; empty for anything else.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        let fields: Option<RawItem<'_>> = fields(self.raw.get());
        match (&self.kind, fields) {
            (ItemKind::Message(_), Some(fields)) => {
                message_text(fields.content).unwrap_or_default()
            }
            _ => Cow::Borrowed(""),
        }
    }
}

impl ItemKind {
    /// What an item is; `None` as for [`Item::parse`].
    pub(super) fn read(raw: &RawValue) -> Option<Self> {
        let fields: RawItem<'_> = fields(raw.get())?;
        let word = |field: Option<&RawValue>| {
            let word = field.and_then(text).filter(|word| !word.is_empty());
            word.map(Cow::into_owned)
        };
        let is = |field: Option<&RawValue>, word: &str| {
            field.and_then(text).is_some_and(|text| text == word)
        };
        Some(match word(fields.kind).as_deref() {
            Some("message") => {
                let text = message_text(fields.content)?;
                Self::Message(Message {
                    said: !text.trim().is_empty(),
                    mark: mark(&text),
                    refusal: Some(refusal(fields.content)?).filter(|words| !words.is_empty()),
                    unfinished: is(fields.status, "incomplete"),
                })
            }
            Some("reasoning") => Self::Reasoning {
                sealed: fields
                    .encrypted_content
                    .is_some_and(|raw| raw.get().starts_with('"') && raw.get() != "\"\""),
            },
            Some("function_call") => Self::Call(Call {
                call_id: word(fields.call_id)?,
                name: word(fields.name)?,
                arguments: arguments(fields.arguments),
                unfinished: is(fields.status, "incomplete"),
            }),
            Some(kind) if kind.ends_with("_output") => Self::Result(word(fields.call_id)),
            kind => {
                let execution = word(fields.execution);
                match PendingItem::read(kind, word(fields.call_id), execution.as_deref()) {
                    Some(waiting) => Self::Waiting(waiting),
                    None => Self::Other,
                }
            }
        })
    }
}

/// The most of a refusal that is kept, in bytes.
const MAX_REFUSAL_BYTES: usize = 16 << 10;

/// The text of a message, borrowed where it is one part without an escape; `None` where a part cannot be read.
fn message_text(content: Option<&RawValue>) -> Option<Cow<'_, str>> {
    let mut all = Cow::Borrowed("");
    parts(content, |part| {
        // The second is how some servers spell it.
        if matches!(
            part.kind.and_then(text).as_deref(),
            Some("output_text" | "text")
        ) {
            // Adding to nothing is no copy.
            all += part.text.and_then(text)?;
        }
        Some(())
    })?;
    Some(all)
}

/// Why the model declined, empty where it did not; `None` where that cannot be read.
fn refusal(content: Option<&RawValue>) -> Option<String> {
    let mut all = String::new();
    parts(content, |part| {
        if part.kind.and_then(text).as_deref() == Some("refusal") {
            let text = part.refusal.and_then(text)?;
            all.push_str(&beginning(
                &text,
                MAX_REFUSAL_BYTES.saturating_sub(all.len()),
            ));
        }
        Some(())
    })?;
    Some(all)
}

/// Hands out the parts of a message; `None` where one of them cannot be read, or where there is something else in
/// place of a list. Parts of other kinds than text and refusal are nothing to print.
fn parts<'a>(
    content: Option<&'a RawValue>,
    mut take: impl FnMut(ContentPart<'a>) -> Option<()>,
) -> Option<()> {
    let Some(content) = content else {
        return Some(());
    };
    let mut read = Some(());
    let list = each(content, |part| {
        read = match fields::<ContentPart<'_>>(part.get()) {
            Some(part) => take(part),
            // An object that cannot be read may have been text.
            None => (!part.get().starts_with('{')).then_some(()),
        };
        match read {
            Some(()) => ControlFlow::Continue(()),
            None => ControlFlow::Break(()),
        }
    });
    read.filter(|()| list)
}

/// Arguments are a JSON text inside a string; a server that sends the object itself is understood too.
fn arguments(raw: Option<&RawValue>) -> String {
    match raw.map(|raw| text(raw).ok_or(raw)) {
        Some(Ok(text)) => text.into_owned(),
        Some(Err(other)) => other.get().to_owned(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: Option<ItemKind>) {
        let raw: Box<RawValue> = serde_json::from_str(json).expect("JSON");
        let item = Item::parse(&raw);
        assert_eq!(
            item.as_ref().map(|item| item.kind.clone()),
            expected,
            "{json}"
        );
        if let Some(item) = item {
            assert_eq!(item.raw(), json.as_bytes());
        }
    }

    fn message(text: &str, refusal: &str) -> Message {
        Message {
            said: false,
            mark: mark(text),
            refusal: Some(refusal.to_owned()).filter(|words| !words.is_empty()),
            unfinished: false,
        }
    }

    #[test]
    fn items_are_told_apart_and_kept_to_the_byte() {
        check(
            r#"{"type":"message", "content":[{"type":"output_text","text":"a\n"},{"type":"output_text","text":"b"},7,{"type":"x"}]}"#,
            Some(ItemKind::Message(Message {
                said: true,
                ..message("a\nb", "")
            })),
        );
        check(
            r#"{"type":"message","content":[{"type":"refusal","refusal":"no"}]}"#,
            Some(ItemKind::Message(message("", "no"))),
        );
        check(
            r#"{"type":"message","content":null}"#,
            Some(ItemKind::Message(message("", ""))),
        );
        check(
            r#"{"type":"reasoning","encrypted_content":"gA=="}"#,
            Some(ItemKind::Reasoning { sealed: true }),
        );
        check(
            r#"{"type":"reasoning","encrypted_content":null}"#,
            Some(ItemKind::Reasoning { sealed: false }),
        );
        let json =
            r#"{"type":"reasoning","summary":[{"type":"summary_text","text":"a"},7,{"text":"b"}]}"#;
        let raw: Box<RawValue> = serde_json::from_str(json).expect("JSON");
        let summary = Item::parse(&raw).and_then(|item| item.summary());
        assert_eq!(summary.as_deref(), Some("a\n\nb"));
        check(
            r#"{"type":"apply_patch_call"}"#,
            PendingItem::read(Some("apply_patch_call"), None, None).map(ItemKind::Waiting),
        );
        check(
            r#"{"type":"brand_new_call","call_id":"c","execution":"client"}"#,
            PendingItem::read(Some("brand_new_call"), Some("c".into()), Some("client"))
                .map(ItemKind::Waiting),
        );
        check(
            r#"{"type":"shell_call_output","call_id":"c"}"#,
            Some(ItemKind::Result(Some("c".into()))),
        );
        check(
            r#"{"type":"brand_new","call_id":null}"#,
            Some(ItemKind::Other),
        );
        check(r#"{"type":"compaction"}"#, Some(ItemKind::Other));
        check(r#"{"type":7}"#, Some(ItemKind::Other));
        check("[1]", None);
    }

    #[test]
    fn a_message_whose_text_cannot_be_read_is_none() {
        check(
            r#"{"type":"message","content":[{"type":"output_text","text":7}]}"#,
            None,
        );
        check(r#"{"type":"message","content":{}}"#, None);
    }

    #[test]
    fn a_call_needs_a_name_and_an_id() {
        let call = |arguments: &str, unfinished| {
            Some(ItemKind::Call(Call {
                call_id: "c".into(),
                name: "n".into(),
                arguments: arguments.into(),
                unfinished,
            }))
        };
        check(
            r#"{"type":"function_call","call_id":"c","name":"n","arguments":"{\"a\":1}"}"#,
            call(r#"{"a":1}"#, false),
        );
        check(
            r#"{"type":"function_call","call_id":"c","name":"n","arguments":{"a":1},"status":"incomplete"}"#,
            call(r#"{"a":1}"#, true),
        );
        check(
            r#"{"type":"function_call","call_id":"c","name":"n"}"#,
            call("", false),
        );
        check(r#"{"type":"function_call","call_id":"","name":"n"}"#, None);
        check(r#"{"type":"function_call","call_id":"c"}"#, None);
    }
}
