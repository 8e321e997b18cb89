//! Text as the service sent it, in JSON strings. It is passed on in pieces, so that a long text is not copied.

use super::json::escape;

/// A text, as the insides of JSON strings whose texts follow each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawText<'a> {
    strings: Vec<&'a str>,
}

/// A piece of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextPiece<'a> {
    /// Text without a quote, backslash or control character.
    Plain(&'a str),
    /// A character that was escaped.
    Escaped(char),
}

impl<'a> RawText<'a> {
    /// Appends a JSON string, with its quotes; `None` if it is not one.
    pub(super) fn push(&mut self, string: &'a str) -> Option<()> {
        let inside = string.strip_prefix('"')?.strip_suffix('"')?;
        self.strings.push(inside);
        Some(())
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
}
