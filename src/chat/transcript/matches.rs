//! Finds words in a text, whatever their case.

use std::ops::Range;

use crate::chat::style::{Line, Span};
use crate::chat::wrap::QUOTE;
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

    /// The row with the words in it reversed. Of words that begin at its end and go on in the next row, both.
    pub(super) fn mark(&self, row: &Line, next: Option<&Line>) -> Vec<Line> {
        let text = text_of(row);
        let found: Vec<Range<usize>> = self
            .places(&text)
            .filter_map(|at| Some(at..at + self.length(&text[at..])?))
            .collect();
        if !found.is_empty() {
            return vec![reversed(row, &found)];
        }
        let below = next.map(text_of).unwrap_or_default();
        let indent = below.len() - below.trim_start_matches([QUOTE, ' ']).len();
        // Rows are broken at a blank, which neither of them has, or within a word.
        for between in [" ", ""] {
            let joined = format!("{text}{between}{}", &below[indent..]);
            let across = self.places(&joined).find_map(|at| {
                let end = at + self.length(&joined[at..])?;
                (at < text.len() && end > text.len()).then_some((at, end))
            });
            if let (Some((at, end)), Some(next)) = (across, next) {
                let end = (end - text.len()).saturating_sub(between.len());
                let below = reversed(next, &[indent..indent + end]);
                return vec![reversed(row, &[at..text.len()]), below];
            }
        }
        vec![row.clone()]
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

    /// The bytes of the words at the beginning of a text.
    fn length(&self, text: &str) -> Option<usize> {
        let mut left = self.lower.len();
        for (at, c) in text.char_indices() {
            if left == 0 {
                return Some(at);
            }
            left = left.saturating_sub(c.to_lowercase().count());
        }
        (left == 0).then_some(text.len())
    }
}

fn text_of(line: &Line) -> String {
    line.0.iter().map(|span| span.text.as_str()).collect()
}

/// A line with these bytes of its text reversed; they are in order.
fn reversed(line: &Line, ranges: &[Range<usize>]) -> Line {
    let mut marked = Line::default();
    let mut start = 0;
    for span in &line.0 {
        let end = start + span.text.len();
        let edges = ranges.iter().flat_map(|range| [range.start, range.end]);
        let mut edges: Vec<usize> = edges.map(|edge| edge.clamp(start, end)).collect();
        edges.push(end);
        edges.sort_unstable();
        let mut from = start;
        for to in edges {
            if to > from {
                let is_marked = ranges.iter().any(|range| range.contains(&from));
                marked.0.push(Span {
                    text: span.text[from - start..to - start].to_owned(),
                    style: if is_marked {
                        span.style.reverse()
                    } else {
                        span.style
                    },
                });
                from = to;
            }
        }
        start = end;
    }
    marked
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

    #[test]
    fn the_words_are_marked_and_nothing_else() {
        use crate::chat::style::Style;

        let check = |words: &str, rows: &[&str], expected: &[&str]| {
            let words = Words::new(words).expect("some words");
            // Every character in a span of its own, so that words go across spans.
            let line = |text: &&str| {
                let spans = text.chars().map(|c| Span {
                    text: c.to_string(),
                    style: Style::default(),
                });
                Line(spans.collect())
            };
            let rows: Vec<Line> = rows.iter().map(line).collect();
            let marked = words.mark(&rows[0], rows.get(1));
            let shown = marked.iter().map(|line| {
                let spans = line.0.iter().map(|span| match span.style.reverse {
                    true => span.text.to_uppercase(),
                    false => span.text.clone(),
                });
                spans.collect::<String>()
            });
            assert_eq!(shown.collect::<Vec<_>>(), expected);
        };
        check("two", &["one two two x", "two"], &["one TWO TWO x"]);
        check("ö", &["aöb"], &["aÖb"]);
        check("two wo", &["one two", "  words"], &["one TWO", "  WOrds"]);
        check("words", &["▏ long wo", "▏ rds"], &["▏ long WO", "▏ RDS"]);
        check("two", &["one", "two"], &["one"]);
        let line = Line::of("one two", Style::default());
        let marked = Words::new("e t").expect("some words").mark(&line, None);
        assert_eq!(marked[0].0.len(), 3, "{marked:?}");
    }
}
