//! Partial JSON parsing: a string, the fields of an object, or the elements of an array, without building more than is
//! needed. The input is known to be valid JSON, as every `RawValue` is, so it is searched and not checked again.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::text::shortened;

/// The fields of an object; `None` if it is not an object, or has a duplicate field.
pub(super) fn fields<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    // serde would read an array as the fields in order.
    if !json.trim_ascii_start().starts_with('{') {
        return None;
    }
    serde_json::from_str(json).ok()
}

/// The values of these fields of an object, where `null` counts as absent; `None` if it is not an object, or has one of them
/// twice.
pub(super) fn values<'a, const N: usize>(
    json: &'a str,
    names: [&str; N],
) -> Option<[Option<&'a str>; N]> {
    let (mut found, mut seen) = ([None; N], [false; N]);
    let bytes = json.as_bytes();
    let mut at = after_blanks(bytes, 0);
    if bytes.get(at) != Some(&b'{') {
        return None;
    }
    loop {
        at = after_blanks(bytes, at + 1); // the bracket, or a comma
        if bytes.get(at) != Some(&b'"') {
            return Some(found);
        }
        let end = value_end(bytes, at)?;
        let name = text(json.get(at..end)?)?;
        at = after_blanks(bytes, after_blanks(bytes, end) + 1); // the colon
        let end = value_end(bytes, at)?;
        if let Some(place) = names.iter().position(|known| *known == name) {
            if std::mem::replace(&mut seen[place], true) {
                return None;
            }
            found[place] = json.get(at..end).filter(|value| *value != "null");
        }
        at = after_blanks(bytes, end);
    }
}

/// The offset of the first byte from here on that is not white space.
fn after_blanks(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let is_blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    at + rest.iter().take_while(is_blank).count()
}

/// The end of the value that begins here.
fn value_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match bytes.get(at)? {
            b'"' => at = string_end(bytes, at)? + 1,
            b'{' | b'[' => {
                depth += 1;
                at += 1;
                continue;
            }
            b'}' | b']' => {
                depth = depth.checked_sub(1)?;
                at += 1;
            }
            b',' | b':' | b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            _ => {
                let is_scalar = |byte: &&u8| !matches!(byte, b',' | b'}' | b']' | ..=b' ');
                at += bytes[at..].iter().take_while(is_scalar).count();
            }
        }
        if depth == 0 {
            return Some(at);
        }
    }
}

/// The offset of the closing quote of the string that begins here.
pub(super) fn string_end(bytes: &[u8], at: usize) -> Option<usize> {
    let mut at = at + 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        // Escapes often follow each other closely.
        loop {
            match bytes.get(at)? {
                b'"' => return Some(at),
                b'\\' => at += 2,
                _ => {
                    let near = plain_length(bytes.get(at..at + 8).unwrap_or_default());
                    at += near;
                    if !(1..8).contains(&near) {
                        break;
                    }
                }
            }
        }
    }
}

/// The text of a JSON string, borrowed if it has no escape; `None` if it is not a string. An unpaired surrogate, which
/// JSON can express but Rust strings cannot, becomes U+FFFD.
pub(super) fn text(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    let Some(plain) = memchr::memchr(b'\\', inner.as_bytes()) else {
        return Some(Cow::Borrowed(inner));
    };
    // No escape is shorter than the character it encodes.
    let mut text = String::with_capacity(inner.len());
    decode(&json.as_bytes()[1..], plain, &mut text)?;
    Some(Cow::Owned(text))
}

/// The character that an escape encodes, and the length of the escape.
pub(super) fn escape(from: &str) -> (char, usize) {
    let unit = |at: usize| -> Option<u32> {
        let digits = from.get(at..)?.strip_prefix("\\u")?.get(..4)?;
        u32::from_str_radix(digits, 16).ok()
    };
    let simple = match from.as_bytes().get(1) {
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            return match (unit(0), unit(6)) {
                (Some(high @ 0xd800..0xdc00), Some(low @ 0xdc00..0xe000)) => {
                    let both = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                    (char::from_u32(both).unwrap_or('\u{fffd}'), 12)
                }
                (one, _) => (one.and_then(char::from_u32).unwrap_or('\u{fffd}'), 6),
            };
        }
        // A quote, slash or backslash encodes itself.
        Some(byte) => char::from(*byte),
        None => '\u{fffd}',
    };
    (simple, 2)
}

/// Decodes a string up to its closing quote; its first `plain` bytes are known to be plain. Returns the length of the
/// encoded string, or `None` if JSON does not allow it.
pub(super) fn decode(bytes: &[u8], plain: usize, into: &mut String) -> Option<usize> {
    let end = decode_part(bytes, plain, usize::MAX, into)?;
    (bytes.get(end) == Some(&b'"')).then_some(end)
}

/// The same for a part of a string: up to its closing quote, to the end of the bytes, or to where the text is at least `most`
/// bytes long.
pub(super) fn decode_part(
    bytes: &[u8],
    plain: usize,
    most: usize,
    into: &mut String,
) -> Option<usize> {
    let mut decoded = std::mem::take(into).into_bytes();
    decoded.clear();
    let (mut at, mut plain) = (0, plain);
    loop {
        if plain > 0 {
            decoded.extend_from_slice(&bytes[at..at + plain]);
            at += plain;
        }
        match bytes.get(at) {
            None | Some(b'"') => break,
            Some(b'\\') if decoded.len() >= most => break,
            Some(b'\\') => {}
            Some(_) => return None, // a control character
        }
        let simple = match *bytes.get(at + 1)? {
            same @ (b'"' | b'\\' | b'/') => same,
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 0x8,
            b'f' => 0xc,
            b'u' => {
                let rest = &bytes[at..];
                let text = rest.get(..12).unwrap_or(rest);
                // Whatever follows the escape may be cut inside a character.
                let valid = text.utf8_chunks().next()?.valid();
                let digits = valid.get(2..6)?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                let (character, length) = escape(valid);
                decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                at += length;
                plain = plain_length(&bytes[at..]);
                continue;
            }
            _ => return None,
        };
        decoded.push(simple);
        at += 2;
        plain = match bytes.get(at) {
            Some(b'\\' | b'"') => 0,
            _ => plain_length(&bytes[at..]),
        };
    }
    // What was escaped is whole characters, so this is valid exactly if every plain part is.
    *into = String::from_utf8(decoded).ok()?;
    Some(at)
}

/// Number of bytes before the first quote, backslash or control character. Eight bytes at a time, by hand, since this
/// crate is optimized for size.
pub(super) fn plain_length(bytes: &[u8]) -> usize {
    let (words, rest) = bytes.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // With this bit changed, a quote is a blank, and control characters remain below it. The highest bit of a byte is set if
        // it is that low, or the backslash has become zero. A borrow can set it only in a byte after such a one, so the
        // lowest one is right.
        let (low, backslash) = (word ^ (ONES * 2), word ^ (ONES * b'\\' as u64));
        let special =
            (low.wrapping_sub(ONES * 0x21) & !low) | (backslash.wrapping_sub(ONES) & !backslash);
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

/// Passes on the elements of an array in order, until the callback stops it; false if it is not an array.
pub(super) fn each<'a>(array: &'a str, mut take: impl FnMut(&'a str) -> ControlFlow<()>) -> bool {
    let bytes = array.as_bytes();
    let mut at = after_blanks(bytes, 0);
    if bytes.get(at) != Some(&b'[') {
        return false;
    }
    loop {
        at = after_blanks(bytes, at + 1); // the bracket, or a comma
        if bytes.get(at) == Some(&b']') {
            return true;
        }
        let Some(end) = value_end(bytes, at) else {
            return false;
        };
        if array
            .get(at..end)
            .is_some_and(|element| take(element).is_break())
        {
            return true;
        }
        at = after_blanks(bytes, end);
        if bytes.get(at) == Some(&b']') {
            return true;
        }
    }
}

/// The short fields of an object, as an object: at most `most` bytes each, and four times that in total. Error details
/// are among them, and parsing these alone takes little memory. Input that is not an object counts as an empty one.
pub(super) fn short(object: &str, most: usize) -> String {
    struct Short(usize);
    impl<'de> DeserializeSeed<'de> for Short {
        type Value = String;

        fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<String, D::Error> {
            from.deserialize_map(self)
        }
    }
    impl<'de> Visitor<'de> for Short {
        type Value = String;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<String, A::Error> {
            let mut kept = String::from("{");
            while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                let length = name.get().len() + value.get().len();
                if length <= self.0 && kept.len() + length <= 4 * self.0 {
                    let comma = if kept.len() == 1 { "" } else { "," };
                    kept.push_str(&format!("{comma}{}:{}", name.get(), value.get()));
                }
            }
            kept.push('}');
            Ok(kept)
        }
    }
    let mut json = serde_json::Deserializer::from_str(object);
    Short(most)
        .deserialize(&mut json)
        .unwrap_or_else(|_| "{}".to_owned())
}

/// The beginning of text from outside, for a message: at most `most` bytes.
pub(super) fn beginning(text: &str, most: usize) -> String {
    shortened(text, most).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_surrogate_pair_becomes_a_replacement_character() {
        let check = |json: &str, expected: &str| {
            assert_eq!(text(json).as_deref(), Some(expected), "{json}");
        };
        check(r#""a\ud83e\udd80b""#, "a\u{1f980}b");
        check(r#""a\ud800b""#, "a\u{fffd}b");
        check(r#""\udc00\ud83e\udd80\ud83e""#, "\u{fffd}\u{1f980}\u{fffd}");
        check(r#""\ud800\n\\ud800\u00e9""#, "\u{fffd}\n\\ud800\u{e9}");
        check(r#""\ud800\ud83e\udd80""#, "\u{fffd}\u{1f980}");
    }

    /// Every string of up to four of these pieces, compared with serde.
    #[test]
    fn escapes_are_read_as_serde_reads_them() {
        let pieces = [
            "\\n",
            "\\\\",
            "\\\"",
            "\\/",
            "\\b",
            "\\f",
            "\\r",
            "\\t",
            "\\u0000",
            "\\u00E9",
            "\\uD83E\\uDD80",
            "n",
            "u0041",
            "\u{e9}",
            "\u{1f980}",
        ];
        let mut all = vec![String::new()];
        for _ in 0..3 {
            let longer = all
                .iter()
                .flat_map(|start| pieces.iter().map(move |piece| format!("{start}{piece}")));
            all = longer.collect();
            for inner in &all {
                let json = format!("\"{inner}\"");
                let expected: String = serde_json::from_str(&json).expect("JSON");
                assert_eq!(text(&json).as_deref(), Some(&*expected), "{json}");
            }
        }
    }

    /// Objects of up to three of these fields, with and without white space, compared with serde.
    #[test]
    fn values_are_found_as_serde_finds_them() {
        #[derive(serde::Deserialize)]
        struct Both<'a> {
            #[serde(borrow, default)]
            a: Option<&'a RawValue>,
            #[serde(borrow, default)]
            b: Option<&'a RawValue>,
        }
        let parts = [
            r#""a":1e5"#,
            r#""a":null"#,
            r#""\u0061":"\"}""#,
            r#""b":{"a":[1,{"b":"]\\"}]}"#,
            r#""b":[]"#,
            r#""c":"\\\\\"long enough to be searched, \n\t\"""#,
            r#""c" : { } "#,
        ];
        let mut all = vec![String::new()];
        for _ in 0..3 {
            let longer = all.iter().flat_map(|start| {
                parts.iter().map(move |part| match &**start {
                    "" => (*part).to_owned(),
                    start => format!("{start},{part}"),
                })
            });
            all = longer.chain([String::new()]).collect();
            for inner in &all {
                for json in [format!("{{{inner}}}"), format!(" {{ {inner}\n}}\t")] {
                    let expected: Option<Both<'_>> = serde_json::from_str(&json).ok();
                    let expected =
                        expected.map(|both| [both.a, both.b].map(|raw| Some(raw?.get())));
                    assert_eq!(values(&json, ["a", "b"]), expected, "{json}");
                }
            }
        }
        for none in ["[1]", "7", "\"{\"", "null", ""] {
            assert_eq!(values(none, ["a"]), None, "{none}");
        }
    }

    #[test]
    fn array_elements_are_passed_on_one_at_a_time() {
        let list = |json: &str, most: usize| {
            let mut found = Vec::new();
            let is_array = each(json, |element| {
                found.push(element.to_owned());
                if found.len() == most {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            (is_array, found.join(" "))
        };
        assert_eq!(list("[1, [2], {}]", 9), (true, "1 [2] {}".to_owned()));
        assert_eq!(list("[1, [2], {}]", 2), (true, "1 [2]".to_owned()));
        assert_eq!(list("[]", 9), (true, String::new()));
        assert_eq!(list("{}", 9), (false, String::new()));
        assert_eq!(list("null", 9), (false, String::new()));
    }

    #[test]
    fn long_fields_are_dropped_and_long_text_is_truncated() {
        assert_eq!(
            short(r#"{"a": 1, "b": "long long", "c": {"d": 2}}"#, 12),
            r#"{"a":1,"c":{"d": 2}}"#
        );
        let many: String = (100..200).map(|n| format!(r#""{n}":1,"#)).collect();
        let all = format!(r#"{{{many}"error":2}}"#);
        assert_eq!(short(&all, 1000), all);
        assert!(short(&all, 100).len() < 400 + "},".len());
        for none in ["[]", "null", "{", "{}"] {
            assert_eq!(short(none, 10), "{}");
        }
        assert_eq!(beginning("caf\u{e9}", 5), "caf\u{e9}");
        assert_eq!(beginning("caf\u{e9}s", 4), "caf ...");
    }
}
