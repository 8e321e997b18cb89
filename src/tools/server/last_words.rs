//! The end of what a server writes to standard error, in bounded memory.

use crate::text::{one_line, shortened};
use crate::tools::child::capture::clean;

/// How much is kept, in bytes.
const MAX_KEPT_BYTES: usize = 16 << 10;

/// How many of the last lines a message quotes, and how many bytes of them.
const QUOTED_LINES: usize = 4;
const MAX_QUOTED_BYTES: usize = 600;

/// The end of the output.
#[derive(Debug, Default)]
pub(super) struct LastWords {
    bytes: Vec<u8>,
}

impl LastWords {
    /// Adds output.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        let end = &bytes[bytes.len().saturating_sub(MAX_KEPT_BYTES)..];
        let excess = (self.bytes.len() + end.len()).saturating_sub(MAX_KEPT_BYTES);
        self.bytes.drain(..excess);
        self.bytes.extend_from_slice(end);
    }

    /// All that is kept.
    pub(super) fn text(&self) -> String {
        clean(&self.bytes)
    }

    /// The last lines in one.
    pub(super) fn quoted(&self) -> String {
        let text = self.text();
        let lines: Vec<String> = text
            .lines()
            .map(|line| one_line(line.strip_prefix("codex: ").unwrap_or(line)))
            .filter(|line| !line.is_empty())
            .collect();
        let last = lines[lines.len().saturating_sub(QUOTED_LINES)..].join("; ");
        shortened(&last, MAX_QUOTED_BYTES).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_quoted_in_one() {
        let mut words = LastWords::default();
        for line in [
            "one\n",
            "two\r\n\n",
            "three\u{1b}[31m\n  four",
            "\ncodex: five",
        ] {
            words.add(line.as_bytes());
        }
        assert_eq!(words.quoted(), "two; three^[[31m; four; five");
        assert_eq!(LastWords::default().quoted(), "");
        for _ in 0..10_000 {
            words.add(b"0123456789");
        }
        assert_eq!(words.text().len(), MAX_KEPT_BYTES);
        assert!(words.quoted().len() < 700);
    }
}
