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
    values: Vec<DeltaValue>,
    output_index: u64,
    misses: u8,
    /// The last text that contained escapes.
    decoded: String,
}

/// A value that differs from delta to delta.
#[derive(Debug)]
struct DeltaValue {
    kind: DeltaValueKind,
    /// Number of fixed bytes before it, from the end of the value before.
    fixed_before: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DeltaValueKind {
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
                DeltaValueKind::Number => number_length(rest)?,
                DeltaValueKind::String => {
                    let length = plain_length(rest);
                    (rest.get(length) == Some(&b'"')).then_some(length)?
                }
                DeltaValueKind::Text => {
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
                        Some(b"delta") => Some(DeltaValueKind::Text),
                        Some(_) => Some(DeltaValueKind::String),
                        None => {
                            key = (depth == 1).then_some(content);
                            None
                        }
                    };
                    if let Some(kind) = kind {
                        self.fixed.extend_from_slice(&frame[written..=at]);
                        let fixed_before = at + 1 - written;
                        self.values.push(DeltaValue { kind, fixed_before });
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
                        self.values.push(DeltaValue {
                            kind: DeltaValueKind::Number,
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
            .filter(|value| value.kind == DeltaValueKind::Text);
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
mod tests;
