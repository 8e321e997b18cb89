//! A fast path for text deltas, which are nearly all events of a stream: a flat object of plain values, as servers
//! write it. Anything else (an escape, a nested value, an error) is left to the general event parser, which gives the
//! same result for what is parsed here.

use memchr::memchr;

/// A text delta.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Delta<'a> {
    pub(super) output_index: u64,
    pub(super) text: &'a str,
}

/// Parses a frame if it is a text delta in its plain form.
pub(super) fn parse(bytes: &[u8]) -> Option<Delta<'_>> {
    if is_odd(bytes) {
        return None;
    }
    let (mut kind, mut index, mut text) = (false, None, None);
    let mut named = false;
    let mut at = expect(bytes, 0, b'{')?;
    loop {
        let key_end = string_end(bytes, at)?;
        let key = &bytes[at + 1..key_end];
        let value = expect(bytes, key_end + 1, b':')?;
        let value = skip_blank(bytes, value);
        let end = value_end(bytes, value)?;
        match key {
            b"type" if !kind => {
                if &bytes[value..end] != b"\"response.output_text.delta\"" {
                    return None;
                }
                kind = true;
            }
            b"output_index" if index.is_none() => {
                index = Some(text_of(&bytes[value..end])?.parse().ok()?)
            }
            b"delta" if text.is_none() && bytes[value] == b'"' => {
                text = Some(text_of(&bytes[value + 1..end - 1])?)
            }
            b"item_id" if !named => named = true,
            // A duplicate, not a plain string, or irrelevant to a delta: left to the general parser.
            b"type" | b"output_index" | b"delta" | b"item_id" | b"item" | b"response"
            | b"error" => return None,
            _ => {}
        }
        at = skip_blank(bytes, end);
        match bytes.get(at)? {
            b',' => at = skip_blank(bytes, at + 1),
            b'}' if at + 1 == bytes.len() && kind => {
                return Some(Delta {
                    output_index: index?,
                    text: text?,
                });
            }
            _ => return None,
        }
    }
}

/// Whether these bytes contain a control character, which no JSON string may hold, or a backslash, which starts an
/// escape. Eight bytes at a time, by hand, since this crate is optimized for size.
fn is_odd(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<8>();
    let mut odd = 0;
    for word in words {
        let word = u64::from_le_bytes(*word);
        let backslash = word ^ BACKSLASHES;
        // The highest bit of a byte is set if it is below a blank, or has become zero. A borrow can set it only in the
        // byte after such a one, which does not change the result.
        odd |= word.wrapping_sub(BLANKS) & !word;
        odd |= backslash.wrapping_sub(ONES) & !backslash;
    }
    odd & (ONES << 7) != 0 || rest.iter().any(|byte| *byte < 0x20 || *byte == b'\\')
}

/// The offset after `byte`, which blanks may precede.
fn expect(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    let at = skip_blank(bytes, at);
    (bytes.get(at) == Some(&byte)).then(|| skip_blank(bytes, at + 1))
}

fn skip_blank(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at) == Some(&b' ') {
        at += 1;
    }
    at
}

fn text_of(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The offset of the closing quote of the string that begins here.
fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    if bytes.get(at) != Some(&b'"') {
        return None;
    }
    // Most strings are short, and for those eight bytes at a time are faster than setting up a search.
    let mut at = at + 1;
    for _ in 0..3 {
        let Some(eight) = bytes.get(at..at + 8) else {
            break;
        };
        let word = u64::from_le_bytes(eight.try_into().ok()?) ^ QUOTES;
        // The lowest set bit is in the first byte that has become zero.
        let zero = word.wrapping_sub(ONES) & !word & (ONES << 7);
        if zero != 0 {
            return Some(at + zero.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    Some(at + memchr(b'"', &bytes[at..])?)
}

/// Eight bytes of one.
const ONES: u64 = 0x0101_0101_0101_0101;

/// Eight blanks.
const BLANKS: u64 = ONES * 0x20;

/// Eight backslashes.
const BACKSLASHES: u64 = ONES * b'\\' as u64;

/// Eight quotes.
const QUOTES: u64 = ONES * b'"' as u64;

/// The offset after the plain value that begins here.
fn value_end(bytes: &[u8], at: usize) -> Option<usize> {
    match bytes.get(at)? {
        b'"' => Some(string_end(bytes, at)? + 1),
        b'0'..=b'9' => {
            let digits = bytes[at..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            (digits == 1 || bytes[at] != b'0').then_some(at + digits)
        }
        b'[' => (bytes.get(at + 1) == Some(&b']')).then_some(at + 2),
        b'n' => bytes[at..].starts_with(b"null").then_some(at + 4),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::event::{Event, general};

    const FRAME: &str = r#"{"type":"response.output_text.delta", "sequence_number":10,"item_id":"m","output_index":0,"delta":"caf\u00e9","logprobs":[],"x":null}"#;

    #[test]
    fn a_plain_delta_is_parsed() {
        let plain = FRAME.replace("\\u00e9", "\u{e9}");
        assert_eq!(
            parse(plain.as_bytes()),
            Some(Delta {
                output_index: 0,
                text: "caf\u{e9}"
            })
        );
        assert_eq!(parse(FRAME.as_bytes()), None, "an escape is left to others");
        assert_eq!(parse(plain.replace("_text", "_item").as_bytes()), None);
    }

    #[test]
    fn an_odd_byte_is_found_at_every_position() {
        for length in 0..20 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut bytes = vec![b'!'; length];
                    bytes[at] = byte;
                    let odd = byte < 0x20 || byte == b'\\';
                    assert_eq!(is_odd(&bytes), odd, "{byte} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn both_parsers_agree() {
        let plain = FRAME.replace("\\u00e9", "e").into_bytes();
        let mut read = 0;
        let mut check = |bytes: &[u8]| {
            let Some(delta) = parse(bytes) else { return };
            read += 1;
            let frame = String::from_utf8_lossy(bytes);
            match general(&frame) {
                Some(Event::Text(place, text)) => {
                    assert_eq!(
                        (place.index, &*text),
                        (Some(delta.output_index), delta.text),
                        "{frame}"
                    );
                }
                other => panic!("{frame} is {other:?}"),
            }
        };
        // A duplicate field is an error, even if this event does not use it.
        for field in ["item_id", "item", "response", "error", "logprobs"] {
            let field = format!("\"{field}\":null,");
            check(
                FRAME
                    .replacen('"', &format!("{field}\""), 1)
                    .replace("\\u00e9", "e")
                    .as_bytes(),
            );
            check(
                FRAME
                    .replacen('"', &format!("{field}{field}\""), 1)
                    .replace("\\u00e9", "e")
                    .as_bytes(),
            );
        }
        // Every byte removed, doubled, and replaced by each character with a meaning in JSON.
        for at in 0..plain.len() {
            check(&[&plain[..at], &plain[at + 1..]].concat());
            check(&[&plain[..=at], &plain[at..]].concat());
            for byte in b"\"\\{}[]:,0123456789-+.eEntrulfasd \t\n\x00\x7f\xff" {
                let mut changed = plain.clone();
                changed[at] = *byte;
                check(&changed);
            }
        }
        assert!(read > 100, "{read}");
    }
}
