//! Commands, lists, models and efforts.

use super::*;

#[test]
fn pasted_text_is_never_sent_and_never_a_command() {
    let mut chat = chat();
    chat.paste("/quit\n");
    chat.check(&[], "/quit\n", &[]);
    chat.press(ENTER);
    assert_eq!(
        chat.effects,
        [Effect::Remember("//quit".into()), asks("/quit")]
    );
    chat.effects();
    chat.ends(TurnEnd::Completed);
    chat.press(UP);
    chat.check(&[], "//quit", &[]);
    chat.press(ENTER);
    chat.check(&[asks("/quit")], "", &[]);
    chat.ends(TurnEnd::Completed);
    chat.event(ChatEvent::Edited("/quit\n".into()));
    chat.press(ENTER);
    chat.check(&[asks("/quit")], "", &[]);
    chat.ends(TurnEnd::Completed);
    chat.types("/model ");
    chat.paste("gpt-b");
    chat.press(ENTER);
    let model = |model: &str, effort: &str| Effect::SetModel {
        model: model.into(),
        effort: Some(effort.into()),
    };
    chat.check(&[model("gpt-b", "medium")], "", &[]);
}

#[test]
fn a_wrong_command_stays_with_a_hint() {
    let mut chat = chat();
    chat.types("/usr/bin fails\n");
    chat.check(&[], "/usr/bin fails", &[]);
    chat.shows("unknown command /usr");
    chat.ctrl('u');
    chat.types("/effort silly\n");
    chat.check(&[], "/effort silly", &[]);
    chat.ctrl('u');
    chat.types("one\n");
    for command in ["/resume", "/fork", "/new", "/login"] {
        chat.types(command);
        chat.press(ENTER);
        chat.shows("not available while");
        assert_eq!(chat.state.question.text(), command);
        chat.ctrl('u');
    }
    chat.check(&[asks("one")], "", &[]);
}

#[test]
fn commands_do_what_the_help_says() {
    let mut chat = chat();
    chat.types("/help\n");
    chat.shows("  Ctrl+P                 next model\n");
    chat.shows("  /quit            leave\n");
    chat.press(key(Key::PageUp));
    chat.shows("Keys\n  Enter                  send; while a turn runs, queue\n");
    chat.types("/copy\n");
    chat.shows("no answer to copy");
    let said = vec![Said::Model("the answer".into())];
    chat.event(ChatEvent::Opened(OpenedConversation { id: None, said }));
    chat.types("/copy\n/fork\n/fork abc\n/new\n/resume\n/resume abc\n/q");
    let expected = [
        Effect::Copy("the answer".into()),
        Effect::Fork(None),
        Effect::Fork(Some("abc".into())),
        Effect::New,
        Effect::ListSessions,
        Effect::Resume("abc".into()),
    ];
    chat.check(&expected, "/q", &[]);
    chat.press(TAB);
    chat.check(&[], "/quit", &[]);
    chat.press(ENTER);
    chat.check(&[Effect::Quit], "", &[]);
}

#[test]
fn lists_choose_models_efforts_and_conversations() {
    let mut chat = chat();
    chat.types("/model\n");
    chat.shows("› gpt-a  low medium high (current)");
    chat.press(key(Key::Down));
    chat.press(ENTER);
    let (model, effort) = ("gpt-b".to_owned(), Some("medium".to_owned()));
    chat.check(&[Effect::SetModel { model, effort }], "", &[]);
    chat.types("/effort\nhi\n");
    let (model, effort) = ("gpt-b".to_owned(), Some("high".to_owned()));
    chat.check(&[Effect::SetModel { model, effort }], "", &[]);
    let session = |id: &str| SessionEntry {
        id: id.into(),
        used: if id == "x" { "today" } else { "2026-11-20" }.into(),
        model: "gpt-a".into(),
        first: format!("about {id}\n\u{1b}[2J"),
    };
    chat.event(ChatEvent::Sessions(vec![session("x"), session("y")]));
    chat.shows("conversations  type to filter, Enter selects, Esc closes\n");
    chat.shows("today       gpt-a  about x ↵ ^[[2J");
    chat.types("about y");
    chat.shows("conversations: about y  Enter selects, Esc closes\n");
    chat.press(ENTER);
    chat.check(&[Effect::Resume("y".into())], "", &[]);
    chat.event(ChatEvent::Sessions(Vec::new()));
    chat.shows("there are no conversations");
    chat.types("/model\n");
    chat.ctrl('c');
    chat.ctrl('c');
    chat.check(&[], "", &[]);
}

#[test]
fn keys_change_model_and_effort() {
    let mut chat = chat();
    let shift = |key| KeyPress::shift(key);
    let back = KeyPress {
        shift: true,
        ..KeyPress::ctrl('p')
    };
    let alt = KeyPress::alt(Key::Char('p'));
    let keys = [shift(Key::Up), KeyPress::ctrl('p'), back, alt, alt];
    for key in keys {
        chat.press(key);
    }
    let set: Vec<String> = chat
        .effects()
        .into_iter()
        .map(|effect| match effect {
            Effect::SetModel { model, effort } => format!("{model} {}", effort.unwrap_or_default()),
            other => panic!("{other:?}"),
        })
        .collect();
    let expected = [
        "gpt-a high",
        "gpt-b medium",
        "gpt-a high",
        "gpt-b medium",
        "gpt-a high",
    ];
    assert_eq!(set, expected);
    chat.press(shift(Key::Up));
    chat.shows("gpt-a takes no more effort");
    let changed = |id: &str, note: Option<&str>| ChatEvent::ModelChanged {
        entry: ModelEntry {
            id: id.into(),
            efforts: vec!["low".into(), "xhigh".into()],
            effort: Some("low".into()),
            window: None,
        },
        effort: None,
        note: note.map(str::to_owned),
        unlisted: true,
    };
    chat.event(changed("gpt-c", Some("clamped")));
    chat.shows("clamped");
    chat.shows("gpt-c · low · read-only");
    chat.types("/effort\n");
    chat.shows("› low (current)\n  xhigh\n");
    chat.press(ESCAPE);
    chat.event(changed("gpt-a", None));
    assert!(!chat.screen().contains("unchanged"));
    chat.event(changed("gpt-d", None));
    chat.shows("gpt-d is not in a list of models; it is sent unchanged");
}
