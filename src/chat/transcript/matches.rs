//! Finds words in a text, whatever their case.

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
        let starts = text.char_indices().map(|(at, _)| at);
        starts.filter(|at| self.begins(&text[*at..]))
    }

    fn begins(&self, text: &str) -> bool {
        let first = self.lower[0];
        if let Some(byte) = text.bytes().next().filter(u8::is_ascii) {
            if char::from(byte.to_ascii_lowercase()) != first {
                return false;
            }
        }
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
