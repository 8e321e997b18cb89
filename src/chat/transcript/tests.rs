//! What the transcript shows.

use std::time::Duration;

use super::*;
use crate::chat::event::{ToolCall, ToolSubject};
use crate::chat::width::width;
use crate::result::{CallResult, Status};

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

fn bash(id: &str, command: &str) -> TurnEvent {
    TurnEvent::ToolStarted(ToolCall {
        id: id.to_owned(),
        name: "bash".to_owned(),
        subject: ToolSubject::Command(command.to_owned()),
    })
}

fn ended(id: &str, result: CallResult, took_ms: u64) -> TurnEvent {
    TurnEvent::ToolEnded {
        id: id.to_owned(),
        result: Box::new(result),
        took_ms,
    }
}

#[test]
fn a_turn_is_shown() {
    let mut transcript = Transcript::new();
    let text = |text: &str| TurnEvent::Text(text.to_owned());
    for event in [
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
            CallResult::new(Status::Exited(101), "one\ntwo\nthree\nfour\n"),
            1234,
        ),
        TurnEvent::Searched("rust 1.88".to_owned()),
        bash("2", "sleep 1"),
        TurnEvent::Waiting("retry in 2 s".to_owned()),
    ] {
        transcript.turn(&event);
    }
    let expected = [
        "> fix the **test**",
        "  please",
        "  [image] [image]",
        "",
        "Looking",
        "",
        "I'll run the tests.",
        "",
        "● bash  cargo test  ✗ exit code 101 1.2 s",
        "  two",
        "  three",
        "  four",
        "",
        "● search  rust 1.88",
        "",
        "● bash  sleep 1  running",
        "",
        "… retry in 2 s",
    ];
    assert_eq!(rows(&mut transcript, 60), expected);
}
