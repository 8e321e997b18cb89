//! Bytes to frames: cuts the lines of an event stream by the rules of the WHATWG HTML standard
//! (section 9.2.6) and hands out the data of each event. The names of events are left aside: this
//! protocol repeats them inside the data.

use std::error::Error;
use std::fmt;

use memchr::memchr2;

/// The longest line, in bytes, that is kept in memory. Real ones stay far below: an answer's final event repeats it whole.
const LINE: usize = 64 << 20;

/// A line, or the data of one event, longer than we keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an event of the stream is longer than {} MiB",
            LINE >> 20
        )
    }
}

impl Error for TooLong {}

/// The state between two pieces of a stream.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The start of a line whose end has not come.
    line: Vec<u8>,
    /// The data of an event whose blank line has not come, each line ended by LF.
    data: Vec<u8>,
    /// The last piece ended in CR: a leading LF belongs to it.
    after_cr: bool,
    /// How much of a byte order mark at the very start has been seen; 3 once that is settled.
    mark: u8,
}

const MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

impl Decoder {
    /// Takes the next piece and hands each completed event's data to `frame`. An event that the stream's
    /// end leaves without its blank line is never handed out, as the standard wants.
    ///
    /// # Errors
    /// When a line or an event grows beyond what is kept.
    pub fn feed(&mut self, piece: &[u8], mut frame: impl FnMut(&[u8])) -> Result<(), TooLong> {
        let mut rest = self.skip_mark(piece);
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        // The data of the event in hand, where it is one line inside this very piece: no copy is made.
        let mut whole: Option<&[u8]> = None;
        while let Some(end) = memchr2(b'\n', b'\r', rest) {
            let (line, after) = (&rest[..end], &rest[end + 1..]);
            if rest[end] == b'\r' {
                match after.first() {
                    Some(b'\n') => rest = &after[1..],
                    Some(_) => rest = after,
                    None => {
                        self.after_cr = true;
                        rest = after;
                    }
                }
            } else {
                rest = after;
            }
            if self.line.is_empty() {
                self.take(line, &mut whole, &mut frame)?;
            } else {
                let mut joined = std::mem::take(&mut self.line);
                Self::keep(&mut joined, line)?;
                let mut none = None;
                self.take(&joined, &mut none, &mut frame)?;
                if let Some(data) = none {
                    append(&mut self.data, data)?;
                }
                joined.clear();
                self.line = joined;
            }
        }
        if let Some(data) = whole {
            append(&mut self.data, data)?;
        }
        let mut line = std::mem::take(&mut self.line);
        let kept = Self::keep(&mut line, rest);
        self.line = line;
        kept
    }

    /// One line without its end. `whole` is the event's data so far if that is a single line of this piece.
    fn take<'a>(
        &mut self,
        line: &'a [u8],
        whole: &mut Option<&'a [u8]>,
        frame: &mut impl FnMut(&[u8]),
    ) -> Result<(), TooLong> {
        if line.is_empty() {
            if let Some(data) = whole.take() {
                frame(data);
            } else if let Some((_, data)) = self.data.split_last() {
                frame(data);
                self.data.clear();
            }
            return Ok(());
        }
        let value = match line.strip_prefix(b"data") {
            Some([]) => &[][..],
            Some([b':', b' ', value @ ..] | [b':', value @ ..]) => value,
            _ => return Ok(()), // a comment, another field, or one that merely begins like this
        };
        if let Some(first) = whole.take() {
            append(&mut self.data, first)?;
            append(&mut self.data, value)
        } else if self.data.is_empty() {
            *whole = Some(value);
            Ok(())
        } else {
            append(&mut self.data, value)
        }
    }

    /// Adds to the line in hand. Of a line that is none of ours only the start is kept.
    fn keep(line: &mut Vec<u8>, more: &[u8]) -> Result<(), TooLong> {
        const NAME: usize = b"data:".len();
        let head = line.len().min(NAME);
        let ours = line[..head]
            .iter()
            .chain(more)
            .zip(b"data:")
            .all(|(a, b)| a == b);
        if ours {
            if line.len() + more.len() > LINE {
                return Err(TooLong);
            }
            line.extend_from_slice(more);
        } else {
            let room = (NAME + 1).saturating_sub(line.len());
            line.extend_from_slice(&more[..more.len().min(room)]);
        }
        Ok(())
    }

    /// The piece without what it holds of one leading byte order mark.
    fn skip_mark<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let mut rest = piece;
        while self.mark < 3 {
            let Some((&byte, after)) = rest.split_first() else {
                return rest;
            };
            if byte == MARK[usize::from(self.mark)] {
                self.mark += 1;
                rest = after;
            } else {
                // Not a mark after all. Its first bytes cannot begin a field that we read, but they are part of a line.
                self.line.extend_from_slice(&MARK[..usize::from(self.mark)]);
                self.mark = 3;
            }
        }
        rest
    }
}

fn append(data: &mut Vec<u8>, line: &[u8]) -> Result<(), TooLong> {
    if data.len() + line.len() > LINE {
        return Err(TooLong);
    }
    data.extend_from_slice(line);
    data.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(pieces: &[&[u8]]) -> Vec<String> {
        let mut decoder = Decoder::default();
        let mut frames = Vec::new();
        for piece in pieces {
            decoder
                .feed(piece, |data| {
                    frames.push(String::from_utf8_lossy(data).into_owned())
                })
                .expect("short enough");
        }
        frames
    }

    /// The frames of this stream, the same wherever it is cut in two and in three.
    fn check(stream: &str, expected: &[&str]) {
        let stream = stream.as_bytes();
        assert_eq!(
            decode(&[stream]),
            expected,
            "{}",
            String::from_utf8_lossy(stream)
        );
        for i in 0..=stream.len() {
            for j in i..=stream.len() {
                let pieces = [&stream[..i], &stream[i..j], &stream[j..]];
                assert_eq!(decode(&pieces), expected, "cut at {i} and {j}");
            }
        }
        let bytes: Vec<&[u8]> = stream.chunks(1).collect();
        assert_eq!(decode(&bytes), expected, "byte by byte");
    }

    #[test]
    fn lines_end_in_lf_crlf_or_cr() {
        check("data: a\n\ndata: b\n\n", &["a", "b"]);
        check("data: a\r\n\r\ndata: b\r\n\r\n", &["a", "b"]);
        check("data: a\r\rdata: b\r\r", &["a", "b"]);
        check("data: a\r\n\ndata: b\n\r\n", &["a", "b"]);
        check("data: a\n\r\rdata: b\r\r\n", &["a", "b"]);
    }

    #[test]
    fn one_space_is_dropped_and_lines_of_data_are_joined() {
        check("data:  a\ndata:b\ndata\ndata: \n\n", &[" a\nb\n\n"]);
        check("data\n\n", &[""]);
        check("data:\n\n", &[""]);
        check("data: {\ndata: }\n\ndata: x\n\n", &["{\n}", "x"]);
    }

    #[test]
    fn comments_other_fields_and_near_misses_are_left_aside() {
        check(
            ": ping\n\nevent: x\nid: 1\nretry: 5\ndata: a\n: c\ndatum: b\ndata2: c\n\n:\n",
            &["a"],
        );
        check("\n\n\nevent: only a name\n\n", &[]);
        check(" data: indented is another field\n\n", &[]);
    }

    #[test]
    fn a_leading_mark_is_dropped_once() {
        check("\u{feff}data: a\n\n", &["a"]);
        check("\u{feff}\u{feff}data: a\n\ndata: b\n\n", &["b"]);
        check("data: \u{feff}\n\n", &["\u{feff}"]);
    }

    #[test]
    fn an_event_without_its_blank_line_is_not_handed_out() {
        check("data: a\n\ndata: b\n", &["a"]);
        check("data: a\n\ndata: b", &["a"]);
    }

    #[test]
    fn characters_may_be_cut_anywhere() {
        check(
            "data: \u{1f980} caf\u{e9}\r\n\r\n",
            &["\u{1f980} caf\u{e9}"],
        );
    }

    #[test]
    fn an_endless_line_is_an_error_if_it_is_ours_and_costs_nothing_if_not() {
        let block = vec![b'x'; 1 << 20];
        let mut decoder = Decoder::default();
        decoder.feed(b"data: ", |_| ()).expect("short");
        let fed = (0..100)
            .take_while(|_| decoder.feed(&block, |_| ()).is_ok())
            .count();
        assert_eq!(fed, 63);
        let mut decoder = Decoder::default();
        decoder.feed(b": ", |_| ()).expect("short");
        assert!((0..100).all(|_| decoder.feed(&block, |_| ()).is_ok()));
        assert!(decoder.line.len() < 16);
    }
}
