//! What a user does, and what comes of it.

use super::State;
use super::queue::MAX_QUEUED;
use crate::chat::draw::draw;
use crate::chat::event::{
    Effect, Event, ModelEntry, NoticeLevel, OpenedConversation, Said, SessionEntry, Setup,
    SignInEvent, Size, ToolCall, ToolSubject, TurnEnd, TurnEvent,
};
use crate::chat::key::{Input, Key, KeyPress};
use crate::result::CallResult;

/// A chat, and the effects since they were last looked at.
struct Chat {
    state: State,
    effects: Vec<Effect>,
}

const UP: KeyPress = key(Key::Up);
const ENTER: KeyPress = key(Key::Enter);
const ESCAPE: KeyPress = key(Key::Escape);
const TAB: KeyPress = key(Key::Tab);

const fn key(key: Key) -> KeyPress {
    KeyPress {
        key,
        ctrl: false,
        alt: false,
        shift: false,
    }
}

fn setup() -> Setup {
    let entry = |id: &str| ModelEntry {
        id: id.into(),
        efforts: vec!["low".into(), "medium".into(), "high".into()],
        effort: Some("medium".into()),
        window: Some(272_000),
    };
    Setup {
        models: vec![entry("gpt-a"), entry("gpt-b")],
        model: "gpt-a".into(),
        effort: Some("medium".into()),
        sandbox: "read-only".into(),
        directory: "~/src".into(),
        ..Setup::default()
    }
}

fn chat_with(setup: Setup) -> Chat {
    let mut chat = Chat {
        state: State::new(setup),
        effects: Vec::new(),
    };
    chat.event(Event::Opened(OpenedConversation::default()));
    chat.screen();
    chat
}

fn chat() -> Chat {
    chat_with(setup())
}

impl Chat {
    fn event(&mut self, event: Event) {
        let effects = self.state.step(event);
        self.effects.extend(effects);
    }

    fn press(&mut self, key: KeyPress) {
        self.event(Event::Input(Input::Key(key)));
    }

    fn ctrl(&mut self, letter: char) {
        self.press(KeyPress::ctrl(letter));
    }

    /// Types text; a line end is Enter.
    fn types(&mut self, text: &str) {
        for c in text.chars() {
            self.press(match c {
                '\n' => ENTER,
                c => key(Key::Char(c)),
            });
        }
    }

    fn paste(&mut self, text: &str) {
        self.event(Event::Input(Input::Paste(text.into())));
    }

    fn turn(&mut self, event: TurnEvent) {
        self.event(Event::Turn(event));
    }

    fn starts(&mut self, text: &str) {
        let text = text.to_owned();
        self.turn(TurnEvent::Started { text, images: 0 });
    }

    fn ends(&mut self, end: TurnEnd) {
        self.event(Event::TurnEnded(end));
    }

    fn fails(&mut self, sign_in: bool) {
        self.ends(TurnEnd::Failed {
            what: "it failed".into(),
            hint: None,
            sign_in,
        });
    }

    fn screen(&mut self) -> String {
        draw(&mut self.state).text()
    }

    /// The effects since the last time, without what goes into the history.
    fn effects(&mut self) -> Vec<Effect> {
        let mut effects = std::mem::take(&mut self.effects);
        effects.retain(|effect| !matches!(effect, Effect::Remember(_)));
        effects
    }

    fn check(&mut self, effects: &[Effect], question: &str, queue: &[&str]) {
        assert_eq!(self.effects(), effects);
        assert_eq!(self.state.question.text(), question, "the question");
        let waiting: Vec<&str> = self.state.queue.waiting().collect();
        assert_eq!(waiting, queue, "the queue");
    }

    fn shows(&mut self, text: &str) {
        let screen = self.screen();
        assert!(screen.contains(text), "no {text:?} in\n{screen}");
    }
}

fn asks(text: &str) -> Effect {
    Effect::Ask(text.into())
}

#[test]
fn enter_sends_and_what_is_typed_meanwhile_is_queued_and_sent_in_order() {
    let mut chat = chat();
    chat.types("one\n");
    assert_eq!(chat.effects, [Effect::Remember("one".into()), asks("one")]);
    chat.check(&[asks("one")], "", &[]);
    chat.types("two\nthree\n");
    chat.check(&[], "", &["two", "three"]);
    chat.shows("queued: two");
    chat.types("dra");
    chat.ends(TurnEnd::Completed);
    chat.check(&[asks("two")], "dra", &["three"]);
    chat.ends(TurnEnd::Completed);
    chat.check(&[asks("three")], "dra", &[]);
    chat.ends(TurnEnd::Completed);
    chat.check(&[], "dra", &[]);
}

#[test]
fn an_interruption_keeps_the_queue_until_the_user_sends_it_on() {
    for key in [ESCAPE, KeyPress::ctrl('c')] {
        for end in [TurnEnd::Interrupted, TurnEnd::Completed] {
            let mut chat = chat();
            chat.types("one\ntwo\nthree\nfour\ntext");
            chat.press(key);
            chat.check(
                &[asks("one"), Effect::Interrupt],
                "text",
                &["two", "three", "four"],
            );
            chat.shows("stopping");
            chat.ends(end);
            chat.check(&[], "text", &["two", "three", "four"]);
            chat.shows("held: two");
            chat.types("\n");
            chat.check(&[asks("text")], "", &["two", "three", "four"]);
            chat.ends(TurnEnd::Completed);
            chat.check(&[], "", &["two", "three", "four"]);
            chat.press(UP);
            chat.check(&[], "four", &["two", "three"]);
            chat.ctrl('u');
            chat.types("\n");
            chat.check(&[asks("two")], "", &["three"]);
            chat.ends(TurnEnd::Completed);
            chat.check(&[asks("three")], "", &[]);
        }
    }
}

#[test]
fn ctrl_s_steers_and_what_was_not_sent_is_asked_next() {
    let mut chat = chat();
    chat.types("one\ntwo\nthree\nnow");
    chat.ctrl('s');
    let steer = |text: &str| Effect::Steer(text.into());
    chat.check(&[asks("one"), steer("now")], "", &["two", "three"]);
    chat.ctrl('s');
    chat.check(&[steer("two")], "", &["three"]);
    chat.shows("steers: two");
    chat.turn(TurnEvent::Steered { text: "now".into() });
    chat.ends(TurnEnd::Completed);
    chat.check(&[asks("two")], "", &["three"]);
    chat.ends(TurnEnd::Interrupted);
    chat.types("idle");
    chat.ctrl('s');
    chat.check(&[asks("idle")], "", &["three"]);
}

#[test]
fn a_message_that_needs_a_sign_in_is_not_lost() {
    let mut chat = chat();
    chat.paste("/etc/passwd, what is it?");
    chat.press(ENTER);
    chat.starts("/etc/passwd, what is it?");
    chat.types("two\n");
    chat.types("typing");
    chat.fails(true);
    let asked = "/etc/passwd, what is it?";
    chat.check(&[asks(asked)], "typing", &[asked, "two"]);
    chat.shows("/login signs in here and sends your message");
    chat.shows("not signed in");
    chat.ctrl('u');
    chat.types("\n");
    chat.check(&[asks(asked)], "", &["two"]);
    chat.fails(true);
    chat.types("/login\n");
    chat.check(&[Effect::SignIn], "", &[asked, "two"]);
    let (address, code) = ("https://example.com/device".into(), "AB-12".into());
    chat.event(Event::SignIn(SignInEvent::Code { address, code }));
    chat.shows("https://example.com/device");
    chat.shows("AB-12");
    chat.types("three\n");
    chat.check(&[], "", &[asked, "two", "three"]);
    chat.event(Event::SignIn(SignInEvent::Failed("it expired".into())));
    chat.shows("held: /etc");
    chat.types("/login\n");
    let account = "a@example.com".into();
    chat.event(Event::SignIn(SignInEvent::Done { account }));
    chat.check(&[Effect::SignIn, asks(asked)], "", &["two", "three"]);
    assert!(!chat.screen().contains("not signed in"));
}

#[test]
fn without_a_sign_in_the_screen_says_how() {
    let mut chat = chat_with(Setup {
        signed_out: true,
        ..setup()
    });
    for way in ["/login", "codex login", "OPENAI_API_KEY", "not signed in ·"] {
        chat.shows(way);
    }
    chat.types("/login\nhello\n");
    chat.check(&[Effect::SignIn], "", &["hello"]);
    let account = "a@example.com".into();
    chat.event(Event::SignIn(SignInEvent::Done { account }));
    chat.check(&[asks("hello")], "", &[]);
    let mut chat = chat_with(setup());
    chat.types("/login\nhello\n");
    chat.press(ESCAPE);
    chat.check(&[Effect::SignIn, Effect::CancelSignIn], "", &["hello"]);
    chat.shows("held: hello");
}

#[test]
fn ctrl_c_twice_in_a_row_and_ctrl_d_leave_an_idle_chat() {
    let mut chat = chat();
    chat.ctrl('c');
    chat.shows("Ctrl+C again leaves");
    chat.types("x");
    chat.ctrl('c');
    chat.check(&[], "", &[]);
    chat.press(UP);
    chat.check(&[], "x", &[]);
    chat.ctrl('d');
    chat.ctrl('c');
    chat.ctrl('c');
    chat.check(&[Effect::Quit], "", &[]);
    chat.ctrl('d');
    chat.check(&[Effect::Quit], "", &[]);
    chat.types("one\ntext");
    for _ in 0..3 {
        chat.ctrl('c');
    }
    assert!(chat.effects.contains(&Effect::Remember("text".into())));
    let twice = [Effect::Interrupt, Effect::Interrupt];
    let all = [&[asks("one")][..], &twice, &[Effect::Quit]].concat();
    chat.check(&all, "text", &[]);
    chat.ends(TurnEnd::Interrupted);
    chat.ctrl('u');
    chat.types("two\n");
    chat.ctrl('c');
    chat.ends(TurnEnd::Interrupted);
    chat.ctrl('c');
    chat.check(&[asks("two"), Effect::Interrupt, Effect::Quit], "", &[]);
}

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
    chat.event(Event::Edited("/quit\n".into()));
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
    chat.shows("no command /usr");
    chat.ctrl('u');
    chat.types("/effort silly\n");
    chat.check(&[], "/effort silly", &[]);
    chat.ctrl('u');
    chat.types("one\n");
    for command in ["/resume", "/fork", "/new", "/login"] {
        chat.types(command);
        chat.press(ENTER);
        chat.shows("not while a turn is running");
        assert_eq!(chat.state.question.text(), command);
        chat.ctrl('u');
    }
    chat.check(&[asks("one")], "", &[]);
}

#[test]
fn commands_do_what_the_help_says() {
    let mut chat = chat();
    chat.types("/help\n");
    chat.shows("/quit: leave");
    chat.types("/copy\n");
    chat.shows("no answer to copy");
    let said = vec![Said::Model("the answer".into())];
    chat.event(Event::Opened(OpenedConversation { id: None, said }));
    chat.types("/copy\n/fork\n/new\n/resume\n/resume abc\n/q");
    let expected = [
        Effect::Copy("the answer".into()),
        Effect::Fork,
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
    chat.shows("› gpt-a  low medium high");
    chat.press(key(Key::Down));
    chat.press(ENTER);
    let (model, effort) = ("gpt-b".to_owned(), Some("medium".to_owned()));
    chat.check(&[Effect::SetModel { model, effort }], "", &[]);
    chat.types("/effort\nhi\n");
    let (model, effort) = ("gpt-b".to_owned(), Some("high".to_owned()));
    chat.check(&[Effect::SetModel { model, effort }], "", &[]);
    let session = |id: &str| SessionEntry {
        id: id.into(),
        used: "today".into(),
        model: "gpt-a".into(),
        first: format!("about {id}\n\u{1b}[2J"),
    };
    chat.event(Event::Sessions(vec![session("x"), session("y")]));
    chat.shows("today  gpt-a  about x ↵ ^[[2J");
    chat.types("about y\n");
    chat.check(&[Effect::Resume("y".into())], "", &[]);
    chat.event(Event::Sessions(Vec::new()));
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
    chat.event(Event::ModelChanged {
        model: "gpt-c".into(),
        effort: None,
        note: Some("clamped".into()),
    });
    chat.shows("clamped");
    chat.shows("gpt-c · read-only");
}

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
        chat.event(Event::Resized(Size { columns, rows: 30 }));
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
    chat.shows("no tool call is in view");
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
    chat.press(key(Key::End));
    let folded = chat.screen();
    assert!(!folded.contains("number 1\n") && folded.contains("number 50"));
    chat.press(TAB);
    chat.shows("seq 50");
    chat.shows("number 1\n");
    chat.press(key(Key::End));
    chat.shows("number 50");
    chat.press(TAB);
    assert_eq!(chat.screen(), folded);
}

#[test]
fn the_queue_and_the_question_have_limits() {
    let mut chat = chat();
    chat.types("one\n");
    for _ in 0..MAX_QUEUED {
        chat.types("x\n");
    }
    chat.types("more\n");
    chat.shows("50 messages are queued already");
    assert_eq!(chat.state.question.text(), "more");
    chat.paste(&"x".repeat(2 << 20));
    chat.shows("nothing was pasted");
    chat.event(Event::Edited("y".repeat(2 << 20)));
    chat.shows("its end is left out");
    assert_eq!(chat.state.question.text().len(), 1 << 20);
}

#[test]
fn another_conversation_keeps_what_was_queued_and_typed() {
    let mut chat = chat();
    chat.types("one\ntwo\ntext");
    chat.event(Event::Opened(OpenedConversation::default()));
    chat.check(&[asks("one")], "text", &["two"]);
    assert!(chat.state.queue.is_held());
    chat.event(Event::Notice(NoticeLevel::Error, "no such file".into()));
    chat.shows("no such file");
    chat.ctrl('o');
    chat.ctrl('g');
    chat.ctrl('z');
    let page = Effect::Page(chat.state.transcript.plain_text());
    let edit = Effect::EditQuestion("text".into());
    chat.check(&[page, edit, Effect::Suspend], "text", &["two"]);
}
