//! Text as the service sent it, in JSON strings. It is passed on in pieces, so that a long text is not copied.

use std::borrow::Cow;

use memchr::arch::all::is_equal;

use super::fingerprint::Fingerprint;
use super::json::{decode_part, escape};

/// A text, as the insides of JSON strings whose texts follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawText<'a> {
    strings: Vec<&'a str>,
}

/// Size of a piece of a text that is decoded at once, in bytes. Text without escapes after it may be longer.
const BLOCK_BYTES: usize = 4 << 10;

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextPiece<'a> {
    /// Text without a quote, backslash or control character.
    Plain(&'a str),
    /// A character that was escaped.
    Escaped(char),
}

impl<'a> RawText<'a> {
    /// Appends a JSON string, with its quotes; returns `None` if it is not one.
    pub fn push(&mut self, string: &'a str) -> Option<()> {
        let inside = string.strip_prefix('"')?.strip_suffix('"')?;
        self.strings.push(inside);
        Some(())
    }

    /// Its length in bytes, as it was sent.
    #[must_use]
    pub fn raw_length(&self) -> usize {
        self.strings.iter().map(|string| string.len()).sum()
    }

    /// The whole text, borrowed if it is one string without an escape.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        match *self.strings {
            [] => Cow::Borrowed(""),
            [only] if memchr::memchr(b'\\', only.as_bytes()).is_none() => Cow::Borrowed(only),
            _ => Cow::Owned(self.after(0)),
        }
    }

    /// The text after its first `bytes` bytes, which end at a character.
    pub(super) fn after(&self, bytes: usize) -> String {
        let (mut text, mut skipped) = (String::new(), bytes);
        self.each_str(|piece| {
            let from = skipped.min(piece.len());
            skipped -= from;
            text.push_str(piece.get(from..).unwrap_or_default());
            true
        });
        text
    }

    /// The length of the text in bytes; `None` if it does not begin like this.
    pub(super) fn length_after(&self, start: &str) -> Option<usize> {
        let (mut rest, mut length, mut begins) = (start.as_bytes(), 0, true);
        self.each_str(|piece| {
            let common = rest.len().min(piece.len());
            begins = is_equal(&rest[..common], &piece.as_bytes()[..common]);
            rest = &rest[common..];
            length += piece.len();
            begins
        });
        (begins && rest.is_empty()).then_some(length)
    }

    /// Whether it contains more than white space.
    pub(super) fn has_text(&self) -> bool {
        let mut found = false;
        self.each_str(|piece| {
            found = !piece.trim().is_empty();
            !found
        });
        found
    }

    /// Its fingerprint.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut all = Fingerprint::default();
        self.each_str(|piece| {
            all.add(piece);
            true
        });
        all.value()
    }

    /// Passes on the text in large pieces, until the callback returns false.
    fn each_str(&self, mut take: impl FnMut(&str) -> bool) {
        let mut block = String::new();
        for string in &self.strings {
            let mut rest = *string;
            while !rest.is_empty() {
                let plain = memchr::memchr(b'\\', rest.as_bytes()).unwrap_or(rest.len());
                // A long text without escapes need not be copied.
                let (piece, used) = if plain == rest.len() || plain >= BLOCK_BYTES {
                    (&rest[..plain], plain)
                } else {
                    let used = decode_part(rest.as_bytes(), plain, BLOCK_BYTES, &mut block);
                    (&*block, used.unwrap_or(rest.len()))
                };
                if !take(piece) {
                    return;
                }
                rest = rest.get(used..).unwrap_or_default();
            }
        }
    }

    /// Passes on the pieces in order, until one fails.
    ///
    /// # Errors
    /// That of the callback.
    pub fn each<E>(&self, mut take: impl FnMut(TextPiece<'_>) -> Result<(), E>) -> Result<(), E> {
        for string in &self.strings {
            let mut rest = *string;
            while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
                if at > 0 {
                    take(TextPiece::Plain(&rest[..at]))?;
                }
                let (character, length) = escape(&rest[at..]);
                take(TextPiece::Escaped(character))?;
                rest = rest.get(at + length..).unwrap_or_default();
            }
            if !rest.is_empty() {
                take(TextPiece::Plain(rest))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::super::fingerprint::fingerprint;
    use super::*;

    #[test]
    fn strings_are_passed_on_in_pieces() {
        let mut text = RawText::default();
        for string in [r#""a\n\u00e9b""#, r#""""#, r#""\"\ud83d\ude00""#, r#""c""#] {
            text.push(string).expect("a string");
        }
        assert_eq!(text.push("7"), None);
        let mut pieces = Vec::new();
        let Ok(()) = text.each(|piece| {
            pieces.push(format!("{piece:?}"));
            Ok::<(), Infallible>(())
        });
        let expected = [
            r#"Plain("a")"#,
            r"Escaped('\n')",
            "Escaped('é')",
            r#"Plain("b")"#,
            r#"Escaped('"')"#,
            "Escaped('😀')",
            r#"Plain("c")"#,
        ];
        assert_eq!(pieces, expected);
    }

    #[test]
    fn long_texts_are_the_same_however_their_escapes_lie() {
        let plain = "é".repeat(BLOCK_BYTES / 2 - 3);
        for parts in ["\\n", "p\\u00e9", "pp\\\\", "\\np", "p\\np\\np\\n"] {
            let inside = parts.replace('p', &plain).repeat(3) + &"\\t".repeat(2 * BLOCK_BYTES);
            let string = format!("\"{inside}\"");
            let mut raw = RawText::default();
            raw.push(&string).expect("a string");
            let whole: String = serde_json::from_str(&string).expect("JSON");
            assert_eq!(raw.after(0), whole);
            assert_eq!(raw.after(whole.len() - 5), whole[whole.len() - 5..]);
            assert_eq!(raw.length_after(&whole), Some(whole.len()));
            assert_eq!(raw.fingerprint(), fingerprint(&whole));
        }
    }

    /// Every text of up to three of these strings, compared with the decoded one.
    #[test]
    fn a_text_in_pieces_is_the_same_as_the_whole() {
        let strings = [
            r#""""#,
            r#""a é""#,
            r#"" \n""#,
            r#""\u00e9a\ud83d\ude00""#,
            r#""\"b""#,
        ];
        let all = strings.iter().flat_map(|one| {
            let two = strings.iter().map(move |two| vec![*one, *two]);
            let three = strings.iter().map(move |three| vec![*one, "\"a\"", *three]);
            two.chain(three).chain([vec![*one]])
        });
        for strings in all {
            let (mut raw, mut whole) = (RawText::default(), String::new());
            for string in &strings {
                raw.push(string).expect("a string");
                whole += &serde_json::from_str::<String>(string).expect("JSON");
            }
            assert_eq!(raw.text(), whole);
            assert_eq!(raw.has_text(), !whole.trim().is_empty(), "{strings:?}");
            assert_eq!(raw.fingerprint(), fingerprint(&whole), "{strings:?}");
            for (at, _) in whole.char_indices().chain([(whole.len(), ' ')]) {
                assert_eq!(raw.after(at), whole[at..], "{strings:?}");
                let length = raw.length_after(&whole[..at]);
                assert_eq!(length, Some(whole.len()), "{strings:?}");
                let other = format!("{}x", &whole[..at]);
                assert_eq!(raw.length_after(&other), None, "{strings:?}");
            }
        }
    }
}
