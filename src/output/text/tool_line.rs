//! The line for a tool call that ended.

use std::borrow::Cow;

use crate::output::columns::shorten;
use crate::output::paint::{Ink, Paint};
use crate::output::visible::visible;
use crate::output::width::width;
use crate::result::Status;
use crate::text::first_characters;

/// How much of the first line is shown where the width is not limited, in characters.
const MAX_BRIEF_CHARACTERS: usize = 1000;

/// The columns that remain for the call on a narrow terminal.
const MIN_BRIEF_COLUMNS: usize = 8;

/// What a call did and how it ended: `bash: ls (ok, 12 ms)`, behind a mark of `used` columns. With `columns` it is on one line
/// of a terminal.
pub(super) fn tool_line(
    (name, subject): (&str, &str),
    (status, millis): (Status, u128),
    paint: Paint,
    used: usize,
    columns: Option<usize>,
) -> String {
    let word = word(status);
    let ink = if status.is_ok() { Ink::Good } else { Ink::Bad };
    let end = paint.mark(ink, &word);
    let rest = format!(", {millis} ms)");
    let mut call = brief(name, columns.is_some());
    if !subject.trim().is_empty() {
        call = format!("{call}: {}", brief(subject, columns.is_some()));
    }
    if let Some(columns) = columns {
        let taken = used + width(&rest) + width(&word) + 2;
        let left = columns.saturating_sub(taken).max(MIN_BRIEF_COLUMNS);
        call = shorten(&call, left).into_owned();
    }
    format!("{call} ({end}{rest}")
}

/// The lines of a text, indented.
pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("    {line}\n")).collect()
}

/// The first line, and a mark if there are more.
fn brief(text: &str, is_terminal: bool) -> String {
    let mut lines = text.trim().lines();
    let first = lines.next().unwrap_or_default().replace('\t', " ");
    let mut brief = first_characters(&first, MAX_BRIEF_CHARACTERS).to_owned();
    let is_cut = brief.len() < first.len() || lines.next().is_some();
    if is_terminal {
        brief = visible(&brief).into_owned();
    }
    if is_cut {
        brief.push_str(if is_terminal { " …" } else { " ..." });
    }
    brief
}

/// A call's status, in a word or two.
fn word(status: Status) -> Cow<'static, str> {
    Cow::Borrowed(match status {
        Status::Done | Status::Exited(0) => "ok",
        Status::Exited(code) => return Cow::Owned(format!("exit {code}")),
        Status::Signalled(signal) => return Cow::Owned(format!("signal {signal}")),
        Status::TimedOut { .. } => "timeout",
        Status::Stopped => "ended",
        Status::Denied => "denied",
        Status::BadArguments => "bad arguments",
        Status::NotRun => "not run",
        Status::UnknownTool => "unknown tool",
        Status::Failed => "failed",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_one_line_of_a_terminal_and_is_whole_elsewhere() {
        let command = "cargo test --workspace 日本語\nls";
        let check = |columns: Option<usize>, expected: &str| {
            let (call, end) = (("bash", command), (Status::Exited(1), 1200));
            let line = tool_line(call, end, Paint::default(), 7, columns);
            assert_eq!(line, expected);
            assert!(columns.is_none_or(|columns| width(&line) + 7 <= columns));
        };
        check(
            None,
            "bash: cargo test --workspace 日本語 ... (exit 1, 1200 ms)",
        );
        check(
            Some(80),
            "bash: cargo test --workspace 日本語 … (exit 1, 1200 ms)",
        );
        check(Some(40), "bash: cargo te… (exit 1, 1200 ms)");
    }
}
