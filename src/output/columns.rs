//! Fits text into the columns of a terminal: lines wrapped at words, cells shortened with `…`, tables. Without a terminal
//! everything is printed in full.

use std::borrow::Cow;

use super::width::{clip, clusters, width};

/// The columns that remain of a heading when it is shortened.
const MIN_HEAD_COLUMNS: usize = 5;

/// What stands for the text that is left out.
const ELLIPSIS: &str = "…";

/// The blanks between the columns of a table.
const GAP: usize = 2;

/// The beginning of a text that fits into these columns, with `…` if something is left out.
#[must_use]
pub fn shorten(text: &str, columns: usize) -> Cow<'_, str> {
    if width(text) <= columns {
        return Cow::Borrowed(text);
    }
    match columns {
        0 => Cow::Borrowed(""),
        _ => Cow::Owned(format!("{}{ELLIPSIS}", clip(text, columns - 1).trim_end())),
    }
}

/// The end of a text that fits into these columns, with `…` if something is left out: for paths.
#[must_use]
pub fn shorten_start(text: &str, columns: usize) -> Cow<'_, str> {
    let mut left = width(text);
    if left <= columns {
        return Cow::Borrowed(text);
    }
    if columns == 0 {
        return Cow::Borrowed("");
    }
    let mut start = 0;
    for (cluster, width) in clusters(text) {
        if left < columns {
            break;
        }
        left -= width;
        start += cluster.len();
    }
    Cow::Owned(format!("{ELLIPSIS}{}", &text[start..]))
}

/// The text with each of its lines wrapped at blanks; what follows on further lines is indented by `indent`. A command in
/// backticks stays on one line if it fits there. A word that is longer than a line stays whole, so that an address or a path
/// can be copied.
#[must_use]
pub fn wrap(text: &str, columns: usize, indent: usize) -> String {
    let mut wrapped = String::with_capacity(text.len());
    for (n, line) in text.split('\n').enumerate() {
        if n > 0 {
            wrapped.push('\n');
        }
        if width(line) <= columns {
            wrapped.push_str(line);
            continue;
        }
        let mut used = 0;
        let mut is_empty = true;
        for (blanks, word) in words(line, columns.saturating_sub(indent)) {
            let wide = width(word);
            if !is_empty && used + blanks + wide > columns {
                wrapped.push('\n');
                wrapped.push_str(&" ".repeat(indent));
                used = indent;
            } else {
                wrapped.push_str(&" ".repeat(blanks));
                used += blanks;
            }
            wrapped.push_str(word);
            used += wide;
            is_empty = false;
        }
    }
    wrapped
}

/// The words of a line, each with the number of blanks before it. What is in backticks and no wider than `most` is one word.
fn words(line: &str, most: usize) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = line;
    std::iter::from_fn(move || {
        let start = rest.trim_start_matches(' ');
        if start.is_empty() {
            return None;
        }
        let blanks = rest.len() - start.len();
        let mut end = start.find(' ').unwrap_or(start.len());
        while start[..end].matches('`').count() % 2 == 1 {
            let Some(close) = start[end..].find('`').map(|at| end + at + 1) else {
                break;
            };
            let close = start[close..]
                .find(' ')
                .map_or(start.len(), |at| close + at);
            if width(&start[..close]) > most {
                break;
            }
            end = close;
        }
        let (word, after) = start.split_at(end);
        rest = after;
        Some((blanks, word))
    })
}

/// A column of a table.
#[derive(Clone, Copy, Debug)]
pub struct TableColumn {
    /// Its heading.
    pub head: &'static str,
    /// The columns that remain when its cells are shortened; `None` if they are not.
    pub least: Option<usize>,
    /// The ends of its cells are kept, not their beginnings.
    pub keeps_end: bool,
    /// Where the table does not fit although all cells are shortened, the column with the highest number is left out first.
    /// One with 0 stays.
    pub rank: u8,
}

impl TableColumn {
    /// A column that is never shortened or left out.
    #[must_use]
    pub const fn fixed(head: &'static str) -> Self {
        Self {
            head,
            least: None,
            keeps_end: false,
            rank: 0,
        }
    }
}

/// Lays out a table with headings; in full without `columns`.
#[must_use]
pub fn table(heads: &[TableColumn], rows: &[Vec<String>], columns: Option<usize>) -> String {
    let mut shown: Vec<usize> = (0..heads.len()).collect();
    let of_cells = |n: usize| {
        let cells = rows.iter().map(|row| width(&row[n]));
        cells.max().unwrap_or_default()
    };
    let of_head = |n: usize| width(heads[n].head);
    let mut widths: Vec<usize> = (0..heads.len())
        .map(|n| of_cells(n).max(of_head(n)))
        .collect();
    if let Some(columns) = columns {
        let needed = |shown: &[usize], of: &dyn Fn(usize) -> usize| {
            shown.iter().map(|n| of(*n)).sum::<usize>() + GAP * shown.len().saturating_sub(1)
        };
        // A heading is shortened before a cell is.
        let narrow = |n: usize| of_cells(n).max(of_head(n).min(MIN_HEAD_COLUMNS));
        let least = |n: usize| {
            heads[n]
                .least
                .map_or(narrow(n), |least| least.min(narrow(n)))
        };
        while needed(&shown, &|n| least(n)) > columns {
            let ranks = shown.iter().filter(|n| heads[**n].rank > 0);
            let Some(left_out) = ranks.copied().max_by_key(|n| heads[*n].rank) else {
                break;
            };
            shown.retain(|n| *n != left_out);
        }
        // Better a shortened name than lines that the terminal breaks.
        let floor = |n: usize| least(n).min(MIN_HEAD_COLUMNS);
        for limit in [&narrow as &dyn Fn(usize) -> usize, &least, &floor] {
            while needed(&shown, &|n| widths[n]) > columns {
                let wide = shown.iter().filter(|n| widths[**n] > limit(**n));
                let Some(widest) = wide.copied().max_by_key(|n| widths[*n]) else {
                    break;
                };
                widths[widest] -= 1;
            }
        }
    }
    let line = |cell: &dyn Fn(usize) -> String| {
        let mut line = String::new();
        for n in &shown {
            let text = cell(*n);
            let text = if heads[*n].keeps_end {
                shorten_start(&text, widths[*n])
            } else {
                shorten(&text, widths[*n])
            };
            line.push_str(&text);
            line.push_str(&" ".repeat(widths[*n] - width(&text) + GAP));
        }
        format!("{}\n", line.trim_end())
    };
    let mut text = line(&|n| heads[n].head.to_owned());
    text.extend(rows.iter().map(|row| line(&|n| row[n].clone())));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shortened_by_its_width() {
        let check = |text: &str, columns: usize, expected: &str, end: &str| {
            assert_eq!(shorten(text, columns), expected, "{columns}");
            assert_eq!(shorten_start(text, columns), end, "{columns}");
            assert!(width(expected) <= columns && width(end) <= columns);
        };
        check("日本語", 6, "日本語", "日本語");
        check("日本語", 5, "日本…", "…本語");
        check("日本語", 4, "日…", "…語");
        check("日本語", 1, "…", "…");
        check("日本語", 0, "", "");
        check("one two", 5, "one…", "… two");
    }

    #[test]
    fn lines_are_wrapped_at_words_and_long_words_stay_whole() {
        let check = |text: &str, columns: usize, expected: &str| {
            assert_eq!(wrap(text, columns, 2), expected);
        };
        check("codex: one two three", 20, "codex: one two three");
        check("codex: one two three", 12, "codex: one\n  two three");
        check("codex: 日本語 日本", 13, "codex: 日本語\n  日本");
        check(
            "a https://example.com/long b",
            12,
            "a\n  https://example.com/long\n  b",
        );
        check(
            "  https://example.com/a\n\nx",
            9,
            "  https://example.com/a\n\nx",
        );
        check(
            "run `codex login -x` to",
            18,
            "run\n  `codex login -x`\n  to",
        );
        check(
            "run `codex login -x`, or",
            15,
            "run `codex\n  login -x`, or",
        );
        check("a ` b c d", 5, "a ` b\n  c d");
        check("    indented text", 14, "    indented\n  text");
    }

    #[test]
    fn no_line_is_wider_than_the_terminal_if_no_word_is() {
        let text = "codex: 日本語 a `b c` dd `e f g` hhh ii\nnext 한국어 line";
        for columns in 9..60 {
            for line in wrap(text, columns, 2).lines() {
                assert!(width(line) <= columns, "{columns}: {line}");
            }
            let words = |text: &str| {
                text.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            assert_eq!(words(&wrap(text, columns, 2)), words(text));
        }
    }

    #[test]
    fn a_table_shortens_its_widest_cells_and_then_leaves_columns_out() {
        let heads = [
            TableColumn::fixed("id"),
            TableColumn {
                least: Some(4),
                keeps_end: true,
                rank: 1,
                ..TableColumn::fixed("path")
            },
            TableColumn {
                least: Some(3),
                ..TableColumn::fixed("what")
            },
        ];
        let rows = [["a1", "/home/ada", "日本語 text"], ["b2", "/", "x"]]
            .map(|row| row.map(str::to_owned).to_vec());
        let check = |columns: Option<usize>, expected: &str| {
            assert_eq!(table(&heads, &rows, columns), expected, "{columns:?}");
        };
        let whole = "id  path       what\na1  /home/ada  日本語 text\nb2  /          x\n";
        check(None, whole);
        check(Some(26), whole);
        check(
            Some(18),
            "id  path    what\na1  …e/ada  日本…\nb2  /       x\n",
        );
        check(Some(12), "id  what\na1  日本語…\nb2  x\n");
        check(Some(1), "id  wh…\na1  日…\nb2  x\n");
    }
}
