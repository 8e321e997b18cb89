//! Assistant text to one writer, everything else to another. The writers are passed in.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};

use super::{Notice, Sink};
use crate::clock::until;

/// How much is told beside the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Nothing but errors.
    Quiet,
    /// A line for each tool call, and warnings.
    Normal,
    /// Also the output of tools and the use of tokens.
    Verbose,
}

/// The text to one writer, the rest to the other.
pub struct Text<W, E> {
    out: W,
    rest: E,
    level: Level,
    /// The text, and the rest, go to a terminal: control characters are made visible.
    terminal: (bool, bool),
    /// Text that was taken but not written.
    held: Vec<u8>,
    /// How many line ends the text has at its end by now, as far as that matters: 0, 1 or 2.
    line_ends: usize,
    /// A message has begun and not ended.
    inside: bool,
    /// A message has ended before.
    second: bool,
}

impl<W: Write, E: Write> Text<W, E> {
    /// Text goes to `out`, the rest to `rest`; `terminal` says which of the two are terminals.
    pub fn new(out: W, rest: E, level: Level, terminal: (bool, bool)) -> Self {
        Self {
            out,
            rest,
            level,
            terminal,
            held: Vec::new(),
            line_ends: 0,
            inside: false,
            second: false,
        }
    }

    /// Ends the line in hand, as at the end of a run that broke off inside a message.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        self.end_message();
        self.flush()
    }

    fn add(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        if !self.inside && self.second {
            while self.line_ends < 2 {
                self.held.push(b'\n');
                self.line_ends += 1;
            }
        }
        self.inside = true;
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
        self.held.extend_from_slice(text.as_bytes());
    }

    fn end_message(&mut self) {
        if self.inside {
            if self.line_ends == 0 {
                self.held.push(b'\n');
                self.line_ends = 1;
            }
            self.inside = false;
            self.second = true;
        }
    }

    /// Writes a line beside the text, which is written first so that the two keep their order.
    /// A standard error that cannot be written is no reason to lose an answer.
    fn aside(&mut self, line: &str) -> io::Result<()> {
        self.flush()?;
        if self.terminal == (true, true) && self.inside && self.line_ends == 0 {
            // Both end up on one screen, where a line of ours shall not go on where the text stopped.
            let _ = self.rest.write_all(b"\n");
        }
        let line = if self.terminal.1 {
            visible(line)
        } else {
            Cow::Borrowed(line)
        };
        let _ = self
            .rest
            .write_all(line.as_bytes())
            .and_then(|()| self.rest.flush());
        Ok(())
    }
}

impl<W: Write, E: Write> Sink for Text<W, E> {
    fn take(&mut self, notice: Notice<'_>) -> io::Result<()> {
        match notice {
            Notice::Text(text) => self.add(text),
            Notice::MessageEnd => self.end_message(),
            _ if self.level == Level::Quiet => {}
            Notice::Warning(words) => self.aside(&format!("codex: {words}\n"))?,
            Notice::Retry {
                attempt,
                of,
                delay,
                reason,
            } => {
                let tenths = (delay.as_millis() + 50) / 100;
                let seconds = match tenths % 10 {
                    0 => format!("{}", tenths / 10),
                    rest => format!("{}.{rest}", tenths / 10),
                };
                self.aside(&format!(
                    "codex: {reason}; trying again in {seconds} s ({attempt} of {of})\n"
                ))?;
            }
            Notice::Reset { at, now, reason } => self.aside(&format!(
                "codex: {reason}; waiting for its end {}\n",
                until(at, now)
            ))?,
            Notice::ToolEnded {
                name,
                subject,
                result,
                took,
                output,
            } => {
                let mut line = format!(
                    "codex: {}: {} ({result}, {} ms)\n",
                    brief(name),
                    brief(subject),
                    took.as_millis()
                );
                if self.level == Level::Verbose {
                    for part in output.lines() {
                        let _ = writeln!(line, "    {part}");
                    }
                }
                self.aside(&line)?;
            }
            Notice::Usage(usage, requests) => {
                if self.level == Level::Verbose {
                    let plural = if requests == 1 { "" } else { "s" };
                    self.aside(&format!(
                        "codex: {requests} request{plural}, {} tokens in ({} cached), {} out ({} reasoning)\n",
                        usage.input, usage.cached, usage.output, usage.reasoning
                    ))?;
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.held.is_empty() {
            return Ok(());
        }
        let written = self
            .out
            .write_all(&self.held)
            .and_then(|()| self.out.flush());
        self.held.clear();
        written
    }
}

/// The first line, with control characters made visible, cut where it gets long.
fn brief(text: &str) -> String {
    const MOST: usize = 100;
    let mut lines = text.trim().lines();
    let first = visible(lines.next().unwrap_or_default()).replace('\t', " ");
    let mut brief: String = first.chars().take(MOST).collect();
    if brief.len() < first.len() || lines.next().is_some() {
        brief.push_str(" ...");
    }
    brief
}

/// The text with each control character but line end and tab as `^X`, as `cat -v` has it: what a model
/// writes shall not steer a terminal.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let steers = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c) {
            _ if !steers(c) => shown.push(c),
            0x7f => shown.push_str("^?"),
            code @ 0..0x20 => {
                shown.push('^');
                shown.push(char::from_u32(code + 0x40).unwrap_or('?'));
            }
            code => {
                let _ = write!(shown, "\\x{code:02x}");
            }
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What goes to the two writers. `|` stands for the end of a message, and notices are cut in `pieces`.
    fn write(told: &str, pieces: usize, terminal: bool) -> String {
        let mut out = Vec::new();
        let mut sink = Text::new(&mut out, io::sink(), Level::Normal, (terminal, false));
        for (n, message) in told.split('|').enumerate() {
            if n > 0 {
                sink.take(Notice::MessageEnd).expect("a vector");
            }
            let chars: Vec<char> = message.chars().collect();
            for piece in chars.chunks(pieces) {
                let piece: String = piece.iter().collect();
                sink.take(Notice::Text(&piece)).expect("a vector");
            }
        }
        sink.finish().expect("a vector");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn one_line_end_at_the_end_and_one_blank_line_between() {
        for pieces in 1..6 {
            let check = |told: &str, expected: &str| {
                assert_eq!(write(told, pieces, false), expected, "{told:?}")
            };
            check("hello", "hello\n");
            check("hello\n", "hello\n");
            check("hello\n\n\n", "hello\n\n\n");
            check("a|b|", "a\n\nb\n");
            check("a\n|b\n|", "a\n\nb\n");
            check("a\n\n|b", "a\n\nb\n");
            check("a||b", "a\n\nb\n");
            check("|a", "a\n");
            check("\n|a", "\n\na\n");
            check("", "");
        }
    }

    #[test]
    fn a_terminal_sees_control_characters_and_a_pipe_gets_them() {
        assert_eq!(
            write("\u{1b}[31m\tx\r\u{7f}\u{9b}\n", 9, true),
            "^[[31m\tx^M^?\\x9b\n"
        );
        assert_eq!(
            write("\u{1b}[31m\tx\r\u{7f}\u{9b}\n", 9, false),
            "\u{1b}[31m\tx\r\u{7f}\u{9b}\n"
        );
    }

    #[test]
    fn a_tool_call_is_one_line_and_quiet_is_quiet() {
        let tell = |level| {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            let mut sink = Text::new(&mut out, &mut err, level, (false, false));
            let took = Duration::from_millis(12);
            let notice = Notice::ToolEnded {
                name: "bash",
                subject: "ls\n-l",
                result: "ok",
                took,
                output: "a\nb",
            };
            sink.take(notice).expect("a vector");
            sink.take(Notice::Warning("odd")).expect("a vector");
            assert!(out.is_empty());
            String::from_utf8(err).expect("UTF-8")
        };
        assert_eq!(tell(Level::Quiet), "");
        assert_eq!(
            tell(Level::Normal),
            "codex: bash: ls ... (ok, 12 ms)\ncodex: odd\n"
        );
        assert_eq!(
            tell(Level::Verbose),
            "codex: bash: ls ... (ok, 12 ms)\n    a\n    b\ncodex: odd\n"
        );
    }
}
