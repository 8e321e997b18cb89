//! What the transcript shows.

use std::time::Duration;

use super::*;
use crate::chat::event::{ToolCall, ToolSubject};
use crate::result::{CallResult, Footer, Status};

mod properties;

/// The rows as text.
fn rows(transcript: &mut Transcript, columns: u16) -> Vec<String> {
    let count = transcript.layout(columns, false);
    assert!(transcript.row(count).is_none());
    (0..count).map(|row| text_of(transcript, row)).collect()
}

fn text_of(transcript: &Transcript, row: usize) -> String {
    let line = transcript.row(row).expect("a row");
    line.0.iter().map(|span| span.text.as_str()).collect()
}

fn text(text: &str) -> TurnEvent {
    TurnEvent::Text(text.to_owned())
}

fn question(text: &str) -> TurnEvent {
    let text = text.to_owned();
    TurnEvent::Started { text, images: 0 }
}

fn started(id: &str, name: &str, subject: ToolSubject) -> TurnEvent {
    TurnEvent::ToolStarted(ToolCall {
        id: id.to_owned(),
        name: name.to_owned(),
        subject,
    })
}

fn bash(id: &str, command: &str) -> TurnEvent {
    started(id, "bash", ToolSubject::Command(command.to_owned()))
}

fn ended(id: &str, result: CallResult, took_ms: u64) -> TurnEvent {
    TurnEvent::ToolEnded {
        id: id.to_owned(),
        result: Box::new(result),
        took_ms,
    }
}

fn transcript(events: &[TurnEvent]) -> Transcript {
    let mut transcript = Transcript::new();
    for event in events {
        transcript.turn(event);
    }
    transcript
}

#[test]
fn a_turn_is_shown() {
    let mut transcript = transcript(&[
        TurnEvent::Started {
            text: "fix the **test**\nplease".to_owned(),
            images: 2,
        },
        TurnEvent::Summary("**Looking**".to_owned()),
        text("\nI'll run "),
        text("the **tests**.\n\n"),
        TurnEvent::MessageEnd,
        bash("1", "cargo test"),
        ended(
            "1",
            CallResult::new(Status::Exited(101), "1\n2\n3\n4\n"),
            1234,
        ),
        TurnEvent::Searched("rust 1.88".to_owned()),
        bash("2", "sleep 1"),
        TurnEvent::Waiting("retry in 2 s".to_owned()),
    ]);
    let mut expected = vec![
        "> fix the **test**",
        "  please",
        "  [image] [image]",
        "",
        "Looking",
        "",
        "I'll run the tests.",
        "",
        "● bash  cargo test  ✗ exit code 101 · 1.2 s",
        "  1",
        "  2",
        "  3",
        "  4",
        "",
        "● search  rust 1.88",
        "",
        "● bash  sleep 1  running",
    ];
    let waiting = ["", "… retry in 2 s"];
    assert_eq!(
        rows(&mut transcript, 60),
        [&expected[..], &waiting].concat()
    );
    transcript.notice(NoticeLevel::Warning, "slow\u{1b}[2J");
    let warned = ["", "warning: slow^[[2J", "… retry in 2 s"];
    assert_eq!(rows(&mut transcript, 60), [&expected[..], &warned].concat());
    transcript.turn_ended(&TurnEnd::Failed {
        what: "no answer".to_owned(),
        hint: Some("try again".to_owned()),
        credential: None,
    });
    expected.pop();
    let failed = [
        "● bash  sleep 1  stopped",
        "",
        "warning: slow^[[2J",
        "error: no answer",
        "hint: try again",
    ];
    assert_eq!(rows(&mut transcript, 60), [&expected[..], &failed].concat());
    assert_eq!(
        transcript.last_message(),
        Some("I'll run the **tests**.\n\n")
    );
    let plain = transcript.plain_text();
    assert!(plain.starts_with("> fix the **test**\nplease\n[image] [image]\n\n**Looking**\n"));
    assert!(
        plain.contains("exit code 101 · 1.2 s\n1\n2\n3\n4\n\n● search"),
        "{plain}"
    );
}

#[test]
fn the_first_line_of_a_call_says_how_it_went() {
    let check = |status: Status, expected: &str| {
        let result = CallResult {
            footer: Some(Footer {
                took: Duration::from_secs(2),
            }),
            ..CallResult::new(status, "")
        };
        let mut transcript = transcript(&[bash("1", "make"), ended("1", result, 70)]);
        assert_eq!(
            rows(&mut transcript, 80),
            [format!("● bash  make  {expected}")]
        );
    };
    let limit = Duration::from_secs(120);
    check(Status::Done, "✓ 70 ms");
    check(Status::Exited(0), "✓ 70 ms");
    check(Status::Exited(2), "✗ exit code 2 · 70 ms");
    check(Status::Signalled(9), "✗ killed by signal 9 · 70 ms");
    check(Status::TimedOut { limit }, "✗ timeout after 120 s");
    check(Status::Denied, "✗ denied by the sandbox · 70 ms");
    check(Status::Stopped, "stopped · 70 ms");
    check(Status::Failed, "✗ failed · 70 ms");
}

#[test]
fn a_call_is_folded_and_unfolded() {
    let command = "for n in 1 2 3 4 5\ndo echo $n\ndone";
    let result = CallResult {
        images: vec!["data:".to_owned()],
        sandbox_note: Some("may be the sandbox".to_owned()),
        ..CallResult::done("one\r\ntwo\nthree is a long line of text\nfour\n")
    };
    let mut transcript = transcript(&[bash("1", command), ended("1", result, 5000)]);
    let folded = [
        "● bash  for n in 1 …  ✓ 5 s",
        "  may be the sandbox",
        "  … 2 more lines (Tab)",
        "  three is a long line of …",
        "  four",
        "  [image]",
    ];
    assert_eq!(rows(&mut transcript, 27), folded);
    let call = transcript.last_call().expect("a call");
    assert_eq!(transcript.call_at(4), Some(call));
    transcript.toggle(call);
    let unfolded = [
        "● bash  for n in 1 …  ✓ 5 s",
        "  for n in 1 2 3 4 5",
        "  do echo $n",
        "  done",
        "  may be the sandbox",
        "  one",
        "  two",
        "  three is a long line of",
        "  text",
        "  four",
        "  [image]",
    ];
    assert_eq!(rows(&mut transcript, 27), unfolded);
    transcript.toggle(call);
    assert_eq!(rows(&mut transcript, 27), folded);
    transcript.open(&[]);
    transcript.toggle(call);
    assert_eq!(rows(&mut transcript, 27), [""; 0]);
    assert_eq!(
        (transcript.last_call(), transcript.call_at(0)),
        (None, None)
    );
}

#[test]
fn a_running_call_shows_the_end_of_what_it_prints() {
    let printed = |tail: &str| TurnEvent::ToolPrinted {
        id: "1".to_owned(),
        tail: tail.to_owned(),
    };
    let mut transcript = transcript(&[printed("too early"), bash("1", "make"), printed("0\n1\n")]);
    transcript.turn(&printed("1\n2\n3\n4"));
    let running = ["● bash  make  running", "  1", "  2", "  3", "  4"];
    assert_eq!(rows(&mut transcript, 60), running);
    transcript.turn(&printed("1\n2\n3\n4\n5\n"));
    let more = [
        "● bash  make  running",
        "  … more lines (Tab)",
        "  3",
        "  4",
        "  5",
    ];
    assert_eq!(rows(&mut transcript, 60), more);
    let result = CallResult::new(Status::Stopped, "1\n2\n3\n4\nend\n");
    transcript.turn(&ended("1", result, 70));
    let stopped = [
        "● bash  make  stopped · 70 ms",
        "  … 2 more lines (Tab)",
        "  3",
        "  4",
        "  end",
    ];
    assert_eq!(rows(&mut transcript, 60), stopped);
    transcript.turn(&printed("too late"));
    assert_eq!(rows(&mut transcript, 60), stopped);
}

#[test]
fn a_change_is_shown_as_one() {
    let added: String = (0..20).map(|n| format!("line {n}\n")).collect();
    let subject = ToolSubject::Change {
        path: "src/a.rs".to_owned(),
        removed: "old\n".to_owned(),
        added,
    };
    let mut transcript = transcript(&[
        started("1", "edit", subject.clone()),
        ended("1", CallResult::done("changed src/a.rs in 1 place"), 3),
        started("2", "edit", subject),
        ended("2", CallResult::failed("src/a.rs is unchanged"), 3),
    ]);
    let shown = rows(&mut transcript, 60);
    assert_eq!(
        shown[..3],
        ["● edit  src/a.rs  ✓ 3 ms", "  -old", "  +line 0"]
    );
    assert_eq!(shown[12..15], ["  +line 10", "  … 9 more lines (Tab)", ""]);
    assert_eq!(
        shown[28..],
        ["  … 9 more lines (Tab)", "  src/a.rs is unchanged"]
    );
    transcript.toggle(transcript.call_at(0).expect("a call"));
    let shown = rows(&mut transcript, 60);
    assert_eq!(shown[21..23], ["  +line 19", ""]);
}

#[test]
fn a_stored_conversation_is_shown() {
    let said = [
        Said::User("hi".to_owned()),
        Said::Tool {
            call: ToolCall {
                id: "1".to_owned(),
                name: "read".to_owned(),
                subject: ToolSubject::Other("a.txt".to_owned()),
            },
            output: "1\n2\n3\n4".to_owned(),
        },
        Said::Model("- hello".to_owned()),
        Said::Model("bye".to_owned()),
    ];
    let mut transcript = transcript(&[text("before")]);
    transcript.open(&said);
    let expected = [
        "> hi",
        "",
        "● read  a.txt",
        "  1",
        "  2",
        "  3",
        "  4",
        "",
        "• hello",
        "",
        "bye",
    ];
    assert_eq!(rows(&mut transcript, 60), expected);
}

#[test]
fn raw_text_is_as_it_was_written() {
    let mut transcript = transcript(&[text("# **a**\n- b\tc")]);
    assert_eq!(rows(&mut transcript, 40), ["a", "• b     c"]);
    assert_eq!(transcript.layout(40, true), 2);
    assert_eq!(
        [0, 1].map(|row| text_of(&transcript, row)),
        ["# **a**", "- b     c"]
    );
    assert_eq!(rows(&mut transcript, 40), ["a", "• b     c"]);
}

#[test]
fn a_rule_is_short_and_a_quotation_has_a_mark_in_each_row() {
    let mut transcript = transcript(&[text("a\n***\n> one two\nb")]);
    for columns in [1, 7, 90] {
        let rule = "─".repeat(usize::from(columns).min(8));
        assert_eq!(rows(&mut transcript, columns)[1], rule);
    }
    assert_eq!(rows(&mut transcript, 7)[2..], ["▏ one", "▏ two", "b"]);
}

#[test]
fn a_call_folds_only_if_that_hides_something() {
    let change = |lines: usize| ToolSubject::Change {
        path: "a".to_owned(),
        removed: String::new(),
        added: "line\n".repeat(lines),
    };
    let check = |call: TurnEvent, output: &str, columns, expected| {
        let mut transcript = transcript(&[call, ended("1", CallResult::done(output), 5)]);
        transcript.layout(columns, false);
        let call = transcript.call_at(0).expect("a call");
        for _ in 0..2 {
            assert_eq!(transcript.folds(call), expected, "{output}, {columns}");
            transcript.toggle(call);
        }
    };
    check(bash("1", "make"), "", 40, false);
    check(bash("1", "make"), "1\n2\n3\n4\n", 40, false);
    check(bash("1", "make"), "1\n2\n3\n4\n5\n", 40, true);
    check(bash("1", "make"), "a line that is cut", 40, false);
    check(bash("1", "make"), "a line that is cut", 15, true);
    check(bash("1", "make all of it"), "", 15, true);
    check(bash("1", "one\ntwo"), "", 40, true);
    check(
        started("1", "edit", change(13)),
        "done\n".repeat(9).as_str(),
        40,
        false,
    );
    check(started("1", "edit", change(14)), "", 40, true);
}
