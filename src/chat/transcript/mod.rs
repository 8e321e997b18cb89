//! What was said and done, as rows of the screen.
//!
//! What is laid out, and when: an event changes an entry and lays out nothing. `layout` looks at the entries that changed; of a
//! message that grows it lays out the last line alone. At another width it counts the rows of all entries again, which does
//! not touch a line that fits; at 10 MB of text that takes a fraction of a tenth of a second. The spans of a row are made when
//! `row` asks for it, and kept until many have been made.

mod call;
mod entry;
mod matches;
mod message;
mod sheet;

use std::cell::RefCell;
use std::collections::VecDeque;

use self::call::Call;
use self::entry::{Body, Entry, text_bytes};
use self::matches::Words;
use self::message::{Author, Message};
use self::sheet::Place;
use super::event::{NoticeLevel, Said, TurnEnd, TurnEvent};
use super::style::{Color, Line, Style};
use crate::text::{floor, shortened};

/// The memory for what is shown, in bytes, about. Beyond it the oldest entries are dropped.
const MAX_BYTES: usize = 32 << 20;

/// Longest text that is one entry, in bytes. A longer message continues in another one.
const MAX_ENTRY_BYTES: usize = 1 << 20;

/// Longest notice, in bytes.
const MAX_NOTICE_BYTES: usize = 64 << 10;

/// Rows that are kept after they were made.
const MAX_MADE_ROWS: usize = 10_000;

/// A place that stays the same when the rows change: by another width, by folding, by entries that are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    entry: usize,
    /// Rows before the place: 1 for the blank one before an entry.
    before: usize,
    place: Place,
}

/// Everything that was said and done. The numbers of rows hold from one `layout` to the next. The number of a tool call holds
/// until the call is dropped.
#[derive(Debug, Default)]
pub struct Transcript {
    entries: VecDeque<Entry>,
    /// The number of the first entry; it grows when entries are dropped.
    first: usize,
    /// The first row of each entry, as it was laid out.
    starts: VecDeque<usize>,
    rows: usize,
    /// The columns and the form of the last layout.
    laid: Option<(u16, bool)>,
    /// The number of the first entry that may have changed since.
    changed: usize,
    /// The entry of the message that grows.
    message: Option<usize>,
    /// The entries of the calls that run.
    running: Vec<usize>,
    /// The last entry says what the run waits for.
    waiting: bool,
    /// Entries were dropped: the first row says so.
    dropped: Option<Line>,
    bytes: usize,
    /// The lines whose rows were made: entry and line; and how many rows that are.
    made: RefCell<(Vec<(usize, usize)>, usize)>,
    blank: Line,
}

impl Transcript {
    /// An empty transcript.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Replaces everything by a conversation.
    pub fn open(&mut self, said: &[Said]) {
        *self = Self {
            first: self.end(),
            changed: self.end(),
            ..Self::default()
        };
        for said in said {
            match said {
                Said::User(text) => self.push(Entry::new(user(text, 0))),
                Said::Model(text) => {
                    self.add_text(text);
                    self.close_message();
                }
                Said::Tool { call, output } => {
                    let call = Call::earlier(call, output);
                    self.push(Entry::new(Body::Call(Box::new(call))));
                }
            }
        }
    }

    /// Adds what a running turn reported.
    pub fn turn(&mut self, event: &TurnEvent) {
        self.stop_waiting();
        match event {
            TurnEvent::Started { text, images } => {
                self.close_message();
                self.push(Entry::new(user(text, *images)));
            }
            TurnEvent::Steered { text } => {
                self.close_message();
                self.push(Entry::new(user(text, 0)));
            }
            TurnEvent::Text(text) => self.add_text(text),
            TurnEvent::MessageEnd => self.close_message(),
            TurnEvent::Summary(text) => {
                self.close_message();
                let text = shortened(text.trim(), MAX_ENTRY_BYTES).into_owned();
                self.push(Entry::new(Body::Message(Message::new(
                    Author::Summary,
                    text,
                    false,
                ))));
            }
            TurnEvent::Searched(text) => {
                let style = Style::default();
                self.push(Entry::labelled(
                    "● search  ",
                    Style::color(Color::Blue),
                    text,
                    style,
                ));
            }
            TurnEvent::ToolStarted(call) => {
                self.close_message();
                self.push(Entry::new(Body::Call(Box::new(Call::running(call)))));
                self.running.push(self.end() - 1);
            }
            TurnEvent::ToolEnded {
                id,
                result,
                took_ms,
            } => {
                let is_this =
                    |number: &usize| self.call(*number).is_some_and(|call| call.id() == id);
                if let Some(at) = self.running.iter().position(is_this) {
                    let number = self.running.remove(at);
                    self.change_call(number, |call| call.end(result, *took_ms));
                }
            }
            TurnEvent::Waiting(text) => {
                let style = Style::color(Color::Yellow);
                self.push(Entry::labelled("… ", style, text, style));
                self.waiting = true;
            }
            TurnEvent::Notice(level, text) => self.notice(*level, text),
            TurnEvent::Usage { .. } | TurnEvent::Limits(_) => {}
        }
    }

    /// Adds how a turn ended, unless the answer is complete.
    pub fn turn_ended(&mut self, end: &TurnEnd) {
        self.stop_waiting();
        self.close_message();
        for number in std::mem::take(&mut self.running) {
            self.change_call(number, Call::abandon);
        }
        match end {
            TurnEnd::Completed => {}
            TurnEnd::Interrupted => {
                let style = Style::color(Color::Yellow);
                self.push(Entry::labelled("interrupted", style, "", style));
            }
            TurnEnd::Failed { what, hint, .. } => {
                self.notice(NoticeLevel::Error, what);
                if let Some(hint) = hint {
                    let style = Style::color(Color::Cyan);
                    self.push(Entry::labelled("hint: ", style, hint, Style::default()));
                }
            }
        }
    }

    /// Adds text of the program. A message that grows goes on above it.
    pub fn notice(&mut self, level: NoticeLevel, text: &str) {
        let waiting = self.waiting.then(|| self.pop()).flatten();
        self.push(Entry::notice(level, &shortened(text, MAX_NOTICE_BYTES)));
        if let Some(entry) = waiting {
            self.push(entry);
        }
    }

    /// Lays out what changed and returns the number of rows. `raw` shows the messages of the model as they are written.
    pub fn layout(&mut self, columns: u16, raw: bool) -> usize {
        let anew = self.laid != Some((columns, raw));
        if anew {
            self.changed = self.first;
        }
        if anew || self.made.get_mut().1 > MAX_MADE_ROWS {
            self.forget_rows();
        }
        self.laid = Some((columns, raw));
        let from = self.changed.max(self.first) - self.first;
        self.starts.truncate(from);
        let mut row = match from.checked_sub(1) {
            Some(before) => self.starts[before] + self.height(before),
            None => usize::from(self.dropped.is_some()),
        };
        for at in from..self.entries.len() {
            self.entries[at].lay(usize::from(columns), raw, anew);
            self.starts.push_back(row);
            row += self.height(at);
        }
        self.changed = self.end();
        self.rows = row;
        row
    }

    /// A row, as it was laid out.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&Line> {
        let Some((at, row)) = self.entry_of(row) else {
            return self.dropped.as_ref().filter(|_| row == 0);
        };
        let Some(row) = row.checked_sub(self.gap(at)) else {
            return Some(&self.blank);
        };
        let entry = &self.entries[at];
        let (line, made) = entry.sheet().row(entry.text(), row)?;
        if let Some(made) = made {
            let mut all = self.made.borrow_mut();
            all.0.push((self.first + at, made.part));
            all.1 += made.rows;
        }
        Some(line)
    }

    /// The tool call shown in this row.
    #[must_use]
    pub fn call_at(&self, row: usize) -> Option<usize> {
        let (at, row) = self.entry_of(row)?;
        let number = self.first + at;
        (row >= self.gap(at) && self.call(number).is_some()).then_some(number)
    }

    /// The last tool call.
    #[must_use]
    pub fn last_call(&self) -> Option<usize> {
        (self.first..self.end())
            .rev()
            .find(|number| self.call(*number).is_some())
    }

    /// Folds or unfolds a tool call. Folded, it is a line with the last three lines of its output or the first twelve of its
    /// change; unfolded, all of them.
    pub fn toggle(&mut self, call: usize) {
        self.change_call(call, Call::toggle);
    }

    /// The first row from this one on that has the words, in any case; `back`: the last row up to this one. What is folded is
    /// not searched.
    #[must_use]
    pub fn find(&self, words: &str, from: usize, back: bool) -> Option<usize> {
        let words = Words::new(words)?;
        let from = if back {
            from.min(self.rows.checked_sub(1)?)
        } else {
            from
        };
        let (start, _) = self.entry_of(from).unwrap_or_default();
        let search = |at: usize| {
            let first = self.starts[at] + self.gap(at);
            let entry = &self.entries[at];
            let from = match back {
                true => from.checked_sub(first)?,
                false => from.saturating_sub(first),
            };
            let row = entry.sheet().find(entry.text(), &words, from, back)?;
            Some(first + row)
        };
        if back {
            (0..self.starts.len().min(start + 1)).rev().find_map(search)
        } else {
            (start..self.starts.len()).find_map(search)
        }
    }

    /// The last message of the model, as it was written. Of a message of more than a mebibyte it is the end.
    #[must_use]
    pub fn last_message(&self) -> Option<&str> {
        self.entries
            .iter()
            .rev()
            .find_map(|entry| match &entry.body {
                Body::Message(message) if message.author() == Author::Model => Some(message.text()),
                _ => None,
            })
    }

    /// Everything as text, nothing folded; control characters are visible.
    #[must_use]
    pub fn plain_text(&self) -> String {
        let mut text = String::new();
        for (at, entry) in self.entries.iter().enumerate() {
            if self.is_apart(at) {
                text.push('\n');
            }
            entry.add_plain_text(&mut text);
        }
        text
    }

    /// The place of a row.
    #[must_use]
    pub fn anchor(&self, row: usize) -> Option<Anchor> {
        let (at, row) = self.entry_of(row)?;
        let entry = &self.entries[at];
        let inside = row.checked_sub(self.gap(at));
        let place = inside.and_then(|row| entry.sheet().place(entry.text(), row));
        Some(Anchor {
            entry: self.first + at,
            before: usize::from(inside.is_none()),
            place: place.unwrap_or_default(),
        })
    }

    /// The row of a place as it is laid out now; of a dropped one the first row.
    #[must_use]
    pub fn row_of(&self, anchor: Anchor) -> usize {
        let Some(at) = anchor.entry.checked_sub(self.first) else {
            return 0;
        };
        let Some((entry, start)) = self.entries.get(at).zip(self.starts.get(at)) else {
            return self.rows.saturating_sub(1);
        };
        let gap = self.gap(at);
        start + gap.saturating_sub(anchor.before) + entry.sheet().row_of(entry.text(), anchor.place)
    }

    /// The number that the next entry gets.
    fn end(&self) -> usize {
        self.first + self.entries.len()
    }

    fn push(&mut self, entry: Entry) {
        self.bytes += entry.bytes();
        self.changed = self.changed.min(self.end());
        self.entries.push_back(entry);
        self.drop_oldest();
    }

    fn stop_waiting(&mut self) {
        if std::mem::take(&mut self.waiting) {
            self.pop();
        }
    }

    /// Takes the last entry off.
    fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_back()?;
        self.bytes -= entry.bytes();
        self.changed = self.changed.min(self.end());
        if self.starts.len() > self.entries.len() {
            self.rows = self.starts.pop_back().unwrap_or_default();
        }
        Some(entry)
    }

    fn call(&self, number: usize) -> Option<&Call> {
        match &self.entries.get(number.checked_sub(self.first)?)?.body {
            Body::Call(call) => Some(call),
            _ => None,
        }
    }

    fn change_call(&mut self, number: usize, change: impl FnOnce(&mut Call)) {
        let at = number.checked_sub(self.first);
        let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) else {
            return;
        };
        let before = entry.bytes();
        if let Body::Call(call) = &mut entry.body {
            change(call);
            entry.touch();
            self.bytes = self.bytes - before + entry.bytes();
            self.changed = self.changed.min(number);
            self.drop_oldest();
        }
    }

    /// Adds text to the message that grows, or begins one.
    fn add_text(&mut self, text: &str) {
        let mut rest = text;
        if self.message.is_none() {
            rest = rest.trim_start_matches(['\n', '\r']);
        }
        while !rest.is_empty() {
            let piece = &rest[..floor(rest, MAX_ENTRY_BYTES / 2)];
            rest = &rest[piece.len()..];
            self.add_piece(piece);
        }
    }

    fn add_piece(&mut self, piece: &str) {
        let number = self.message.unwrap_or_else(|| {
            self.push(Entry::new(Body::Message(Message::new(
                Author::Model,
                String::new(),
                true,
            ))));
            self.end() - 1
        });
        self.message = Some(number);
        let at = number.checked_sub(self.first);
        let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) else {
            return;
        };
        let before = entry.bytes();
        let Body::Message(message) = &mut entry.body else {
            return;
        };
        self.changed = self.changed.min(number);
        if message.text().len() + piece.len() <= MAX_ENTRY_BYTES {
            message.add(piece);
            entry.touch();
            self.bytes += text_bytes(piece);
            self.drop_oldest();
            return;
        }
        let mut next = message.split(MAX_ENTRY_BYTES / 2);
        next.add(piece);
        entry.touch();
        self.bytes = self.bytes - before + entry.bytes();
        let mut next = Entry::new(Body::Message(next));
        next.continues = number + 1 == self.end();
        self.push(next);
        self.message = Some(self.end() - 1);
    }

    fn close_message(&mut self) {
        let number = self.message.take();
        let at = number.and_then(|number| number.checked_sub(self.first));
        let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) else {
            return;
        };
        if let Body::Message(message) = &mut entry.body {
            message.close();
            entry.touch();
            self.changed = self.changed.min(number.unwrap_or_default());
        }
    }

    /// Drops the oldest entries if there is too much. Some more are dropped than necessary, so that it happens seldom.
    fn drop_oldest(&mut self) {
        if self.bytes <= MAX_BYTES {
            return;
        }
        let mut count = 0;
        while self.bytes > MAX_BYTES / 8 * 7 && self.entries.len() > 1 {
            if let Some(entry) = self.entries.pop_front() {
                self.bytes -= entry.bytes();
                count += 1;
            }
        }
        self.first += count;
        self.changed = self.first;
        self.running.retain(|number| *number >= self.first);
        self.message = self.message.filter(|number| *number >= self.first);
        let text = "… the beginning is not kept on the screen";
        self.dropped = Some(Line::of(text, Style::default().dim()));
        let cut = self.starts.get(count).copied().unwrap_or(self.rows);
        self.starts.drain(..count.min(self.starts.len()));
        let shift = cut.saturating_sub(1);
        for start in &mut self.starts {
            *start -= shift;
        }
        self.rows = self.rows.saturating_sub(shift);
        self.made
            .get_mut()
            .0
            .retain(|(entry, _)| *entry >= self.first);
    }

    fn forget_rows(&mut self) {
        let (made, _) = std::mem::take(self.made.get_mut());
        for (number, part) in made {
            let at = number.checked_sub(self.first);
            if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) {
                entry.sheet_mut().forget(part);
            }
        }
    }

    /// The entry to which a row belongs, and the number of the row in it, with the blank one before it.
    fn entry_of(&self, row: usize) -> Option<(usize, usize)> {
        if row >= self.rows {
            return None;
        }
        let at = self
            .starts
            .partition_point(|start| *start <= row)
            .checked_sub(1)?;
        Some((at, row - self.starts[at]))
    }

    /// Rows of an entry with the blank one before it.
    fn height(&self, at: usize) -> usize {
        self.gap(at) + self.entries[at].sheet().rows()
    }

    /// Blank rows before an entry.
    fn gap(&self, at: usize) -> usize {
        usize::from(self.entries[at].sheet().rows() > 0 && self.is_apart(at))
    }

    /// Whether an entry is set apart from the one before it.
    fn is_apart(&self, at: usize) -> bool {
        let are_lines = |at: usize| matches!(self.entries[at].body, Body::Lines(_));
        match at.checked_sub(1) {
            None => self.dropped.is_some(),
            Some(before) => !self.entries[at].continues && !(are_lines(before) && are_lines(at)),
        }
    }
}

fn user(text: &str, images: usize) -> Body {
    let mut text = shortened(text.trim(), MAX_ENTRY_BYTES).into_owned();
    if images > 0 {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&vec!["[image]"; images].join(" "));
    }
    Body::Message(Message::new(Author::User, text, false))
}

#[cfg(test)]
mod tests;
