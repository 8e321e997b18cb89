//! The view of the transcript.

use super::*;

fn long(chat: &mut Chat, lines: std::ops::Range<usize>) {
    let text: String = lines.map(|n| format!("line {n}\n\n")).collect();
    chat.turn(TurnEvent::Text(text));
}

#[test]
fn new_text_does_not_pull_the_view_down_and_resizing_keeps_the_place() {
    let mut chat = chat();
    chat.types("one\n");
    chat.starts("one");
    long(&mut chat, 0..100);
    chat.shows("line 99");
    chat.press(key(Key::PageUp));
    let first = |screen: &str| screen.lines().next().unwrap_or_default().to_owned();
    let before = first(&chat.screen());
    long(&mut chat, 100..200);
    assert_eq!(first(&chat.screen()), before);
    chat.shows("rows below: End");
    for columns in [40, 120, 33] {
        chat.event(ChatEvent::Resized(Size { columns, rows: 30 }));
        assert_eq!(first(&chat.screen()), before);
    }
    chat.ctrl('r');
    chat.shows(before.trim());
    chat.ctrl('r');
    chat.press(key(Key::End));
    chat.shows("line 199");
    long(&mut chat, 200..300);
    chat.shows("line 299");
    chat.press(key(Key::Home));
    chat.shows("one");
    chat.ends(TurnEnd::Completed);
    chat.types("two\n");
    chat.shows("line 299");
}

#[test]
fn a_search_goes_up_from_the_view_and_returns() {
    let mut chat = chat();
    chat.starts("one");
    long(&mut chat, 0..100);
    chat.screen();
    chat.ctrl('f');
    chat.types("LINE 4");
    chat.shows("find: LINE 4");
    chat.shows("line 49");
    let drawn = draw(&mut chat.state).changes_from(None, true);
    let drawn = String::from_utf8(drawn).expect("text");
    assert!(drawn.contains("\u{1b}[0;7mline 4\u{1b}[m9"), "{drawn:?}");
    chat.press(ENTER);
    chat.shows("line 48");
    for _ in 0..20 {
        chat.press(ENTER);
    }
    chat.shows("line 4\n");
    chat.shows("(not found)");
    chat.press(key(Key::Down));
    chat.shows("line 40");
    chat.ctrl('c');
    chat.shows("line 99");
    chat.ctrl('f');
    chat.paste("line 10\nx");
    chat.press(ESCAPE);
    chat.shows("line 10");
    chat.check(&[], "", &[]);
}

#[test]
fn tab_unfolds_the_last_call_in_view_and_folds_it_again() {
    let mut chat = chat();
    chat.starts("one");
    chat.press(TAB);
    chat.shows("no tool call in view has more lines");
    chat.turn(TurnEvent::ToolStarted(ToolCall {
        id: "1".into(),
        name: "bash".into(),
        subject: ToolSubject::Command("seq 50".into()),
    }));
    let output: String = (1..=50).map(|n| format!("number {n}\n")).collect();
    chat.turn(TurnEvent::ToolEnded {
        id: "1".into(),
        result: Box::new(CallResult::done(output)),
        took_ms: 10,
    });
    // One that hides nothing is passed over.
    chat.turn(TurnEvent::ToolStarted(ToolCall {
        id: "2".into(),
        name: "read".into(),
        subject: ToolSubject::Other("a".into()),
    }));
    chat.press(key(Key::End));
    let folded = chat.screen();
    chat.shows("  … 47 more lines (Tab)\n  number 48\n");
    assert!(!folded.contains("number 1\n") && folded.contains("number 50"));
    chat.press(TAB);
    chat.shows("seq 50");
    chat.shows("number 1\n");
    chat.press(key(Key::End));
    chat.shows("number 50");
    chat.press(TAB);
    assert_eq!(chat.screen(), folded);
}
