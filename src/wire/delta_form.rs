//! The form of text deltas, which are nearly all events of a stream. A server writes all of them alike, so the form is
//! learned from the first one that the general parser reads; a later one is compared with it and only its values are read.
//! A frame of another form is left to the general parser, which gives the same result for every frame that is read here.

use super::json::escape;

/// Number of forms learned in a row without a frame that has it, after which no further one is learned.
const MAX_MISSES: u8 = 8;

/// The form of the last text delta: what stands before, between and after its values. Empty until one was learned.
#[derive(Debug, Default)]
pub(super) struct DeltaForm {
    /// The bytes between the values, one after another.
    fixed: Vec<u8>,
    values: Vec<Value>,
    output_index: u64,
    misses: u8,
    /// The last text that contained escapes.
    decoded: String,
}

/// A value that differs from delta to delta.
#[derive(Debug)]
struct Value {
    kind: ValueKind,
    /// Number of fixed bytes before it, from the end of the value before.
    fixed_before: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ValueKind {
    /// The text itself, between its quotes.
    Text,
    /// Another string, between its quotes.
    String,
    /// A number that is not negative, such as that of the event.
    Number,
}

/// A text delta.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delta<'a> {
    pub(super) output_index: u64,
    pub(super) text: &'a str,
}

impl DeltaForm {
    /// Reads a frame if it has this form.
    pub(super) fn read<'a>(&'a mut self, frame: &'a [u8]) -> Option<Delta<'a>> {
        if self.values.is_empty() {
            return None;
        }
        let (mut fixed, mut rest) = (&self.fixed[..], frame);
        let mut plain = None;
        for value in &self.values {
            let (before, further) = fixed.split_at(value.fixed_before);
            rest = rest.strip_prefix(before)?;
            fixed = further;
            let length = match value.kind {
                ValueKind::Number => number_length(rest)?,
                ValueKind::String => {
                    let length = plain_length(rest);
                    (rest.get(length) == Some(&b'"')).then_some(length)?
                }
                ValueKind::Text => {
                    let length = plain_length(rest);
                    if rest.get(length) == Some(&b'"') {
                        plain = Some(std::str::from_utf8(&rest[..length]).ok()?);
                        length
                    } else {
                        decode(rest, length, &mut self.decoded)?
                    }
                }
            };
            rest = &rest[length..];
        }
        if rest != fixed {
            return None;
        }
        self.misses = 0;
        Some(Delta {
            output_index: self.output_index,
            text: plain.unwrap_or(&self.decoded),
        })
    }

    /// Learns the form of a frame that the general parser has read as a text delta for this output index.
    pub(super) fn learn(&mut self, frame: &[u8], output_index: u64) {
        if self.misses == MAX_MISSES {
            return;
        }
        self.misses += 1;
        self.output_index = output_index;
        if self.learn_values(frame).is_none() {
            self.values.clear();
        }
    }

    fn learn_values(&mut self, frame: &[u8]) -> Option<()> {
        self.fixed.clear();
        self.values.clear();
        let (mut at, mut written) = (0, 0);
        let mut depth = 0_usize;
        // The key of the outermost object whose value comes next.
        let mut key: Option<&[u8]> = None;
        while let Some(byte) = frame.get(at) {
            match byte {
                b'"' => {
                    let end = string_end(frame, at)?;
                    let content = &frame[at + 1..end];
                    let kind = match key.take() {
                        Some(b"type") => None,
                        Some(b"delta") => Some(ValueKind::Text),
                        Some(_) => Some(ValueKind::String),
                        None => {
                            key = (depth == 1).then_some(content);
                            None
                        }
                    };
                    if let Some(kind) = kind {
                        self.fixed.extend_from_slice(&frame[written..=at]);
                        let fixed_before = at + 1 - written;
                        self.values.push(Value { kind, fixed_before });
                        written = end;
                    }
                    at = end + 1;
                }
                b'0'..=b'9' => {
                    let length = frame[at..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_digit())
                        .count();
                    let whole = matches!(frame.get(at + length)?, b',' | b'}' | b' ');
                    if let Some(key) = key.take()
                        && key != b"output_index"
                        && whole
                    {
                        self.fixed.extend_from_slice(&frame[written..at]);
                        let fixed_before = at - written;
                        self.values.push(Value {
                            kind: ValueKind::Number,
                            fixed_before,
                        });
                        written = at + length;
                    }
                    at += length;
                }
                b'{' | b'[' => {
                    key = None;
                    depth += 1;
                    at += 1;
                }
                b'}' | b']' => {
                    depth = depth.checked_sub(1)?;
                    at += 1;
                }
                b',' => {
                    key = None;
                    at += 1;
                }
                _ => at += 1,
            }
        }
        self.fixed.extend_from_slice(&frame[written..]);
        let texts = self
            .values
            .iter()
            .filter(|value| value.kind == ValueKind::Text);
        (texts.count() == 1).then_some(())
    }
}

/// The offset of the closing quote of the string that begins here.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', &bytes[at..])?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
        if at > bytes.len() {
            return None;
        }
    }
}

/// The length of the number that begins here, if JSON allows it.
fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let allowed = digits == 1 || digits > 1 && bytes[0] != b'0';
    allowed.then_some(digits)
}

/// Decodes a string up to its closing quote; its first `plain` bytes are known to be plain. Returns the length of the
/// encoded string, or `None` if JSON does not allow it.
fn decode(bytes: &[u8], plain: usize, into: &mut String) -> Option<usize> {
    into.clear();
    let (mut at, mut plain) = (0, plain);
    loop {
        into.push_str(std::str::from_utf8(&bytes[at..at + plain]).ok()?);
        at += plain;
        match *bytes.get(at)? {
            b'"' => return Some(at),
            b'\\' => {}
            _ => return None, // a control character
        }
        let rest = &bytes[at..];
        let simple = match rest.get(1)? {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let text = rest.get(..12).unwrap_or(rest);
                // Whatever follows the escape may be cut inside a character.
                let valid = text.utf8_chunks().next()?.valid();
                let digits = valid.get(2..6)?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                let (character, length) = escape(valid);
                into.push(character);
                at += length;
                plain = plain_length(&bytes[at..]);
                continue;
            }
            _ => return None,
        };
        into.push(simple);
        at += 2;
        plain = plain_length(&bytes[at..]);
    }
}

/// Number of bytes before the first quote, backslash or control character. Eight bytes at a time, by hand, since this
/// crate is optimized for size.
fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        let (backslash, quote) = (word ^ BACKSLASHES, word ^ QUOTES);
        // The highest bit of a byte is set if it is below a blank, or has become zero. A borrow can set it only in a byte
        // after such a one, so the lowest one is right.
        let special = (word.wrapping_sub(BLANKS) & !word)
            | (backslash.wrapping_sub(ONES) & !backslash)
            | (quote.wrapping_sub(ONES) & !quote);
        let special = special & (ONES << 7);
        if special != 0 {
            return at * 8 + special.trailing_zeros() as usize / 8;
        }
    }
    let plain = rest
        .iter()
        .take_while(|byte| !matches!(byte, ..0x20 | b'"' | b'\\'));
    words.len() * 8 + plain.count()
}

/// Eight bytes of one.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Eight blanks.
const BLANKS: u64 = ONES * 0x20;

/// Eight backslashes.
const BACKSLASHES: u64 = ONES * b'\\' as u64;

/// Eight quotes.
const QUOTES: u64 = ONES * b'"' as u64;

#[cfg(test)]
mod tests {
    use super::super::event::{Event, parse};
    use super::*;

    /// What the general parser reads: the output index and the text.
    fn general(frame: &[u8]) -> Option<(Option<u64>, String)> {
        match parse(frame) {
            Some(Event::Text(place, text)) => Some((place.index, text.into_owned())),
            _ => None,
        }
    }

    fn learned(frame: &str) -> DeltaForm {
        let mut form = DeltaForm::default();
        form.learn(
            frame.as_bytes(),
            general(frame.as_bytes())
                .and_then(|(index, _)| index)
                .expect("a delta"),
        );
        form
    }

    const OPENAI: &str = r#"{"type":"response.output_text.delta","content_index":0,"delta":"a","item_id":"msg_1","logprobs":[],"obfuscation":"x","output_index":1,"sequence_number":9}"#;
    const OTHERS: &[&str] = &[
        OPENAI,
        r#"{"delta": "\n", "item_id": "m\"", "output_index": 0, "sequence_number": 10, "type": "response.output_text.delta"}"#,
        r#"{"type":"response.output_text.delta","output_index":7,"delta":"","logprobs":[{"token":"a","delta":"b"}],"x":1.5,"y":-1,"z":null}"#,
    ];

    #[test]
    fn a_plain_text_is_borrowed_and_other_values_may_differ() {
        let mut form = learned(OPENAI);
        let next = OPENAI
            .replace("\"a\"", "\"caf\u{e9} and more text\"")
            .replace("msg_1", "msg_22")
            .replace(":9}", ":10}")
            .replace("\"x\"", "\"\"");
        let range = next.as_bytes().as_ptr_range();
        let delta = form.read(next.as_bytes()).expect("a delta");
        assert_eq!(
            (delta.output_index, delta.text),
            (1, "caf\u{e9} and more text")
        );
        assert!(range.contains(&delta.text.as_ptr()));
        for other in [
            "\"output_index\":2",
            "\"content_index\":x",
            "\"logprobs\":[1]",
        ] {
            let (key, _) = other.split_once(':').expect("a key");
            let frame = OPENAI.replace(
                &format!(
                    "{key}:{}",
                    if key.contains("log") {
                        "[]"
                    } else if key.contains("con") {
                        "0"
                    } else {
                        "1"
                    }
                ),
                other,
            );
            assert_ne!(frame, OPENAI);
            assert_eq!(form.read(frame.as_bytes()), None, "{frame}");
        }
    }

    /// Every byte of a frame is replaced, removed or repeated: what is read agrees with the general parser.
    #[test]
    fn whatever_is_read_is_what_the_general_parser_reads() {
        let bytes: &[&[u8]] = &[
            b"",
            b"\"",
            b"\\",
            b"\\n",
            b"\\u00e9",
            b"\\ud83d\\ude00",
            b"\\ud83d",
            b"\\u12",
            b"\\x",
            b"\n",
            b"0",
            b"01",
            b"{",
            b"}",
            b"]",
            b",",
            b":",
            b" ",
            b"\xc3\xa9",
            b"\xff",
            b"\x7f",
            b"e5",
            b".5",
            b"-",
        ];
        let (mut read, mut refused) = (0, 0);
        for learned_from in OTHERS {
            let mut form = learned(learned_from);
            for frame in OTHERS {
                for at in 0..frame.len() {
                    for replacement in bytes {
                        for keep in [0, 1] {
                            let (before, after) = frame.as_bytes().split_at(at);
                            let changed = [before, replacement, &after[1 - keep..]].concat();
                            match form.read(&changed) {
                                Some(delta) => {
                                    read += 1;
                                    let found = (Some(delta.output_index), delta.text.to_owned());
                                    // Text beside the delta may be invalid; the general parser gets it replaced then.
                                    let text = String::from_utf8_lossy(&changed);
                                    assert_eq!(Some(found), general(text.as_bytes()), "{text}");
                                }
                                None => refused += 1,
                            }
                        }
                    }
                }
            }
        }
        assert!(read > 500 && refused > 500, "{read} {refused}");
    }

    #[test]
    fn escapes_are_decoded_as_the_general_parser_does() {
        for text in [
            r"\n",
            r#"\"\\\/\b\f\n\r\t"#,
            r"\u0041\u00e9\u20ac",
            r"\ud83d\ude00!",
            r"\ud83d",
            r"\ude00\ud83d",
            r"\ud83d\u0041",
            r"plain text before \u0000 and after",
            r"a\u00e9\u00e9",
            "\u{e9}\\n\u{1f980}\\t",
            r"\ud83dé",
        ] {
            let frame = OPENAI.replace("\"a\"", &format!("\"{text}\""));
            let mut form = learned(OPENAI);
            let delta = form.read(frame.as_bytes()).expect(text);
            assert_eq!(
                Some((Some(1), delta.text.to_owned())),
                general(frame.as_bytes()),
                "{text}"
            );
        }
    }

    #[test]
    fn forms_that_never_come_again_are_not_learned_forever() {
        let mut form = DeltaForm::default();
        for n in 0..20 {
            let frame = OPENAI.replace("content_index", &format!("content_index_{n}"));
            assert_eq!(form.read(frame.as_bytes()), None);
            form.learn(frame.as_bytes(), 1);
        }
        assert_eq!(form.misses, MAX_MISSES);
    }

    #[test]
    fn special_bytes_are_found_at_every_offset() {
        for special in [b'"', b'\\', b'\n', 0, 0x1f] {
            for at in 0..40 {
                let mut bytes = vec![b'\xc3'; 40];
                bytes[at] = special;
                assert_eq!(plain_length(&bytes), at);
            }
        }
        assert_eq!(plain_length(b"\x20\x21\x23\x5b\x5d\x7f\x80\xff\x20"), 9);
    }
}
