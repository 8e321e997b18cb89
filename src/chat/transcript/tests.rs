//! What the transcript shows, and that it shows the same however it came about.

use std::time::Duration;

use super::scroll::MAX_BYTES;
use super::*;
use crate::chat::event::{ToolCall, ToolSubject};
use crate::chat::width::width;
use crate::result::{CallResult, Footer, Status};

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
        "● bash  cargo test  ✗ exit code 101 1.2 s",
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
        sign_in: false,
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
        plain.contains("exit code 101 1.2 s\n1\n2\n3\n4\n\n● search"),
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
    check(Status::Exited(2), "✗ exit code 2 70 ms");
    check(Status::Signalled(9), "✗ killed by signal 9 70 ms");
    check(Status::TimedOut { limit }, "✗ timeout after 120 s");
    check(Status::Denied, "✗ denied by the sandbox 70 ms");
    check(Status::Stopped, "stopped 70 ms");
    check(Status::Failed, "✗ failed 70 ms");
}

#[test]
fn a_call_is_folded_and_unfolded() {
    let command = "for n in 1 2 3 4 5\ndo echo $n\ndone";
    let result = CallResult {
        image: Some("data:".to_owned()),
        sandbox_note: Some("may be the sandbox".to_owned()),
        ..CallResult::done("one\r\ntwo\nthree is a long line of text\nfour\n")
    };
    let mut transcript = transcript(&[bash("1", command), ended("1", result, 5000)]);
    let folded = [
        "● bash  for n in 1 …  ✓ 5 s",
        "  may be the sandbox",
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
    assert_eq!(shown[12..15], ["  +line 10", "  … 9 more lines", ""]);
    assert_eq!(shown[28..], ["  … 9 more lines", "  src/a.rs is unchanged"]);
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

const SAMPLE: &str = "# Title\n\nSome **bold text** and `code`, with 日本語 in it.\n\n- one item of a list\n  - two\n\n```rust\n\
    fn main() {}\n```\n---\nThe\tend\u{1b} of it\r\n\n\nreally: wide 日本語日本語.\n\n";

#[test]
fn a_message_looks_the_same_however_it_came() {
    let whole = transcript(&[text(SAMPLE), TurnEvent::MessageEnd]);
    let mut whole = whole;
    let cuts: Vec<usize> = (0..SAMPLE.len())
        .filter(|at| SAMPLE.is_char_boundary(*at))
        .collect();
    for columns in [10, 23, 80] {
        let expected = rows(&mut whole, columns);
        for cut in &cuts {
            let (before, after) = SAMPLE.split_at(*cut);
            let mut grown = transcript(&[text(before)]);
            rows(&mut grown, 23);
            grown.turn(&text(after));
            rows(&mut grown, columns);
            grown.turn(&TurnEvent::MessageEnd);
            assert_eq!(rows(&mut grown, columns), expected, "{cut} at {columns}");
        }
        let mut grown = Transcript::new();
        for c in SAMPLE.chars() {
            grown.turn(&text(&c.to_string()));
            grown.layout(columns, columns == 23);
        }
        grown.turn(&TurnEvent::MessageEnd);
        assert_eq!(rows(&mut grown, columns), expected);
    }
}

#[test]
fn text_that_is_added_leaves_the_rows_before_it_alone() {
    let mut transcript = transcript(&[question("?"), text("first line\nsecond line\nthird")]);
    transcript.layout(40, false);
    let place = |transcript: &Transcript, row: usize| {
        std::ptr::from_ref(transcript.row(row).expect("a row"))
    };
    let before = [0, 2, 3].map(|row| place(&transcript, row));
    transcript.turn(&text(" line\nfourth"));
    transcript.layout(40, false);
    assert_eq!([0, 2, 3].map(|row| place(&transcript, row)), before);
    assert_eq!(text_of(&transcript, 4), "third line");
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
fn a_rule_is_as_wide_as_the_screen() {
    let mut transcript = transcript(&[text("a\n***\nb")]);
    for columns in [1, 7, 90] {
        assert_eq!(
            rows(&mut transcript, columns)[1],
            "─".repeat(usize::from(columns))
        );
    }
}

#[test]
fn words_are_found_where_they_are_shown() {
    let mut transcript = transcript(&[
        question("where is the Needle"),
        text(
            "in a haystack of long lines, in which a needle and another NEEDLE are hidden\n\nneedle",
        ),
        bash("1", "echo needle"),
        ended("1", CallResult::done("needle\n2\n3\n4"), 5),
    ]);
    for columns in [12, 30, 79] {
        let shown = rows(&mut transcript, columns);
        let has = |row: &usize| shown[*row].to_lowercase().contains("needle");
        for from in 0..shown.len() + 3 {
            let next = (from..shown.len()).find(has);
            assert_eq!(
                transcript.find("NEEDLE", from, false),
                next,
                "{columns}, {from}"
            );
            let last = (0..shown.len().min(from + 1)).rev().find(has);
            assert_eq!(
                transcript.find("needle", from, true),
                last,
                "{columns}, {from}"
            );
        }
        assert_eq!(transcript.find("", 0, false), None);
        assert_eq!(transcript.find("not there", 0, false), None);
    }
    // The words may stand in two rows.
    let shown = rows(&mut transcript, 12);
    let row = transcript.find("lines, in", 0, false).expect("a row");
    assert!(
        shown[row].ends_with("lines,") && shown[row + 1].starts_with("in"),
        "{shown:?}"
    );
    assert_eq!(Transcript::new().find("a", 0, true), None);
}

#[test]
fn an_anchor_keeps_its_place() {
    let said: String = (0..200).map(|n| format!("word{n} ")).collect();
    let mut transcript = transcript(&[question("?"), text(&said), bash("1", "true")]);
    let first_word = |transcript: &Transcript, row: usize| {
        let text = text_of(transcript, row);
        text.split(' ').next().map(str::to_owned)
    };
    for columns in [80, 30, 200, 10] {
        let count = transcript.layout(columns, false);
        for row in 0..count {
            let anchor = transcript.anchor(row).expect("a row");
            assert_eq!(transcript.row_of(anchor), row);
        }
    }
    transcript.layout(30, false);
    let anchor = transcript.anchor(20).expect("a row");
    let word = first_word(&transcript, 20).expect("a word");
    for columns in [80, 17, 300] {
        transcript.layout(columns, false);
        assert!(text_of(&transcript, transcript.row_of(anchor)).contains(&word));
    }
    assert!(transcript.anchor(1_000_000).is_none());
}

#[test]
fn memory_is_bounded() {
    let mut transcript = Transcript::new();
    // Lines that cost more than their text, a line without an end, and output of tools.
    let (short, long) = (
        "\n.".repeat(MAX_ENTRY_BYTES / 16),
        "x".repeat(MAX_ENTRY_BYTES),
    );
    for round in 0..8 {
        transcript.turn(&question("next"));
        transcript.turn(&text(&short));
        transcript.turn(&text(&long));
        transcript.turn(&bash("1", "yes"));
        transcript.turn(&ended("1", CallResult::done("y\n".repeat(1 << 18)), 1));
        assert!(transcript.scroll.bytes() <= MAX_BYTES, "{round}");
        if round % 4 < 3 {
            continue;
        }
        let anchor = transcript.anchor(0);
        let count = transcript.layout(80, false);
        assert!(transcript.row(count - 1).is_some() && transcript.row(count).is_none());
        assert!(anchor.is_none_or(|anchor| transcript.row_of(anchor) < count));
    }
    assert_eq!(
        text_of(&transcript, 0),
        "… the beginning is not kept on the screen"
    );
    assert_eq!(text_of(&transcript, 1), "");
}

#[test]
fn a_long_message_continues_as_if_it_were_one() {
    let line = "let a = `b`; **c**\n";
    let mut transcript = transcript(&[text("```\n")]);
    let count = 2 * MAX_ENTRY_BYTES / line.len();
    for _ in 0..count {
        transcript.turn(&text(line));
    }
    assert_eq!(transcript.layout(80, false), count + 1);
    for row in [1, count / 2, count] {
        assert_eq!(text_of(&transcript, row), line.trim_end());
    }
}

/// Events in any order, laid out at any time and width: the rows fit, and are those of the same events laid out once.
#[test]
fn the_order_of_layouts_does_not_matter() {
    let mut number = 7_u64;
    let mut random = |below: usize| {
        number = number
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(number >> 33).unwrap_or_default() % below
    };
    let pieces: Vec<&str> = SAMPLE.split_inclusive(' ').collect();
    for _ in 0..100 {
        let (mut one, mut other) = (Transcript::new(), Transcript::new());
        for step in 0..40 {
            let id = random(4).to_string();
            let change = ToolSubject::Change {
                path: "a".to_owned(),
                removed: SAMPLE[..random(20)].to_owned(),
                added: SAMPLE.to_owned(),
            };
            let event = match random(14) {
                0 => question(SAMPLE),
                1 => TurnEvent::MessageEnd,
                2 => TurnEvent::Waiting("w".to_owned()),
                3 => TurnEvent::Notice(NoticeLevel::Note, SAMPLE.to_owned()),
                4 => bash(&id, SAMPLE),
                5 => started(&id, "edit", change),
                6 | 7 => ended(&id, CallResult::new(Status::Exited(1), SAMPLE), 7),
                _ => text(pieces[random(pieces.len())]),
            };
            let columns = u16::try_from(1 + random(80)).expect("a small number");
            let ends = random(30) == 0;
            let call = one.last_call().filter(|_| random(8) == 0);
            for transcript in [&mut one, &mut other] {
                transcript.turn(&event);
                if ends {
                    transcript.turn_ended(&TurnEnd::Interrupted);
                }
                if let Some(call) = call {
                    transcript.toggle(call);
                }
            }
            if step % 3 == 0 {
                for row in rows(&mut one, columns) {
                    let room = usize::from(columns).max(4);
                    assert!(width(&row) <= room, "{columns}: {row:?}");
                }
            }
        }
        assert_eq!(rows(&mut one, 33), rows(&mut other, 33));
        assert_eq!(one.plain_text(), other.plain_text());
    }
}
