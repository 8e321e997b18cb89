//! Partial JSON parsing: a string, the fields of an object, or the elements of an array, without building more than is
//! needed. The input is known to be valid JSON, as every `RawValue` is.

use std::borrow::Cow;
use std::fmt;
use std::ops::ControlFlow;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
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

/// The text of a JSON string, borrowed if it has no escape; `None` if it is not a string. An unpaired surrogate, which
/// JSON can express but Rust strings cannot, becomes U+FFFD.
pub(super) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let inner = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    // No escape is shorter than the character it encodes.
    let mut text = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        text.push_str(&rest[..at]);
        let (character, length) = escape(&rest[at..]);
        text.push(character);
        rest = rest.get(at + length..).unwrap_or_default();
    }
    text.push_str(rest);
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

/// Passes on the elements of an array in order, until the callback stops it; false if it is not an array.
pub(super) fn each<'a>(
    array: &'a RawValue,
    mut take: impl FnMut(&'a RawValue) -> ControlFlow<()>,
) -> bool {
    struct Elements<F>(F);
    impl<'de, F: FnMut(&'de RawValue) -> ControlFlow<()>> Visitor<'de> for Elements<F> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
            while let Some(element) = array.next_element()? {
                if (self.0)(element).is_break() {
                    while array.next_element::<IgnoredAny>()?.is_some() {}
                }
            }
            Ok(())
        }
    }
    let mut json = serde_json::Deserializer::from_str(array.get());
    json.deserialize_seq(Elements(&mut take)).is_ok()
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

    fn raw(json: &str) -> Box<RawValue> {
        serde_json::from_str(json).expect("JSON")
    }

    #[test]
    fn half_a_surrogate_pair_becomes_a_replacement_character() {
        let check = |json: &str, expected: &str| {
            assert_eq!(text(&raw(json)).as_deref(), Some(expected), "{json}");
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
                assert_eq!(text(&raw(&json)).as_deref(), Some(&*expected), "{json}");
            }
        }
    }

    #[test]
    fn array_elements_are_passed_on_one_at_a_time() {
        let list = |json: &str, most: usize| {
            let (array, mut found) = (raw(json), Vec::new());
            let is_array = each(&array, |element| {
                found.push(element.get().to_owned());
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
