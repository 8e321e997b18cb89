//! What each writer gets, and when.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::*;
use crate::failure::RunWarning;
use crate::output::Subject;
use crate::output::spinner::{ERASE, Frames};
use crate::result::CallResult;
use crate::wire::raw_text::RawText;

/// Returns the output of both writers. In the script, `|` ends a message; texts are split into `pieces`.
fn write(script: &str, pieces: usize, terminal: bool) -> String {
    let mut out = Vec::new();
    let mut sink = Text::new(&mut out, io::sink(), Level::Normal, (terminal, false));
    for (n, message) in script.split('|').enumerate() {
        if n > 0 {
            sink.take(Notice::MessageEnd(&RawText::default()))
                .expect("a vector");
        }
        let chars: Vec<char> = message.chars().collect();
        for piece in chars.chunks(pieces) {
            let piece: String = piece.iter().collect();
            sink.take(Notice::Text(&piece)).expect("a vector");
        }
    }
    sink.finish().expect("a vector");
    String::from_utf8(out).expect("UTF-8")
}

#[test]
fn one_line_end_at_the_end_and_one_blank_line_between() {
    for pieces in 1..6 {
        let check = |script: &str, expected: &str| {
            assert_eq!(write(script, pieces, false), expected, "{script:?}")
        };
        check("hello", "hello\n");
        check("hello\n", "hello\n");
        check("hello\n\n\n", "hello\n\n\n");
        check("a|b|", "a\n\nb\n");
        check("a\n|b\n|", "a\n\nb\n");
        check("a\n\n|b", "a\n\nb\n");
        check("a||b", "a\n\nb\n");
        check("|a", "a\n");
        check("\n|a", "\n\na\n");
        check("", "");
    }
}

#[test]
fn a_terminal_sees_control_characters_and_a_pipe_gets_them() {
    assert_eq!(
        write("\u{1b}[31m\tx\r\u{7f}\u{9b}\n", 9, true),
        "^[[31m\tx^M^?\\x9b\n"
    );
    assert_eq!(
        write("\u{1b}[31m\tx\r\u{7f}\u{9b}\n", 9, false),
        "\u{1b}[31m\tx\r\u{7f}\u{9b}\n"
    );
}

#[test]
fn the_spinner_is_erased_before_other_output() {
    let mut both = Vec::new();
    let shown = Arc::new(AtomicBool::new(false));
    let spinner = Spinner::new(Frames::Bar, Arc::clone(&shown), || true, || 80);
    let mut sink = Text::new(io::sink(), &mut both, Level::Normal, (true, true))
        .with(Paint::new(true), Some(spinner));
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    sink.beat(at(0));
    sink.beat(at(500));
    sink.take(Notice::Warning(&RunWarning::Note("odd".to_owned())))
        .expect("a vector");
    sink.beat(at(1000));
    sink.take(Notice::Text("hello")).expect("a vector");
    sink.flush().expect("a vector");
    assert_eq!(sink.pulse(), None, "inside a message nothing turns");
    sink.beat(at(9000));
    sink.take(Notice::MessageEnd(&RawText::default()))
        .expect("a vector");
    assert_eq!(sink.pulse(), Some(PULSE_INTERVAL));
    sink.beat(at(10_000));
    sink.beat(at(11_000));
    sink.finish().expect("a vector");
    let expected = format!(
        "\r- waiting 0 s\x1b[K{ERASE}\x1b[2mcodex:\x1b[0m odd\n\r- waiting 1 s\x1b[K{ERASE}\r- waiting 1 s\x1b[K{ERASE}"
    );
    assert_eq!(String::from_utf8_lossy(&both), expected);
    assert!(!shown.load(std::sync::atomic::Ordering::Relaxed));
}

#[test]
fn a_tool_call_is_one_line_and_quiet_is_quiet() {
    let output = |level| {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let mut sink = Text::new(&mut out, &mut err, level, (false, false));
        let took = Duration::from_millis(12);
        let notice = Notice::ToolEnded {
            call: CallNotice {
                id: "c",
                name: "bash",
                arguments: "",
                subject: Subject::Command("ls\n-l"),
            },
            brief: "ls\n-l",
            took,
            result: &CallResult::done("a\nb"),
        };
        sink.take(notice).expect("a vector");
        sink.take(Notice::Warning(&RunWarning::Note("odd".to_owned())))
            .expect("a vector");
        assert!(out.is_empty());
        String::from_utf8(err).expect("UTF-8")
    };
    assert_eq!(output(Level::Quiet), "");
    assert_eq!(
        output(Level::Normal),
        "codex: bash: ls ... (ok, 12 ms)\ncodex: odd\n"
    );
    assert_eq!(
        output(Level::Verbose),
        "codex: bash: ls ... (ok, 12 ms)\n    a\n    b\ncodex: odd\n"
    );
}
