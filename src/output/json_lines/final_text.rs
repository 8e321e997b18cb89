//! The final message in the last line of a turn: written piece by piece from the text that is held, because it may be as long as
//! an answer can be.

use std::io::{self, Write};

use crate::wire::raw_text::{RawText, TextPiece};

/// Writes the text as a JSON string.
pub(super) fn write_string(text: &RawText<'_>, out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"\"")?;
    text.each(|piece| match piece {
        TextPiece::Plain(text) => out.write_all(text.as_bytes()),
        TextPiece::Escaped(character) => {
            let string = serde_json::to_string(&character)?;
            let escaped = string.get(1..string.len() - 1).unwrap_or_default();
            out.write_all(escaped.as_bytes())
        }
    })?;
    out.write_all(b"\"")
}

/// Writes the text, which is JSON, as JSON on one line. A string of JSON contains no line end, so every one is between tokens.
pub(super) fn write_json(text: &RawText<'_>, out: &mut impl Write) -> io::Result<()> {
    text.each(|piece| match piece {
        TextPiece::Plain(text) => out.write_all(text.as_bytes()),
        TextPiece::Escaped('\n' | '\r') => out.write_all(b" "),
        TextPiece::Escaped(character) => {
            out.write_all(character.encode_utf8(&mut [0; 4]).as_bytes())
        }
    })
}
