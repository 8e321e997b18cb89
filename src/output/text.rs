//! Writes assistant text to one writer and everything else to another. The caller opens both.

mod tool_line;

use std::borrow::Cow;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use super::columns::wrap;
use super::paint::{Ink, Paint};
use super::spinner::{PULSE_INTERVAL, Spinner};
use super::visible::{line, visible};
use super::{CallNotice, Notice, Sink, Subject};
use crate::clock::{span, until};
use crate::failure::{of_unanswered, unusable_lines};
use crate::result::CallResult;
use tool_line::{indented, tool_line};

/// How much is reported apart from the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Errors only.
    Quiet,
    /// Also warnings and a line for each tool call.
    Normal,
    /// Also tool output and token usage.
    Verbose,
}

/// The mark before the other lines.
const MARK: &str = "codex:";

/// Text longer than this, in bytes, is written without buffering.
const MAX_HELD_BYTES: usize = 1 << 20;

/// The state of the current message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MessageState {
    /// None: no message has begun, or the last one has ended.
    Empty,
    /// A message.
    Message,
    /// A message interrupted by one of our own lines, where both writers share a destination.
    Interrupted,
}

/// Writes text to one writer, the rest to the other.
pub struct Text<W, E> {
    out: W,
    rest: E,
    level: Level,
    /// Whether each of the two is a terminal, where control characters are made visible.
    terminal: (bool, bool),
    /// Both writers share a destination.
    together: bool,
    /// Show reasoning summaries.
    summaries: bool,
    /// The columns of the terminal that gets the other lines; unlimited without one.
    columns: Option<fn() -> usize>,
    /// Colours of the other lines.
    paint: Paint,
    /// Shows that the run is waiting, if enabled.
    spinner: Option<Spinner>,
    /// Text not yet written.
    held: Vec<u8>,
    /// Number of line ends at the end of the text so far, counted up to 2.
    line_ends: usize,
    message: MessageState,
    /// At least one message has ended.
    had_message: bool,
}

impl<W: Write, E: Write> Text<W, E> {
    /// Creates a writer of text to `out` and of the rest to `rest`; `terminal` says which of the two are terminals.
    pub fn new(out: W, rest: E, level: Level, terminal: (bool, bool)) -> Self {
        Self {
            out,
            rest,
            level,
            terminal,
            together: false,
            summaries: false,
            columns: None,
            paint: Paint::default(),
            spinner: None,
            held: Vec::new(),
            line_ends: 0,
            message: MessageState::Empty,
            had_message: false,
        }
    }

    /// Sets the colours of the other lines, and the spinner.
    #[must_use]
    pub fn with(mut self, paint: Paint, spinner: Option<Spinner>) -> Self {
        self.paint = paint;
        self.spinner = spinner;
        self
    }

    /// Fits the other lines into the columns of their terminal, which are asked for each line.
    #[must_use]
    pub fn within(mut self, columns: Option<fn() -> usize>) -> Self {
        self.columns = columns;
        self
    }

    /// Sets whether both writers share a destination.
    #[must_use]
    pub fn together(mut self, together: bool) -> Self {
        self.together = together;
        self
    }

    /// Sets whether reasoning summaries are shown.
    #[must_use]
    pub fn summaries(mut self, summaries: bool) -> Self {
        self.summaries = summaries;
        self
    }

    /// Ends the current line, as after a run that stopped inside a message.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        self.end_message();
        self.clear();
        self.flush()
    }

    fn add(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if self.message == MessageState::Empty && self.had_message {
            while self.line_ends < 2 {
                self.held.push(b'\n');
                self.line_ends += 1;
            }
        }
        self.message = MessageState::Message;
        self.restart_wait();
        let ends = text.len() - text.trim_end_matches('\n').len();
        self.line_ends = if ends == text.len() {
            (self.line_ends + ends).min(2)
        } else {
            ends.min(2)
        };
        let text = if self.terminal.0 {
            visible(text)
        } else {
            Cow::Borrowed(text)
        };
        if text.len() > MAX_HELD_BYTES {
            self.flush()?;
            self.clear();
            return self.out.write_all(text.as_bytes());
        }
        self.held.extend_from_slice(text.as_bytes());
        Ok(())
    }

    fn end_message(&mut self) {
        if self.message != MessageState::Empty {
            if self.line_ends == 0 && self.message == MessageState::Message {
                self.held.push(b'\n');
                self.line_ends = 1;
            }
            self.message = MessageState::Empty;
            self.had_message = true;
            self.restart_wait();
        }
    }

    fn waits_for(&mut self, what: &str) {
        if let Some(spinner) = &mut self.spinner {
            spinner.waits_for(what);
        }
    }

    /// Ends the spinner's current wait.
    fn restart_wait(&mut self) {
        if let Some(spinner) = &mut self.spinner {
            spinner.restart_wait();
        }
    }

    /// Writes to `rest`. A failure here is no reason to lose a response, so it is ignored.
    fn show(&mut self, words: &str) {
        let _ = self
            .rest
            .write_all(words.as_bytes())
            .and_then(|()| self.rest.flush());
    }

    /// Writes a line to `rest`, after flushing the text to keep the order.
    fn note(&mut self, line: &str) -> io::Result<()> {
        self.begin_line()?;
        let line = format!("{MARK} {}", self.for_rest(line));
        let line = match self.columns {
            Some(columns) => wrap(&line, columns(), MARK.len() + 1),
            None => line,
        };
        let words = line.strip_prefix(MARK).unwrap_or(&line);
        self.show(&format!("{}{words}", self.paint.mark(Ink::Note, MARK)));
        Ok(())
    }

    /// Prepares for a line in `rest`.
    fn begin_line(&mut self) -> io::Result<()> {
        self.flush()?;
        self.clear();
        if self.together && self.message == MessageState::Message && self.line_ends == 0 {
            // Our line must not continue the line where the text stopped.
            let _ = self.rest.write_all(b"\n");
            self.message = MessageState::Interrupted;
        }
        Ok(())
    }

    /// Makes control characters visible if `rest` is a terminal.
    fn for_rest<'a>(&self, words: &'a str) -> Cow<'a, str> {
        if self.terminal.1 {
            visible(words)
        } else {
            Cow::Borrowed(words)
        }
    }

    /// Writes the line for a tool call that ended, and its output if that is wanted.
    fn tool_ended(
        &mut self,
        call: &CallNotice<'_>,
        subject: &str,
        took: Duration,
        result: &CallResult,
    ) -> io::Result<()> {
        if let Some(spinner) = &mut self.spinner {
            spinner.ended(call.id);
        }
        let columns = self.columns.map(|columns| columns());
        let end = (result.status, took.as_millis());
        let call = (call.name, subject);
        let words = tool_line(call, end, self.paint, MARK.len() + 1, columns);
        let rest = match self.level {
            Level::Verbose => indented(&result.for_model()),
            _ => String::new(),
        };
        self.block(&words, &rest)
    }

    /// Writes a line, and lines that belong to it.
    fn block(&mut self, words: &str, rest: &str) -> io::Result<()> {
        self.begin_line()?;
        let (mark, rest) = (self.paint.mark(Ink::Note, MARK), self.for_rest(rest));
        self.show(&format!("{mark} {words}\n{rest}"));
        Ok(())
    }
}

impl<W: Write, E: Write> Sink for Text<W, E> {
    fn take(&mut self, notice: Notice<'_>) -> io::Result<()> {
        match notice {
            Notice::Text(text) => self.add(text)?,
            Notice::MessageEnd(_) => self.end_message(),
            Notice::ToolStarted(call) => {
                if let Some(spinner) = &mut self.spinner {
                    spinner.started(call.id, &doing(&call));
                }
            }
            Notice::Limits(_)
            | Notice::Request { .. }
            | Notice::Searched(_)
            | Notice::Steered(_)
            | Notice::ToolPrinted { .. }
            | Notice::ToolStopped { .. } => {}
            Notice::ServerPrinted { .. } if self.level < Level::Verbose => {}
            Notice::ServerPrinted { server, text } => {
                let what = format!("the MCP server {server} printed:");
                self.block(&what, &indented(text))?;
            }
            _ if self.level == Level::Quiet => {}
            Notice::Warning(warning) => self.note(&format!("{}\n", line(&warning.to_string())))?,
            Notice::InputError {
                line: first,
                lines,
                message,
            } => {
                let what = unusable_lines(first, lines);
                self.note(&format!("{what}: {}\n", line(message)))?;
            }
            Notice::Retry {
                attempt,
                of,
                delay,
                reason,
            } => {
                self.waits_for("trying again");
                self.note(&format!(
                    "{}; trying again in {} ({attempt} of {of})\n",
                    line(of_unanswered(reason, None).what()),
                    span(delay)
                ))?;
            }
            Notice::Waiting(waiting) => {
                self.waits_for("renewing the sign-in");
                self.note(&match waiting.delay() {
                    Some(delay) => format!("{waiting}; trying again in {}\n", span(delay)),
                    None => format!("{waiting}\n"),
                })?;
            }
            Notice::OtherModel { model, reason } => {
                self.note(&format!(
                    "{}; asking {} instead\n",
                    line(of_unanswered(reason, None).what()),
                    line(model)
                ))?;
            }
            Notice::Resumed { reason } => self.note(&format!(
                "{}; resuming after its last completed tool call\n",
                line(of_unanswered(reason, None).what())
            ))?,
            Notice::Reset { at, now, reason } => {
                let end = until(at, now);
                self.waits_for(&format!("waiting until {}", end.time));
                let reason = of_unanswered(reason, None);
                self.note(&format!(
                    "{}; waiting for the reset {end}\n",
                    line(reason.what())
                ))?;
            }
            Notice::ToolEnded {
                call,
                brief: subject,
                took,
                result,
            } => self.tool_ended(&call, subject, took, result)?,
            Notice::Compacted(compacted) => self.note(&format!("{compacted}\n"))?,
            Notice::Summary(_) if !self.summaries && self.level < Level::Verbose => {}
            Notice::Summary(words) => self.note(&format!("thought: {}\n", words.trim()))?,
            Notice::Usage {
                usage,
                requests,
                cost,
            } => {
                if self.level == Level::Verbose {
                    let plural = if requests == 1 { "" } else { "s" };
                    let cost = cost.map(dollars).unwrap_or_default();
                    self.note(&format!(
                        "{requests} request{plural}, {} tokens in ({} cached), {} out ({} reasoning){cost}\n",
                        usage.input, usage.cached, usage.output, usage.reasoning
                    ))?;
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return self.out.flush();
        }
        self.clear();
        let written = self
            .out
            .write_all(&self.held)
            .and_then(|()| self.out.flush());
        self.held.clear();
        written
    }

    fn pulse(&self) -> Option<Duration> {
        let waits = self.spinner.is_some() && self.message == MessageState::Empty;
        waits.then_some(PULSE_INTERVAL)
    }

    fn beat(&mut self, now: Instant) {
        if self.message != MessageState::Empty {
            return;
        }
        let line = self.spinner.as_mut().and_then(|spinner| spinner.beat(now));
        if let Some(line) = line.map(str::to_owned) {
            self.show(&line);
        }
    }

    fn clear(&mut self) {
        if let Some(erase) = self.spinner.as_mut().and_then(Spinner::erase) {
            self.show(erase);
        }
    }
}

/// What a call does, for the spinner.
fn doing(call: &CallNotice<'_>) -> String {
    match call.subject {
        Subject::Command(command) => format!("{}: {command}", call.name),
        Subject::Changes([(path, _), ..]) => format!("{}: {path}", call.name),
        Subject::Changes([]) | Subject::ServerCall { .. } | Subject::Other(_) => {
            call.name.to_owned()
        }
    }
}

/// An amount in US dollars, with enough decimals for small ones.
fn dollars(cost: f64) -> String {
    let amount = match cost {
        large if large >= 1.0 => format!("{large:.2}"),
        small if small >= 0.0001 => format!("{small:.4}"),
        tiny => format!("{tiny:.6}"),
    };
    format!(", ${amount} at list prices")
}

#[cfg(test)]
mod tests;
