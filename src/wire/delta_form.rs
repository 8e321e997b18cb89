//! The form of text deltas, which are nearly all events of a stream. A server writes all of them alike, so the form is
//! learned from the first one that the general parser reads; a later one is compared with it and only its values are read.
//! A frame of another form is left to the general parser, which gives the same result for every frame that is read here.

use memchr::arch::all::{is_equal, is_prefix};

use super::json::{decode, plain_length, string_end};

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
    /// Reads a frame if it has this form. A text with escapes is decoded into `decoded`.
    pub(super) fn read<'a>(
        &mut self,
        frame: &'a [u8],
        decoded: &'a mut String,
    ) -> Option<Delta<'a>> {
        if self.values.is_empty() {
            return None;
        }
        let (mut fixed, mut rest) = (&self.fixed[..], frame);
        let mut plain = None;
        for value in &self.values {
            let (before, further) = fixed.split_at(value.fixed_before);
            // Faster than the comparison of musl, byte by byte.
            rest = is_prefix(rest, before).then(|| &rest[before.len()..])?;
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
                        decode(rest, length, decoded)?
                    }
                }
            };
            rest = &rest[length..];
        }
        if !is_equal(rest, fixed) {
            return None;
        }
        self.misses = 0;
        Some(Delta {
            output_index: self.output_index,
            text: plain.unwrap_or(decoded),
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

/// The length of the number that begins here, if JSON allows it.
fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let allowed = digits == 1 || digits > 1 && bytes[0] != b'0';
    allowed.then_some(digits)
}

#[cfg(test)]
mod tests;
