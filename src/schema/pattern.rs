//! Regular expressions of schemas (ECMA-262 with the `u` flag, unanchored), translated for regex-lite. What that does
//! not support, above all lookaround and backreferences, is rejected with its error message.

use std::fmt::Write as _;

use regex_lite::Regex;

/// White space and line terminators of ECMA-262 (sections 12.2 and 12.3), as the content of a character class.
const SPACE: &str = r"\t\n\x0B\x0C\r \u{A0}\u{1680}\u{2000}-\u{200A}\u{2028}\u{2029}\u{202F}\u{205F}\u{3000}\u{FEFF}";

/// A compiled pattern with its source.
#[derive(Clone, Debug)]
pub(super) struct SchemaPattern {
    /// The pattern as written in the schema.
    pub(super) text: String,
    regex: Regex,
}

impl SchemaPattern {
    /// # Errors
    /// The reason why the pattern is not supported.
    pub(super) fn new(text: &str) -> Result<Self, String> {
        let regex = Regex::new(&translated(text)).map_err(|error| error.to_string())?;
        Ok(Self {
            text: text.to_owned(),
            regex,
        })
    }

    pub(super) fn fits(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

/// The expression rewritten where the two dialects differ.
fn translated(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut class = None; // inside a class, the number of its characters so far
    while let Some(c) = chars.next() {
        let inside = class.is_some();
        match c {
            '\\' => match chars.next() {
                Some('s') if inside => out.push_str(SPACE),
                Some('s') => _ = write!(out, "[{SPACE}]"),
                Some('S') if !inside => _ = write!(out, "[^{SPACE}]"),
                Some('b') if inside => out.push_str(r"\x08"),
                Some('0') if !chars.peek().is_some_and(char::is_ascii_digit) => {
                    out.push_str(r"\x00");
                }
                Some('c') if chars.peek().is_some_and(char::is_ascii_alphabetic) => {
                    let letter = chars.next().map_or(0, |letter| letter as u32);
                    _ = write!(out, r"\x{:02X}", letter % 32);
                }
                Some('/') => out.push('/'),
                // These have a different or no meaning in ECMA-262; `\q` is invalid in both dialects.
                Some('a' | 'A' | 'z' | '<' | '>' | 'U') => out.push_str(r"\q"),
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push('\\'),
            },
            '[' if !inside => {
                let negated = chars.next_if_eq(&'^').is_some();
                if chars.next_if_eq(&']').is_some() {
                    // The empty class, or the class of everything.
                    out.push_str(if negated { r"[\s\S]" } else { r"[^\s\S]" });
                    continue;
                }
                out.push_str(if negated { "[^" } else { "[" });
                class = Some(0_usize);
                continue;
            }
            ']' if inside => {
                out.push(']');
                class = None;
            }
            // Nested classes and set operations begin with these.
            '[' | '&' | '~' if inside => {
                out.push('\\');
                out.push(c);
            }
            // A hyphen that begins the class, or ends a range.
            '-' if class == Some(0) => out.push_str(r"\-"),
            '-' if inside && chars.next_if_eq(&'-').is_some() => out.push_str(r"-\-"),
            '.' if !inside => out.push_str(r"[^\n\r\u{2028}\u{2029}]"),
            _ => out.push(c),
        }
        class = class.map(|length| length + 1);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_follow_ecma_262() {
        let check = |pattern: &str, text: &str, expected: Result<bool, &str>| {
            let fits = SchemaPattern::new(pattern).map(|pattern| pattern.fits(text));
            assert_eq!(
                fits.as_ref().map_err(String::as_str).copied(),
                expected,
                "{pattern} {text:?}"
            );
        };
        check("a+", "baab", Ok(true)); // unanchored
        check(r"^\/v\d+\/$", "/v12/", Ok(true));
        check(r"^\s$", "\u{feff}", Ok(true));
        check(r"^[\sx]$", "\u{2003}", Ok(true));
        check(r"^\S$", "\u{a0}", Ok(false));
        check(r"^\cJ$", "\n", Ok(true));
        check(r"^.$", "\u{2028}", Ok(false));
        check(r"^.$", "\u{1f600}", Ok(true));
        check(r"^[.]$", "x", Ok(false));
        check(r"^[[&&~~]+$", "[&~", Ok(true));
        check(r"^[^[]$", "[", Ok(false));
        check(r"^[a--]$", "-", Err("invalid range in character class"));
        check(r"^[+--]$", ",", Ok(true)); // from + to -
        check(r"^[^]$", "\n", Ok(true));
        check("[]", "x", Ok(false));
        check(r"^[\b]\0$", "\u{8}\0", Ok(true));
        check(r"^\u00e9$", "\u{e9}", Ok(true));
        check(r"^(?<year>\d{4})-\d\d$", "2026-11", Ok(true));
        check(r"^[0-9a-f]{40}$", "a", Ok(false));
        check("(?=a)", "a", Err("look-around is not supported"));
        check(r"(a)\1", "aa", Err("backreferences are not supported"));
        check(r"a\z", "a", Err("unrecognized escape sequence"));
        check("(", "", Err("found open group without closing ')'"));
    }
}
