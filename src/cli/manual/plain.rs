//! Text for a terminal of 80 columns.

use std::fmt::Write as _;

use super::markup::Block;

/// The width of the text, in characters.
pub(crate) const LINE_WIDTH: usize = 80;

/// Where the text below a flag or a term begins.
pub(crate) const TEXT_INDENT: usize = 8;

/// The longest term that stands on the same line as its definition.
const MAX_SHORT_TERM: usize = 16;

/// Wraps the text at words, and indents each line. A word that is too long has a line of its own.
pub(crate) fn wrap(text: &str, indent: usize) -> String {
    let mut lines = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && indent + line.len() + 1 + word.len() > LINE_WIDTH {
            let _ = writeln!(lines, "{:indent$}{line}", "");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    let _ = writeln!(lines, "{:indent$}{line}", "");
    lines
}

/// The blocks as text: headings in capitals, everything else indented.
pub(super) fn render(blocks: &[Block<'_>]) -> String {
    let mut text = String::new();
    for (n, block) in blocks.iter().enumerate() {
        let previous = n.checked_sub(1).and_then(|n| blocks.get(n));
        let is_close = matches!(
            (previous, block),
            (None | Some(Block::Heading(_) | Block::Subheading(_)), _)
                | (Some(Block::Item(_)), Block::Item(_))
                | (Some(Block::Definition { .. }), Block::Definition { .. })
        );
        if !is_close {
            text.push('\n');
        }
        match block {
            Block::Heading(heading) => {
                let _ = writeln!(text, "{}", heading.to_uppercase());
            }
            Block::Subheading(heading) => {
                let _ = writeln!(text, "  {heading}:");
            }
            Block::Paragraph(paragraph) => text.push_str(&wrap(paragraph, 2)),
            Block::Item(item) => {
                let wrapped = wrap(item, 4);
                let _ = write!(text, "  - {}", wrapped.trim_start());
            }
            Block::Definition {
                term,
                text: definition,
            } => {
                if let Some(width) = hanging_indent(blocks, n) {
                    let wrapped = wrap(definition, 2 + width);
                    let _ = write!(text, "  {term:<width$}{}", wrapped.trim_start());
                } else {
                    text.push_str(&wrap(term, 2));
                    text.push_str(&wrap(definition, TEXT_INDENT));
                }
            }
            Block::Code(lines) => {
                for line in lines {
                    let _ = writeln!(text, "{}", format!("      {line}").trim_end());
                }
            }
        }
    }
    text
}

/// How far the definitions of the list that this block belongs to are indented, if all its terms are short.
pub(super) fn hanging_indent(blocks: &[Block<'_>], at: usize) -> Option<usize> {
    let terms = |blocks: &mut dyn Iterator<Item = &Block<'_>>| {
        let mut longest = 0;
        for block in blocks {
            match block {
                Block::Definition { term, .. } => longest = longest.max(term.chars().count()),
                _ => break,
            }
        }
        longest
    };
    let before = terms(&mut blocks[..at].iter().rev());
    let longest = before.max(terms(&mut blocks[at..].iter()));
    (longest <= MAX_SHORT_TERM).then_some(longest + 2)
}

#[cfg(test)]
mod tests {
    use super::super::markup::parse;
    use super::*;

    #[test]
    fn terms_and_their_texts_have_an_indent_each() {
        let text = "# Files\n\nThese:\n\n: short\n  one\n\n: b\n  two\n\nAnd:\n\n: a term that is long\n  three\n\n- x\n- y\n\n    code\n";
        let expected = "FILES\n  These:\n\n  short  one\n  b      two\n\n  And:\n\n  a term that is long\n        three\n\n  - x\n  - y\n\n      code\n";
        assert_eq!(render(&parse(text)), expected);
    }

    #[test]
    fn long_lines_are_wrapped_at_words() {
        let words = "word ".repeat(40);
        let wrapped = wrap(&words, 8);
        assert!(
            wrapped
                .lines()
                .all(|line| line.len() <= LINE_WIDTH && line.starts_with("        word"))
        );
        assert_eq!(wrapped.split_whitespace().count(), 40);
    }
}
