//! What holds for every transcript, however it came about.

use super::*;
use crate::chat::transcript::scroll::MAX_BYTES;
use crate::chat::width::width;

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
    assert_eq!(text_of(&transcript, 0), "… the beginning is not kept");
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
    for _ in 0..40 {
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
