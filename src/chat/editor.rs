//! The question: text of many lines with a cursor, the keys that edit it as in readline, and its history. It knows which of its
//! text was typed, because commands come from the keys only.

pub mod boundary;
pub mod history;
pub mod rows;

use boundary::{
    in_name, in_word, line_end, line_start, next, previous, settled, word_end, word_start,
};
use history::{Draft, History};
use rows::{QuestionRow, cell, place, rows};

use super::key::{Key, KeyPress};

/// The longest question, in bytes. It is above what fits into a model's context.
pub const MAX_QUESTION_BYTES: usize = 1 << 20;

/// The question that is being written.
#[derive(Debug, Default)]
pub struct Editor {
    text: String,
    /// In bytes, at the boundary of a cluster.
    cursor: usize,
    /// The bytes at the beginning of the text that were typed; the rest was pasted.
    typed: usize,
    killed: Draft,
    /// Whether the last key killed text, so that the next one adds to it.
    killing: bool,
    /// The column that Up and Down return to.
    column: Option<usize>,
    history: History,
    /// The rows as they were laid out last, and for which width; nothing once the text has changed.
    laid: Option<(usize, Vec<QuestionRow>)>,
}

impl Editor {
    /// An empty question, with the earlier ones, oldest first.
    #[must_use]
    pub fn new(questions: &[String]) -> Self {
        let mut editor = Self::default();
        for question in questions {
            editor.history.add(question);
        }
        editor
    }

    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether the first character was typed, and not pasted.
    #[must_use]
    pub fn begins_typed(&self) -> bool {
        self.typed > 0
    }

    /// Whether the cursor is at the end of the text.
    #[must_use]
    pub fn is_at_end(&self) -> bool {
        self.cursor == self.text.len()
    }

    /// Replaces the text by one that is not a command, whatever it begins with.
    pub fn set(&mut self, text: String) {
        self.show(Draft { text, typed: 0 });
        self.history.leave();
    }

    /// Replaces the text by one that counts as typed.
    pub fn set_typed(&mut self, text: String) {
        self.show(Draft::typed(text));
    }

    /// Adds a question to the history.
    pub fn remember(&mut self, question: &str) {
        self.history.add(question);
    }

    /// Removes the text and returns it.
    pub fn take(&mut self) -> String {
        let text = std::mem::take(&mut self.text);
        self.set(String::new());
        text
    }

    /// The rows at this width, and the row and the column of the cursor.
    #[must_use]
    pub fn layout(&mut self, columns: usize) -> (&[QuestionRow], (usize, usize)) {
        let laid = self.laid.take().filter(|(width, _)| *width == columns);
        let (_, rows) = self
            .laid
            .insert(laid.unwrap_or_else(|| (columns, rows(&self.text, columns))));
        let at = cell(&self.text, rows, self.cursor);
        (rows, at)
    }

    /// Inserts pasted text at the cursor. Returns false, and inserts nothing, if the question would be too long.
    pub fn paste(&mut self, text: &str) -> bool {
        (self.killing, self.column) = (false, None);
        self.insert(text, 0)
    }

    /// Edits the text, if this is a key for it; `columns` is the width in which Up and Down move. Returns whether it is one.
    pub fn press(&mut self, key: KeyPress, columns: usize) -> bool {
        let killing = std::mem::take(&mut self.killing);
        let column = self.column.take();
        let text = &self.text;
        let at = self.cursor;
        match (key.key, key.ctrl, key.alt) {
            (Key::Enter, false, true) | (Key::Char('j'), true, false) => self.type_char('\n'),
            (Key::Enter, false, false) if key.shift => self.type_char('\n'),
            (Key::Char(c), false, false) => self.type_char(c),
            (Key::Left, false, false) => self.cursor = previous(text, at),
            (Key::Right, false, false) => self.cursor = next(text, at),
            (Key::Left, ..) | (Key::Char('b'), false, true) => {
                self.cursor = word_start(text, at, in_name);
            }
            (Key::Right, ..) | (Key::Char('f'), false, true) => {
                self.cursor = word_end(text, at, in_name);
            }
            (Key::Char('a'), true, false) => self.cursor = line_start(text, at),
            (Key::Char('e'), true, false) => self.cursor = line_end(text, at),
            (Key::Backspace, false, false) | (Key::Char('h'), true, false) => {
                self.remove(previous(text, at), at);
            }
            (Key::Delete, false, false) | (Key::Char('d'), true, false) => {
                self.remove(at, next(text, at));
            }
            (Key::Backspace, ..) => self.kill(word_start(text, at, in_name), at, killing),
            (Key::Char('w'), true, false) => self.kill(word_start(text, at, in_word), at, killing),
            (Key::Delete, ..) | (Key::Char('d'), false, true) => {
                self.kill(at, word_end(text, at, in_name), killing);
            }
            (Key::Char('u'), true, false) => {
                let start = line_start(text, at);
                let start = if start == at {
                    previous(text, at)
                } else {
                    start
                };
                self.kill(start, at, killing);
            }
            (Key::Char('k'), true, false) => {
                let end = line_end(text, at);
                let end = if end == at { next(text, at) } else { end };
                self.kill(at, end, killing);
            }
            (Key::Char('y'), true, false) => {
                let Draft { text, typed } = self.killed.clone();
                self.insert(&text, typed);
            }
            (Key::Up, false, false) if !key.shift => self.move_row(columns, column, true),
            (Key::Down, false, false) if !key.shift => self.move_row(columns, column, false),
            _ => return false,
        }
        true
    }

    fn show(&mut self, draft: Draft) {
        Draft {
            text: self.text,
            typed: self.typed,
        } = draft;
        self.cursor = self.text.len();
        self.laid = None;
        (self.killing, self.column) = (false, None);
    }

    fn type_char(&mut self, c: char) {
        self.insert(c.encode_utf8(&mut [0; 4]), c.len_utf8());
    }

    /// Inserts text whose first `typed` bytes were typed.
    fn insert(&mut self, text: &str, typed: usize) -> bool {
        if self.text.len() + text.len() > MAX_QUESTION_BYTES {
            return false;
        }
        if self.cursor <= self.typed && !text.is_empty() {
            self.typed = if typed == text.len() {
                self.typed + typed
            } else {
                self.cursor + typed
            };
        }
        self.text.insert_str(self.cursor, text);
        self.laid = None;
        self.cursor = settled(&self.text, self.cursor + text.len());
        true
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.text.drain(from..to);
        self.laid = None;
        self.typed -= self.typed.min(to) - self.typed.min(from);
        self.cursor = settled(&self.text, from);
    }

    fn kill(&mut self, from: usize, to: usize, adding: bool) {
        let part = Draft {
            text: self.text[from..to].to_owned(),
            typed: self.typed.clamp(from, to) - from,
        };
        let kept = match (adding, from < self.cursor) {
            (false, _) => part,
            (true, true) => joined(part, &self.killed),
            (true, false) => joined(self.killed.clone(), &part),
        };
        if to > from {
            self.killed = kept;
        }
        self.killing = true;
        self.remove(from, to);
    }

    /// Moves up or down a row; beyond the first and the last one, through the history.
    fn move_row(&mut self, columns: usize, column: Option<usize>, up: bool) {
        let (rows, (row, at)) = self.layout(columns);
        let column = column.unwrap_or(at);
        let to = if up {
            row.checked_sub(1)
        } else {
            Some(row + 1).filter(|row| *row < rows.len())
        };
        if let (Some(to), Some((_, rows))) = (to, &self.laid) {
            self.cursor = place(&self.text, rows, to, column);
            self.column = Some(column);
            return;
        }
        let shown = Draft {
            text: self.text.clone(),
            typed: self.typed,
        };
        let found = if up {
            self.history.older(&shown)
        } else {
            self.history.newer(&shown)
        };
        if let Some(found) = found {
            self.show(found);
        }
    }
}

fn joined(mut first: Draft, second: &Draft) -> Draft {
    if first.typed == first.text.len() {
        first.typed += second.typed;
    }
    first.text.push_str(&second.text);
    first
}

#[cfg(test)]
mod tests;
