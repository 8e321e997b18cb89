//! Text of the model, of tools and of files as it may stand in a line of the screen.

use std::borrow::Cow;

use super::width::{is_plain, width};
use crate::output::visible::visible;

/// Columns between two tab stops, as terminals have them.
const TAB_COLUMNS: usize = 8;

/// A line of text with control characters made visible and tabs as blanks. The text must not contain a line end; one that
/// it contains all the same is a blank.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    // The first bytes of the characters that are made visible: control characters and U+0080 to U+009F, U+2000 to U+2FFF.
    let odd = |byte: u8| matches!(byte, ..b' ' | 0x7f | 0xc2 | 0xe2);
    if is_plain(text.as_bytes()) || !text.bytes().any(odd) {
        return Cow::Borrowed(text);
    }
    let shown = visible(text);
    if !shown.contains(['\t', '\n']) {
        return shown;
    }
    let mut clean = String::with_capacity(shown.len() + TAB_COLUMNS);
    let mut column = 0;
    for (n, piece) in shown.split(['\t', '\n']).enumerate() {
        if n > 0 {
            let blanks = TAB_COLUMNS - column % TAB_COLUMNS;
            clean.extend(std::iter::repeat_n(' ', blanks));
            column += blanks;
        }
        clean.push_str(piece);
        column += width(piece);
    }
    Cow::Owned(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tabs_are_blanks_and_control_characters_are_visible() {
        let check = |text: &str, expected: &str| assert_eq!(clean(text), expected);
        check("plain", "plain");
        check("\ta\tb", "        a       b");
        check("日本\tx", "日本    x");
        check("1234567\t8", "1234567 8");
        check("12345678\t9", "12345678        9");
        check("\u{1b}[1mred\r", "^[[1mred^M");
        check("a\u{9b}…\u{202e}", "a\\x9b…<U+202E>");
        assert!(matches!(clean("日本"), Cow::Borrowed(_)));
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            if !matches!(c, '\t' | '\n') {
                assert_eq!(clean(&text), visible(&text));
            }
        }
    }
}
