//! What was said and done, as rows of the screen.
//!
//! What is laid out, and when: an event changes an entry and lays out nothing. `layout` looks at the entries that changed; of a
//! message that grows it lays out the last line alone. At another width it counts the rows of all entries again, without
//! touching a line that fits. The spans of a row are made when `row` asks for it, and kept until many have been made.
//!
//! Measured, with 10 MB of text: another width takes 25 ms (90 ms if all of it is wide characters), a delta and the layout
//! after it 0.03 ms, the first layout 50 to 100 ms, a search 50 ms. Tools' output counts only as
//! far as it is unfolded.

mod call;
mod entry;
mod matches;
mod message;
mod scroll;
mod sheet;

use self::call::ShownCall;
use self::entry::{Body, Entry};
use self::matches::Words;
use self::message::{Author, ShownMessage};
pub use self::scroll::Anchor;
use self::scroll::Scroll;
use super::event::{NoticeLevel, Said, TurnEnd, TurnEvent};
use super::style::{Color, Line, Style};
use crate::text::{floor, shortened};

/// Longest text that is one entry, in bytes. A longer message continues in another one.
const MAX_ENTRY_BYTES: usize = 1 << 20;

/// Longest notice, in bytes.
const MAX_NOTICE_BYTES: usize = 64 << 10;

/// Everything that was said and done. The numbers of rows hold from one `layout` to the next change; an `Anchor` keeps a place
/// beyond that. The number of a tool call holds until the call is dropped.
#[derive(Debug, Default)]
pub struct Transcript {
    scroll: Scroll,
    /// The entry of the message that grows.
    message: Option<usize>,
    /// The entries of the calls that run.
    running: Vec<usize>,
    /// The last entry says what the run waits for.
    waiting: bool,
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
            scroll: Scroll::starting_at(self.scroll.end()),
            ..Self::default()
        };
        for said in said {
            match said {
                Said::User(text) => self.add_question(text, 0),
                Said::Model(text) => {
                    self.add_text(text);
                    self.close_message();
                }
                Said::Tool { call, output } => {
                    self.add_call(ShownCall::earlier(call, output));
                }
            }
        }
    }

    /// Adds what a running turn reported.
    pub fn turn(&mut self, event: &TurnEvent) {
        self.stop_waiting();
        match event {
            TurnEvent::Started { text, images } => self.add_question(text, *images),
            TurnEvent::Steered { text } => self.add_question(text, 0),
            TurnEvent::Text(text) => self.add_text(text),
            TurnEvent::MessageEnd => self.close_message(),
            TurnEvent::Summary(text) => {
                self.close_message();
                let text = shortened(text.trim(), MAX_ENTRY_BYTES).into_owned();
                let summary = ShownMessage::new(Author::Summary, text, false);
                self.scroll.push(Entry::new(Body::Message(summary)));
            }
            TurnEvent::Searched(text) => {
                self.add_line("● search  ", Style::color(Color::Blue), text);
            }
            TurnEvent::ToolStarted(call) => {
                let number = self.add_call(ShownCall::running(call));
                self.running.push(number);
            }
            TurnEvent::ToolPrinted { id, tail } => {
                if let Some(at) = self.running_call(id) {
                    let number = self.running[at];
                    self.change_call(number, |call| call.prints(tail));
                }
            }
            TurnEvent::ToolEnded {
                id,
                result,
                took_ms,
            } => {
                if let Some(at) = self.running_call(id) {
                    let number = self.running.remove(at);
                    self.change_call(number, |call| call.end(result, *took_ms));
                }
            }
            TurnEvent::Waiting(text) => {
                self.add_line("… ", Style::color(Color::Yellow), text);
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
            self.change_call(number, ShownCall::abandon);
        }
        match end {
            TurnEnd::Completed => {}
            TurnEnd::Interrupted => self.add_line("interrupted", Style::color(Color::Yellow), ""),
            TurnEnd::Failed { what, hint, .. } => {
                self.notice(NoticeLevel::Error, what);
                if let Some(hint) = hint {
                    self.add_line("hint: ", Style::color(Color::Cyan), hint);
                }
            }
        }
    }

    /// Adds text of the program. A message that grows goes on above it.
    pub fn notice(&mut self, level: NoticeLevel, text: &str) {
        let (word, label) = match level {
            NoticeLevel::Note => ("note: ", Style::default().dim()),
            NoticeLevel::Warning => ("warning: ", Style::color(Color::Yellow).bold()),
            NoticeLevel::Error => ("error: ", Style::color(Color::Red).bold()),
        };
        let waiting = if self.waiting {
            self.scroll.pop()
        } else {
            None
        };
        self.add_line(word, label, text);
        if let Some(entry) = waiting {
            self.scroll.push(entry);
        }
    }

    /// Adds text of the program below a heading.
    pub fn headed(&mut self, heading: &str, text: &str) {
        self.add_line(heading, Style::default().bold(), &format!("\n{text}"));
    }

    /// Lays out what changed and returns the number of rows. `raw` shows the messages of the model as they are written.
    pub fn layout(&mut self, columns: u16, raw: bool) -> usize {
        self.scroll.layout(columns, raw)
    }

    /// A row, as it was laid out.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&Line> {
        self.scroll.row(row)
    }

    /// The tool call shown in this row.
    #[must_use]
    pub fn call_at(&self, row: usize) -> Option<usize> {
        let number = self.scroll.number_at(row)?;
        self.call(number).map(|_| number)
    }

    /// The last tool call.
    #[must_use]
    pub fn last_call(&self) -> Option<usize> {
        let is_call = |entry: &Entry| matches!(entry.body(), Body::Call(_));
        let after = self.scroll.entries().rev().position(is_call)?;
        Some(self.scroll.end() - 1 - after)
    }

    /// Whether a tool call looks different folded and unfolded, as it was laid out.
    #[must_use]
    pub fn folds(&self, call: usize) -> bool {
        let (shown, columns) = (self.call(call), self.scroll.columns());
        shown.is_some_and(|call| call.folds(columns))
    }

    /// Folds or unfolds a tool call. Folded, it is a line with the last three lines of its output or the first twelve of its
    /// change, and a line for what is hidden; unfolded, all of them.
    pub fn toggle(&mut self, call: usize) {
        self.change_call(call, ShownCall::toggle);
    }

    /// The first row from this one on that has the words, in any case; `back`: the last row up to this one. What is folded is
    /// not searched.
    #[must_use]
    pub fn find(&self, words: &str, from: usize, back: bool) -> Option<usize> {
        self.scroll.find(&Words::new(words)?, from, back)
    }

    /// A row that `find` has found, with the words in it marked, and the next row if they go on there.
    #[must_use]
    pub fn marked(&self, row: usize, words: &str) -> Vec<Line> {
        let found = Words::new(words).zip(self.row(row));
        found.map_or(Vec::new(), |(words, line)| {
            words.mark(line, self.row(row + 1))
        })
    }

    /// The last message of the model, as it was written. Of a message of more than a mebibyte it is the end.
    #[must_use]
    pub fn last_message(&self) -> Option<&str> {
        self.scroll
            .entries()
            .rev()
            .find_map(|entry| match entry.body() {
                Body::Message(message) if message.author() == Author::Model => Some(message.text()),
                _ => None,
            })
    }

    /// Everything as text, nothing folded; control characters are visible.
    #[must_use]
    pub fn plain_text(&self) -> String {
        self.scroll.plain_text()
    }

    /// The place of a row, to find it again after events or another `layout`.
    #[must_use]
    pub fn anchor(&self, row: usize) -> Option<Anchor> {
        self.scroll.anchor(row)
    }

    /// The row of a place as it is laid out now; of a dropped one the first row.
    #[must_use]
    pub fn row_of(&self, anchor: Anchor) -> usize {
        self.scroll.row_of(anchor)
    }

    fn stop_waiting(&mut self) {
        if std::mem::take(&mut self.waiting) {
            self.scroll.pop();
        }
    }

    fn add_question(&mut self, text: &str, images: usize) {
        self.close_message();
        let mut text = shortened(text.trim(), MAX_ENTRY_BYTES).into_owned();
        if images > 0 {
            if !text.is_empty() {
                text.push('\n');
            }
            text.push_str(&vec!["[image]"; images].join(" "));
        }
        let question = ShownMessage::new(Author::User, text, false);
        self.scroll.push(Entry::new(Body::Message(question)));
    }

    /// Adds text that begins with a word in a style of its own.
    fn add_line(&mut self, word: &str, label: Style, text: &str) {
        let text = shortened(text, MAX_NOTICE_BYTES);
        self.scroll.push(Entry::labelled(word, label, &text));
    }

    fn add_call(&mut self, call: ShownCall) -> usize {
        self.close_message();
        self.scroll.push(Entry::new(Body::Call(Box::new(call))))
    }

    /// Where the call with this id is among those that run.
    fn running_call(&self, id: &str) -> Option<usize> {
        let is_this = |number: &usize| self.call(*number).is_some_and(|call| call.id() == id);
        self.running.iter().position(is_this)
    }

    fn call(&self, number: usize) -> Option<&ShownCall> {
        match self.scroll.get(number)?.body() {
            Body::Call(call) => Some(call),
            _ => None,
        }
    }

    fn change_call(&mut self, number: usize, change: impl FnOnce(&mut ShownCall)) {
        self.scroll.change(number, |body| {
            if let Body::Call(call) = body {
                change(call);
            }
        });
    }

    /// Adds text to the message that grows, or begins one.
    fn add_text(&mut self, text: &str) {
        let mut rest = match self.message {
            Some(_) => text,
            None => text.trim_start_matches(['\n', '\r']),
        };
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(floor(rest, MAX_ENTRY_BYTES / 2));
            self.add_piece(piece);
            rest = after;
        }
    }

    fn add_piece(&mut self, piece: &str) {
        let growing = self
            .message
            .filter(|number| self.scroll.get(*number).is_some());
        let Some(number) = growing else {
            let message = ShownMessage::new(Author::Model, piece.to_owned(), true);
            self.message = Some(self.scroll.push(Entry::new(Body::Message(message))));
            return;
        };
        let mut next = None;
        self.scroll.change(number, |body| {
            if let Body::Message(message) = body {
                if message.text().len() + piece.len() > MAX_ENTRY_BYTES {
                    let mut rest = message.split(MAX_ENTRY_BYTES / 2);
                    rest.add(piece);
                    next = Some(rest);
                } else {
                    message.add(piece);
                }
            }
        });
        if let Some(next) = next {
            let follows = number + 1 == self.scroll.end();
            let entry = Entry::new(Body::Message(next));
            let entry = if follows { entry.continuing() } else { entry };
            self.message = Some(self.scroll.push(entry));
        }
    }

    fn close_message(&mut self) {
        if let Some(number) = self.message.take() {
            self.scroll.change(number, |body| {
                if let Body::Message(message) = body {
                    message.close();
                }
            });
        }
    }
}

#[cfg(test)]
mod tests;
