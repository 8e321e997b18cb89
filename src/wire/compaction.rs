//! What stays of a conversation that is compacted, and what takes the place of the rest (pure). Calls, results and reasoning
//! go, and with them the ids of the items that depend on them. What the user said stays as far as it fits, then the newest
//! message of the model, and the last change of the effort, which is still in effect.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::conversation::{IMAGE_TOKENS, estimate};
use super::input::{self, EFFORT_CHANGE, ImageSupport};
use super::replay::{self, Recipient};
use crate::text::{ceil, floor};

/// The item that asks the service to compact the conversation before it.
pub const TRIGGER: &[u8] = br#"{"type":"compaction_trigger"}"#;

/// The instructions of the request for a summary.
pub const SUMMARY_PROMPT: &str = include_str!("compaction/prompt.txt");

/// The first words of the message that contains a summary.
const SUMMARY_INTRODUCTION: &str = "This is a summary of the conversation so far, written by the model because the conversation \
                                    had become too long. The tool calls that it mentions have run; do not repeat them.";

/// The maximum length of a message that stays, and of all messages that stay besides the first and the last, in tokens.
pub const MAX_KEPT_TOKENS: u64 = 20_000;

/// A message that would have to be cut to fewer tokens does not stay at all.
const MIN_KEPT_TOKENS: u64 = 100;

/// The length of the note on images that are omitted, in tokens.
const NOTE_TOKENS: u64 = 20;

/// The maximum length of a result in a transcript, in bytes.
const MAX_RESULT_BYTES: usize = 8_000;

/// Who wrote the item that replaces the compacted part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompactedBy {
    /// The service: an encrypted item.
    Service,
    /// The model: a summary as text.
    Summary,
}

impl CompactedBy {
    /// Its name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Summary => "summary",
        }
    }
}

/// What an item is to compaction.
enum HistoryPart {
    /// A message of the user, of about this many tokens.
    User(Map<String, Value>, u64),
    /// A message of the model.
    Model,
    /// A change of the effort.
    Effort,
    /// Anything else.
    Other,
}

fn part(item: &[u8]) -> HistoryPart {
    let Ok(Value::Object(fields)) = serde_json::from_slice(item) else {
        return HistoryPart::Other;
    };
    match (
        fields.get("role").and_then(Value::as_str),
        fields.get("type").and_then(Value::as_str),
    ) {
        (Some("user"), _) => {
            let said = MessageText::of(&fields);
            let tokens = said.tokens();
            HistoryPart::User(fields, tokens)
        }
        (Some("assistant"), _) => HistoryPart::Model,
        (_, Some(EFFORT_CHANGE)) => HistoryPart::Effort,
        _ => HistoryPart::Other,
    }
}

/// The items that stay, in their order; each is unchanged, or cut. `earlier` is the index of the item that an earlier compaction
/// has left for what it has removed: the new one takes its place.
#[must_use]
pub fn kept<'a>(
    items: impl Iterator<Item = &'a [u8]>,
    earlier: Option<usize>,
) -> Vec<Cow<'a, [u8]>> {
    let mut users = Vec::new();
    let mut kept: Vec<(usize, Cow<'a, [u8]>)> = Vec::new();
    let (mut model, mut effort) = (None, None);
    for (n, item) in items.enumerate().filter(|(n, _)| Some(*n) != earlier) {
        match part(item) {
            HistoryPart::User(fields, tokens) => users.push((n, item, fields, tokens)),
            HistoryPart::Model => model = plain_message(item).map(|item| (n, item)).or(model),
            HistoryPart::Effort => effort = Some((n, Cow::Borrowed(item))),
            HistoryPart::Other => {}
        }
    }
    let last = users.len().saturating_sub(1);
    let mut left = MAX_KEPT_TOKENS;
    for (at, (n, item, fields, tokens)) in users.into_iter().enumerate().rev() {
        let most = if at == 0 || at == last {
            MAX_KEPT_TOKENS
        } else {
            let most = left;
            // Only a message that fits leaves room for older ones.
            left = left.saturating_sub(tokens);
            most
        };
        if most >= MIN_KEPT_TOKENS.min(tokens) {
            kept.push((n, user_message(item, fields, tokens, most)));
        }
    }
    kept.extend(model.into_iter().chain(effort));
    kept.sort_by_key(|(n, _)| *n);
    kept.into_iter().map(|(_, item)| item).collect()
}

/// A message of the user, cut to at most this many tokens, without an id.
fn user_message(
    item: &[u8],
    mut fields: Map<String, Value>,
    tokens: u64,
    most: u64,
) -> Cow<'_, [u8]> {
    let has_id = fields.remove("id").is_some();
    if tokens > most {
        let content = MessageText::of(&fields).cut(most);
        fields.insert("content".to_owned(), content);
    } else if !has_id {
        return Cow::Borrowed(item);
    }
    let cut = Value::Object(fields).to_string().into_bytes();
    if has_id || cut.len() < item.len() {
        Cow::Owned(cut)
    } else {
        Cow::Borrowed(item)
    }
}

/// A message of the model as text without an id, cut to the maximum length; `None` if it has no text.
fn plain_message(item: &[u8]) -> Option<Cow<'_, [u8]>> {
    let plain = replay::without_reasoning(item, Recipient::Same)?;
    let mut fields: Map<String, Value> = serde_json::from_slice(&plain).ok()?;
    let text = fields.get("content")?.as_str()?;
    if text.trim().is_empty() {
        return None;
    }
    if estimate(text.len()) > MAX_KEPT_TOKENS {
        let text = cut_middle(text, bytes(MAX_KEPT_TOKENS));
        fields.insert("content".to_owned(), text.into());
    }
    Some(Cow::Owned(Value::Object(fields).to_string().into_bytes()))
}

/// What a message says: its text, and its images.
struct MessageText<'a> {
    text: Cow<'a, str>,
    images: Vec<&'a Value>,
    /// The content is one string.
    is_plain: bool,
}

impl<'a> MessageText<'a> {
    fn of(fields: &'a Map<String, Value>) -> Self {
        let mut said = Self {
            text: Cow::Borrowed(""),
            images: Vec::new(),
            is_plain: false,
        };
        match fields.get("content") {
            Some(Value::String(text)) => {
                said.text = Cow::Borrowed(text);
                said.is_plain = true;
            }
            Some(Value::Array(parts)) => {
                for part in parts {
                    if input::is_image(part) {
                        said.images.push(part);
                    } else if let Some(text) = part["text"].as_str() {
                        said.text += text;
                    }
                }
            }
            _ => {}
        }
        said
    }

    fn tokens(&self) -> u64 {
        let tokens = estimate(self.text.len()) + IMAGE_TOKENS * self.images.len() as u64;
        tokens.max(1)
    }

    /// The content with at most this many tokens: the first images, in up to half of them, and the text without its middle.
    fn cut(&self, most: u64) -> Value {
        let text_tokens = estimate(self.text.len());
        let room = most.saturating_sub(text_tokens + NOTE_TOKENS);
        let room = room.max(most / 2);
        let fit = usize::try_from(room / IMAGE_TOKENS).unwrap_or(usize::MAX);
        let images = &self.images[..fit.min(self.images.len())];
        let omitted = self.images.len() - images.len();
        let mut note = String::new();
        if omitted > 0 {
            note = format!("\n({omitted} of {} images omitted)", self.images.len());
        }
        let left = most - IMAGE_TOKENS * images.len() as u64;
        let text = cut_middle(&self.text, bytes(left).saturating_sub(note.len())) + &note;
        if self.images.is_empty() && self.is_plain {
            return text.into();
        }
        let mut content = vec![json!({"type": "input_text", "text": text})];
        content.extend(images.iter().map(|image| (*image).clone()));
        Value::Array(content)
    }
}

/// The number of bytes that are estimated to be this many tokens.
fn bytes(tokens: u64) -> usize {
    usize::try_from(tokens).map_or(usize::MAX, |tokens| tokens.saturating_mul(4))
}

/// The text with at most this many bytes: without its middle, which is marked.
fn cut_middle(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let mark = format!(
        "\n[... about {} tokens cut ...]\n",
        estimate(text.len() - most)
    );
    let Some(room) = most.checked_sub(mark.len()) else {
        return text[..floor(text, most)].to_owned();
    };
    let (start, end) = (
        floor(text, room / 2),
        ceil(text, text.len() - (room - room / 2)),
    );
    [&text[..start], &mark, &text[end..]].concat()
}

/// The message that contains a summary.
#[must_use]
pub fn summary_message(summary: &str) -> Vec<u8> {
    let summary = cut_middle(summary.trim(), bytes(MAX_KEPT_TOKENS));
    let text = format!("{SUMMARY_INTRODUCTION}\n\n{summary}");
    input::user_message(&text, &[], ImageSupport::Bare)
}

/// The conversation as text for the model that summarizes it, in at most this many bytes. The middle is cut, and of a long
/// result too.
#[must_use]
pub fn transcript<'a>(items: impl Iterator<Item = &'a [u8]>, most: usize) -> String {
    let mut all = String::new();
    for item in items {
        let Ok(Value::Object(fields)) = serde_json::from_slice(item) else {
            continue;
        };
        let word = |name: &str| fields.get(name).and_then(Value::as_str);
        let kind = word("type").unwrap_or_default();
        let (speaker, text) = match word("role") {
            Some("user") => ("User".to_owned(), MessageText::of(&fields).with_images()),
            Some("assistant") => ("Model".to_owned(), MessageText::of(&fields).with_images()),
            _ if kind.ends_with("_output") => {
                let said = match fields.get("output") {
                    Some(Value::String(text)) => Cow::Borrowed(&**text),
                    output => {
                        let content = output.cloned().unwrap_or_default();
                        let content = Map::from_iter([("content".to_owned(), content)]);
                        MessageText::of(&content).with_images().into_owned().into()
                    }
                };
                let text = cut_middle(&said, MAX_RESULT_BYTES);
                ("Result".to_owned(), Cow::Owned(text))
            }
            _ if kind.ends_with("_call") => {
                let input = word("arguments").or(word("input")).unwrap_or_default();
                let text = cut_middle(input, MAX_RESULT_BYTES);
                let name = word("name").unwrap_or(kind);
                (format!("Call of {name}"), Cow::Owned(text))
            }
            _ => continue,
        };
        all.push_str(&format!("{speaker}: {text}\n\n"));
    }
    cut_middle(&all, most)
}

impl<'a> MessageText<'a> {
    /// The text, with a note on the images.
    fn with_images(self) -> Cow<'a, str> {
        match self.images.len() {
            0 => self.text,
            count => Cow::Owned(format!("{} ({count} images)", self.text)),
        }
    }
}

/// Whether an item is said by the user, or changes the effort before that.
#[must_use]
pub fn is_said(item: &[u8]) -> bool {
    matches!(part(item), HistoryPart::User(..) | HistoryPart::Effort)
}

#[cfg(test)]
mod tests;
