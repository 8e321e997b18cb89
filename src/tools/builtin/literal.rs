//! A text that every match of a regular expression contains, so that lines without it need no matching.

/// How one element of a pattern is repeated.
enum Repetition {
    Once,
    /// At least once: the element itself is part of every match, but what follows is not next to it.
    AtLeastOnce,
    Optional,
}

/// The longest such text that is found without interpreting groups and classes. `None` if there may be none, or if the
/// pattern uses a syntax that this does not know.
pub(super) fn required_literal(pattern: &str) -> Option<String> {
    let mut rest = pattern;
    let (mut run, mut best) = (String::new(), String::new());
    while let Some((first, behind)) = split_first(rest) {
        rest = behind;
        let literal = match first {
            // U+FFFD stands for bytes that are not UTF-8.
            '|' | ')' | '?' | '*' | '+' | '{' | char::REPLACEMENT_CHARACTER => return None,
            '(' => {
                rest = after_group(rest)?;
                None
            }
            '[' => {
                rest = after_class(rest)?;
                None
            }
            '.' | '^' | '$' => None,
            '\\' => {
                let (escaped, behind) = split_first(rest)?;
                rest = behind;
                match escaped {
                    'd' | 'D' | 'w' | 'W' | 's' | 'S' | 'A' | 'z' | '<' | '>' => None,
                    // `\b{start}` is a word boundary too.
                    'b' | 'B' if !rest.starts_with('{') => None,
                    _ if escaped.is_ascii_punctuation() => Some(escaped),
                    _ => return None,
                }
            }
            _ => Some(first),
        };
        let (repetition, behind) = repetition(rest)?;
        rest = behind;
        match (literal, repetition) {
            (Some(literal), Repetition::Once) => {
                run.push(literal);
                continue;
            }
            (Some(literal), Repetition::AtLeastOnce) => run.push(literal),
            _ => {}
        }
        keep_longer(&mut best, &mut run);
    }
    keep_longer(&mut best, &mut run);
    Some(best).filter(|best| !best.is_empty())
}

fn split_first(text: &str) -> Option<(char, &str)> {
    let first = text.chars().next()?;
    Some((first, &text[first.len_utf8()..]))
}

fn keep_longer(best: &mut String, run: &mut String) {
    if run.len() > best.len() {
        std::mem::swap(best, run);
    }
    run.clear();
}

/// The repetition at the beginning of this text, and what follows it. `None` for one that is repeated itself.
fn repetition(text: &str) -> Option<(Repetition, &str)> {
    let (found, rest) = match text.chars().next() {
        Some('?' | '*') => (Repetition::Optional, &text[1..]),
        Some('+') => (Repetition::AtLeastOnce, &text[1..]),
        Some('{') => {
            let (range, rest) = text[1..].split_once('}')?;
            let least = range.split(',').next()?.trim().parse::<u32>().ok()?;
            let found = match least {
                0 => Repetition::Optional,
                _ => Repetition::AtLeastOnce,
            };
            (found, rest)
        }
        _ => return Some((Repetition::Once, text)),
    };
    let rest = rest.strip_prefix('?').unwrap_or(rest);
    (!rest.starts_with(['?', '*', '+', '{'])).then_some((found, rest))
}

/// What follows a group, whose opening parenthesis was read. `None` if it sets flags.
fn after_group(text: &str) -> Option<&str> {
    let mut rest = text;
    let mut depth = 1;
    let mut opened = true;
    loop {
        if opened
            && let Some(kind) = rest.strip_prefix('?')
            && !kind.starts_with([':', 'P', '<'])
        {
            return None;
        }
        opened = false;
        let (first, behind) = split_first(rest)?;
        rest = behind;
        match first {
            '\\' => rest = split_first(rest)?.1,
            '[' => rest = after_class(rest)?,
            '(' => {
                depth += 1;
                opened = true;
            }
            ')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(rest);
                }
            }
            _ => {}
        }
    }
}

/// What follows a class, whose opening bracket was read. `None` if it contains another one.
fn after_class(text: &str) -> Option<&str> {
    let text = text.strip_prefix('^').unwrap_or(text);
    let mut rest = text.strip_prefix(']').unwrap_or(text);
    loop {
        let (first, behind) = split_first(rest)?;
        rest = behind;
        match first {
            '\\' => rest = split_first(rest)?.1,
            '[' => return None,
            ']' => return Some(rest),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::*;

    #[test]
    fn the_longest_text_is_taken() {
        let cases = [
            ("error", "error"),
            (r"fn \w+_count\(", "_count("),
            ("ab?c", "a"),
            ("ab+c", "ab"),
            (r"^use crate::text;$", "use crate::text;"),
            ("x(foo|bar)yz", "yz"),
            (r"a{2}bcd{0,3}", "bc"),
            (r"[^]a]lit\.eral[b-d]", "lit.eral"),
        ];
        for (pattern, expected) in cases {
            assert_eq!(
                required_literal(pattern).as_deref(),
                Some(expected),
                "{pattern}"
            );
        }
        let without = [
            "",
            "a|b",
            "(?i)abc",
            r"\x41b",
            r"\u{41}b",
            r"\b{start}a",
            "a?",
            "ba+?*",
            "[[:alpha:]]ab",
            "a(?s:b)",
            r"\d+",
        ];
        for pattern in without {
            assert_eq!(required_literal(pattern), None, "{pattern}");
        }
    }

    #[test]
    fn every_match_contains_it() {
        let atoms = [
            "a", "b", ".", r"\.", "[ab]", "(ab)", "(?:a|b)", "^", "$", r"\d", "(a(b)?)", "[^a]",
            r"\b",
        ];
        let repeated = ["", "?", "*", "+", "+?", "{0,2}", "{2}", "{1,}"];
        let elements: Vec<String> = atoms
            .iter()
            .flat_map(|atom| repeated.iter().map(move |again| format!("{atom}{again}")))
            .collect();
        let mut texts = vec![String::new()];
        for length in 0..3 {
            let longer = texts.iter().filter(|text| text.len() == length);
            let longer: Vec<String> = longer
                .flat_map(|text| ["a", "b", ".", "1"].map(|next| format!("{text}{next}")))
                .collect();
            texts.extend(longer);
        }
        let mut found = 0;
        for first in &elements {
            for second in &elements {
                let pattern = format!("{first}{second}");
                let (Some(literal), Ok(regex)) = (required_literal(&pattern), Regex::new(&pattern))
                else {
                    continue;
                };
                found += 1;
                for text in texts.iter().filter(|text| !text.contains(&literal)) {
                    assert!(
                        !regex.is_match(text),
                        "{pattern} in {text:?} without {literal:?}"
                    );
                }
            }
        }
        assert!(found > 1000, "{found}");
    }
}
