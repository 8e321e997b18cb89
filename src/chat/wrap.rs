//! Breaks styled text into rows: at blanks and next to wide characters, and inside a word only if it is longer than a row.
//! The rows after the first are indented as far as the text of the first: behind its blanks, the marks of a quotation, which are
//! repeated, and the marker of a list.

use std::ops::Range;

use super::style::{Line, Span, Style};
use super::width::{clusters, is_plain, width};

/// The mark of a quotation. It differs from `>`, which is before the user's questions.
pub const QUOTE: char = '▏';

/// A line of text, with the end and the style of each of its runs. It can be emptied and used again, which spares the memory
/// of a `Line` for text that is only measured.
#[derive(Clone, Debug, Default)]
pub struct StyledText {
    text: String,
    runs: Vec<(usize, Style)>,
}

impl StyledText {
    /// The text without its styles.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Removes everything.
    pub fn clear(&mut self) {
        self.text.clear();
        self.runs.clear();
    }

    /// Adds text in one style.
    pub fn push(&mut self, text: &str, style: Style) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        let end = self.text.len();
        match self.runs.last_mut() {
            Some((last, same)) if *same == style => *last = end,
            _ => self.runs.push((end, style)),
        }
    }

    /// Adds the spans of a line.
    pub fn push_line(&mut self, line: &Line) {
        for span in &line.0 {
            self.push(&span.text, span.style);
        }
    }

    /// The part of the text in this range as a line.
    #[must_use]
    pub fn line(&self, range: Range<usize>) -> Line {
        let mut line = Line::default();
        let mut start = range.start;
        let first = self.runs.partition_point(|(end, _)| *end <= start);
        for (end, style) in &self.runs[first..] {
            let end = range.end.min(*end);
            if end <= start {
                break;
            }
            let text = self.text[start..end].to_owned();
            let style = *style;
            line.0.push(Span { text, style });
            start = end;
        }
        line
    }

    /// The rows of the text at this width.
    #[must_use]
    pub fn rows(&self, columns: usize) -> Vec<Line> {
        let breaks = Breaks::new(&self.text, columns);
        let marks = &self.text[..quotes(&self.text).min(breaks.from)];
        let blanks = breaks.indent.saturating_sub(width(marks));
        let indent = format!("{marks}{}", " ".repeat(blanks));
        let style = self.runs.first().map(|(_, style)| *style);
        let style = style.filter(|_| !marks.is_empty()).unwrap_or_default();
        let mut rows: Vec<Line> = breaks.map(|range| self.line(range)).collect();
        if !indent.is_empty() {
            for row in rows.iter_mut().skip(1) {
                let text = indent.clone();
                row.0.insert(0, Span { text, style });
            }
        }
        rows
    }
}

/// The rows of a line at this width. Blanks where it is broken are left out.
#[must_use]
pub fn wrap(line: &Line, columns: usize) -> Vec<Line> {
    let mut text = StyledText::default();
    text.push_line(line);
    text.rows(columns)
}

/// The parts of a text that are its rows, at least one; the blanks between them are left out. A row is wider than `columns`
/// only if it is a single wide character.
pub struct Breaks<'a> {
    text: &'a str,
    columns: usize,
    /// Blanks before each row but the first.
    indent: usize,
    /// The first byte at which a row may be broken.
    from: usize,
    /// Where the next row begins.
    next: Option<usize>,
}

impl<'a> Breaks<'a> {
    /// Breaks a text at this width.
    #[must_use]
    pub fn new(text: &'a str, columns: usize) -> Self {
        let (bytes, indent) = beginning(text);
        let keeps = indent <= columns / 2;
        Self {
            text,
            columns: columns.max(1),
            indent: if keeps { indent } else { 0 },
            from: if keeps { bytes } else { 0 },
            next: Some(0),
        }
    }
}

impl Iterator for Breaks<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.next?;
        let room = match start {
            0 => self.columns,
            _ => self.columns - self.indent,
        };
        let rest = &self.text[start..];
        let from = self.from.saturating_sub(start);
        let row = plain_row(rest, room, from).unwrap_or_else(|| any_row(rest, room, from));
        self.next = (row.next < rest.len()).then_some(start + row.next);
        Some(start..start + row.end)
    }
}

/// Where a row ends, and where the next one begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct WrappedRow {
    end: usize,
    next: usize,
}

/// The first row of a text, if what may belong to it is printable ASCII.
fn plain_row(text: &str, room: usize, from: usize) -> Option<WrappedRow> {
    let bytes = text.as_bytes();
    let reach = &bytes[..bytes.len().min(room + 1)];
    if !is_plain(reach) {
        return None;
    }
    if reach.len() <= room {
        let end = bytes.len();
        return Some(WrappedRow { end, next: end });
    }
    let blank = reach.iter().rposition(|byte| *byte == b' ');
    let Some(blank) = blank.filter(|blank| *blank >= from) else {
        // A character that combines with the last one would be the next byte, which is ASCII.
        return Some(WrappedRow {
            end: room,
            next: room,
        });
    };
    let word_end = reach[from..blank].iter().rposition(|byte| *byte != b' ');
    let after = bytes[blank..].iter().position(|byte| *byte != b' ');
    Some(WrappedRow {
        end: word_end.map_or(from, |at| from + at + 1),
        next: after.map_or(bytes.len(), |at| blank + at),
    })
}

/// The first row of a text.
fn any_row(text: &str, room: usize, from: usize) -> WrappedRow {
    let mut used = 0;
    let mut at = 0;
    let mut last: Option<WrappedRow> = None;
    let mut in_blanks = false;
    let mut after_wide = false;
    for (cluster, columns) in clusters(text) {
        let end = at + cluster.len();
        if cluster == " " {
            match &mut last {
                Some(last) if in_blanks => last.next = end,
                _ if at >= from => {
                    last = Some(WrappedRow { end: at, next: end });
                    in_blanks = true;
                }
                _ => {}
            }
            after_wide = false;
        } else {
            let wide = columns > 1;
            if (wide || after_wide) && !in_blanks && at >= from && at > 0 {
                last = Some(WrappedRow { end: at, next: at });
            }
            if used + columns > room {
                let here = if at == 0 { end } else { at };
                return last.unwrap_or(WrappedRow {
                    end: here,
                    next: here,
                });
            }
            in_blanks = false;
            after_wide = wide;
        }
        used += columns;
        at = end;
    }
    match last {
        Some(last) if used > room => last,
        _ => WrappedRow { end: at, next: at },
    }
}

/// The marks of a quotation at the beginning of a text, in bytes, with the blanks after them.
fn quotes(text: &str) -> usize {
    let mut rest = text;
    while let Some(quoted) = rest.strip_prefix(QUOTE) {
        rest = quoted.strip_prefix(' ').unwrap_or(quoted);
    }
    text.len() - rest.len()
}

/// The marks, the blanks and the marker of a list at the beginning of a text: bytes and columns.
fn beginning(text: &str) -> (usize, usize) {
    let (marks, quoted) = text.split_at(quotes(text));
    let (bytes, columns) = list_beginning(quoted);
    (marks.len() + bytes, width(marks) + columns)
}

/// The blanks at the beginning of a text with the marker of a list after them: bytes and columns.
fn list_beginning(text: &str) -> (usize, usize) {
    let blanks = text.len() - text.trim_start_matches(' ').len();
    let rest = &text[blanks..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let marker = match rest.chars().next() {
        Some(c @ ('-' | '*' | '+' | '•')) => c.len_utf8(),
        Some('0'..='9') if digits <= 3 && rest[digits..].starts_with(['.', ')']) => digits + 1,
        _ => return (blanks, blanks),
    };
    let after = &rest[marker..];
    let gap = after.len() - after.trim_start_matches(' ').len();
    if gap == 0 {
        return (blanks, blanks);
    }
    (blanks + marker + gap, blanks + width(&rest[..marker]) + gap)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, columns: usize) -> Vec<String> {
        let line = Line::of(text, Style::default());
        let text = |line: Line| line.0.into_iter().map(|span| span.text).collect();
        wrap(&line, columns).into_iter().map(text).collect()
    }

    #[test]
    fn text_is_broken_at_words() {
        let check = |text: &str, columns: usize, expected: &[&str]| {
            assert_eq!(rows(text, columns), expected, "{text:?} at {columns}");
        };
        check("", 5, &[""]);
        check("one two three", 7, &["one two", "three"]);
        check("one two three", 8, &["one two", "three"]);
        check("one   two", 4, &["one", "two"]);
        check(
            "a incomprehensible b",
            6,
            &["a", "incomp", "rehens", "ible b"],
        );
        check("  two words", 8, &["  two", "  words"]);
        check("- a list item", 8, &["- a list", "  item"]);
        check("• a list item", 8, &["• a list", "  item"]);
        check("▏ a quoted text", 10, &["▏ a quoted", "▏ text"]);
        check("▏ ▏ • a list item", 12, &["▏ ▏ • a list", "▏ ▏   item"]);
        check("▏ abcdef", 4, &["▏ ab", "▏ cd", "▏ ef"]);
        check("12. a list item", 10, &["12. a list", "    item"]);
        check("- a list", 3, &["- a", "lis", "t"]);
        check("2026. year", 6, &["2026.", "year"]);
        check("日本語 text 日本", 6, &["日本語", "text", "日本"]);
        check("see 日本語", 7, &["see 日", "本語"]);
        check("日", 1, &["日"]);
        check(
            "e\u{301}e\u{301}e\u{301}",
            2,
            &["e\u{301}e\u{301}", "e\u{301}"],
        );
        check("abc ", 3, &["abc"]);
        check("   ", 2, &[""]);
    }

    #[test]
    fn styles_stay_with_their_text() {
        let (plain, bold) = (Style::default(), Style::default().bold());
        let span = |text: &str, style: Style| Span {
            text: text.to_owned(),
            style,
        };
        let line = Line(vec![span("- one ", plain), span("two three", bold)]);
        let expected = [
            Line(vec![span("- one ", plain), span("two", bold)]),
            Line(vec![span("  ", plain), span("three", bold)]),
        ];
        assert_eq!(wrap(&line, 9), expected);
    }

    /// Every text of up to six of these characters.
    fn texts() -> Vec<String> {
        let mut all = vec![String::new()];
        let mut from = 0;
        for _ in 0..6 {
            let to = all.len();
            for n in from..to {
                for c in [" ", "a", "-", "日", "e\u{301}"] {
                    let text = format!("{}{c}", all[n]);
                    all.push(text);
                }
            }
            from = to;
        }
        all
    }

    #[test]
    fn rows_fit_and_keep_everything_but_blanks() {
        let solid = |text: &str| text.replace(' ', "");
        for text in texts() {
            for columns in 1..8 {
                let mut before = 0;
                for range in Breaks::new(&text, columns) {
                    let left_out = &text[before..range.start];
                    assert_eq!(left_out.trim_matches(' '), "", "{text:?} at {columns}");
                    before = range.end;
                }
                assert_eq!(text[before..].trim_matches(' '), "", "{text:?}");
                let rows = rows(&text, columns);
                assert_eq!(solid(&rows.concat()), solid(&text), "{text:?} at {columns}");
                for row in &rows {
                    let fits = width(row) <= columns || solid(row) == "日";
                    assert!(fits, "{text:?} at {columns}: {row:?}");
                }
            }
        }
    }

    #[test]
    fn both_ways_to_find_a_row_agree() {
        for text in texts().iter().filter(|text| text.is_ascii()) {
            for room in 1..8 {
                for from in 0..=text.len().min(room / 2) {
                    // What may not be broken ends with a character that is no blank, or is all blanks.
                    if text[from..].starts_with(' ') && from > 0 {
                        continue;
                    }
                    let plain = plain_row(text, room, from).expect("ASCII");
                    assert_eq!(plain, any_row(text, room, from), "{text:?} {room} {from}");
                }
            }
        }
    }
}
