//! The bytes that turn one screen into another: ECMA-48 sequences that every terminal in use knows (absolute moves, erase to
//! the end of the row, SGR with 16 colours), within a synchronized update, which other terminals ignore. What is drawn does not
//! depend on where the cursor was or on what an interrupted program left behind, and no cell but the changed ones is written,
//! with one exception: a row with a cluster about whose width terminals disagree is erased and drawn as a whole, and what such
//! a cluster may have put into the cells after it is erased again.

use super::grid::{Cell, Glyph, Grid};
use super::style::{Color, Style};

/// Unchanged cells up to this number are written again, which takes fewer bytes than a move.
const MAX_REWRITTEN_CELLS: usize = 4;
/// Blank cells up to this number are written as spaces, which takes no more bytes than to erase them.
const MAX_SPACES: usize = 3;

/// Turns `before` (of the same size) into `after`.
pub(super) fn changes(before: Option<&Grid>, after: &Grid, colors: bool) -> Vec<u8> {
    let mut pen = Pen {
        out: Vec::new(),
        style: Style::default(),
        at: None,
        colors,
    };
    let blank_row = vec![Cell::BLANK; usize::from(after.size.columns)];
    if before.is_none() {
        pen.out.extend(b"\x1b[m\x1b[2J");
    }
    for row in 0..after.size.rows {
        let (old, new) = (
            before.map_or(&*blank_row, |before| before.row(row)),
            after.row(row),
        );
        if old == new {
            continue;
        }
        if is_disputed(old) || is_disputed(new) {
            pen.move_to(row, 0);
            pen.erase_to_end();
            pen.row(row, &blank_row, new);
        } else {
            pen.row(row, old, new);
        }
    }
    let was_shown = before.is_none_or(|before| before.cursor.is_some());
    let body = pen.end();
    let cursor = cursor(before, after, !body.is_empty());
    if body.is_empty() {
        return cursor;
    }
    let hide: &[u8] = if was_shown { b"\x1b[?25l" } else { b"" };
    [b"\x1b[?2026h", hide, &body, &cursor, b"\x1b[?2026l"].concat()
}

/// Places the cursor after the cells are drawn, or without anything drawn.
fn cursor(before: Option<&Grid>, after: &Grid, drawn: bool) -> Vec<u8> {
    let old = before.and_then(|before| before.cursor);
    match after.cursor {
        Some(at) if drawn || old != Some(at) => {
            let show = if drawn || old.is_none() {
                "\x1b[?25h"
            } else {
                ""
            };
            format!("\x1b[{};{}H{show}", at.0 + 1, at.1 + 1).into_bytes()
        }
        None if !drawn && old.is_some() => b"\x1b[?25l".to_vec(),
        _ => Vec::new(),
    }
}

pub(super) fn is_disputed(row: &[Cell]) -> bool {
    row.iter().any(Cell::is_disputed)
}

/// What draws: the bytes so far, and the state in which they leave the terminal.
struct Pen {
    out: Vec<u8>,
    style: Style,
    /// The row and the column of the cursor, where it is known.
    at: Option<(u16, usize)>,
    colors: bool,
}

impl Pen {
    /// Draws the changes of one row.
    fn row(&mut self, row: u16, before: &[Cell], after: &[Cell]) {
        let end = after
            .iter()
            .rposition(|cell| *cell != Cell::BLANK)
            .map_or(0, |last| last + 1);
        let last_change = before.iter().zip(after).rposition(|(old, new)| old != new);
        let mut column = 0;
        while column <= last_change.unwrap_or(0) && column < after.len() {
            if before[column] == after[column] {
                column += 1;
                continue;
            }
            self.reach(row, column, after);
            if column >= end && last_change.unwrap_or(0) - column >= MAX_SPACES {
                self.erase_to_end();
                return;
            }
            column = self.cell(row, column, after);
        }
    }

    /// Writes the cell of this column, and with it its tail. Returns the column after it.
    fn cell(&mut self, row: u16, column: usize, cells: &[Cell]) -> usize {
        let cell = &cells[column];
        self.set_style(cell);
        match &cell.glyph {
            Glyph::Char(c) => self.out.extend(c.encode_utf8(&mut [0; 4]).bytes()),
            Glyph::Cluster(cluster) => self.out.extend(cluster.bytes()),
            Glyph::Tail => {}
        }
        let after = cells[column + 1..]
            .iter()
            .take_while(|cell| cell.glyph == Glyph::Tail)
            .take(1)
            .count()
            + column
            + 1;
        // After the last column, terminals differ in where the cursor is; the next move is to another row.
        self.at = Some((row, after));
        if cell.is_disputed() {
            self.at = None;
            if after < cells.len() {
                self.move_to(row, after);
                self.erase_to_end();
            }
        }
        after
    }

    /// Moves to a changed cell of a row, by writing the cells before it again if that is shorter.
    fn reach(&mut self, row: u16, column: usize, cells: &[Cell]) {
        if let Some((at_row, at)) = self.at
            && at_row == row
            && at < column
            && column - at <= MAX_REWRITTEN_CELLS
            && cells[at..column].iter().all(|cell| self.is_short(cell))
        {
            let mut at = at;
            while at < column {
                at = self.cell(row, at, cells);
            }
        }
        self.move_to(row, column);
    }

    /// Whether a cell is one byte in the current style.
    fn is_short(&self, cell: &Cell) -> bool {
        matches!(cell.glyph, Glyph::Char(' '..='~')) && !self.needs_style(cell)
    }

    fn move_to(&mut self, row: u16, column: usize) {
        let sequence = match self.at {
            Some(at) if at == (row, column) => return,
            Some((at_row, _)) if at_row == row => format!("\x1b[{}G", column + 1),
            _ => format!("\x1b[{};{}H", row + 1, column + 1),
        };
        self.out.extend(sequence.bytes());
        self.at = Some((row, column));
    }

    /// Erases from the cursor to the end of the row.
    fn erase_to_end(&mut self) {
        self.set_style(&Cell {
            glyph: Glyph::Tail,
            style: Style::default(),
        });
        self.out.extend(b"\x1b[K");
    }

    /// The style as the terminal is to show it.
    fn shown(&self, cell: &Cell) -> Style {
        let color = if self.colors {
            cell.style.color
        } else {
            Color::Default
        };
        Style {
            color,
            ..cell.style
        }
    }

    /// Whether the style has to change for a cell. A blank looks the same in every style that neither underlines nor reverses.
    fn needs_style(&self, cell: &Cell) -> bool {
        let plain = *cell == Cell::BLANK && !self.style.underline && !self.style.reverse;
        !plain && self.shown(cell) != self.style
    }

    fn set_style(&mut self, cell: &Cell) {
        if !self.needs_style(cell) {
            return;
        }
        self.style = self.shown(cell);
        let parts = [
            (self.style.bold, "1"),
            (self.style.dim, "2"),
            (self.style.italic, "3"),
            (self.style.underline, "4"),
            (self.style.reverse, "7"),
            (self.style.color != Color::Default, code(self.style.color)),
        ];
        self.out.extend(b"\x1b[");
        if self.style != Style::default() {
            self.out.push(b'0');
        }
        for (_, part) in parts.iter().filter(|(set, _)| *set) {
            self.out.push(b';');
            self.out.extend(part.bytes());
        }
        self.out.push(b'm');
    }

    /// The bytes; they leave the terminal in the default style.
    fn end(mut self) -> Vec<u8> {
        if self.style != Style::default() {
            self.out.extend(b"\x1b[m");
        }
        self.out
    }
}

/// The SGR parameter of a colour of the text.
fn code(color: Color) -> &'static str {
    match color {
        Color::Default => "39",
        Color::Red => "31",
        Color::Green => "32",
        Color::Yellow => "33",
        Color::Blue => "34",
        Color::Magenta => "35",
        Color::Cyan => "36",
        Color::Gray => "90",
    }
}
