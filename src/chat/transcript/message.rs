//! A message: text that may grow at its end.

use super::sheet::{Look, Margin, Part, Sheet, Source};
use crate::chat::markdown::Markdown;
use crate::chat::style::{Color, Style};

/// Whose text it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Author {
    User,
    Model,
    /// The model's summary of its reasoning.
    Summary,
}

#[derive(Debug)]
pub(super) struct ShownMessage {
    author: Author,
    text: String,
    /// The memory that it takes, in bytes, about.
    bytes: usize,
    /// More of it may follow.
    open: bool,
    /// The state before its first line: in a fence, if it continues another message.
    start: Markdown,
    progress: MessageProgress,
}

/// How far the text has been divided into lines.
#[derive(Clone, Copy, Debug, Default)]
struct MessageProgress {
    /// As it is written, without Markdown.
    raw: bool,
    /// The lines that do not change any more, and their bytes.
    lines: usize,
    bytes: usize,
    /// The state after them.
    markdown: Markdown,
}

impl ShownMessage {
    pub(super) fn new(author: Author, text: String, open: bool) -> Self {
        Self {
            author,
            bytes: size_of::<Part>() + bytes_of(&text),
            text,
            open,
            start: Markdown::default(),
            progress: MessageProgress::default(),
        }
    }

    pub(super) fn author(&self) -> Author {
        self.author
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Adds text at the end.
    pub(super) fn add(&mut self, text: &str) {
        self.text.push_str(text);
        self.bytes += bytes_of(text);
    }

    /// The memory that it takes, in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Nothing follows.
    pub(super) fn close(&mut self) {
        self.open = false;
    }

    /// Ends this message, and begins another one that continues it with its last line, unless that is longer than
    /// `most` bytes.
    pub(super) fn split(&mut self, most: usize) -> Self {
        let line = self.text.rfind('\n').map_or(0, |at| at + 1);
        let cut = if line == 0 || self.text.len() - line > most {
            self.text.len()
        } else {
            line
        };
        let rest = self.text.split_off(cut);
        self.bytes -= bytes_of(&rest);
        self.open = false;
        self.start_again(self.progress.raw);
        let mut start = self.start;
        for line in self.text.lines() {
            start.next_line(line);
        }
        let mut next = Self::new(self.author, rest, true);
        next.start = start;
        next.start_again(self.progress.raw);
        next
    }

    fn start_again(&mut self, raw: bool) {
        self.progress = MessageProgress {
            raw,
            markdown: self.start,
            ..MessageProgress::default()
        };
    }

    /// Lays out what was added since the last time, or everything at another width or in another form.
    pub(super) fn lay(&mut self, sheet: &mut Sheet, columns: usize, raw: bool) {
        let raw = raw || self.author == Author::User;
        if raw != self.progress.raw {
            self.start_again(raw);
        }
        let settled = self.progress.lines;
        sheet.truncate(settled);
        while let Some(end) = memchr::memchr(b'\n', &self.text.as_bytes()[self.progress.bytes..]) {
            let end = self.progress.bytes + end;
            let mut markdown = self.progress.markdown;
            self.push_line(sheet, end, true, &mut markdown);
            self.progress.markdown = markdown;
            self.progress.bytes = end + 1;
            self.progress.lines += 1;
        }
        if self.progress.bytes < self.text.len() {
            let mut markdown = self.progress.markdown;
            self.push_line(sheet, self.text.len(), !self.open, &mut markdown);
        }
        sheet.count(&self.text, columns, settled);
    }

    /// Adds the line from the end of the last one to `end`.
    fn push_line(&self, sheet: &mut Sheet, end: usize, complete: bool, markdown: &mut Markdown) {
        let start = self.progress.bytes;
        let line = &self.text[start..end];
        let line = line.strip_suffix('\r').unwrap_or(line);
        let look = if self.progress.raw {
            Look::Plain
        } else {
            let kind = markdown.next_line(line);
            Look::Markdown { kind, complete }
        };
        let margin = match self.author {
            Author::User if start == 0 => Margin::Question,
            Author::User => Margin::Indent,
            Author::Model | Author::Summary => Margin::None,
        };
        let base = match self.author {
            Author::User | Author::Model => Style::default(),
            Author::Summary => Style {
                italic: true,
                ..Style::color(Color::Default).dim()
            },
        };
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let source = Source::Slice {
            start: byte(start),
            end: byte(start + line.len()),
            look,
            base,
        };
        sheet.push(source, margin, false);
    }
}

/// The memory that text and its lines take.
fn bytes_of(text: &str) -> usize {
    let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
    text.len() + lines * size_of::<Part>()
}
