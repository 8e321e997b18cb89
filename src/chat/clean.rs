//! Text of the model, of tools and of files as it may stand in a line of the screen.

use std::borrow::Cow;

use super::width::width;
use crate::output::visible::visible;

/// Columns between two tab stops, as terminals have them.
const TAB_COLUMNS: usize = 8;

/// A line of text with control characters made visible and tabs as blanks. The text must not contain a line end; one that
/// it contains all the same is a blank.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
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
        assert!(matches!(clean("日本"), Cow::Borrowed(_)));
    }
}
