//! Tests of the manual's texts: what they show can be typed, and they leave nothing out.

use std::ffi::OsString;

use serde_json::Value;

use super::markup::{Block, parse};
use super::pages::PAGES;
use super::*;
use crate::cli::flags::COMMANDS;
use crate::cli::output_form::ReportingFlags;
use crate::cli::parse;
use crate::output::json_lines::EVENTS;

const TEXTS: &[&str] = &[
    OPERATION,
    CONFIG,
    ENVIRONMENT,
    EXAMPLES,
    FILES,
    JSON,
    MCP,
    MODELS,
    SANDBOX,
];

/// The arguments of each call of codex in a line of shell, up to the operator or the bracket that ends it.
fn calls(line: &str) -> Vec<Vec<String>> {
    let starts = line.match_indices("codex ").map(|(at, _)| at);
    let starts = starts.filter(|at| *at == 0 || line[..*at].ends_with([' ', '(', '\'']));
    starts
        .map(|at| {
            let mut words = vec![String::new()];
            let mut quote = None;
            for c in line[at + "codex ".len()..].chars() {
                match (quote, c) {
                    (Some(open), _) if c == open => quote = None,
                    (None, '\'' | '"') => quote = Some(c),
                    (None, '|' | '&' | ';' | '<' | '>' | ')') => break,
                    (None, ' ') => words.push(String::new()),
                    (_, c) => words.last_mut().expect("a word").push(c),
                }
            }
            words.retain(|word| !word.is_empty());
            words
        })
        .collect()
}

/// The lines of code of a text, with continuation lines joined.
fn code(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for block in parse(text) {
        if let Block::Code(code) = block {
            let joined = code.join("\n").replace("\\\n", " ");
            lines.extend(joined.lines().map(str::to_owned));
        }
    }
    lines
}

#[test]
fn every_example_is_a_command_line_that_the_parser_accepts() {
    let mut found = 0;
    for text in TEXTS {
        for line in code(text).iter().filter(|line| !line.starts_with('#')) {
            for call in calls(line) {
                let words = call.iter().map(OsString::from);
                let parsed = parse::parse(words, &ReportingFlags::default());
                assert!(parsed.is_ok(), "{line}: {call:?}: {parsed:?}");
                found += 1;
            }
        }
        // The same for what the prose quotes, unless it has a placeholder.
        let quotes = text
            .split('`')
            .skip(1)
            .step_by(2)
            .map(|quote| quote.replace('\n', " "));
        for call in quotes.flat_map(|quote| calls(&quote)) {
            if call
                .iter()
                .any(|word| word.chars().all(|c| c.is_ascii_uppercase()))
            {
                continue;
            }
            let parsed = parse::parse(call.iter().map(OsString::from), &ReportingFlags::default());
            assert!(parsed.is_ok(), "{call:?}: {parsed:?}");
        }
    }
    assert!(found > 50, "{found} examples");
    for command in COMMANDS {
        let commands = examples(command.name);
        let commands = commands.iter().flat_map(|line| calls(line));
        let of_it = commands.filter(|call| call[0] == command.name || call[0] == "--version");
        assert!(of_it.count() >= 2, "two examples of {}", command.name);
    }
}

/// The words of a text, without what only its form needs.
fn words(text: &str) -> Vec<String> {
    let text = text.replace('`', "");
    text.split_whitespace().map(str::to_lowercase).collect()
}

/// The words of a man page.
fn page_words(page: &str) -> Vec<String> {
    let mut text = String::new();
    for line in page.lines() {
        let line = match line.split_once(' ') {
            Some((".SH" | ".SS", heading)) => heading,
            Some((".IP", _)) => "-",
            _ if line.starts_with('.') => "",
            _ => line,
        };
        text.push_str(line);
        text.push('\n');
    }
    for (escape, c) in [
        ("\\fB", ""),
        ("\\fI", ""),
        ("\\fR", ""),
        ("\\&", ""),
        ("\\-", "-"),
        ("\\(aq", "'"),
        ("\\(ti", "~"),
        ("\\(ha", "^"),
        ("\\(ga", "`"),
        ("\\e", "\\"),
    ] {
        text = text.replace(escape, c);
    }
    words(&text)
}

#[test]
fn a_topic_is_the_text_of_its_page() {
    for topic in TOPICS {
        let page = PAGES.iter().find(|page| {
            let (name, section) = page.title();
            topic.page == format!("{name}({section})")
        });
        let page = page_words(&page.expect("a page").text());
        let plain = plain::render(&markup::parse(&(topic.text)()));
        let topic_words: Vec<String> = words(&plain.replace(":\n", "\n"));
        let page: Vec<String> = page
            .iter()
            .map(|word| word.trim_end_matches(':').to_owned())
            .collect();
        let topic_words: Vec<String> = topic_words
            .iter()
            .map(|word| word.trim_end_matches(':').to_owned())
            .collect();
        let is_part = page
            .windows(topic_words.len())
            .any(|part| part == topic_words);
        assert!(is_part, "{} is not what its page says", topic.name);
    }
}

#[test]
fn every_field_of_the_json_lines_is_described() {
    let schema: Value = serde_json::from_str(EVENTS).expect("JSON");
    let definitions = schema["$defs"].as_object().expect("definitions");
    let mut described = std::collections::BTreeMap::new();
    for block in parse(JSON) {
        if let Block::Definition { term, text } = block {
            for name in term.split(", ") {
                let all: &mut String = described.entry(name.to_owned()).or_default();
                all.push_str(&text);
            }
        }
    }
    let explained_below = ["cuts", "truncated", "status"];
    let reserved = ["item"];
    for (name, definition) in definitions
        .iter()
        .filter(|(name, _)| !reserved.contains(&&***name))
    {
        let kind = name.strip_prefix("item:").unwrap_or(name);
        let text = described
            .get(kind)
            .unwrap_or_else(|| panic!("{kind} is missing"));
        let fields = definition["properties"].as_object().expect("properties");
        for field in fields
            .keys()
            .filter(|field| !matches!(&***field, "type" | "id" | "item"))
        {
            let is_named = text.contains(&**field) || explained_below.contains(&&**field);
            assert!(is_named, "{kind}: {field}");
        }
    }
    let statuses = definitions["item:tool_call"]["properties"]["status"]["enum"].as_array();
    let codes =
        definitions["turn.failed"]["properties"]["error"]["properties"]["code"]["enum"].as_array();
    for status in statuses.expect("statuses") {
        assert!(JSON.contains(status.as_str().expect("a word")), "{status}");
    }
    let rows: Vec<&str> = TABLE
        .iter()
        .map(|row| row.word)
        .filter(|word| !word.is_empty())
        .collect();
    let codes: Vec<&str> = codes
        .expect("codes")
        .iter()
        .filter_map(Value::as_str)
        .collect();
    assert!(codes.iter().all(|code| rows.contains(code)) && codes.len() == rows.len());
}

#[test]
fn every_page_has_the_sections_of_a_page() {
    for page in PAGES {
        let text = page.text();
        assert!(text.is_ascii(), "{}", page.file);
        let sections: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix(".SH "))
            .collect();
        assert_eq!(sections.first(), Some(&"NAME"), "{}", page.file);
        assert_eq!(sections.last(), Some(&"SEE ALSO"), "{}", page.file);
        for section in ["DESCRIPTION", "EXAMPLES"] {
            assert!(sections.contains(&section), "{}: {section}", page.file);
        }
    }
    let main = PAGES[0].text();
    for section in [
        "SYNOPSIS",
        "COMMANDS",
        "OPTIONS",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
    ] {
        assert!(main.contains(&format!("\n.SH {section}\n")), "{section}");
    }
}
