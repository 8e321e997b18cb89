//! The markup of the manual's texts, which both the terminal and the man pages show.
//!
//! Lines of a paragraph are joined. A line that begins with `# ` or `## ` is a heading, with `- ` an item of a list, with `: ` a
//! term whose definition follows; what belongs to an item or a term is indented by two blanks. Lines indented by four blanks are
//! code, with empty lines between them. Words in backticks are typed as they are.

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block<'a> {
    Heading(&'a str),
    Subheading(&'a str),
    Paragraph(String),
    Item(String),
    Definition { term: &'a str, text: String },
    Code(Vec<&'a str>),
}

/// The parts of a text.
pub(super) fn parse(text: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut blank_lines = 0;
    for line in text.lines() {
        if line.is_empty() {
            blank_lines += 1;
            continue;
        }
        let open = (blank_lines == 0).then(|| blocks.last_mut()).flatten();
        if let Some(code) = line.strip_prefix("    ") {
            match blocks.last_mut() {
                Some(Block::Code(lines)) => {
                    lines.extend((0..blank_lines).map(|_| ""));
                    lines.push(code);
                }
                _ => blocks.push(Block::Code(vec![code])),
            }
        } else if let Some(heading) = line.strip_prefix("# ") {
            blocks.push(Block::Heading(heading));
        } else if let Some(heading) = line.strip_prefix("## ") {
            blocks.push(Block::Subheading(heading));
        } else if let Some(item) = line.strip_prefix("- ") {
            blocks.push(Block::Item(item.to_owned()));
        } else if let Some(term) = line.strip_prefix(": ") {
            let text = String::new();
            blocks.push(Block::Definition { term, text });
        } else {
            match open {
                Some(
                    Block::Paragraph(text) | Block::Item(text) | Block::Definition { text, .. },
                ) => {
                    if !text.is_empty() {
                        text.push(' ');
                    }
                    text.push_str(line.trim_start());
                }
                _ => blocks.push(Block::Paragraph(line.to_owned())),
            }
        }
        blank_lines = 0;
    }
    blocks
}

/// The code below this subheading.
pub(super) fn code_below<'a>(text: &'a str, subheading: &str) -> Vec<&'a str> {
    let mut blocks = parse(text).into_iter();
    let is_found = blocks.any(|block| block == Block::Subheading(subheading));
    match blocks.next() {
        Some(Block::Code(lines)) if is_found => lines,
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_text_is_recognised() {
        let text = "# A\none\ntwo\n\nthree\n\n## B\n- x\n  y\n- z\n\n: t u\n  v\n  w\n    code\n\n      more\nlast\n";
        let definition = Block::Definition {
            term: "t u",
            text: "v w".to_owned(),
        };
        assert_eq!(
            parse(text),
            [
                Block::Heading("A"),
                Block::Paragraph("one two".to_owned()),
                Block::Paragraph("three".to_owned()),
                Block::Subheading("B"),
                Block::Item("x y".to_owned()),
                Block::Item("z".to_owned()),
                definition,
                Block::Code(vec!["code", "", "  more"]),
                Block::Paragraph("last".to_owned()),
            ]
        );
        assert_eq!(code_below("## a\n    x\n    y\n## b\n", "a"), ["x", "y"]);
        assert!(code_below("## a\n    x\n", "b").is_empty());
    }
}
