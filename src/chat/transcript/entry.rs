//! What the transcript is made of: messages, tool calls, and lines of the program itself.

use super::call::ShownCall;
use super::message::{Author, ShownMessage};
use super::sheet::{Margin, Part, Sheet, Source};
use crate::chat::clean::clean;
use crate::chat::style::{Line, Span, Style};
use crate::output::visible::visible;

#[derive(Debug)]
pub(super) enum Body {
    Message(ShownMessage),
    Call(Box<ShownCall>),
    /// Lines that do not change.
    Lines(Vec<Line>),
}

#[derive(Debug)]
pub(super) struct Entry {
    body: Body,
    sheet: Sheet,
    /// It changed since it was laid out.
    changed: bool,
    /// It continues the entry before it.
    continues: bool,
}

impl Entry {
    pub(super) fn new(body: Body) -> Self {
        Self {
            body,
            sheet: Sheet::default(),
            changed: true,
            continues: false,
        }
    }

    /// Lines of which the first begins with a word in a style of its own. If that is dim, all are.
    pub(super) fn labelled(word: &str, label: Style, text: &str) -> Self {
        let style = if label.dim { label } else { Style::default() };
        let lines = text.trim_end().lines();
        let mut lines: Vec<Line> = lines.map(|line| Line::of(clean(line), style)).collect();
        if lines.is_empty() {
            lines.push(Line::default());
        }
        let text = word.to_owned();
        lines[0].0.insert(0, Span { text, style: label });
        Self::new(Body::Lines(lines))
    }

    /// The same, without a blank row before it.
    pub(super) fn continuing(self) -> Self {
        Self {
            continues: true,
            ..self
        }
    }

    pub(super) fn body(&self) -> &Body {
        &self.body
    }

    /// Changes it; it has to be laid out again.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut Body)) {
        change(&mut self.body);
        self.changed = true;
    }

    /// Whether no blank row stands between it and the entry before it.
    pub(super) fn follows(&self, before: &Self) -> bool {
        let are_lines = |entry: &Self| matches!(entry.body, Body::Lines(_));
        self.continues || (are_lines(before) && are_lines(self))
    }

    /// The memory that it takes, in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        let own = match &self.body {
            Body::Message(message) => message.bytes(),
            Body::Call(call) => call.bytes(),
            Body::Lines(lines) => {
                let spans = lines.iter().flat_map(|line| &line.0);
                spans
                    .map(|span| 2 * span.text.len() + size_of::<Part>())
                    .sum()
            }
        };
        size_of::<Self>() + own
    }

    pub(super) fn sheet(&self) -> &Sheet {
        &self.sheet
    }

    /// Forgets rows that were made.
    pub(super) fn forget_rows(&mut self, part: usize) {
        self.sheet.forget(part);
    }

    /// The text that the slices of its sheet belong to.
    pub(super) fn text(&self) -> &str {
        match &self.body {
            Body::Message(message) => message.text(),
            Body::Call(call) => call.output(),
            Body::Lines(_) => "",
        }
    }

    /// Adds its text, nothing folded.
    pub(super) fn add_plain_text(&self, to: &mut String) {
        match &self.body {
            Body::Message(message) => {
                let mark = if message.author() == Author::User {
                    "> "
                } else {
                    ""
                };
                to.push_str(mark);
                to.push_str(&visible(message.text()));
                if !message.text().ends_with('\n') {
                    to.push('\n');
                }
            }
            Body::Call(call) => {
                let mut sheet = Sheet::default();
                call.lay_unfolded(&mut sheet);
                to.push_str(&sheet.plain_text(call.output()));
            }
            Body::Lines(lines) => {
                for line in lines {
                    to.extend(line.0.iter().map(|span| span.text.as_str()));
                    to.push('\n');
                }
            }
        }
    }

    /// Lays out what changed, or everything if the width or the form did.
    pub(super) fn lay(&mut self, columns: usize, raw: bool, anew: bool) {
        if !self.changed && !anew {
            return;
        }
        match &mut self.body {
            Body::Message(message) => message.lay(&mut self.sheet, columns, raw),
            Body::Call(call) => call.lay(&mut self.sheet, columns),
            Body::Lines(lines) => {
                if self.changed {
                    self.sheet.truncate(0);
                    for line in lines {
                        let source = Source::Line(Box::new(line.clone()));
                        self.sheet.push(source, Margin::None, false);
                    }
                }
                self.sheet.count("", columns, 0);
            }
        }
        self.changed = false;
    }
}
