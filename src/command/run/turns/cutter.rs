//! Cuts standard input into lines (pure). A line has a limit in bytes; the rest of one that is longer is skipped.

use memchr::memchr;

/// The maximum length of a line, in bytes, without its end.
pub(super) const MAX_LINE_BYTES: usize = 16 << 20;

/// A line, or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CutLine<'a> {
    Line(&'a [u8]),
    /// It is longer than the limit.
    TooLong,
}

/// Cuts bytes into lines.
#[derive(Debug)]
pub(super) struct LineCutter {
    limit: usize,
    held: Vec<u8>,
    is_too_long: bool,
}

impl LineCutter {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit,
            held: Vec::new(),
            is_too_long: false,
        }
    }

    /// Passes on the lines that end in these bytes.
    pub(super) fn feed(&mut self, mut bytes: &[u8], mut each: impl FnMut(CutLine<'_>)) {
        while let Some(end) = memchr(b'\n', bytes) {
            self.hold(&bytes[..end]);
            self.end_line(&mut each);
            bytes = &bytes[end + 1..];
        }
        self.hold(bytes);
    }

    /// Passes on the last line, if it has no line end.
    pub(super) fn finish(&mut self, mut each: impl FnMut(CutLine<'_>)) {
        if self.is_too_long || !self.held.is_empty() {
            self.end_line(&mut each);
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        if self.held.len() + bytes.len() > self.limit {
            self.is_too_long = true;
            self.held = Vec::new();
        }
        if !self.is_too_long {
            self.held.extend_from_slice(bytes);
        }
    }

    fn end_line(&mut self, each: &mut impl FnMut(CutLine<'_>)) {
        if std::mem::take(&mut self.is_too_long) {
            each(CutLine::TooLong);
        } else {
            each(CutLine::Line(&self.held));
        }
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(parts: &[&[u8]]) -> Vec<String> {
        let mut cutter = LineCutter::new(4);
        let mut lines = Vec::new();
        let mut each = |line: CutLine<'_>| {
            lines.push(match line {
                CutLine::Line(line) => String::from_utf8_lossy(line).into_owned(),
                CutLine::TooLong => "TOO LONG".to_owned(),
            });
        };
        for part in parts {
            cutter.feed(part, &mut each);
        }
        cutter.finish(&mut each);
        lines
    }

    #[test]
    fn every_cut_of_the_input_gives_the_same_lines() {
        for (input, lines) in [
            (
                &b"ab\n\ncdef\nghijk\nl"[..],
                &["ab", "", "cdef", "TOO LONG", "l"][..],
            ),
            (b"abcdefghij", &["TOO LONG"]),
            (b"abcde\n", &["TOO LONG"]),
            (b"a\n", &["a"]),
            (b"", &[]),
        ] {
            for i in 0..=input.len() {
                for j in i..=input.len() {
                    let parts = [&input[..i], &input[i..j], &input[j..]];
                    assert_eq!(cut(&parts), lines, "cut at {i} and {j}");
                }
            }
        }
    }
}
