//! Restrained Markdown: bold, code, fenced code, lists, quotations, rules and headings; everything else stays as it is written. A line of
//! the text is a line of the result, so that a growing text changes only its last line: what is open at its end (`**bo`) is
//! shown as if it were closed.

use super::clean::clean;
use super::style::{Color, Line, Style};
use super::wrap::{QUOTE, StyledText};

/// The width of a rule, in columns: short, since the line above the question goes through the whole screen.
pub const RULE_COLUMNS: usize = 8;

/// What a line of Markdown is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkdownKind {
    Text,
    /// A line of fenced code.
    Code,
    /// The beginning or the end of fenced code.
    Fence,
    Rule,
}

/// The state between two lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Markdown {
    /// The character and the length of the open fence.
    fence: Option<(u8, usize)>,
}

impl Markdown {
    /// What the next line is.
    pub fn next_line(&mut self, line: &str) -> MarkdownKind {
        let line = line.trim();
        let mark = line.bytes().next().unwrap_or_default();
        let length = line.bytes().take_while(|byte| *byte == mark).count();
        let is_fence = matches!(mark, b'`' | b'~') && length >= 3;
        match self.fence {
            Some((open, least)) if is_fence && mark == open && length >= least => {
                if length < line.len() {
                    return MarkdownKind::Code;
                }
                self.fence = None;
                MarkdownKind::Fence
            }
            Some(_) => MarkdownKind::Code,
            None if is_fence && !line[length..].contains('`') => {
                self.fence = Some((mark, length));
                MarkdownKind::Fence
            }
            None if is_rule(line) => MarkdownKind::Rule,
            None => MarkdownKind::Text,
        }
    }
}

/// Adds a line in the look of its kind. `base` is the style of text without markup. `complete` says that the line does not
/// grow any more.
pub fn add_line(line: &str, kind: MarkdownKind, complete: bool, base: Style, to: &mut StyledText) {
    let line = clean(line);
    let code = Style {
        color: Color::Cyan,
        ..base
    };
    match kind {
        MarkdownKind::Code => to.push(&line, code),
        MarkdownKind::Fence => to.push(&line, base.dim()),
        MarkdownKind::Rule => to.push(&"─".repeat(RULE_COLUMNS), base.dim()),
        MarkdownKind::Text => {
            let line = add_quotes(&line, base, to);
            if let Some(title) = heading(line) {
                return add_inline(title, complete, base.bold(), to);
            }
            let rest = line.trim_start_matches(' ');
            let blanks = &line[..line.len() - rest.len()];
            match rest.strip_prefix(['-', '*', '+']) {
                Some(item) if item.starts_with(' ') => {
                    to.push(blanks, base);
                    to.push("•", base);
                    add_inline(item, complete, base, to);
                }
                _ => add_inline(line, complete, base, to),
            }
        }
    }
}

/// Adds the marks of a quotation, and returns what is quoted. Four blanks before a mark begin code.
fn add_quotes<'a>(line: &'a str, base: Style, to: &mut StyledText) -> &'a str {
    let mut quoted = line;
    while let Some(rest) = quoted.trim_start_matches(' ').strip_prefix('>') {
        if quoted.starts_with("    ") {
            break;
        }
        to.push(QUOTE.encode_utf8(&mut [0; 4]), base.dim());
        to.push(" ", base);
        quoted = rest.strip_prefix(' ').unwrap_or(rest);
    }
    quoted
}

/// The lines of a text.
#[must_use]
pub fn markdown(text: &str) -> Vec<Line> {
    let mut state = Markdown::default();
    let mut styled = StyledText::default();
    let line = |line: &str| {
        let kind = state.next_line(line);
        styled.clear();
        add_line(line, kind, true, Style::default(), &mut styled);
        styled.line(0..styled.text().len())
    };
    text.lines().map(line).collect()
}

/// The text of a heading.
fn heading(line: &str) -> Option<&str> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    let title = title.strip_prefix(' ').filter(|_| (1..=6).contains(&level));
    title.map(str::trim).filter(|title| !title.is_empty())
}

/// Three or more of the same mark, with or without blanks.
fn is_rule(line: &str) -> bool {
    let mark = line.chars().next().filter(|c| "-*_".contains(*c));
    let marks = line.chars().filter(|c| Some(*c) == mark).count();
    marks >= 3 && line.chars().all(|c| Some(c) == mark || c == ' ')
}

/// Adds text with bold parts and code. The time is linear in the length of the text: a mark whose end was not found is not
/// searched for again.
fn add_inline(text: &str, complete: bool, base: Style, to: &mut StyledText) {
    let bytes = text.as_bytes();
    let style = |bold: bool| if bold { base.bold() } else { base };
    let mut bold = false;
    let mut bold_ends = true;
    let mut open_code = 0_u64;
    let (mut from, mut at) = (0, 0);
    while let Some(found) = memchr::memchr2(b'`', b'*', &bytes[at..]) {
        let start = at + found;
        let length = run(bytes, start);
        at = start + length;
        if bytes[start] == b'`' {
            if length >= 64 || open_code & (1 << length) != 0 {
                continue;
            }
            let end = code_end(bytes, at, length);
            if end.is_none() {
                open_code |= 1 << length;
            }
            let (inside, after) = match end {
                Some(end) => (&text[at..end], end + length),
                None if complete || at == text.len() => continue,
                None => (&text[at..], text.len()),
            };
            to.push(&text[from..start], style(bold));
            let color = Color::Cyan;
            to.push(
                inside_code(inside),
                Style {
                    color,
                    ..style(bold)
                },
            );
            (from, at) = (after, after);
        } else if length == 2 {
            let turns = if bold {
                closes_bold(bytes, start)
            } else {
                let opens = opens_bold(bytes, start);
                if opens && bold_ends && !bold_end(bytes, at) {
                    bold_ends = false;
                }
                opens && (bold_ends || !complete)
            };
            if turns {
                to.push(&text[from..start], style(bold));
                bold = !bold;
                from = at;
            }
        }
    }
    to.push(&text[from..], style(bold));
}

/// The number of equal bytes from here on.
fn run(bytes: &[u8], start: usize) -> usize {
    let mark = bytes[start];
    bytes[start..]
        .iter()
        .take_while(|byte| **byte == mark)
        .count()
}

/// Where the backticks begin that end code.
fn code_end(bytes: &[u8], from: usize, length: usize) -> Option<usize> {
    let mut at = from;
    while let Some(found) = memchr::memchr(b'`', &bytes[at..]) {
        let start = at + found;
        let found = run(bytes, start);
        if found == length {
            return Some(start);
        }
        at = start + found;
    }
    None
}

/// Code without the blank on each side that lets it begin or end with a backtick.
fn inside_code(code: &str) -> &str {
    let inside = code
        .strip_prefix(' ')
        .and_then(|code| code.strip_suffix(' '));
    inside
        .filter(|inside| !inside.trim().is_empty())
        .unwrap_or(code)
}

/// Whether two stars can begin a bold part: at the beginning of a word, unlike in `2 ** 3` and `src/**/mod.rs`.
fn opens_bold(bytes: &[u8], start: usize) -> bool {
    let before = start.checked_sub(1).map(|at| bytes[at]);
    let is_free = !before.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'/');
    is_free
        && bytes
            .get(start + 2)
            .is_some_and(|byte| !matches!(byte, b' ' | b'/'))
}

fn closes_bold(bytes: &[u8], start: usize) -> bool {
    let before = start.checked_sub(1).map(|at| bytes[at]);
    let after = bytes.get(start + 2);
    before.is_some_and(|byte| byte != b' ') && !after.is_some_and(u8::is_ascii_alphanumeric)
}

/// Whether a bold part can end from here on.
fn bold_end(bytes: &[u8], from: usize) -> bool {
    let mut at = from;
    while let Some(found) = memchr::memchr(b'*', &bytes[at..]) {
        let start = at + found;
        let length = run(bytes, start);
        if length == 2 && closes_bold(bytes, start) {
            return true;
        }
        at = start + length;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines with bold text in `<>`, code in `{}`, and dim text in `()`.
    fn shown(text: &str) -> Vec<String> {
        let mark = |line: Line| {
            let spans = line.0.into_iter().map(|span| {
                let (text, style) = (span.text, span.style);
                let text = match style.color {
                    Color::Cyan => format!("{{{text}}}"),
                    _ if style.dim => format!("({text})"),
                    _ => text,
                };
                if style.bold {
                    format!("<{text}>")
                } else {
                    text
                }
            });
            spans.collect()
        };
        markdown(text).into_iter().map(mark).collect()
    }

    #[test]
    fn markup_becomes_style() {
        let check = |text: &str, expected: &[&str]| assert_eq!(shown(text), expected, "{text}");
        check("", &[]);
        check("plain\n\ntext\n", &["plain", "", "text"]);
        check("a **bold** word", &["a <bold> word"]);
        check("**两**个**字**", &["<两>个<字>"]);
        check("**a** and **b**", &["<a> and <b>"]);
        check("2 ** 3 ** 4", &["2 ** 3 ** 4"]);
        check(
            "src/**/mod.rs and src/**/a.rs",
            &["src/**/mod.rs and src/**/a.rs"],
        );
        check("**open and ***three***", &["**open and ***three***"]);
        check("`code` and ``a`b``", &["{code} and {a`b}"]);
        check("`` ` `` and ` `", &["{`} and { }"]);
        check("`**` is **`bold`**", &["{**} is <{bold}>"]);
        check("an `open and ``two", &["an `open and ``two"]);
        check(
            "*word* _word_ [a](http://b)",
            &["*word* _word_ [a](http://b)"],
        );
        check(
            "# Title\n### The `next` #1",
            &["<Title>", "<The ><{next}>< #1>"],
        );
        check("#hash\n#\n####### seven", &["#hash", "#", "####### seven"]);
        check(
            "- a\n  * **b**\n+c\n1. d",
            &["• a", "  • <b>", "+c", "1. d"],
        );
        check("---\n* * *\n--", &["(────────)", "(────────)", "--"]);
        check(
            "> a **b**\n>c\n> > - d\n>",
            &["(▏) a <b>", "(▏) c", "(▏) (▏) • d", "(▏) "],
        );
        check(
            "a > b -> c\n`>`\n    > e",
            &["a > b -> c", "{>}", "    > e"],
        );
        check("| a | b |\n|---|---|", &["| a | b |", "|---|---|"]);
        check("\u{1b}[2J\tx", &["^[[2J   x"]);
    }

    #[test]
    fn fenced_code_is_as_it_is_written() {
        let check = |text: &str, expected: &[&str]| assert_eq!(shown(text), expected, "{text}");
        check(
            "```rust\n# **a**\n~~~\n---\n```\n**b**",
            &["(```rust)", "{# **a**}", "{~~~}", "{---}", "(```)", "<b>"],
        );
        check(
            "  ````\n```\n``` x\n  `````\nx",
            &["(  ````)", "{```}", "{``` x}", "(  `````)", "x"],
        );
        check("~~~\nopen", &["(~~~)", "{open}"]);
        check("```a`b\nx", &["```a`b", "x"]);
        check("```a```", &["{a}"]);
    }

    #[test]
    fn what_is_open_at_the_end_looks_closed() {
        let check = |text: &str, expected: &str| {
            let mut to = StyledText::default();
            add_line(text, MarkdownKind::Text, false, Style::default(), &mut to);
            assert_eq!(to.text(), expected);
        };
        check("a **bo", "a bo");
        check("a **bold*", "a bold*");
        check("a `co", "a co");
        check("a `", "a `");
        check("a **b** `c` **d `e", "a b c d e");
    }

    #[test]
    fn a_text_that_ends_anywhere_differs_in_its_last_line_only() {
        let text = "# Title\n\n> quoted\n- **one** `two`\n- 日本 **x\n```rs\nlet a = `b`;\n```\n---\n* * *\n``a`b``\n~~~";
        let whole = markdown(text);
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            let part = markdown(&text[..end]);
            let settled = part.len().saturating_sub(1);
            assert_eq!(part[..settled], whole[..settled], "{end}");
        }
    }

    #[test]
    fn any_mix_of_marks_is_kept_or_taken_as_a_mark() {
        let marks = ["*", "**", "`", "``", " ", "a", "日", "#", "-", "\n"];
        let mut number = 1_u64;
        for _ in 0..5_000 {
            let mut text = String::new();
            for _ in 0..16 {
                number = number
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                text.push_str(marks[usize::try_from(number >> 33).unwrap_or(0) % marks.len()]);
            }
            let lines = markdown(&text);
            assert_eq!(lines.len(), text.lines().count());
            let letters = |text: &str| text.matches(['a', '日']).count();
            let spans = lines.iter().flat_map(|line| &line.0);
            assert_eq!(
                spans.map(|span| letters(&span.text)).sum::<usize>(),
                letters(&text)
            );
        }
    }

    #[test]
    fn the_time_is_linear() {
        for mark in ["**a ", "`a ``", "**a`b ", "*a**", "` "] {
            let text = mark.repeat(200_000);
            assert!(!markdown(&text).is_empty());
        }
    }
}
