//! The entries one below the other: their rows, and their memory. An entry has a number that it keeps while others are dropped.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::entry::{Body, Entry};
use super::matches::Words;
use super::sheet::Place;
use crate::chat::style::{Line, Style};

/// The memory for what is shown, in bytes, about. Beyond it the oldest entries are dropped.
pub(super) const MAX_BYTES: usize = 32 << 20;

/// Rows that are kept after they were made.
const MAX_MADE_ROWS: usize = 10_000;

/// A place that stays the same when the rows change: by another width, by folding, by entries that are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    entry: usize,
    /// It is the blank row before the entry.
    before: bool,
    place: Place,
}

#[derive(Debug, Default)]
pub(super) struct Scroll {
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
    /// Entries were dropped: the first row says so.
    dropped: Option<Line>,
    bytes: usize,
    made: RefCell<MadeRows>,
    blank: Line,
}

/// The lines whose rows were made, as numbers of entry and line, and how many rows that are.
#[derive(Debug, Default)]
struct MadeRows {
    lines: Vec<(usize, usize)>,
    rows: usize,
}

impl Scroll {
    /// Nothing, with numbers of entries from here on.
    pub(super) fn starting_at(first: usize) -> Self {
        Self {
            first,
            changed: first,
            ..Self::default()
        }
    }

    /// The number that the next entry gets.
    pub(super) fn end(&self) -> usize {
        self.first + self.entries.len()
    }

    /// The entry with this number, unless it was dropped.
    pub(super) fn get(&self, number: usize) -> Option<&Entry> {
        self.entries.get(number.checked_sub(self.first)?)
    }

    /// The entries, first to last.
    pub(super) fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// The columns of the last layout.
    pub(super) fn columns(&self) -> usize {
        self.laid.map_or(0, |(columns, _)| usize::from(columns))
    }

    /// The memory that everything takes, in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds an entry at the end and returns its number.
    pub(super) fn push(&mut self, entry: Entry) -> usize {
        let number = self.end();
        self.bytes += entry.bytes();
        self.changed = self.changed.min(number);
        self.entries.push_back(entry);
        self.drop_oldest();
        number
    }

    /// Takes the last entry off.
    pub(super) fn pop(&mut self) -> Option<Entry> {
        let entry = self.entries.pop_back()?;
        self.bytes -= entry.bytes();
        self.changed = self.changed.min(self.end());
        if self.starts.len() > self.entries.len() {
            self.rows = self.starts.pop_back().unwrap_or_default();
        }
        Some(entry)
    }

    /// Changes the entry with this number, unless it was dropped.
    pub(super) fn change(&mut self, number: usize, change: impl FnOnce(&mut Body)) {
        let at = number.checked_sub(self.first);
        let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) else {
            return;
        };
        self.bytes -= entry.bytes();
        entry.change(change);
        self.bytes += entry.bytes();
        self.changed = self.changed.min(number);
        self.drop_oldest();
    }

    /// Lays out what changed and returns the number of rows.
    pub(super) fn layout(&mut self, columns: u16, raw: bool) -> usize {
        let anew = self.laid != Some((columns, raw));
        if anew {
            self.changed = self.first;
        }
        if anew || self.made.get_mut().rows > MAX_MADE_ROWS {
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
    pub(super) fn row(&self, row: usize) -> Option<&Line> {
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
            all.lines.push((self.first + at, made.part));
            all.rows += made.rows;
        }
        Some(line)
    }

    /// The number of the entry shown in this row.
    pub(super) fn number_at(&self, row: usize) -> Option<usize> {
        let (at, row) = self.entry_of(row)?;
        (row >= self.gap(at)).then_some(self.first + at)
    }

    /// The first row from this one on that has the words; `back`: the last row up to this one.
    pub(super) fn find(&self, words: &Words, from: usize, back: bool) -> Option<usize> {
        let from = if back {
            from.min(self.rows.checked_sub(1)?)
        } else {
            from
        };
        let (start, _) = self.entry_of(from).unwrap_or_default();
        let search = |at: usize| {
            let first = self.starts[at] + self.gap(at);
            let entry = &self.entries[at];
            let from = if back {
                from.checked_sub(first)?
            } else {
                from.saturating_sub(first)
            };
            let row = entry.sheet().find(entry.text(), words, from, back)?;
            Some(first + row)
        };
        if back {
            (0..self.starts.len().min(start + 1)).rev().find_map(search)
        } else {
            (start..self.starts.len()).find_map(search)
        }
    }

    /// The place of a row.
    pub(super) fn anchor(&self, row: usize) -> Option<Anchor> {
        let (at, row) = self.entry_of(row)?;
        let entry = &self.entries[at];
        let inside = row.checked_sub(self.gap(at));
        let place = inside.and_then(|row| entry.sheet().place(entry.text(), row));
        Some(Anchor {
            entry: self.first + at,
            before: inside.is_none(),
            place: place.unwrap_or_default(),
        })
    }

    /// The row of a place as it is laid out now; of a dropped one the first row.
    pub(super) fn row_of(&self, anchor: Anchor) -> usize {
        let Some(at) = anchor.entry.checked_sub(self.first) else {
            return 0;
        };
        let Some((entry, start)) = self.entries.get(at).zip(self.starts.get(at)) else {
            return self.rows.saturating_sub(1);
        };
        if anchor.before {
            return *start;
        }
        start + self.gap(at) + entry.sheet().row_of(entry.text(), anchor.place)
    }

    /// Everything as text, nothing folded.
    pub(super) fn plain_text(&self) -> String {
        let mut text = String::new();
        for (at, entry) in self.entries.iter().enumerate() {
            if self.is_apart(at) {
                text.push('\n');
            }
            entry.add_plain_text(&mut text);
        }
        text
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
        let text = "… the beginning is not kept on the screen";
        self.dropped = Some(Line::of(text, Style::default().dim()));
        let cut = self.starts.get(count).copied().unwrap_or(self.rows);
        let shift = cut.saturating_sub(1);
        self.starts.drain(..count.min(self.starts.len()));
        for start in &mut self.starts {
            *start -= shift;
        }
        self.rows = self.rows.saturating_sub(shift);
    }

    fn forget_rows(&mut self) {
        for (number, part) in std::mem::take(self.made.get_mut()).lines {
            let at = number.checked_sub(self.first);
            if let Some(entry) = at.and_then(|at| self.entries.get_mut(at)) {
                entry.forget_rows(part);
            }
        }
    }

    /// The entry to which a row belongs, and the number of the row in it, with the blank one before it.
    fn entry_of(&self, row: usize) -> Option<(usize, usize)> {
        if row >= self.rows {
            return None;
        }
        let after = self.starts.partition_point(|start| *start <= row);
        let at = after.checked_sub(1)?;
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
        match at.checked_sub(1) {
            None => self.dropped.is_some(),
            Some(before) => !self.entries[at].follows(&self.entries[before]),
        }
    }
}
