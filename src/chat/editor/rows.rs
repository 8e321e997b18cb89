//! The rows that the question takes on the screen, as ranges of its text: wrapped at words, and a longer word at the width.
//! Nothing is left out, so each place in the text has a cell.

use std::borrow::Cow;

use crate::chat::width::{clusters, width};
use crate::output::visible::visible;

/// What a tab is shown as.
const TAB: &str = "    ";

/// A row: its bytes in the text, without the line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuestionRow {
    pub start: usize,
    pub end: usize,
}

/// A cluster as it is shown, with its width: control characters are made visible.
#[must_use]
pub fn shown(cluster: &str, columns: usize) -> (Cow<'_, str>, usize) {
    if matches!(cluster.as_bytes(), [b' '..=b'~']) {
        return (Cow::Borrowed(cluster), columns);
    }
    if cluster == "\t" {
        return (Cow::Borrowed(TAB), TAB.len());
    }
    match visible(cluster) {
        Cow::Borrowed(cluster) => (Cow::Borrowed(cluster), columns),
        Cow::Owned(shown) => {
            let columns = width(&shown);
            (Cow::Owned(shown), columns)
        }
    }
}

/// The text of a row as it is shown.
#[must_use]
pub fn shown_row(text: &str, row: QuestionRow) -> String {
    clusters(&text[row.start..row.end])
        .map(|(cluster, columns)| shown(cluster, columns).0)
        .collect()
}

/// The rows of a text at this width; at least one. Each holds at least one cluster, even if it is wider.
#[must_use]
pub fn rows(text: &str, columns: usize) -> Vec<QuestionRow> {
    let mut rows = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        wrap_line(text, start, start + line.len(), columns, &mut rows);
        start += line.len() + 1;
    }
    rows
}

fn wrap_line(text: &str, from: usize, to: usize, columns: usize, rows: &mut Vec<QuestionRow>) {
    let line = &text.as_bytes()[from..to];
    if line.len() <= columns && line.iter().all(|byte| matches!(byte, b' '..=b'~')) {
        return rows.push(QuestionRow {
            start: from,
            end: to,
        });
    }
    let (mut start, mut used) = (from, 0);
    let (mut word, mut word_column) = (from, 0); // where the last word begins
    let mut place = from;
    for (cluster, own) in clusters(&text[from..to]) {
        let (_, own) = shown(cluster, own);
        let blank = cluster == " ";
        while used + own > columns && place > start {
            let (end, kept) = if word > start && !blank {
                (word, used - word_column)
            } else {
                (place, 0)
            };
            rows.push(QuestionRow { start, end });
            (start, used) = (end, kept);
            (word, word_column) = (end, 0);
        }
        place += cluster.len();
        used += own;
        if blank {
            (word, word_column) = (place, used);
        }
    }
    rows.push(QuestionRow { start, end: to });
}

/// The row and the column of a place in the text.
#[must_use]
pub fn cell(text: &str, rows: &[QuestionRow], place: usize) -> (usize, usize) {
    let row = rows
        .partition_point(|row| row.start <= place)
        .saturating_sub(1);
    let start = rows.get(row).map_or(0, |row| row.start);
    let before = clusters(&text[start..place]);
    let column = before.map(|(cluster, own)| shown(cluster, own).1).sum();
    (row, column)
}

/// The place in this row that is at a column, or the last one before it.
#[must_use]
pub fn place(text: &str, rows: &[QuestionRow], row: usize, column: usize) -> usize {
    let QuestionRow { start, end } = rows[row];
    let goes_on = rows.get(row + 1).is_some_and(|next| next.start == end);
    let (mut place, mut used) = (start, 0);
    for (cluster, own) in clusters(&text[start..end]) {
        used += shown(cluster, own).1;
        let after = place + cluster.len();
        if used > column || (goes_on && after == end) {
            break;
        }
        place = after;
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, columns: usize, expected: &[&str]) {
        let rows = rows(text, columns);
        let found: Vec<String> = rows.iter().map(|row| shown_row(text, *row)).collect();
        assert_eq!(found, expected, "{text:?} at {columns}");
    }

    #[test]
    fn a_question_is_wrapped_at_words_and_keeps_its_lines() {
        check("", 10, &[""]);
        check("a\n\nb\n", 10, &["a", "", "b", ""]);
        check("one two three", 8, &["one two ", "three"]);
        check("abcdefghij kl", 4, &["abcd", "efgh", "ij ", "kl"]);
        check("日本語", 3, &["日", "本", "語"]);
        check("a\tb\u{1b}[0m", 6, &["a    b", "^[[0m"]);
    }

    #[test]
    fn every_place_has_a_cell_within_the_width_and_rows_hold_all_of_the_text() {
        let text = "one  two 日本語 e\u{301}e\u{301} 👩\u{200d}💻 \u{1b}[0m averyveryverylongword\n\n x\ttab\n";
        for columns in 1..=80 {
            let rows = rows(text, columns);
            for pair in rows.windows(2) {
                assert!(text[pair[0].end..pair[1].start].len() <= 1);
            }
            let mut at = 0;
            for (cluster, _) in clusters(text) {
                let (row, column) = cell(text, &rows, at);
                assert!(column <= columns.max(8), "{at} at {columns}");
                assert!(rows[row].start <= at && at <= rows[row].end);
                assert_eq!(place(text, &rows, row, column), at);
                at += cluster.len();
            }
            let last = cell(text, &rows, text.len());
            assert_eq!(last, (rows.len() - 1, 0));
        }
    }
}
