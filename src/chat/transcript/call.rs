//! A tool call: one line that says how it goes, then its change of a file or its output.

use std::time::Duration;

use super::sheet::{Look, Margin, Part, Sheet, Source};
use crate::chat::clean::clean;
use crate::chat::event::{ToolCall, ToolSubject};
use crate::chat::line_diff::line_diff;
use crate::chat::style::{Color, Line, Span, Style};
use crate::chat::width::{clip, width};
use crate::clock::span;
use crate::result::{CallResult, Durations, Status};
use crate::text::{ceil, first_bytes, first_characters};

/// Lines of output that a folded call shows.
const FOLDED_OUTPUT_LINES: usize = 3;

/// Lines of a change that a folded call shows.
const FOLDED_CHANGE_LINES: usize = 12;

/// Longest output that is kept whole, in bytes. Of a longer one, both ends are kept.
const MAX_OUTPUT_BYTES: usize = 256 << 10;

/// Longest command or arguments that are kept whole, in bytes.
const MAX_SUBJECT_BYTES: usize = 16 << 10;

/// Longest name that is shown whole, in characters.
const MAX_NAME_CHARACTERS: usize = 40;

/// How a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CallProgress {
    Running,
    Ended {
        status: Status,
        took_ms: u64,
    },
    /// The turn ended before the call did.
    Abandoned,
    /// The call is of an earlier run; how it ended is not known.
    Earlier,
}

#[derive(Debug)]
pub(super) struct ShownCall {
    id: String,
    name: String,
    /// The command, the path or the arguments.
    subject: String,
    /// The lines of a change.
    change: Option<Vec<Line>>,
    progress: CallProgress,
    output: String,
    /// Which rules of the sandbox may have caused the failure.
    sandbox_note: Option<String>,
    unfolded: bool,
}

impl ShownCall {
    /// A call that runs.
    pub(super) fn running(call: &ToolCall) -> Self {
        let (subject, change) = match &call.subject {
            ToolSubject::Command(text) | ToolSubject::Other(text) => (text, None),
            ToolSubject::Change {
                path,
                removed,
                added,
            } => (path, Some(line_diff(removed, added))),
        };
        Self {
            id: call.id.clone(),
            name: clean(first_characters(&call.name, MAX_NAME_CHARACTERS)).into_owned(),
            subject: bounded(subject, MAX_SUBJECT_BYTES),
            change,
            progress: CallProgress::Running,
            output: String::new(),
            sandbox_note: None,
            unfolded: false,
        }
    }

    /// A call of an earlier run, with its output as the model saw it.
    pub(super) fn earlier(call: &ToolCall, output: &str) -> Self {
        Self {
            progress: CallProgress::Earlier,
            output: bounded(output, MAX_OUTPUT_BYTES),
            ..Self::running(call)
        }
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The text that the slices of its sheet belong to.
    pub(super) fn output(&self) -> &str {
        &self.output
    }

    /// The call runs, and this is the last part of what it has printed.
    pub(super) fn prints(&mut self, tail: &str) {
        self.output = bounded(tail, MAX_OUTPUT_BYTES);
    }

    /// The call ended.
    pub(super) fn end(&mut self, result: &CallResult, took_ms: u64) {
        let status = result.status;
        // The first line says how it ended, and the note has a line of its own.
        let rest = CallResult {
            status: Status::Done,
            footer: None,
            sandbox_note: None,
            images: Vec::new(),
            ..result.clone()
        };
        let mut output = rest.text(Durations::Hidden);
        for _ in &result.images {
            if !output.is_empty() && !output.ends_with('\n') {
                output.push('\n');
            }
            output.push_str("[image]");
        }
        self.progress = CallProgress::Ended { status, took_ms };
        self.output = bounded(&output, MAX_OUTPUT_BYTES);
        self.sandbox_note.clone_from(&result.sandbox_note);
    }

    /// The turn ended before the call did.
    pub(super) fn abandon(&mut self) {
        if self.progress == CallProgress::Running {
            self.progress = CallProgress::Abandoned;
        }
    }

    /// Folds or unfolds it.
    pub(super) fn toggle(&mut self) {
        self.unfolded = !self.unfolded;
    }

    /// Whether it has more rows unfolded than folded.
    pub(super) fn folds(&self, columns: usize) -> bool {
        let rows = |unfolded| {
            let mut sheet = Sheet::default();
            self.lay_as(&mut sheet, columns, unfolded);
            sheet.rows()
        };
        rows(true) > rows(false)
    }

    /// The memory that it takes when all its lines are shown, in bytes, about.
    pub(super) fn bytes(&self) -> usize {
        let lines = |text: &str| text.len() + text.lines().count() * size_of::<Part>();
        let spans = self.change.iter().flatten().flat_map(|line| &line.0);
        let change: usize = spans.map(|span| span.text.len() + size_of::<Part>()).sum();
        lines(&self.output) + lines(&self.subject) + 2 * change
    }

    /// Lays out everything; that is a few lines if it is folded.
    pub(super) fn lay(&self, sheet: &mut Sheet, columns: usize) {
        self.lay_as(sheet, columns, self.unfolded);
    }

    /// Lays out everything for rows without end.
    pub(super) fn lay_unfolded(&self, sheet: &mut Sheet) {
        self.lay_as(sheet, usize::MAX, true);
    }

    fn lay_as(&self, sheet: &mut Sheet, columns: usize, unfolded: bool) {
        sheet.truncate(0);
        let mut push = |line: Line, margin: Margin, clipped: bool| {
            sheet.push(Source::Line(Box::new(line)), margin, clipped);
        };
        push(self.first_line(columns), Margin::None, true);
        if unfolded && self.change.is_none() && !self.is_shown_whole(columns) {
            for line in self.subject.lines() {
                push(
                    Line::of(clean(line), Style::default()),
                    Margin::Indent,
                    false,
                );
            }
        }
        for line in self.change_lines(unfolded) {
            push(line, Margin::Indent, !unfolded);
        }
        if let Some(note) = &self.sandbox_note {
            let line = Line::of(clean(note), Style::color(Color::Yellow));
            push(line, Margin::Indent, false);
        }
        // What changed is the output of a change that succeeded.
        if self.change.is_none() || !self.succeeded() {
            self.push_output(sheet, unfolded);
        }
        sheet.count(&self.output, columns, 0);
    }

    fn succeeded(&self) -> bool {
        match self.progress {
            CallProgress::Ended { status, .. } => status.is_ok(),
            CallProgress::Running | CallProgress::Abandoned | CallProgress::Earlier => true,
        }
    }

    fn push_output(&self, sheet: &mut Sheet, unfolded: bool) {
        let text = self.output.trim_end();
        let mut start = 0;
        let hidden = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
        let hidden = hidden.saturating_sub(FOLDED_OUTPUT_LINES);
        // A line that says that one line is hidden takes as much room as that line.
        if !unfolded && hidden > 1 {
            let mut ends = memchr::memrchr_iter(b'\n', text.as_bytes());
            start = ends.nth(FOLDED_OUTPUT_LINES - 1).map_or(0, |at| at + 1);
            // While it runs, its first lines are not known.
            let known = self.progress != CallProgress::Running;
            let line = more_lines(known.then_some(hidden));
            sheet.push(Source::Line(Box::new(line)), Margin::Indent, true);
        }
        let base = Style {
            dim: !unfolded,
            ..Style::default()
        };
        for line in text[start..].split_inclusive('\n') {
            let end = start + line.trim_end_matches(['\n', '\r']).len();
            let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            let source = Source::Slice {
                start: byte(start),
                end: byte(end),
                look: Look::Plain,
                base,
            };
            sheet.push(source, Margin::Indent, !unfolded);
            start += line.len();
        }
    }

    fn change_lines(&self, unfolded: bool) -> Vec<Line> {
        let Some(lines) = &self.change else {
            return Vec::new();
        };
        if unfolded || lines.len() <= FOLDED_CHANGE_LINES + 1 {
            return lines.clone();
        }
        let mut shown = lines[..FOLDED_CHANGE_LINES].to_vec();
        let left = lines.len() - FOLDED_CHANGE_LINES;
        shown.push(more_lines(Some(left)));
        shown
    }

    /// `● bash  cargo test  ✓ 1.2 s`, or `● bash  cargo test  ✗ exit code 101 · 1.2 s`.
    fn first_line(&self, columns: usize) -> Line {
        let (words, color, took) = self.state();
        let mut line = Line::of("● ", Style::color(color));
        let mut push = |between: &str, text: String, style: Style| {
            if !text.is_empty() {
                let between = Line::of(between, Style::default());
                line.0.extend(between.0);
                line.0.push(Span { text, style });
            }
        };
        push("", self.name.clone(), Style::default().bold());
        push("  ", self.subject_line(columns), Style::default());
        push("  ", words, Style::color(color));
        let between = self.before_time();
        push(between, took.unwrap_or_default(), Style::default().dim());
        line
    }

    /// What stands between how it went and how long it took. After words, the number would seem to belong to them.
    fn before_time(&self) -> &'static str {
        match self.progress {
            CallProgress::Ended { status, .. } if status.is_ok() => " ",
            _ => " · ",
        }
    }

    /// The columns for the subject in the first line.
    fn subject_room(&self, columns: usize) -> usize {
        let (words, _, took) = self.state();
        let between = width(self.before_time());
        let took = took.map_or(0, |took| took.len() + between);
        columns.saturating_sub(2 + width(&self.name) + 2 + 2 + width(&words) + took)
    }

    /// Whether the first line has the whole subject.
    fn is_shown_whole(&self, columns: usize) -> bool {
        let text = self.subject.trim();
        !text.contains('\n') && width(&clean(text)) <= self.subject_room(columns)
    }

    /// The beginning of the subject.
    fn subject_line(&self, columns: usize) -> String {
        let text = self.subject.trim();
        let line = clean(text.lines().next().unwrap_or_default());
        if self.is_shown_whole(columns) {
            return line.into_owned();
        }
        match clip(&line, self.subject_room(columns).saturating_sub(2)).trim_end() {
            "" => String::new(),
            beginning => format!("{beginning} …"),
        }
    }

    /// How it goes: in words, in a colour, and how long it took.
    fn state(&self) -> (String, Color, Option<String>) {
        let (status, took_ms) = match self.progress {
            CallProgress::Running => return ("running".to_owned(), Color::Yellow, None),
            CallProgress::Abandoned => return ("stopped".to_owned(), Color::Yellow, None),
            CallProgress::Earlier => return (String::new(), Color::Gray, None),
            CallProgress::Ended { status, took_ms } => (status, took_ms),
        };
        let (words, color) = match status {
            Status::Done | Status::Exited(0) => ("✓".to_owned(), Color::Green),
            Status::Exited(code) => (format!("✗ exit code {code}"), Color::Red),
            Status::Signalled(signal) => (format!("✗ killed by signal {signal}"), Color::Red),
            Status::TimedOut { limit } => {
                return (format!("✗ timeout after {}", span(limit)), Color::Red, None);
            }
            Status::Stopped => ("stopped".to_owned(), Color::Yellow),
            Status::Denied => ("✗ denied by the sandbox".to_owned(), Color::Magenta),
            Status::BadArguments => ("✗ bad arguments".to_owned(), Color::Red),
            Status::NotRun => ("✗ not run".to_owned(), Color::Red),
            Status::UnknownTool => ("✗ unknown tool".to_owned(), Color::Red),
            Status::Failed => ("✗ failed".to_owned(), Color::Red),
        };
        let took = match took_ms {
            0..100 => format!("{took_ms} ms"),
            _ => span(Duration::from_millis(took_ms)),
        };
        (words, color, Some(took))
    }
}

/// The line for what a folded call hides, with the key that shows it.
fn more_lines(count: Option<usize>) -> Line {
    let count = count.map_or(String::new(), |count| format!("{count} "));
    Line::of(format!("… {count}more lines (Tab)"), Style::default().dim())
}

/// The text, or both ends of it, with a line between them that says how much is left out.
fn bounded(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let head = first_bytes(text, most / 2);
    let tail = &text[ceil(text, text.len() - most / 2)..];
    let left_out = text.len() - head.len() - tail.len();
    format!("{head}\n[{left_out} bytes are not kept on the screen]\n{tail}")
}
