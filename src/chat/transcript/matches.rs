//! Finds words in a text, whatever their case.

use crate::text::ceil;

/// What is searched for.
pub(super) struct Words {
    /// In lower case.
    lower: Vec<char>,
}

impl Words {
    /// Words to search for, if there are any.
    pub(super) fn new(words: &str) -> Option<Self> {
        let lower: Vec<char> = words.chars().flat_map(char::to_lowercase).collect();
        (!lower.is_empty()).then_some(Self { lower })
    }

    /// The bytes of the text at which the words begin.
    pub(super) fn places<'a>(&'a self, text: &'a str) -> impl Iterator<Item = usize> + 'a {
        let mut from = 0;
        std::iter::from_fn(move || {
            while let Some(at) = self.candidate(text, from) {
                from = ceil(text, at + 1);
                if self.begins(&text[at..]) {
                    return Some(at);
                }
            }
            None
        })
    }

    /// Where the first character stands from here on, or may stand.
    fn candidate(&self, text: &str, from: usize) -> Option<usize> {
        let rest = &text[from..];
        let found = match u8::try_from(self.lower[0]) {
            Ok(first) if first.is_ascii() => {
                memchr::memchr2(first, first.to_ascii_uppercase(), rest.as_bytes())
            }
            _ => rest.bytes().position(|byte| !byte.is_ascii()),
        };
        Some(from + found?)
    }

    fn begins(&self, text: &str) -> bool {
        let mut lower = text.chars().flat_map(char::to_lowercase);
        self.lower.iter().all(|c| lower.next() == Some(*c))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case() {
        let check = |words: &str, text: &str, expected: &[usize]| {
            let words = Words::new(words).expect("some words");
            assert_eq!(words.places(text).collect::<Vec<_>>(), expected);
        };
        check("Two", "two TWO tw", &[0, 4]);
        check("aa", "aaa", &[0, 1]);
        check("ÄÖ", "x äö ÄÖ", &[2, 7]);
        check("本", "日本", &[3]);
        check("x", "", &[]);
        assert!(Words::new("").is_none());
    }
}
