//! Collects the results of a search, line by line, up to a limit.

use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use crate::result::{CallResult, Status};
use crate::tools::MAX_OUTPUT_BYTES;
use crate::tools::child::capture::clean;

/// Lines in order of arrival, up to a limit.
pub(super) struct LimitedLines {
    text: Vec<u8>,
    count: usize,
    limit: usize,
    /// The beginning of an unfinished line.
    partial: Vec<u8>,
    /// The temporary directory, which lines name as `$TMPDIR`.
    temporary: Vec<u8>,
    /// Which limit was reached, if any: the requested one or the maximum output size.
    more: Option<&'static str>,
}

impl LimitedLines {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            text: Vec::new(),
            count: 0,
            limit,
            partial: Vec::new(),
            temporary: std::env::temp_dir().join("").into_os_string().into_vec(),
            more: None,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Adds bytes. Returns whether to continue.
    pub(super) fn add(&mut self, bytes: &[u8]) -> bool {
        if self.more.is_some() {
            return false;
        }
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            // A line never gets longer than what the model would see.
            let room = MAX_OUTPUT_BYTES.saturating_sub(self.partial.len());
            self.partial
                .extend_from_slice(&piece[..piece.len().min(room)]);
            if piece.ends_with(b"\n") && !self.end_line() {
                return false;
            }
        }
        true
    }

    /// Ends the current line; drops a leading `./` and a trailing carriage return.
    fn end_line(&mut self) -> bool {
        let line = std::mem::take(&mut self.partial);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line = line.strip_prefix(b"./").unwrap_or(line);
        if self.count == self.limit {
            self.more = Some("narrow it down, or raise limit");
            return false;
        }
        let in_temporary = line.strip_prefix(&*self.temporary);
        let named = in_temporary.map(|inner| [b"$TMPDIR/", inner].concat());
        let line = named.as_deref().unwrap_or(line);
        // Leaves room for the closing message.
        if self.text.len() + line.len() > MAX_OUTPUT_BYTES - 512 {
            self.more = Some("narrow it down");
            return false;
        }
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
        self.count += 1;
        true
    }

    /// The lines, with a note about what is missing.
    pub(super) fn answer(&self) -> CallResult {
        if self.is_empty() {
            return CallResult::done("[nothing found]");
        }
        let mut text = clean(&self.text);
        if let Some(advice) = self.more {
            text.push_str(&format!("[there is more; {advice}]"));
        }
        CallResult::done(text)
    }

    /// The lines found before the search was stopped from outside.
    pub(super) fn stopped(&self) -> CallResult {
        CallResult::new(Status::Stopped, clean(&self.text))
    }

    /// The lines found before the time limit.
    pub(super) fn timed_out(&self, limit: Duration) -> CallResult {
        CallResult {
            advice: Some("narrow it down".to_owned()),
            ..CallResult::new(Status::TimedOut { limit }, clean(&self.text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_complete_and_within_the_limit() {
        let text = (0..100)
            .map(|n| format!("./line {n}\r\n"))
            .collect::<String>();
        for size in [1, 7, 64, text.len()] {
            for limit in [1, 99, 100, 101] {
                let mut lines = LimitedLines::new(limit);
                for piece in text.as_bytes().chunks(size) {
                    lines.add(piece);
                }
                let shown = lines.answer().output;
                let expected: String = (0..limit.min(100)).map(|n| format!("line {n}\n")).collect();
                let rest = shown.strip_prefix(&expected).expect("whole lines");
                assert_eq!(rest.is_empty(), limit >= 100, "{size} {limit}: {rest}");
            }
        }
        let mut lines = LimitedLines::new(usize::MAX);
        while lines.add(&[&[b'x'; 999][..], b"\n"].concat()) {}
        assert!(!lines.add(b"more\n"));
        let text = lines.answer().output;
        assert!(
            text.len() < MAX_OUTPUT_BYTES && text.ends_with("x\n[there is more; narrow it down]")
        );
    }
}
