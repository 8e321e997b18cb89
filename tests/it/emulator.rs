//! A small terminal emulator: a grid of cells that is fed what a program writes. It knows the sequences that `codex` and the
//! programs that it starts send, as xterm and tmux know them, and remembers every other one, for tests to refuse.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use token::{Token, token};

#[path = "emulator/token.rs"] // for those who include this file by its path
mod token; // what programs write, token by token

/// What takes the place of the half of a wide character whose other half was overwritten.
pub(crate) const HALF: &str = "\u{fffd}";

/// What a cell looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // SGR attributes are independent
pub(crate) struct Look {
    /// The SGR parameters of the colours, 0 for the terminal's own.
    pub(crate) color: u16,
    pub(crate) background: u16,
    pub(crate) bold: bool,
    pub(crate) dim: bool,
    pub(crate) italic: bool,
    pub(crate) underline: bool,
    pub(crate) reverse: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cell {
    /// Empty for the right half of a wide character.
    pub(crate) text: String,
    pub(crate) look: Look,
}

#[derive(Clone, Debug, Default)]
struct Grid {
    rows: Vec<Vec<Cell>>,
    cursor: (usize, usize),
}

pub(crate) struct Emulator {
    columns: usize,
    grid: Grid,
    /// The other screen, while the alternate one is shown.
    main: Option<Grid>,
    saved: (usize, usize),
    look: Look,
    /// The cursor is behind the last column: the next character wraps.
    wraps: bool,
    /// The private modes that are on.
    modes: Vec<u16>,
    /// Whether sequences of emoji are one character, as in kitty, or what their characters are, as in xterm.
    joins: bool,
    pending: Vec<u8>,
    /// The number of rows that were scrolled out of the current screen.
    pub(crate) scrolled: usize,
    /// Sequences that are not known.
    pub(crate) unknown: Vec<String>,
    /// The operating system commands, such as OSC 52.
    pub(crate) commands: Vec<String>,
    /// What the terminal answers to questions, for tests to type.
    pub(crate) answers: Vec<u8>,
}

impl Emulator {
    pub(crate) fn new(columns: usize, rows: usize) -> Self {
        Self {
            columns,
            grid: Grid::blank(columns, rows),
            main: None,
            saved: (0, 0),
            look: Look::default(),
            wraps: false,
            modes: vec![7, 25],
            joins: true,
            pending: Vec::new(),
            scrolled: 0,
            unknown: Vec::new(),
            commands: Vec::new(),
            answers: Vec::new(),
        }
    }

    /// Adds up the widths of the characters of an emoji sequence, as many terminals do.
    pub(crate) fn without_joining(mut self) -> Self {
        self.joins = false;
        self
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        while let Some((token, length)) = token(rest) {
            rest = &rest[length..];
            self.take(token);
        }
        self.pending = rest.to_vec();
    }

    pub(crate) fn resize(&mut self, columns: usize, rows: usize) {
        self.columns = columns;
        for grid in std::iter::once(&mut self.grid).chain(&mut self.main) {
            grid.rows.resize(rows, Vec::new());
            for row in &mut grid.rows {
                row.resize(columns, blank(Look::default()));
            }
            grid.cursor = (grid.cursor.0.min(rows - 1), grid.cursor.1.min(columns - 1));
        }
        self.wraps = false;
    }

    pub(crate) fn row(&self, row: usize) -> &[Cell] {
        &self.grid.rows[row]
    }

    /// The rows without their trailing blanks, each with a line end.
    pub(crate) fn text(&self) -> String {
        let row = |cells: &Vec<Cell>| {
            let text: String = cells.iter().map(|cell| &*cell.text).collect();
            format!("{}\n", text.trim_end_matches(' '))
        };
        self.grid.rows.iter().map(row).collect()
    }

    /// The row and the column of the cursor, if it is shown.
    pub(crate) fn cursor(&self) -> Option<(usize, usize)> {
        self.mode(25).then_some(self.grid.cursor)
    }

    /// Whether a private mode is on, such as 2004 for bracketed paste.
    pub(crate) fn mode(&self, mode: u16) -> bool {
        self.modes.contains(&mode)
    }

    pub(crate) fn on_alternate_screen(&self) -> bool {
        self.main.is_some()
    }

    pub(crate) fn has_default_look(&self) -> bool {
        self.look == Look::default()
    }

    fn take(&mut self, token: Token) {
        match token {
            Token::Text(c) => self.print(c),
            Token::Control(b'\r') => self.move_to(self.grid.cursor.0, 0),
            Token::Control(b'\n') => self.line_feed(),
            Token::Control(0x08) => {
                self.move_to(self.grid.cursor.0, self.grid.cursor.1.saturating_sub(1))
            }
            Token::Control(b'\t') => {
                self.move_to(self.grid.cursor.0, (self.grid.cursor.1 / 8 + 1) * 8)
            }
            Token::Control(0x07 | 0x0e | 0x0f) => {}
            Token::Control(byte) => self.unknown.push(format!("{byte:#04x}")),
            Token::Command(command) => self.commands.push(command),
            Token::Escape(sequence) => match &*sequence {
                "7" => self.saved = self.grid.cursor,
                "8" => self.move_to(self.saved.0, self.saved.1),
                "=" | ">" | "(B" | "\\" => {}
                _ => self.unknown.push(format!("ESC {sequence}")),
            },
            Token::Csi {
                prefix,
                parameters,
                last,
            } => self.control(&prefix, &parameters, last),
        }
    }

    fn control(&mut self, prefix: &str, parameters: &[u16], last: char) {
        let first = parameters.first().copied().unwrap_or(0);
        let count = usize::from(first.max(1));
        let second = usize::from(parameters.get(1).copied().unwrap_or(1).max(1));
        let (row, column) = self.grid.cursor;
        match (prefix, last) {
            ("", 'A') => self.move_to(row.saturating_sub(count), column),
            ("", 'B') => self.move_to(row + count, column),
            ("", 'C') => self.move_to(row, column + count),
            ("", 'D') => self.move_to(row, column.saturating_sub(count)),
            ("", 'G') => self.move_to(row, count - 1),
            ("", 'd') => self.move_to(count - 1, column),
            ("", 'H' | 'f') => self.move_to(count - 1, second - 1),
            ("", 'J') => {
                let (from, to) = match first {
                    0 => (row + 1, self.grid.rows.len()),
                    1 => (0, row),
                    _ => (0, self.grid.rows.len()),
                };
                for row in from..to {
                    self.erase(row, 0, self.columns);
                }
                if first < 2 {
                    self.erase_in_row(first);
                }
            }
            ("", 'K') => self.erase_in_row(first),
            ("", 'X') => self.erase(row, column, (column + count).min(self.columns)),
            ("", 'm') => self.set_look(parameters),
            ("?", 'h' | 'l') => {
                for mode in parameters {
                    self.set_mode(*mode, last == 'h');
                }
            }
            ("?$", 'p') => {
                let state = if self.mode(first) { 1 } else { 2 };
                self.answers
                    .extend(format!("\x1b[?{first};{state}$y").bytes());
            }
            // Reports, cursor shapes and keyboard modes change nothing that is shown.
            ("", 'n' | 'c') | (" ", 'q') | (">", 'm' | 'u' | 'c') | ("<" | "?", 'u') => {}
            _ => self
                .unknown
                .push(format!("CSI {prefix}{parameters:?}{last}")),
        }
    }

    fn set_mode(&mut self, mode: u16, on: bool) {
        self.modes.retain(|other| *other != mode);
        if on {
            self.modes.push(mode);
        }
        match mode {
            1049 if on && self.main.is_none() => {
                let blank = Grid::blank(self.columns, self.grid.rows.len());
                let cursor = self.grid.cursor;
                self.main = Some(std::mem::replace(&mut self.grid, blank));
                self.grid.cursor = cursor;
            }
            1049 if !on => {
                if let Some(main) = self.main.take() {
                    self.grid = main;
                }
            }
            1 | 7 | 12 | 25 | 1000 | 1002 | 1004 | 1006 | 1049 | 2004 | 2026 => {}
            _ => self.unknown.push(format!("mode {mode}")),
        }
        self.wraps = false;
    }

    fn set_look(&mut self, parameters: &[u16]) {
        let mut parameters = parameters.iter().copied();
        let first = parameters.next().unwrap_or(0);
        for parameter in std::iter::once(first).chain(parameters) {
            match parameter {
                0 => self.look = Look::default(),
                1 => self.look.bold = true,
                2 => self.look.dim = true,
                3 => self.look.italic = true,
                4 => self.look.underline = true,
                7 => self.look.reverse = true,
                22 => (self.look.bold, self.look.dim) = (false, false),
                23 => self.look.italic = false,
                24 => self.look.underline = false,
                27 => self.look.reverse = false,
                30..=37 | 90..=97 => self.look.color = parameter,
                39 => self.look.color = 0,
                40..=47 | 100..=107 => self.look.background = parameter,
                49 => self.look.background = 0,
                _ => self.unknown.push(format!("SGR {parameter}")),
            }
        }
    }

    fn print(&mut self, c: char) {
        if self.extend(c) {
            return;
        }
        let width = c.width().unwrap_or(0).min(2);
        if width == 0 || width > self.columns {
            return;
        }
        let (mut row, mut column) = self.grid.cursor;
        if (self.wraps || column + width > self.columns) && self.mode(7) {
            self.move_to(row, 0);
            self.line_feed();
            (row, column) = self.grid.cursor;
        }
        column = column.min(self.columns - width);
        self.put(row, column, c.to_string(), width);
    }

    /// Adds a character to the one before it, if it belongs to it.
    fn extend(&mut self, c: char) -> bool {
        let (row, column) = self.grid.cursor;
        let after = if self.wraps { column + 1 } else { column };
        let Some(mut at) = after.checked_sub(1) else {
            return false;
        };
        let cells = &self.grid.rows[row];
        if cells[at].text.is_empty() {
            at -= 1;
        }
        let text = &cells[at].text;
        let flag = |c: char| matches!(c, '\u{1f1e6}'..='\u{1f1ff}');
        let emoji = text.starts_with(|c: char| {
            c >= '\u{1f000}' && !flag(c) || matches!(c, '\u{203c}'..='\u{3299}')
        });
        let joined = match c {
            '\u{1f3fb}'..='\u{1f3ff}' => emoji,
            _ if flag(c) => {
                text.starts_with(flag) && text.chars().filter(|c| flag(*c)).count() == 1
            }
            _ => emoji && text.ends_with('\u{200d}') && c >= '\u{203c}',
        };
        if c.width() != Some(0) && !(self.joins && joined) {
            return false;
        }
        let text = format!("{text}{c}");
        let width = if self.joins {
            text.width().clamp(1, 2)
        } else {
            after - at
        };
        let (width, look) = (width.min(self.columns - at), self.look);
        self.look = self.grid.rows[row][at].look;
        self.put(row, at, text, width);
        self.look = look;
        true
    }

    fn put(&mut self, row: usize, column: usize, text: String, width: usize) {
        self.part(row, column);
        self.part(row, column + width);
        let look = self.look;
        self.grid.rows[row][column] = Cell { text, look };
        if width == 2 {
            self.grid.rows[row][column + 1] = Cell {
                text: String::new(),
                look,
            };
        }
        let after = column + width;
        self.grid.cursor = (row, after.min(self.columns - 1));
        self.wraps = after == self.columns;
    }

    fn line_feed(&mut self) {
        if self.grid.cursor.0 + 1 < self.grid.rows.len() {
            self.grid.cursor.0 += 1;
        } else {
            self.scrolled += 1;
            self.grid.rows.remove(0);
            self.grid
                .rows
                .push(vec![blank(Look::default()); self.columns]);
        }
    }

    fn move_to(&mut self, row: usize, column: usize) {
        self.grid.cursor = (
            row.min(self.grid.rows.len() - 1),
            column.min(self.columns - 1),
        );
        self.wraps = false;
    }

    fn erase_in_row(&mut self, what: u16) {
        let (row, column) = self.grid.cursor;
        match what {
            0 => self.erase(row, column, self.columns),
            1 => self.erase(row, 0, column + 1),
            _ => self.erase(row, 0, self.columns),
        }
    }

    fn erase(&mut self, row: usize, from: usize, to: usize) {
        self.part(row, from);
        self.part(row, to);
        let background = self.look.background;
        for cell in &mut self.grid.rows[row][from..to] {
            *cell = blank(Look {
                background,
                ..Look::default()
            });
        }
    }

    /// Leaves a trace of a wide character that is about to lose one half.
    fn part(&mut self, row: usize, column: usize) {
        let cells = &mut self.grid.rows[row];
        if column > 0 && cells.get(column).is_some_and(|cell| cell.text.is_empty()) {
            HALF.clone_into(&mut cells[column - 1].text);
            HALF.clone_into(&mut cells[column].text);
        }
    }
}

impl Grid {
    fn blank(columns: usize, rows: usize) -> Self {
        Self {
            rows: vec![vec![blank(Look::default()); columns]; rows],
            cursor: (0, 0),
        }
    }
}

fn blank(look: Look) -> Cell {
    Cell {
        text: " ".to_owned(),
        look,
    }
}
