//! Prints a failure: for people as lines on standard error, for programs as the last JSON lines of a run.

use std::io::Write;

use super::columns::wrap;
use super::json_lines::{TurnFailed, run_failed, turn_failed};
use super::paint::{Ink, Paint};
use super::visible::line;
use crate::failure::Failure;
use crate::outcome::{Outcome, TABLE};

/// The mark before what happened, and before how to fix it.
const MARK: &str = "codex:";
const HINT_MARK: &str = "codex: hint:";

/// Writes what happened and how to fix it, wrapped at `columns` if they are known. A closed stream is not an error.
pub fn report(failure: &Failure, paint: Paint, columns: Option<usize>, mut to: impl Write) {
    if failure.outcome() == Outcome::Closed {
        return;
    }
    // The text may quote the service, which must neither control the terminal nor fake our own lines.
    let shown = |mark: &str, ink: Ink, text: &str| {
        let text = format!("{mark} {}", line(&text.replace('\n', " ")));
        let text = columns.map_or_else(|| text.clone(), |most| wrap(&text, most, MARK.len() + 1));
        let words = text.strip_prefix(mark).unwrap_or(&text);
        format!("{}{words}\n", paint.mark(ink, mark))
    };
    let mut text = shown(MARK, Ink::Error, failure.what());
    if let Some(hint) = failure.advice() {
        text.push_str(&shown(HINT_MARK, Ink::Hint, hint));
    }
    // A single write keeps the lines of parallel runs apart. If even that fails, only the exit code is left.
    let _ = to.write_all(text.as_bytes());
}

/// The last JSON lines of a turn or run that failed.
#[must_use]
pub fn last_lines(failure: &Failure) -> String {
    let row = TABLE.iter().find(|row| row.outcome == failure.outcome());
    let failed = TurnFailed {
        message: &failure.what().replace('\n', " "),
        code: row.map_or("bug", |row| row.word),
        exit_code: failure.outcome().exit_code(),
        retry_at: failure.retry_at(),
        request_id: failure.request_id(),
    };
    if failure.ends_turn() {
        turn_failed(&failed)
    } else {
        run_failed(&failed)
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::failure::{StopRequest, of_order, of_output};

    #[test]
    fn a_closed_stream_is_not_an_error() {
        let mut written = Vec::new();
        report(
            &of_output(&io::ErrorKind::BrokenPipe.into()),
            Paint::default(),
            None,
            &mut written,
        );
        assert!(written.is_empty());
    }

    #[test]
    fn a_failure_is_two_lines_in_one_write() {
        let mut written = Vec::new();
        report(
            &of_order(StopRequest::Timeout),
            Paint::default(),
            None,
            &mut written,
        );
        assert_eq!(
            String::from_utf8_lossy(&written),
            "codex: the time limit has expired\ncodex: hint: raise --timeout\n"
        );
        assert_eq!(of_order(StopRequest::Signal(2)).outcome().exit_code(), 130);
    }
}
