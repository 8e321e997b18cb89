//! Man pages, in man(7) format.

use std::fmt::Write as _;

use super::markup::Block;
use super::plain::hanging_indent;

/// The blocks as part of a page.
pub(super) fn render(blocks: &[Block<'_>]) -> String {
    let mut page = String::new();
    for (n, block) in blocks.iter().enumerate() {
        let is_first = n == 0 || matches!(blocks[n - 1], Block::Heading(_) | Block::Subheading(_));
        let paragraph = if is_first { "" } else { ".PP\n" };
        let _ = match block {
            Block::Heading(heading) => {
                writeln!(page, ".SH {}", escape(&heading.to_uppercase()))
            }
            Block::Subheading(heading) => writeln!(page, ".SS {}", escape(heading)),
            Block::Paragraph(paragraph_text) => {
                write!(page, "{paragraph}{}", text(paragraph_text))
            }
            Block::Item(item) => write!(page, ".IP \\(bu 2\n{}", text(item)),
            Block::Definition {
                term,
                text: definition,
            } => {
                let width = hanging_indent(blocks, n).map(|width| format!(" {width}"));
                let term = bold(&escape(term));
                write!(
                    page,
                    ".TP{}\n{term}\n{}",
                    width.unwrap_or_default(),
                    text(definition)
                )
            }
            Block::Code(lines) => write!(page, "{paragraph}{}", code(lines)),
        };
    }
    page
}

/// Text that is typed as it is.
pub(super) fn bold(escaped: &str) -> String {
    format!("\\fB{escaped}\\fR")
}

/// Text that stands for something else.
pub(super) fn italic(escaped: &str) -> String {
    format!("\\fI{escaped}\\fR")
}

/// A paragraph, with each sentence on a line of its own. Flags and words in backticks are bold.
pub(super) fn text(paragraph: &str) -> String {
    let mut escaped = String::new();
    for (n, part) in paragraph.split('`').enumerate() {
        if n % 2 == 1 {
            escaped.push_str(&bold(&escape(part)));
            continue;
        }
        for (n, word) in part.split(' ').enumerate() {
            if n > 0 {
                escaped.push(' ');
            }
            escaped.push_str(&with_bold_flag(word));
        }
    }
    let mut lines = String::new();
    for line in sentences(&escaped) {
        let guard = if line.starts_with(['.', '\'']) {
            "\\&"
        } else {
            ""
        };
        let _ = writeln!(lines, "{guard}{line}");
    }
    lines
}

/// A word, with the flag in it in bold.
fn with_bold_flag(word: &str) -> String {
    let start = word.len() - word.trim_start_matches('(').len();
    let (before, rest) = word.split_at(start);
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let (flag, after) = rest.split_at(end);
    if !flag.starts_with('-') || flag.trim_start_matches('-').is_empty() {
        return escape(word);
    }
    format!("{}{}{}", escape(before), bold(&escape(flag)), escape(after))
}

/// Splits after each full stop that a capital or a flag follows, where a sentence ends.
fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut from = 0;
    for (at, _) in text.match_indices(". ") {
        let rest = &text[at + 2..];
        if rest.starts_with(|c: char| c.is_uppercase() || c == '\\') {
            found.push(&text[from..=at]);
            from = at + 2;
        }
    }
    found.push(&text[from..]);
    found
}

/// Lines shown as they are.
pub(super) fn code(lines: &[&str]) -> String {
    let mut example = ".RS 4\n.EX\n".to_owned();
    for line in lines {
        let line = escape(line);
        let guard = if line.starts_with('.') { "\\&" } else { "" };
        let _ = writeln!(example, "{guard}{line}");
    }
    example.push_str(".EE\n.RE\n");
    example
}

/// Escapes text for roff, so that every character can be copied from the page as it was typed.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '`' => escaped.push_str("\\(ga"),
            '^' => escaped.push_str("\\(ha"),
            '~' => escaped.push_str("\\(ti"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::markup::parse;
    use super::*;

    #[test]
    fn text_becomes_macros_and_nothing_in_it_does() {
        let source = "# Config files\n.git is `a b`. Use (-m, --model=X) or ~/x. It's not - \\ e.g. one.\n\n: a\n  b\n\n    .x 'y'\n";
        let expected = ".SH CONFIG FILES\n\\&.git is \\fBa b\\fR.\nUse (\\fB\\-m\\fR, \\fB\\-\\-model\\fR=X) or \\(ti/x.\nIt\\(aqs not \\- \\e e.g. one.\n.TP 3\n\\fBa\\fR\nb\n.PP\n.RS 4\n.EX\n\\&.x \\(aqy\\(aq\n.EE\n.RE\n";
        assert_eq!(render(&parse(source)), expected);
    }
}
