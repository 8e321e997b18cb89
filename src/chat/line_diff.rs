//! The change of a text as lines with `-` and `+`, for people: a little context, and limits on what is shown.

use super::clean::clean;
use super::style::{Color, Line, Style};
use crate::text::shortened;

/// Unchanged lines shown before and after a change.
const CONTEXT_LINES: usize = 2;

/// Lines shown; what goes beyond is counted.
const MAX_LINES: usize = 1000;

/// Longest line that is shown whole, in bytes.
const MAX_LINE_BYTES: usize = 2000;

/// Largest product of removed and added lines that are compared with each other. Beyond it all of them are shown as changed.
const MAX_COMPARISONS: usize = 1 << 20;

/// The change from one text to another, in coloured lines.
#[must_use]
pub fn line_diff(removed: &str, added: &str) -> Vec<Line> {
    let (old, new): (Vec<&str>, Vec<&str>) = (removed.lines().collect(), added.lines().collect());
    let changes = changes(&old, &new);
    let mut lines: Vec<Line> = Vec::new();
    let mut left_out = 0_usize;
    let mut gap = false;
    for (n, change) in changes.iter().enumerate() {
        let near = n.saturating_sub(CONTEXT_LINES)..(n + CONTEXT_LINES + 1).min(changes.len());
        if changes[near]
            .iter()
            .all(|near| matches!(near, Change::Same(_)))
        {
            gap = true;
            continue;
        }
        if lines.len() >= MAX_LINES {
            left_out += 1;
            continue;
        }
        if std::mem::take(&mut gap) && !lines.is_empty() {
            lines.push(Line::of("…", Style::default().dim()));
        }
        lines.push(change.line());
    }
    if left_out > 0 {
        let words = format!("… {left_out} more lines");
        lines.push(Line::of(words, Style::default().dim()));
    }
    lines
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change<'a> {
    Same(&'a str),
    Removed(&'a str),
    Added(&'a str),
}

impl Change<'_> {
    fn line(self) -> Line {
        let (sign, text, style) = match self {
            Change::Same(text) => (' ', text, Style::default()),
            Change::Removed(text) => ('-', text, Style::color(Color::Red)),
            Change::Added(text) => ('+', text, Style::color(Color::Green)),
        };
        Line::of(
            format!("{sign}{}", clean(&shortened(text, MAX_LINE_BYTES))),
            style,
        )
    }
}

/// All lines in order.
fn changes<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Change<'a>> {
    let equal = |(a, b): &(&&str, &&str)| a == b;
    let before = old.iter().zip(new).take_while(equal).count();
    let (head, old) = old.split_at(before);
    let new = &new[before..];
    let after = old.iter().rev().zip(new.iter().rev());
    let after = after.take_while(equal).count();
    let (old, tail) = old.split_at(old.len() - after);
    let new = &new[..new.len() - after];
    let mut changes: Vec<Change> = head.iter().map(|line| Change::Same(line)).collect();
    if old.len().saturating_mul(new.len()) <= MAX_COMPARISONS {
        compare(old, new, &mut changes);
    } else {
        changes.extend(old.iter().map(|line| Change::Removed(line)));
        changes.extend(new.iter().map(|line| Change::Added(line)));
    }
    changes.extend(tail.iter().map(|line| Change::Same(line)));
    changes
}

/// Adds the lines with the fewest changes: those of a longest common subsequence are the same.
fn compare<'a>(old: &[&'a str], new: &[&'a str], changes: &mut Vec<Change<'a>>) {
    // The length of the longest common subsequence of what follows: at most 1024, the root of MAX_COMPARISONS.
    let width = new.len() + 1;
    let mut common = vec![0_u16; (old.len() + 1) * width];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            let at = i * width + j;
            common[at] = if old[i] == new[j] {
                common[at + width + 1] + 1
            } else {
                common[at + width].max(common[at + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        let at = i * width + j;
        if i < old.len() && j < new.len() && old[i] == new[j] {
            changes.push(Change::Same(old[i]));
            (i, j) = (i + 1, j + 1);
        } else if i < old.len() && (j == new.len() || common[at + width] >= common[at + 1]) {
            changes.push(Change::Removed(old[i]));
            i += 1;
        } else {
            changes.push(Change::Added(new[j]));
            j += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(removed: &str, added: &str) -> String {
        let lines = line_diff(removed, added);
        let texts = lines.iter().map(|line| line.0[0].text.trim_end());
        texts.collect::<Vec<_>>().join("|")
    }

    #[test]
    fn changed_lines_have_a_sign_and_some_context() {
        let check = |removed: &str, added: &str, expected: &str| {
            assert_eq!(shown(removed, added), expected);
        };
        check("", "", "");
        check("", "a\nb", "+a|+b");
        check("a\n", "", "-a");
        check("a\nb\nc", "a\nx\nc", " a|-b|+x| c");
        check(
            "1\n2\n3\n4\nx\n5\n6\n7\n8",
            "1\n2\n3\n4\ny\n5\n6\n7\n8",
            " 3| 4|-x|+y| 5| 6",
        );
        let (old, new) = ("a\n1\n2\n3\n4\n5\n6\nb", "A\n1\n2\n3\n4\n5\n6\nB");
        check(old, new, "-a|+A| 1| 2|…| 5| 6|-b|+B");
        check("a\nb\nc\nd", "b\nd\ne", "-a| b|-c| d|+e");
        check("a\tb", "a\u{1b}[1m", "-a       b|+a^[[1m");
        check("same", "same", "");
        let colors: Vec<Color> = line_diff("a", "b")
            .iter()
            .map(|line| line.0[0].style.color)
            .collect();
        assert_eq!(colors, [Color::Red, Color::Green]);
    }

    #[test]
    fn the_result_is_bounded() {
        let old: String = (0..5000).map(|n| format!("{n}\n")).collect();
        let new: String = (0..5000).map(|n| format!("{n}.\n")).collect();
        let lines = line_diff(&old, &new);
        assert_eq!(lines.len(), MAX_LINES + 1);
        assert_eq!(lines[MAX_LINES].0[0].text, "… 9000 more lines");
        let long = line_diff("", &"x".repeat(1 << 20));
        assert_eq!(long[0].0[0].text.len(), MAX_LINE_BYTES + 5);
    }

    /// Every pair of texts of up to five lines, each of them one of two.
    #[test]
    fn both_texts_can_be_read_from_the_changes() {
        let mut texts: Vec<Vec<&str>> = vec![Vec::new()];
        for n in 0..31 {
            for line in ["a", "b"] {
                let text = texts[n].iter().copied().chain([line]).collect();
                texts.push(text);
            }
        }
        for old in &texts {
            for new in &texts {
                let changes = changes(old, new);
                let old_lines = changes.iter().filter_map(|change| match change {
                    Change::Same(text) | Change::Removed(text) => Some(*text),
                    Change::Added(_) => None,
                });
                let new_lines = changes.iter().filter_map(|change| match change {
                    Change::Same(text) | Change::Added(text) => Some(*text),
                    Change::Removed(_) => None,
                });
                assert_eq!(old_lines.collect::<Vec<_>>(), *old);
                assert_eq!(new_lines.collect::<Vec<_>>(), *new);
            }
        }
    }
}
