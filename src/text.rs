//! Cutting text at character boundaries, and putting it on one line.

use std::borrow::Cow;
use std::fmt::Write as _;

/// The last character boundary at or before this byte. In std from Rust 1.91 on, as `str::floor_char_boundary`.
#[must_use]
pub fn floor(text: &str, byte: usize) -> usize {
    let most = text.len().min(byte);
    let boundary = (0..=most).rev().find(|at| text.is_char_boundary(*at));
    boundary.unwrap_or_default()
}

/// The first character boundary at or after this byte.
#[must_use]
pub fn ceil(text: &str, byte: usize) -> usize {
    let boundary = (byte..=text.len()).find(|at| text.is_char_boundary(*at));
    boundary.unwrap_or(text.len())
}

/// The beginning of a string, at most this many bytes.
#[must_use]
pub fn first_bytes(text: &str, most: usize) -> &str {
    &text[..floor(text, most)]
}

/// The beginning of a string, at most this many characters.
#[must_use]
pub fn first_characters(text: &str, most: usize) -> &str {
    let end = text.char_indices().nth(most);
    &text[..end.map_or(text.len(), |(at, _)| at)]
}

/// The text; cut to at most this many bytes, followed by ` ...`, if it is longer.
#[must_use]
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{} ...", first_bytes(text, most)))
}

/// The text on one line: words separated by single blanks, control characters made visible.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        for c in word.chars() {
            if c.is_control() {
                push_control(&mut line, c);
            } else {
                line.push(c);
            }
        }
    }
    line
}

/// Adds a control character as `^X`, as `cat -v` shows it, or by its number.
pub fn push_control(text: &mut String, c: char) {
    match u32::from(c) {
        0x7f => text.push_str("^?"),
        code @ 0..0x20 => {
            text.push('^');
            text.push(char::from_u32(code + 0x40).unwrap_or('?'));
        }
        code => {
            let _ = write!(text, "\\x{code:02x}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_separates_words_and_control_characters_are_visible() {
        assert_eq!(
            one_line("\u{1b}[2J a\tb\0\u{7f}c\n\u{2028} \r\n d\u{9b} "),
            "^[[2J a b^@^?c d\\x9b"
        );
        assert_eq!(one_line(" \n"), "");
    }

    #[test]
    fn no_character_is_cut() {
        let text = "a\u{20ac}b\u{1f980}";
        let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        for byte in 0..text.len() + 3 {
            let (before, after) = (floor(text, byte), ceil(text, byte));
            let ends = |at: &usize| boundaries.contains(at) || *at == text.len();
            assert!(ends(&before) && ends(&after), "{byte}");
            assert!(before <= byte && after >= byte.min(text.len()), "{byte}");
            assert!(after - before <= 4, "{byte}");
            let found = shortened(text, byte);
            assert_eq!(
                found.ends_with(" ..."),
                byte < text.len(),
                "{byte}: {found}"
            );
        }
        let firsts: Vec<&str> = (0..6).map(|most| first_characters(text, most)).collect();
        assert_eq!(firsts, ["", "a", "a\u{20ac}", "a\u{20ac}b", text, text]);
    }
}
