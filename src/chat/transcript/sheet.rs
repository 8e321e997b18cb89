//! The lines of one entry and the rows that they take. The rows of a line are only counted; they are made when they are
//! looked at.

use std::cell::OnceCell;

use super::matches::Words;
use crate::chat::clean::clean;
use crate::chat::markdown::{MarkdownKind, RULE_COLUMNS, add_line};
use crate::chat::style::{Color, Line, Span, Style};
use crate::chat::width::{clip, width};
use crate::chat::wrap::{Breaks, StyledText};

/// What stands before the rows of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Margin {
    None,
    /// Two blanks.
    Indent,
    /// The mark of a question, before the first row.
    Question,
}

/// How a slice of the entry's text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Look {
    /// As it is written.
    Plain,
    Markdown {
        kind: MarkdownKind,
        /// The line does not grow any more.
        complete: bool,
    },
}

/// The text of a line.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Line(Box<Line>),
    /// The bytes `start..end` of the entry's text.
    Slice {
        start: u32,
        end: u32,
        look: Look,
        base: Style,
    },
}

/// A line and its rows.
#[derive(Debug)]
pub(super) struct Part {
    source: Source,
    margin: Margin,
    /// One row, cut at the edge, rather than as many as it takes.
    clipped: bool,
    /// The columns of the whole line, without the margin, once they were counted.
    width: Option<u32>,
    /// The number of its rows.
    height: u32,
    /// The number of its first row within the entry.
    first_row: u32,
    rows: OnceCell<Box<[Line]>>,
}

/// The lines of an entry, as they are laid out for a width.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    parts: Vec<Part>,
    rows: usize,
    columns: usize,
}

/// A place in the entry that stays the same when its rows change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) part: usize,
    pub(super) byte: usize,
}

impl Sheet {
    /// The number of rows. Blank lines at the end do not count.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Keeps this many lines.
    pub(super) fn truncate(&mut self, parts: usize) {
        self.parts.truncate(parts);
    }

    /// Adds a line. It takes rows after the next `count`.
    pub(super) fn push(&mut self, source: Source, margin: Margin, clipped: bool) {
        self.parts.push(Part {
            source,
            margin,
            clipped,
            width: None,
            height: 0,
            first_row: 0,
            rows: OnceCell::new(),
        });
    }

    /// Counts the rows of the lines from this one on. With another width it counts all.
    pub(super) fn count(&mut self, text: &str, columns: usize, from: usize) {
        let from = if columns == self.columns { from } else { 0 };
        self.columns = columns;
        let mut scratch = StyledText::default();
        let before = from.checked_sub(1).and_then(|last| self.parts.get(last));
        let mut row = before.map_or(0, |part| part.first_row.saturating_add(part.height));
        for part in self.parts.iter_mut().skip(from) {
            part.rows.take();
            part.first_row = row;
            part.height = part.count(text, columns, &mut scratch);
            row = row.saturating_add(part.height);
        }
        let last = self.parts.iter().rposition(|part| part.width > Some(0));
        let end = last.map_or(0, |last| match self.parts.get(last + 1) {
            Some(blank) => blank.first_row,
            None => row,
        });
        self.rows = usize::try_from(end).unwrap_or(usize::MAX);
    }

    /// A row, and the line whose rows were made for it, if they were.
    pub(super) fn row(&self, text: &str, row: usize) -> Option<(&Line, Option<Made>)> {
        let (at, row) = self.part_of(row)?;
        let part = &self.parts[at];
        let mut made = None;
        let rows = part.rows.get_or_init(|| {
            let rows = part.make(text, self.columns);
            made = Some(Made {
                part: at,
                rows: rows.len(),
            });
            rows
        });
        rows.get(row).map(|line| (line, made))
    }

    /// Forgets rows that were made.
    pub(super) fn forget(&mut self, part: usize) {
        if let Some(part) = self.parts.get_mut(part) {
            part.rows.take();
        }
    }

    /// The first row from this one on that has the words, or the last one up to it.
    pub(super) fn find(&self, text: &str, words: &Words, from: usize, back: bool) -> Option<usize> {
        let mut scratch = StyledText::default();
        let mut find = |part: &Part| part.find(text, self.columns, words, &mut scratch, from, back);
        let until = |part: &&Part| usize_of(part.first_row) < self.rows;
        if back {
            let end = self
                .part_of(from)
                .map_or(self.parts.len(), |(at, _)| at + 1);
            self.parts[..end]
                .iter()
                .rev()
                .filter(until)
                .find_map(&mut find)
        } else {
            let (start, _) = self.part_of(from)?;
            self.parts[start..]
                .iter()
                .take_while(until)
                .find_map(&mut find)
        }
    }

    /// The place of a row.
    pub(super) fn place(&self, text: &str, row: usize) -> Option<Place> {
        let (part, row) = self.part_of(row)?;
        let starts = self.parts[part].starts(text, self.columns, &mut StyledText::default());
        let byte = starts.get(row).copied().unwrap_or_default();
        Some(Place { part, byte })
    }

    /// The row of a place, or of what is nearest to it.
    pub(super) fn row_of(&self, text: &str, place: Place) -> usize {
        let Some(part) = self.parts.get(place.part) else {
            return self.rows.saturating_sub(1);
        };
        let starts = part.starts(text, self.columns, &mut StyledText::default());
        let before = starts.partition_point(|start| *start <= place.byte);
        let row = usize_of(part.first_row) + before.saturating_sub(1);
        row.min(self.rows.saturating_sub(1))
    }

    /// The text of all lines, without margins.
    pub(super) fn plain_text(&self, text: &str) -> String {
        let mut whole = String::new();
        let mut scratch = StyledText::default();
        for part in &self.parts {
            part.styled(text, &mut scratch);
            whole.push_str(scratch.text());
            whole.push('\n');
        }
        whole
    }

    /// The line to which a row belongs, and the number of the row in it.
    fn part_of(&self, row: usize) -> Option<(usize, usize)> {
        if row >= self.rows {
            return None;
        }
        let after = self
            .parts
            .partition_point(|part| usize_of(part.first_row) <= row);
        let at = after.checked_sub(1)?;
        Some((at, row - usize_of(self.parts[at].first_row)))
    }
}

/// Rows that were made: of which line, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Made {
    pub(super) part: usize,
    pub(super) rows: usize,
}

impl Source {
    fn add_to(&self, text: &str, to: &mut StyledText) {
        match self {
            Self::Line(line) => to.push_line(line),
            Self::Slice {
                start,
                end,
                look,
                base,
            } => {
                let text = &text[usize_of(*start)..usize_of(*end)];
                match *look {
                    Look::Plain => to.push(&clean(text), *base),
                    Look::Markdown { kind, complete } => add_line(text, kind, complete, *base, to),
                }
            }
        }
    }

    /// Whether it is a rule, which is one row even on a narrow screen.
    fn is_rule(&self) -> bool {
        let Self::Slice {
            look: Look::Markdown { kind, .. },
            ..
        } = self
        else {
            return false;
        };
        *kind == MarkdownKind::Rule
    }
}

impl Part {
    fn styled(&self, text: &str, scratch: &mut StyledText) {
        scratch.clear();
        self.source.add_to(text, scratch);
    }

    /// The columns that are left beside the margin.
    fn room(&self, columns: usize) -> usize {
        let margin = if self.margin == Margin::None { 0 } else { 2 };
        columns.saturating_sub(margin).max(1)
    }

    /// What is shown of the text.
    fn kept<'a>(&self, text: &'a str, columns: usize) -> &'a str {
        let room = self.room(columns);
        if self.clipped && self.width.map_or(0, usize_of) > room {
            clip(text, room - 1)
        } else {
            text
        }
    }

    fn is_one_row(&self, columns: usize) -> bool {
        self.clipped
            || self.source.is_rule()
            || self.width.map_or(0, usize_of) <= self.room(columns)
    }

    fn count(&mut self, text: &str, columns: usize, scratch: &mut StyledText) -> u32 {
        if self.width.is_some() && self.is_one_row(columns) {
            return 1;
        }
        self.styled(text, scratch);
        if self.width.is_none() {
            self.width = Some(u32::try_from(width(scratch.text())).unwrap_or(u32::MAX));
            if self.is_one_row(columns) {
                return 1;
            }
        }
        let rows = Breaks::new(scratch.text(), self.room(columns)).count();
        u32::try_from(rows).unwrap_or(u32::MAX)
    }

    /// Where each row begins.
    fn starts(&self, text: &str, columns: usize, scratch: &mut StyledText) -> Vec<usize> {
        if self.is_one_row(columns) {
            return vec![0];
        }
        self.styled(text, scratch);
        let breaks = Breaks::new(scratch.text(), self.room(columns));
        breaks.map(|range| range.start).collect()
    }

    fn make(&self, text: &str, columns: usize) -> Box<[Line]> {
        let room = self.room(columns);
        let mut styled = StyledText::default();
        self.styled(text, &mut styled);
        let mut rows = if self.source.is_rule() {
            let rule = "─".repeat(room.min(RULE_COLUMNS));
            vec![Line::of(rule, Style::default().dim())]
        } else if self.width.map_or(0, usize_of) <= room {
            vec![styled.line(0..styled.text().len())]
        } else if self.clipped {
            let kept = self.kept(styled.text(), columns).len();
            let mut row = styled.line(0..kept);
            let style = row.0.last().map(|span| span.style).unwrap_or_default();
            let text = "…".to_owned();
            row.0.push(Span { text, style });
            vec![row]
        } else {
            styled.rows(room)
        };
        for (n, row) in rows.iter_mut().enumerate() {
            let (text, style) = match self.margin {
                Margin::None => continue,
                Margin::Question if n == 0 => ("> ", Style::color(Color::Cyan).bold()),
                Margin::Indent | Margin::Question => ("  ", Style::default()),
            };
            if !row.0.is_empty() || n == 0 {
                let text = text.to_owned();
                row.0.insert(0, Span { text, style });
            }
        }
        rows.into()
    }

    fn find(
        &self,
        text: &str,
        columns: usize,
        words: &Words,
        scratch: &mut StyledText,
        from: usize,
        back: bool,
    ) -> Option<usize> {
        self.styled(text, scratch);
        let shown = self.kept(scratch.text(), columns);
        let mut found = words.places(shown).peekable();
        found.peek()?;
        let first = usize_of(self.first_row);
        let starts: Vec<usize> = if self.is_one_row(columns) {
            vec![0]
        } else {
            let breaks = Breaks::new(shown, self.room(columns));
            breaks.map(|range| range.start).collect()
        };
        let row = |place: usize| {
            let before = starts.partition_point(|start| *start <= place);
            first + before.saturating_sub(1)
        };
        let mut rows = found.map(row);
        if back {
            rows.take_while(|row| *row <= from).last()
        } else {
            rows.find(|row| *row >= from)
        }
    }
}

fn usize_of(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
