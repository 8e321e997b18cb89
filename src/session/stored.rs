//! Parses a stored conversation (pure). Its items stay in the file: what is kept of an item is its place, and what the
//! rules of a conversation need.

use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::compaction::StoredCompactions;
use super::line::{
    FirstLine, ItemFields, LengthLine, LineFormat, LineKind, OverviewLine, SESSION_VERSION,
    TurnLine, WithdrawnLine,
};
use super::stored_item::{StoredItem, StoredKind};
use crate::id::{IdError, ThreadId};
use crate::text::first_bytes;
use crate::wire::fingerprint::fingerprint;
use crate::wire::input::{CallOutput, EFFORT_CHANGE, ImageSupport, call_output};

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
    /// Its items.
    pub items: Vec<StoredItem>,
    /// The models that the items were added with.
    models: Vec<String>,
    /// Its compactions, and its length.
    pub compactions: StoredCompactions,
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

/// Parses a file line by line.
#[derive(Debug, Default)]
pub(super) struct StoredParser {
    stored: Option<StoredConversation>,
    /// The number of lines so far.
    lines: usize,
    /// The length of the complete lines in bytes.
    whole: u64,
    /// A complete line that cannot be parsed: an error unless it is the last one.
    unreadable: Option<Damage>,
    /// Items are left out, and not parsed once the first message is known.
    skims: bool,
}

impl StoredParser {
    /// Creates a parser that leaves out the items.
    pub(super) fn without_items() -> Self {
        Self {
            skims: true,
            ..Self::default()
        }
    }

    /// Parses the next line, with its end.
    ///
    /// # Errors
    /// If it is damaged, or the line before it was.
    pub(super) fn take(&mut self, line: &[u8]) -> Result<(), Damage> {
        if let Some(damage) = self.unreadable.take() {
            return Err(damage);
        }
        self.lines += 1;
        if !line.ends_with(b"\n") {
            return Ok(());
        }
        let start = self.whole;
        if !self.is_skipped(line) {
            let damage = |flaw| Damage {
                line: self.lines,
                flaw,
            };
            let is_text = std::str::from_utf8(line).is_ok();
            let Some(fields) = ItemFields::read(line).filter(|_| is_text) else {
                // After a crash, a line end may be on the disk without the line before it.
                if self.lines > 1 {
                    self.unreadable = Some(damage(Flaw::Unreadable));
                    return Ok(());
                }
                return Err(damage(Flaw::Unreadable));
            };
            let raw = line.trim_ascii_end();
            match &mut self.stored {
                None => {
                    let stored = StoredConversation::from_first_line(&fields, raw);
                    self.stored = Some(stored.map_err(damage)?);
                }
                Some(stored) => stored.add_line(&fields, raw, start).map_err(damage)?,
            }
            if let Some(stored) = self.stored.as_mut().filter(|_| self.skims) {
                stored.items.clear();
                stored.compactions = StoredCompactions::default();
            }
        }
        self.whole += line.len() as u64;
        Ok(())
    }

    /// Returns whether this line is an item that is not needed.
    fn is_skipped(&self, line: &[u8]) -> bool {
        let stored = self.stored.as_ref().filter(|_| self.skims);
        stored.is_some_and(|stored| {
            !stored.first.is_empty() && !stored.line_format.may_be_metadata(line)
        })
    }

    /// Returns the conversation and the length of its complete lines in bytes. A truncated last line is not an error.
    ///
    /// # Errors
    /// If it is not a session file.
    pub(super) fn finish(self) -> Result<(StoredConversation, u64), Damage> {
        let stored = self.stored.ok_or(Damage {
            line: 1,
            flaw: Flaw::NoSession,
        })?;
        Ok((stored, self.whole))
    }
}

impl StoredConversation {
    /// Parses the content of a file; also returns the length of its complete lines in bytes. A truncated last line is not an
    /// error.
    ///
    /// # Errors
    /// If a line before the end is damaged, or it is not a session file.
    pub fn read(bytes: &[u8]) -> Result<(Self, u64), Damage> {
        let mut parser = StoredParser::default();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            parser.take(line)?;
        }
        parser.finish()
    }

    /// Reads the beginning and the end of a file, without items. Returns nothing if they do not say enough: the end must
    /// contain an overview.
    pub(super) fn from_ends(head: &[u8], tail: &[u8]) -> Option<Self> {
        let first = head.split_inclusive(|byte| *byte == b'\n').next()?;
        let mut parser = StoredParser::without_items();
        parser.take(first).ok()?;
        // The tail begins within a line.
        let lines: Vec<&[u8]> = tail
            .split_inclusive(|byte| *byte == b'\n')
            .skip(1)
            .collect();
        let overview = |line: &&[u8]| {
            let format = parser.stored.as_ref()?.line_format;
            OverviewLine::read(line).filter(|_| format.may_be_metadata(line))
        };
        let at = lines.iter().rposition(|line| overview(line).is_some())?;
        let overview = overview(&lines[at])?;
        let stored = parser.stored.as_mut()?;
        stored.turns = overview.turns;
        stored.cwd = overview.cwd;
        stored.first = overview.first;
        let turn = TurnLine {
            model: Some(overview.model),
            provider: overview.provider,
            ..TurnLine::default()
        };
        stored.begin(&turn);
        for line in &lines[at + 1..] {
            parser.take(line).ok()?;
        }
        Some(parser.finish().ok()?.0)
    }

    /// Returns the model in use when this item was added.
    #[must_use]
    pub fn model_of(&self, item: &StoredItem) -> &str {
        let model = usize::try_from(item.model).unwrap_or(usize::MAX);
        self.models.get(model).map_or("", |model| model)
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
            compactions: StoredCompactions::default(),
            turns: 0,
            first: String::new(),
            line_format,
        })
    }

    /// Adds a line that begins at this place in the file.
    fn add_line(&mut self, fields: &ItemFields<'_>, raw: &[u8], start: u64) -> Result<(), Flaw> {
        let kind = fields.kind().unwrap_or_default();
        match self.line_format.line_kind(&kind) {
            LineKind::Turn => {
                let turn: TurnLine = serde_json::from_slice(raw).map_err(|_| Flaw::Unreadable)?;
                self.turns += usize::from(turn.cwd.is_some());
                self.begin(&turn);
                if let Some(cwd) = turn.cwd {
                    self.cwd = cwd;
                }
            }
            LineKind::Withdrawn => {
                let line: WithdrawnLine =
                    serde_json::from_slice(raw).map_err(|_| Flaw::Unreadable)?;
                let left = self.items.len().saturating_sub(line.items);
                self.items.truncate(left);
                self.compactions.withdrawn(left);
            }
            LineKind::Compacted => self.compactions.take(raw, self.items.len()),
            LineKind::Length => {
                let line: LengthLine = serde_json::from_slice(raw).unwrap_or_default();
                self.compactions.length = Some((line.tokens, self.items.len()));
            }
            // An overview repeats what the lines before it say. A line of an unknown kind stays in the file for versions
            // that know it.
            LineKind::Overview | LineKind::Unknown => {}
            LineKind::Item => {
                if !fields.is_typed() {
                    return Err(Flaw::NoType);
                }
                let (role, call_id) = (fields.role(), fields.call_id().unwrap_or_default());
                if self.first.is_empty() && role.as_deref() == Some("user") {
                    self.first = first_words(fields.content);
                }
                if kind == EFFORT_CHANGE {
                    let change = fields.reasoning.map(RawValue::get);
                    let change =
                        change.and_then(|raw| serde_json::from_str::<EffortChange>(raw).ok());
                    self.effort.changed = change.map(|change| change.effort);
                }
                if self.models.last() != Some(&self.model) {
                    self.models.push(self.model.clone());
                }
                self.items.push(StoredItem {
                    range: start..start + raw.len() as u64,
                    model: u32::try_from(self.models.len() - 1).unwrap_or(u32::MAX),
                    kind: StoredKind::of(&kind, !call_id.is_empty(), role.as_deref()),
                    call_id: fingerprint(&call_id),
                });
            }
        }
        Ok(())
    }

    /// Applies a turn line, if it names a model.
    fn begin(&mut self, line: &TurnLine) {
        let Some(model) = &line.model else {
            return;
        };
        let qualified = match &line.provider {
            Some(provider) => format!("{provider}/{model}"),
            None => model.clone(),
        };
        if self.model != qualified {
            self.effort = Effort {
                since: self.items.len(),
                ..Effort::default()
            };
            self.compactions.length = None;
        }
        self.model = qualified;
        self.provider.clone_from(&line.provider);
        self.effort.head.clone_from(&line.effort);
    }

    /// Makes the conversation resumable: removes or answers items whose counterpart is missing. `read` returns the bytes of an
    /// item. Returns the items to append.
    ///
    /// # Errors
    /// That of `read`.
    pub fn settle<E>(
        &mut self,
        read: impl Fn(&StoredItem) -> Result<Vec<u8>, E>,
    ) -> Result<Vec<Vec<u8>>, E> {
        let outputs = self.items.iter().filter(|item| item.is_output());
        let answered: HashSet<u64> = outputs.map(|item| item.call_id).collect();
        let is_open = |item: &&StoredItem| {
            item.kind == StoredKind::FunctionCall && !answered.contains(&item.call_id)
        };
        let aborted = CallOutput {
            text: ABORTED.to_owned(),
            images: Vec::new(),
        };
        let outputs = self.items.iter().filter(is_open);
        let outputs = outputs.map(|item| {
            let item = read(item)?;
            let id = ItemFields::read(&item).and_then(|fields| fields.call_id());
            Ok(call_output(
                &id.unwrap_or_default(),
                &aborted,
                ImageSupport::Bare,
            ))
        });
        let outputs: Result<Vec<Vec<u8>>, E> = outputs.collect();
        let outputs = outputs?;
        // From the end: a reasoning item directly precedes what it led to. One that led to nothing is the last item, or comes
        // before the next user message. Calls of other kinds were executed by the service, which does not accept them back
        // without their output.
        let mut is_last = true;
        for n in (0..self.items.len()).rev() {
            let item = &self.items[n];
            let is_unanswered =
                item.kind == StoredKind::OtherCall && !answered.contains(&item.call_id);
            if is_unanswered || item.kind == StoredKind::Reasoning && is_last {
                self.items.remove(n);
                self.effort.since -= usize::from(n < self.effort.since);
                self.compactions.removed(n);
            } else {
                is_last = item.begins_turn();
            }
        }
        Ok(outputs)
    }
}

/// Returns the beginning of a message's text.
pub(super) fn first_words(content: Option<&RawValue>) -> String {
    let parts = content.and_then(|raw| serde_json::from_str::<Vec<TextPart>>(raw.get()).ok());
    let text = parts.unwrap_or_default().into_iter().next();
    let text = text.map(|part| part.text).unwrap_or_default();
    first_bytes(&text, MAX_FIRST_WORDS_BYTES).to_owned()
}

#[cfg(test)]
mod tests;
