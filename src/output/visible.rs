//! Makes text safe to print on a terminal.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::text::push_control;

/// Replaces each control character except line feed and tab by `^X`, as `cat -v` does, and each character that
/// changes the text direction or is a hidden line separator by `<U+202E>`: text from a model must neither control the
/// terminal nor pass for something it is not.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let bends = |c: char| {
        // Unicode's bidirectional embeddings, overrides and isolates (UAX 9), and its two separators.
        matches!(c, '\u{2028}'..='\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let steers = |c: char| bends(c) || (c.is_control() && c != '\n' && c != '\t');
    if !text.contains(steers) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match u32::from(c) {
            _ if !steers(c) => shown.push(c),
            code @ 0x2028.. => {
                let _ = write!(shown, "<U+{code:04X}>");
            }
            _ => push_control(&mut shown, c),
        }
    }
    Cow::Owned(shown)
}

/// The same on a single line: line ends and tabs are made visible too, so that text quoted in one of our lines cannot
/// pass for further lines.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    let shown = visible(text);
    if !shown.contains(['\n', '\t']) {
        return shown;
    }
    Cow::Owned(shown.replace('\n', "^J").replace('\t', "^I"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deceptive_characters_are_shown_as_code_points() {
        let check = |text: &str, expected: &str| assert_eq!(visible(text), expected);
        let one = |text: &str, expected: &str| assert_eq!(line(text), expected);
        one("a\r\nfrom\t\u{1b}[2J", "a^M^Jfrom^I^[[2J");
        one("a b", "a b");
        check("rm \u{202e}cba\u{2069}", "rm <U+202E>cba<U+2069>");
        check("a\u{2028}b\u{2066}", "a<U+2028>b<U+2066>");
        check(
            "naïve \u{5d0}\u{200f} \u{1f600}",
            "naïve \u{5d0}\u{200f} \u{1f600}",
        );
    }
}
