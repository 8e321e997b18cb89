//! The JSON lines of any run that a test starts: each matches the schema that the binary prints, the last one is the end
//! of the turn, and it agrees with the exit code. A test that cuts standard output on purpose uses `CommandOutput::status`
//! and not `CommandOutput::exits`.

use std::os::unix::process::ExitStatusExt;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::command_output::CommandOutput;
use crate::spec::mistakes_by;

/// The output of `codex schema events`.
pub(crate) static EVENTS: LazyLock<Value> = LazyLock::new(|| {
    let text = include_str!("../../src/output/events.schema.json");
    serde_json::from_str(text).expect("the schema is JSON")
});

/// How a command line requests the lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Not,
    Lines,
    /// Like the official SDK, which receives nothing after it has ended the run.
    BySdk,
}

/// What is wrong with the lines of this run, if it should have printed any.
pub(crate) fn wrong(ran: &CommandOutput) -> Option<String> {
    let asked = asked(&ran.command);
    let code = ran
        .status
        .code()
        .or(ran.status.signal().map(|signal| 128 + signal));
    match asked {
        Asked::Not => None,
        _ => judge(&ran.text(), code.unwrap_or_default(), asked),
    }
}

fn asked(said: &str) -> Asked {
    let words: Vec<&str> = said.split_whitespace().collect();
    // The debug form of a command has its words in quotes; a command named by a test begins with `codex`.
    let own = said.starts_with("codex ");
    let has = |word: &str| {
        let quoted = format!("\"{word}\"");
        words.iter().any(|it| *it == quoted || own && *it == word)
    };
    let nothing = ["--dry-run", "--help", "-h"];
    if !has("run") && !has("exec") || nothing.iter().any(|flag| has(flag)) {
        return Asked::Not;
    }
    match (has("--experimental-json"), has("--json")) {
        (true, _) => Asked::BySdk,
        (false, true) => Asked::Lines,
        (false, false) => Asked::Not,
    }
}

/// What is wrong with these lines of a run that ended with this exit code.
fn judge(text: &str, code: i32, asked: Asked) -> Option<String> {
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut ends = Vec::new();
    let mut count = 0;
    for (n, line) in whole.lines().enumerate() {
        let value: Value = match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => return Some(format!("line {}: {error}", n + 1)),
        };
        let found = mistakes_by(&EVENTS, &value);
        if !found.is_empty() {
            return Some(format!("line {}: {}", n + 1, found.join("; ")));
        }
        let kind = value["type"].as_str().unwrap_or_default();
        if kind == "turn.completed" || kind == "turn.failed" {
            ends.push((n, value));
        }
        count = n + 1;
    }
    let reports_none = code == 141 || code == 74 && text.is_empty();
    let aborted = asked == Asked::BySdk && code == 143;
    match &ends[..] {
        [] if reports_none || aborted => None,
        [] => Some(format!("no end is reported for exit {code}")),
        [_] if reports_none || aborted => Some(format!("an end is reported for exit {code}")),
        [(n, _)] if n + 1 != count || !text.ends_with('\n') => {
            Some(format!("the end on line {} is not the last", n + 1))
        }
        [(_, end)] => {
            let reported = match end["type"].as_str() {
                Some("turn.completed") => json!(0),
                _ => end["error"]["exit_code"].clone(),
            };
            (reported != code)
                .then(|| format!("the last line reports {reported}, and it is {code}"))
        }
        _ => Some("more than one end is reported".to_owned()),
    }
}

#[test]
fn json_lines_are_expected_for_the_right_command_lines() {
    let check = |said: &str, expected: Asked| assert_eq!(asked(said), expected, "{said}");
    check(
        r#"cd "/w" && A="run" "codex" "run" "--json" "x""#,
        Asked::Lines,
    );
    check(r#""codex" "exec" "--experimental-json""#, Asked::BySdk);
    check(r#""codex" "run" "x""#, Asked::Not);
    check(r#""codex" "models" "--json""#, Asked::Not);
    check(r#""codex" "run" "--json" "--dry-run" "x""#, Asked::Not);
    check(
        r#""sh" "-c" "exec \"$0\" \"$@\"" "codex" "models" "--json""#,
        Asked::Not,
    );
    check("codex run --json x, signal 2", Asked::Lines);
    check("codex run x", Asked::Not);
}

#[test]
fn invalid_json_lines_are_detected() {
    let check = |lines: &[&str], code: i32, asked: Asked, expected: Option<&str>| {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let found = judge(&text, code, asked);
        assert_eq!(found.as_deref(), expected, "{text}");
    };
    let begun = r#"{"type":"turn.started"}"#;
    let counts = r#""input_tokens":1,"cached_input_tokens":0,"cache_write_input_tokens":0,"output_tokens":1,"reasoning_output_tokens":0"#;
    let well = &*format!(
        r#"{{"type":"turn.completed","usage":{{{counts}}},"model":"m","duration_ms":1,"requests":1,"final_message":"x"}}"#
    );
    let badly = r#"{"type":"turn.failed","error":{"message":"m","code":"sign_in","exit_code":4}}"#;
    let lines = Asked::Lines;
    check(&[begun, well], 0, lines, None);
    check(&[begun, badly], 4, lines, None);
    check(&[begun], 141, lines, None);
    check(&[begun], 143, Asked::BySdk, None);
    check(&[], 74, lines, None);
    check(
        &[begun],
        143,
        lines,
        Some("no end is reported for exit 143"),
    );
    check(&[], 0, lines, Some("no end is reported for exit 0"));
    check(
        &[begun, badly],
        143,
        Asked::BySdk,
        Some("an end is reported for exit 143"),
    );
    check(
        &[well, begun],
        0,
        lines,
        Some("the end on line 1 is not the last"),
    );
    check(
        &[well, well],
        0,
        lines,
        Some("more than one end is reported"),
    );
    check(
        &[badly],
        5,
        lines,
        Some("the last line reports 4, and it is 5"),
    );
    check(
        &[well],
        4,
        lines,
        Some("the last line reports 0, and it is 4"),
    );
    let unknown = Some("line 1: /more: the specification knows no such field");
    check(&[r#"{"type":"turn.started","more":1}"#], 0, lines, unknown);
    assert!(judge("{\n", 0, lines).is_some_and(|found| found.starts_with("line 1: EOF")));
    let torn = judge(&format!("{well}\n{{"), 0, lines);
    assert_eq!(torn.as_deref(), Some("the end on line 1 is not the last"));
}
