//! A screen of cells, drawn from the state and shown by the terminal. It never holds half a wide character, and never a
//! control character. The bytes that turn one screen into another are in `changes.rs`.

use super::changes;
use super::event::Size;
use super::grid::{Cell, Glyph, Grid};
use super::style::{Line, Style};
use super::width;

/// What the terminal shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Screen(Grid);

impl Screen {
    /// A blank screen without a cursor.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let count = usize::from(size.columns) * usize::from(size.rows);
        Self(Grid {
            size,
            cells: vec![Cell::BLANK; count],
            cursor: None,
        })
    }

    #[must_use]
    pub fn size(&self) -> Size {
        self.0.size
    }

    /// Prints text into a row from a column on, both counted from 0. It is clipped at the right edge, where a wide character
    /// is left out rather than halved. Returns the column after the text. Control characters are left out, and so are those
    /// that change the direction of text.
    pub fn print(&mut self, row: u16, column: u16, text: &str, style: Style) -> u16 {
        if row >= self.0.size.rows {
            return column;
        }
        let mut column = column;
        for (cluster, width) in width::clusters(text) {
            let width = u16::try_from(width).unwrap_or(2);
            if width == 0 {
                continue;
            }
            let Some(after) = column
                .checked_add(width)
                .filter(|after| *after <= self.0.size.columns)
            else {
                break;
            };
            self.part(row, column);
            self.part(row, after);
            let at = self.0.index(row, column);
            self.0.cells[at] = Cell::new(cluster, style);
            if width == 2 {
                self.0.cells[at + 1] = Cell {
                    glyph: Glyph::Tail,
                    style,
                };
            }
            column = after;
        }
        column
    }

    /// Prints a line of styled text, as `print` does.
    pub fn print_line(&mut self, row: u16, column: u16, line: &Line) -> u16 {
        let mut column = column;
        for span in &line.0 {
            let room = usize::from(self.0.size.columns.saturating_sub(column));
            let clipped = width::width(&span.text) > room;
            column = self.print(row, column, &span.text, span.style);
            if clipped {
                break;
            }
        }
        column
    }

    /// Places the cursor at a row and a column, moved to the nearest cell if there is no such cell; `None` hides it.
    pub fn set_cursor(&mut self, at: Option<(u16, u16)>) {
        let last = |count: u16| count.saturating_sub(1);
        self.0.cursor = at.map(|(row, column)| {
            (
                row.min(last(self.0.size.rows)),
                column.min(last(self.0.size.columns)),
            )
        });
    }

    /// The row and the column of the cursor.
    #[must_use]
    pub fn cursor(&self) -> Option<(u16, u16)> {
        self.0.cursor
    }

    /// The bytes that make a terminal show this screen when it shows the one `before`; none if nothing differs. Without a
    /// screen before, or with one of another size, they clear the terminal first.
    #[must_use]
    pub fn changes_from(&self, before: Option<&Self>, colors: bool) -> Vec<u8> {
        let before = before
            .map(|before| &before.0)
            .filter(|before| before.size == self.0.size);
        changes::changes(before, &self.0, colors)
    }

    /// The rows without their trailing blanks, each with a line end.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        for row in 0..self.0.size.rows {
            for cell in self.0.row(row) {
                match &cell.glyph {
                    Glyph::Char(c) => text.push(*c),
                    Glyph::Cluster(cluster) => text.push_str(cluster),
                    Glyph::Tail => {}
                }
            }
            text.truncate(text.trim_end_matches(' ').len());
            text.push('\n');
        }
        text
    }

    /// Makes sure that no wide character covers the boundary before this column: both halves of one become blank.
    fn part(&mut self, row: u16, column: u16) {
        if column == 0 || column >= self.0.size.columns {
            return;
        }
        let at = self.0.index(row, column);
        if self.0.cells[at].glyph == Glyph::Tail {
            self.0.cells[at - 1] = Cell::BLANK;
            self.0.cells[at] = Cell::BLANK;
        }
    }
}

#[cfg(test)]
mod tests;
