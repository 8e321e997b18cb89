//! Splits an event stream into the data of its events, by the rules of the WHATWG HTML standard (section 9.2.6). Event
//! names are ignored: this protocol repeats them inside the data.

use std::error::Error;
use std::fmt;

use memchr::memchr2;

/// Size limit for an event: its data and the current line together. Real events are far smaller, even the final one,
/// which repeats the whole answer: the longest answers have some 128,000 tokens. Parsing an event makes a few copies of
/// it, so this limit determines the memory use of a run.
pub const MAX_EVENT_BYTES: usize = 16 << 20;

/// Buffers larger than this are freed after use, except one after an event that is longer than this.
const USUAL_BYTES: usize = 1 << 20;

/// An event exceeded [`MAX_EVENT_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "an event in the stream is longer than {} MiB",
            MAX_EVENT_BYTES >> 20
        )
    }
}

impl Error for TooLong {}

/// The decoder's state between two pieces of a stream.
#[derive(Debug, Default)]
pub struct Decoder {
    /// The current line, not ended yet.
    line: Vec<u8>,
    /// The data of the current event, each line ended by LF.
    data: Vec<u8>,
    /// The last piece ended in CR: a leading LF belongs to it.
    after_cr: bool,
    /// Bytes of a leading byte order mark seen so far; 3 once it is complete or ruled out.
    bom: u8,
}

const BOM: [u8; 3] = [0xef, 0xbb, 0xbf];

impl Decoder {
    /// Decodes the next piece and passes the data of each completed event to `frame`. As the standard requires, an
    /// event without a blank line at the end of the stream is never passed on.
    ///
    /// # Errors
    /// When an event exceeds the size limit.
    pub fn feed(&mut self, piece: &[u8], mut frame: impl FnMut(&[u8])) -> Result<(), TooLong> {
        let mut rest = self.skip_bom(piece);
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        // The data of the current event while it is one line inside this piece, which needs no copy.
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
                keep(&mut joined, line, self.data.len())?;
                let mut none = None;
                self.take(&joined, &mut none, &mut frame)?;
                if let Some(value) = none {
                    // The event's first line, in a separate buffer: the buffer becomes the data, without a copy.
                    let name = joined.len() - value.len();
                    joined.drain(..name);
                    add(&mut joined, b"\n");
                    std::mem::swap(&mut self.data, &mut joined);
                }
                self.line = cleared(joined);
            }
        }
        if let Some(data) = whole {
            append(&mut self.data, data)?;
        }
        keep(&mut self.line, rest, self.data.len())
    }

    /// Passes on the data of an event that lacks its blank line at the end of the stream. By the standard, it is not an
    /// event, so the caller must treat it with care.
    pub fn left(&mut self, frame: impl FnMut(&[u8])) {
        let _ = self.feed(b"\n\n", frame);
    }

    /// Processes one line without its end. `whole` is the event's data so far, if that is a single line of this piece.
    fn take<'a>(
        &mut self,
        line: &'a [u8],
        whole: &mut Option<&'a [u8]>,
        frame: &mut impl FnMut(&[u8]),
    ) -> Result<(), TooLong> {
        if line.is_empty() {
            if let Some(data) = whole.take() {
                frame(data);
                if self.line.is_empty() && self.line.capacity() > USUAL_BYTES {
                    self.line = Vec::new();
                }
            } else if let Some((_, data)) = self.data.split_last() {
                let is_long = data.len() > USUAL_BYTES;
                frame(data);
                self.data.clear();
                if self.line.is_empty() {
                    // A long event is often followed by another one, whose line needs as much room.
                    if is_long && self.line.capacity() < self.data.capacity() {
                        std::mem::swap(&mut self.line, &mut self.data);
                    } else if !is_long {
                        self.line = cleared(std::mem::take(&mut self.line));
                    }
                }
                self.data = cleared(std::mem::take(&mut self.data));
            }
            return Ok(());
        }
        let value = match line.strip_prefix(b"data") {
            Some([]) => &[][..],
            Some([b':', b' ', value @ ..] | [b':', value @ ..]) => value,
            _ => return Ok(()), // a comment, another field, or a longer field name with the same prefix
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

    /// The piece without its share of a leading byte order mark.
    fn skip_bom<'a>(&mut self, piece: &'a [u8]) -> &'a [u8] {
        let mut rest = piece;
        while self.bom < 3 {
            let Some((&byte, after)) = rest.split_first() else {
                return rest;
            };
            if byte == BOM[usize::from(self.bom)] {
                self.bom += 1;
                rest = after;
            } else {
                // Not a byte order mark. Its first bytes cannot begin a relevant field, but they are part of the
                // line.
                self.line.extend_from_slice(&BOM[..usize::from(self.bom)]);
                self.bom = 3;
            }
        }
        rest
    }
}

/// Appends to the current line; `data_bytes` is the length of the event's other data. Of a line with a different
/// field, only the start is kept.
fn keep(line: &mut Vec<u8>, more: &[u8], data_bytes: usize) -> Result<(), TooLong> {
    const MAX_FIELD_NAME_BYTES: usize = b"data:".len();
    let head = line.len().min(MAX_FIELD_NAME_BYTES);
    let is_data = line[..head]
        .iter()
        .chain(more)
        .zip(b"data:")
        .all(|(a, b)| a == b);
    if is_data {
        if data_bytes + line.len() + more.len() > MAX_EVENT_BYTES {
            return Err(TooLong);
        }
        add(line, more);
    } else {
        let room = (MAX_FIELD_NAME_BYTES + 1).saturating_sub(line.len());
        line.extend_from_slice(&more[..more.len().min(room)]);
    }
    Ok(())
}

fn append(data: &mut Vec<u8>, line: &[u8]) -> Result<(), TooLong> {
    if data.len() + line.len() + 1 > MAX_EVENT_BYTES {
        return Err(TooLong);
    }
    add(data, line);
    add(data, b"\n");
    Ok(())
}

/// Appends these bytes. Capacity doubles as in any vector, but not beyond the size limit.
fn add(to: &mut Vec<u8>, bytes: &[u8]) {
    let length = to.len() + bytes.len();
    if length > to.capacity() {
        let room = length.max((2 * to.capacity()).min(MAX_EVENT_BYTES + 1));
        to.reserve_exact(room - to.len());
    }
    to.extend_from_slice(bytes);
}

/// Clears a buffer and keeps its capacity, unless that is unusually large.
fn cleared(mut room: Vec<u8>) -> Vec<u8> {
    room.clear();
    if room.capacity() > USUAL_BYTES {
        room = Vec::new();
    }
    room
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

    /// Asserts the frames of this stream, however it is cut into two or three pieces.
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
    fn an_event_without_its_blank_line_is_the_remainder() {
        let check = |stream: &str, expected: &[&str]| {
            let (mut decoder, mut frames, mut left) = (Decoder::default(), 0, Vec::new());
            decoder
                .feed(stream.as_bytes(), |_| frames += 1)
                .expect("short");
            assert_eq!(frames, 0, "{stream:?}");
            decoder.left(|frame| left.push(String::from_utf8_lossy(frame).into_owned()));
            assert_eq!(left, expected, "{stream:?}");
        };
        check("", &[]);
        check(": x", &[]);
        for stream in [
            "data: a",
            "data: a\n",
            "data: a\r",
            "data: a\r\n",
            "data:a\nx",
        ] {
            check(stream, &["a"]);
        }
        check("data: a\ndata: b", &["a\nb"]);
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
    fn a_typical_stream_gives_the_same_events_however_it_is_split() {
        let delta = r#"{"type":"response.output_text.delta","delta":"caf\u{e9}"}"#;
        let done = r#"{"type":"response.output_item.done","item":{}}"#;
        let stream = format!(
            ": hi\n\nevent: a\ndata: {delta}\n\nid: 7\ndata:{done}\ndata: x\n\ndata: [DONE]\n\n"
        );
        let expected = [delta, &format!("{done}\nx"), "[DONE]"];
        for end in ["\n", "\r\n", "\r"] {
            check(&stream.replace('\n', end), &expected);
        }
    }

    #[test]
    fn one_space_is_dropped_and_lines_of_data_are_joined() {
        check("data:  a\ndata:b\ndata\ndata: \n\n", &[" a\nb\n\n"]);
        check("data\n\n", &[""]);
        check("data:\n\n", &[""]);
        check("data: {\ndata: }\n\ndata: x\n\n", &["{\n}", "x"]);
    }

    #[test]
    fn comments_other_fields_and_similar_names_are_ignored() {
        check(
            ": ping\n\nevent: x\nid: 1\nretry: 5\ndata: a\n: c\ndatum: b\ndata2: c\n\n:\n",
            &["a"],
        );
        check("\n\n\nevent: only a name\n\n", &[]);
        check(" data: indented is another field\n\n", &[]);
    }

    #[test]
    fn a_leading_byte_order_mark_is_dropped_once() {
        check("\u{feff}data: a\n\n", &["a"]);
        check("\u{feff}\u{feff}data: a\n\ndata: b\n\n", &["b"]);
        check("data: \u{feff}\n\n", &["\u{feff}"]);
    }

    #[test]
    fn an_event_without_its_blank_line_is_not_passed_on() {
        check("data: a\n\ndata: b\n", &["a"]);
        check("data: a\n\ndata: b", &["a"]);
    }

    #[test]
    fn characters_may_be_split_anywhere() {
        check(
            "data: \u{1f980} caf\u{e9}\r\n\r\n",
            &["\u{1f980} caf\u{e9}"],
        );
    }

    #[test]
    fn an_endless_line_is_an_error_if_it_is_data_and_costs_nothing_if_not() {
        let block = vec![b'x'; 1 << 20];
        let fed = |start: &[u8], end: &[u8]| {
            let mut decoder = Decoder::default();
            decoder.feed(start, |_| ()).expect("short");
            let block = [&block[..], end].concat();
            let fed = (0..100)
                .take_while(|_| decoder.feed(&block, |_| ()).is_ok())
                .count();
            (fed, decoder.line.capacity() + decoder.data.capacity())
        };
        let most = MAX_EVENT_BYTES + USUAL_BYTES;
        assert!(matches!(fed(b"data: ", b""), (15, room) if room <= most));
        assert!(matches!(fed(b": ", b""), (100, room) if room < 64));
        // Many lines, each in two pieces.
        assert!(matches!(fed(b"data: ", b"\ndata: "), (15, room) if room <= most + USUAL_BYTES));
        assert!(
            matches!(fed(b"data: \ndata: ", b"\ndata: "), (15, room) if room <= most + USUAL_BYTES)
        );
        assert!(matches!(fed(b"", b"\n\n"), (100, room) if room < 64));
    }

    #[test]
    fn buffers_of_a_long_event_are_freed() {
        let mut decoder = Decoder::default();
        let text = "x".repeat(8 << 20);
        let mut lengths = Vec::new();
        for piece in [
            "data: ",
            &text,
            "\n",
            "\n",
            "data: ",
            &text,
            "\n\n",
            "data: a\n\n",
        ] {
            let take = |frame: &[u8]| lengths.push(frame.len());
            decoder.feed(piece.as_bytes(), take).expect("short");
        }
        assert_eq!(lengths, [8 << 20, 8 << 20, 1]);
        assert!(decoder.line.capacity() + decoder.data.capacity() <= 2 * USUAL_BYTES);
    }
}
