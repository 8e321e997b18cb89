//! Bytes of a server to lines, in bounded memory.

use std::mem;

/// Maximum length of a line, in bytes: pictures come as base64 in one line.
pub const MAX_LINE_BYTES: usize = 16 << 20;

/// How much room the buffer of an ordinary line may keep for the next one, in bytes.
const KEPT_BYTES: usize = 64 << 10;

/// A line is longer than `MAX_LINE_BYTES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LineTooLong;

/// The line that has begun to arrive.
#[derive(Debug, Default)]
pub struct LineBuffer {
    begun: Vec<u8>,
}

impl LineBuffer {
    /// Takes bytes and passes on each line that they complete, without its line end.
    ///
    /// # Errors
    /// If a line is too long. Nothing of it is kept.
    pub fn add(
        &mut self,
        mut bytes: &[u8],
        mut line: impl FnMut(&[u8]),
    ) -> Result<(), LineTooLong> {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (last, rest) = (&bytes[..end], &bytes[end + 1..]);
            if self.begun.is_empty() {
                line(last);
            } else {
                self.keep(last)?;
                let mut whole = mem::take(&mut self.begun);
                line(&whole);
                whole.clear();
                whole.shrink_to(KEPT_BYTES);
                self.begun = whole;
            }
            bytes = rest;
        }
        self.keep(bytes)
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<(), LineTooLong> {
        if self.begun.len() + bytes.len() > MAX_LINE_BYTES {
            self.begun = Vec::new();
            return Err(LineTooLong);
        }
        self.begun.extend_from_slice(bytes);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_the_same_for_every_cut() {
        let bytes = b"{\"a\":1}\r\n\n{\"b\":2}\nrest";
        let expected = ["{\"a\":1}\r", "", "{\"b\":2}"];
        for i in 0..=bytes.len() {
            for j in i..=bytes.len() {
                let (mut buffer, mut lines) = (LineBuffer::default(), Vec::new());
                for part in [&bytes[..i], &bytes[i..j], &bytes[j..]] {
                    let mut take =
                        |line: &[u8]| lines.push(String::from_utf8_lossy(line).into_owned());
                    assert_eq!(buffer.add(part, &mut take), Ok(()));
                }
                assert_eq!(lines, expected, "cut at {i} and {j}");
            }
        }
    }

    #[test]
    fn an_endless_line_ends_in_bounded_memory() {
        let mut buffer = LineBuffer::default();
        let piece = vec![b'x'; 1 << 20];
        let taken = (0..1024).take_while(|_| buffer.add(&piece, |_| ()).is_ok());
        assert_eq!(taken.count(), MAX_LINE_BYTES >> 20);
        assert!(buffer.begun.capacity() <= MAX_LINE_BYTES);
    }
}
