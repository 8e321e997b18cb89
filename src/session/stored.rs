//! Parses a stored conversation (pure).

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::compaction::StoredCompaction;
use super::line::{
    FirstLine, ItemFields, LengthLine, LineFormat, LineKind, SESSION_VERSION, TurnLine,
    WithdrawnLine,
};
use crate::id::{IdError, ThreadId};
use crate::text::first_bytes;
use crate::wire::input::{CallOutput, EFFORT_CHANGE, ImageSupport, call_output, is_effort_change};

/// A conversation read from its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredConversation {
    /// Its id.
    pub id: ThreadId,
    /// When it was created, in Unix seconds.
    pub created_at: u64,
    /// The working directory of its last run.
    pub cwd: String,
    /// The model used last, as `-m` accepts it: `PROVIDER/MODEL` for a custom provider.
    pub model: String,
    /// The custom provider of that model, if it has one.
    pub provider: Option<String>,
    /// The reasoning effort of that model.
    pub effort: Effort,
    /// Its items, each as the bytes sent to the service.
    pub items: Vec<Vec<u8>>,
    /// The model in use when each item was added.
    pub models: Vec<String>,
    /// The newest compaction for each model and owner.
    pub compactions: Vec<StoredCompaction>,
    /// The numbers of items after which the conversation was compacted.
    pub compacted_after: Vec<usize>,
    /// The length that was reported last, in tokens, and the number of items that it counts.
    pub length: Option<(u64, usize)>,
    /// The number of turns.
    pub turns: usize,
    /// The beginning of the user's first message.
    pub first: String,
    /// How the file writes the types of metadata lines.
    pub(super) line_format: LineFormat,
}

/// The output of a call that was stopped before it produced one.
pub const ABORTED: &str = "aborted";

/// The reasoning effort of the current model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effort {
    /// The effort named in its requests.
    pub head: Option<String>,
    /// The effort of the last item that changed it.
    pub changed: Option<String>,
    /// The number of items when this model took over. Changes in those were made for another model.
    pub since: usize,
}

impl Effort {
    /// Returns the effort in effect.
    #[must_use]
    pub fn current(&self) -> Option<&str> {
        self.changed.as_deref().or(self.head.as_deref())
    }
}

/// A damaged line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The line, counted from 1.
    pub line: usize,
    /// The defect.
    pub flaw: Flaw,
}

/// The defect of a damaged line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// It cannot be parsed.
    Unreadable,
    /// The first line is not a session header.
    NoSession,
    /// The id of the conversation is invalid.
    Id(IdError),
    /// A newer version of this program wrote it.
    Newer,
    /// It has no type.
    NoType,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable => f.write_str("not a valid JSON object"),
            Self::NoSession => f.write_str("not the header of a conversation"),
            Self::Id(error) => write!(f, "invalid conversation id: {error}"),
            Self::Newer => f.write_str("written by a newer version of codex-run"),
            Self::NoType => f.write_str("the item has no type"),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.flaw)
    }
}

/// The content of an effort change.
#[derive(Deserialize)]
struct EffortChange {
    effort: String,
}

#[derive(Deserialize)]
struct TextPart {
    #[serde(default)]
    text: String,
}

/// Length limit of the first message's beginning, in bytes.
const MAX_FIRST_WORDS_BYTES: usize = 200;

impl StoredConversation {
    /// Parses a file; also returns the length of its complete lines in bytes. A truncated last line is not an error.
    ///
    /// # Errors
    /// If a line before the end is damaged, or it is not a session file.
    pub fn read(bytes: &[u8]) -> Result<(Self, usize), Damage> {
        let mut stored: Option<Self> = None;
        let mut whole = 0;
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        for (n, line) in lines.iter().enumerate() {
            let last = n + 1 == lines.len();
            let damage = |flaw| Damage { line: n + 1, flaw };
            if !line.ends_with(b"\n") {
                break;
            }
            let is_text = std::str::from_utf8(line).is_ok();
            let Some(fields) = ItemFields::read(line).filter(|_| is_text) else {
                // After a crash, a line end may be on the disk without the line before it.
                if last && n > 0 {
                    break;
                }
                return Err(damage(Flaw::Unreadable));
            };
            let raw = line.trim_ascii_end();
            match &mut stored {
                None => stored = Some(Self::from_first_line(&fields, raw).map_err(damage)?),
                Some(stored) => stored.add_line(&fields, raw).map_err(damage)?,
            }
            whole += line.len();
        }
        let stored = stored.ok_or(Damage {
            line: 1,
            flaw: Flaw::NoSession,
        })?;
        Ok((stored, whole))
    }

    /// Creates an empty conversation from the first line.
    fn from_first_line(fields: &ItemFields<'_>, raw: &[u8]) -> Result<Self, Flaw> {
        let kind = fields.kind().unwrap_or_default();
        let line_format = LineFormat::of_first(&kind).ok_or(Flaw::NoSession)?;
        let first: FirstLine = serde_json::from_slice(raw).map_err(|_| Flaw::Unreadable)?;
        if first.version > SESSION_VERSION {
            return Err(Flaw::Newer);
        }
        let id = first.id.ok_or(Flaw::NoSession)?;
        Ok(Self {
            id: id.parse().map_err(Flaw::Id)?,
            created_at: first.created_at,
            cwd: first.cwd.unwrap_or_default(),
            model: String::new(),
            provider: None,
            effort: Effort::default(),
            items: Vec::new(),
            models: Vec::new(),
            compactions: Vec::new(),
            compacted_after: Vec::new(),
            length: None,
            turns: 0,
            first: String::new(),
            line_format,
        })
    }

    fn add_line(&mut self, fields: &ItemFields<'_>, raw: &[u8]) -> Result<(), Flaw> {
        let kind = fields.kind().unwrap_or_default();
        match self.line_format.line_kind(&kind) {
            LineKind::Turn => {
                let turn: TurnLine = serde_json::from_slice(raw).map_err(|_| Flaw::Unreadable)?;
                self.turns += usize::from(turn.cwd.is_some());
                if let Some(model) = &turn.model {
                    self.begin(&turn, model);
                }
                if let Some(cwd) = turn.cwd {
                    self.cwd = cwd;
                }
            }
            LineKind::Withdrawn => {
                let line: WithdrawnLine =
                    serde_json::from_slice(raw).map_err(|_| Flaw::Unreadable)?;
                let left = self.items.len().saturating_sub(line.items);
                self.items.truncate(left);
                self.models.truncate(left);
                self.compactions
                    .retain(|compaction| compaction.replaced <= left);
                self.length = self.length.filter(|(_, items)| *items <= left);
            }
            LineKind::Compacted => self.compacted(raw),
            LineKind::Length => {
                let line: LengthLine = serde_json::from_slice(raw).unwrap_or_default();
                self.length = Some((line.tokens, self.items.len()));
            }
            // It stays in the file for versions that know it.
            LineKind::Unknown => {}
            LineKind::Item => {
                if !fields.is_typed() {
                    return Err(Flaw::NoType);
                }
                if self.first.is_empty() && fields.role().as_deref() == Some("user") {
                    self.first = first_words(fields.content);
                }
                if kind == EFFORT_CHANGE {
                    let change = fields.reasoning.map(RawValue::get);
                    let change =
                        change.and_then(|raw| serde_json::from_str::<EffortChange>(raw).ok());
                    self.effort.changed = change.map(|change| change.effort);
                }
                self.items.push(raw.to_vec());
                self.models.push(self.model.clone());
            }
        }
        Ok(())
    }

    /// Applies the line for a compaction.
    fn compacted(&mut self, raw: &[u8]) {
        if let Some(new) = StoredCompaction::read(raw, self.items.len()) {
            self.compacted_after.push(new.replaced);
            let is_other =
                |old: &StoredCompaction| old.model != new.model || old.owner != new.owner;
            self.compactions.retain(is_other);
            self.compactions.push(new);
            self.length = None;
        }
    }

    /// Applies a turn line that names a model.
    fn begin(&mut self, line: &TurnLine, model: &str) {
        let qualified = match &line.provider {
            Some(provider) => format!("{provider}/{model}"),
            None => model.to_owned(),
        };
        if self.model != qualified {
            self.effort = Effort {
                since: self.items.len(),
                ..Effort::default()
            };
            self.length = None;
        }
        self.model = qualified;
        self.provider.clone_from(&line.provider);
        self.effort.head.clone_from(&line.effort);
    }

    /// Makes the conversation resumable: removes or answers items whose counterpart is missing. Returns the items to
    /// append.
    #[must_use]
    pub fn settle(&mut self) -> Vec<Vec<u8>> {
        let kinds: Vec<(String, String)> = self.items.iter().map(|item| kind(item)).collect();
        let answered: HashSet<&str> = kinds
            .iter()
            .filter(|(kind, _)| kind.ends_with("_output"))
            .map(|(_, call_id)| &**call_id)
            .collect();
        let is_open = |(_, call_id): &&(String, String)| !answered.contains(&**call_id);
        let open = kinds.iter().filter(is_open);
        let open = open.filter(|(kind, _)| kind == "function_call");
        let aborted = CallOutput {
            text: ABORTED.to_owned(),
            image: None,
        };
        let outputs: Vec<Vec<u8>> = open
            .map(|(_, call_id)| call_output(call_id, &aborted, ImageSupport::Bare))
            .collect();
        // From the end, so that a removal does not shift items still to be examined. Calls of other kinds were
        // executed by the service, which does not accept them back without their output.
        for n in (0..kinds.len()).rev() {
            let (kind_of, call_id) = &kinds[n];
            let is_call = !call_id.is_empty() && kind_of != "function_call";
            let is_call = is_call && !kind_of.ends_with("_output");
            // A reasoning item directly precedes what it led to. One that led to nothing is the last item, or comes
            // before the next user message.
            let is_last = self.items.get(n + 1).is_none_or(|next| begins_turn(next));
            if is_call && !answered.contains(&**call_id) || kind_of == "reasoning" && is_last {
                self.items.remove(n);
                self.models.remove(n);
                for compaction in &mut self.compactions {
                    compaction.replaced -= usize::from(n < compaction.replaced);
                }
                self.length = None;
                self.effort.since -= usize::from(n < self.effort.since);
            }
        }
        self.items.extend(outputs.iter().cloned());
        self.models.resize(self.items.len(), self.model.clone());
        outputs
    }
}

/// Returns whether the item is a user message or one that a run puts before it.
fn begins_turn(item: &[u8]) -> bool {
    is_effort_change(item) || role(item).as_deref() == Some("user")
}

fn kind(item: &[u8]) -> (String, String) {
    let fields = ItemFields::read(item).unwrap_or_default();
    let (kind, call_id) = (fields.kind(), fields.call_id());
    (kind.unwrap_or_default(), call_id.unwrap_or_default())
}

fn role(item: &[u8]) -> Option<String> {
    ItemFields::read(item).and_then(|fields| fields.role())
}

/// Returns the beginning of a message's text.
fn first_words(content: Option<&RawValue>) -> String {
    let parts = content.and_then(|raw| serde_json::from_str::<Vec<TextPart>>(raw.get()).ok());
    let text = parts.unwrap_or_default().into_iter().next();
    let text = text.map(|part| part.text).unwrap_or_default();
    first_bytes(&text, MAX_FIRST_WORDS_BYTES).to_owned()
}

#[cfg(test)]
mod tests;
