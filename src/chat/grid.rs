//! Rows of cells and a cursor: what a screen is made of.

use super::event::Size;
use super::style::{Color, Style};
use super::width;

/// Cells in rows, and a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Grid {
    pub(super) size: Size,
    pub(super) cells: Vec<Cell>,
    /// Its row and column, if it is shown.
    pub(super) cursor: Option<(u16, u16)>,
}

/// One cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    pub(super) glyph: Glyph,
    pub(super) style: Style,
}

/// What a cell shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Glyph {
    Char(char),
    /// A cluster of more than one character.
    Cluster(Box<str>),
    /// The right half of the character in the cell before.
    Tail,
}

impl Cell {
    pub(super) const BLANK: Self = Self {
        glyph: Glyph::Char(' '),
        style: Style {
            color: Color::Default,
            bold: false,
            dim: false,
            italic: false,
            underline: false,
            reverse: false,
        },
    };

    pub(super) fn new(cluster: &str, style: Style) -> Self {
        let mut chars = cluster.chars();
        match (chars.next(), chars.next()) {
            (Some(' '), None) if !(style.reverse || style.underline) => Self::BLANK,
            (Some(c), None) => Self {
                glyph: Glyph::Char(c),
                style,
            },
            _ => Self {
                glyph: Glyph::Cluster(cluster.replace(steers, "").into()),
                style,
            },
        }
    }

    /// Whether terminals disagree about its width.
    pub(super) fn is_disputed(&self) -> bool {
        match &self.glyph {
            Glyph::Char(c) => width::is_disputed(c.encode_utf8(&mut [0; 4])),
            Glyph::Cluster(cluster) => width::is_disputed(cluster),
            Glyph::Tail => false,
        }
    }
}

impl Grid {
    pub(super) fn row(&self, row: u16) -> &[Cell] {
        let start = self.index(row, 0);
        &self.cells[start..start + usize::from(self.size.columns)]
    }

    pub(super) fn index(&self, row: u16, column: u16) -> usize {
        usize::from(row) * usize::from(self.size.columns) + usize::from(column)
    }
}

/// Whether a character moves what is around it: the bidirectional controls and the separators (`output/visible.rs`).
fn steers(c: char) -> bool {
    matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
