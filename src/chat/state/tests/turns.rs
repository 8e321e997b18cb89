//! Messages, the queue, the sign-in, and leaving.

use super::super::queue::MAX_QUEUED;
use super::*;

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
            // What was typed first is sent first.
            chat.types("\n");
            chat.check(&[asks("two")], "", &["three", "four", "text"]);
            chat.ends(TurnEnd::Interrupted);
            chat.press(UP);
            chat.check(&[], "text", &["three", "four"]);
            chat.ctrl('u');
            chat.types("\n");
            chat.check(&[asks("three")], "", &["four"]);
            chat.ends(TurnEnd::Completed);
            chat.check(&[asks("four")], "", &[]);
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
    chat.shows("steering: two");
    chat.turn(TurnEvent::Steered { text: "now".into() });
    chat.ends(TurnEnd::Completed);
    chat.check(&[asks("two")], "", &["three"]);
    chat.ends(TurnEnd::Interrupted);
    chat.types("idle");
    chat.ctrl('s');
    // What was held comes first.
    chat.check(&[asks("three")], "", &["idle"]);
    chat.ends(TurnEnd::Completed);
    chat.check(&[asks("idle")], "", &[]);
}

#[test]
fn a_message_that_needs_a_sign_in_is_not_lost() {
    let mut chat = chat();
    chat.paste("/etc/passwd, what is it?");
    chat.press(ENTER);
    chat.starts("/etc/passwd, what is it?");
    chat.types("two\n");
    chat.types("typing");
    chat.fails(Some(CredentialRemedy::SignIn));
    let asked = "/etc/passwd, what is it?";
    chat.check(&[asks(asked)], "typing", &[asked, "two"]);
    chat.shows("/login signs in here and sends your message");
    chat.shows("not signed in");
    chat.ctrl('u');
    chat.types("\n");
    chat.check(&[asks(asked)], "", &["two"]);
    chat.fails(Some(CredentialRemedy::SignIn));
    chat.types("/login\n");
    chat.check(&[Effect::SignIn], "", &[asked, "two"]);
    let (address, code) = ("https://example.com/device".into(), "AB-12".into());
    chat.event(ChatEvent::SignIn(SignInEvent::Code { address, code }));
    chat.shows("https://example.com/device");
    chat.shows("AB-12");
    chat.types("three\n");
    chat.check(&[], "", &[asked, "two", "three"]);
    chat.event(ChatEvent::SignIn(SignInEvent::Failed("it expired".into())));
    chat.shows("held: /etc");
    chat.types("/login\n");
    let account = "a@example.com".into();
    chat.event(ChatEvent::SignIn(SignInEvent::Done { account }));
    chat.check(&[Effect::SignIn, asks(asked)], "", &["two", "three"]);
    assert!(!chat.screen().contains("not signed in"));
}

#[test]
fn a_message_whose_key_was_refused_is_kept_and_no_sign_in_is_offered() {
    let mut chat = chat();
    chat.types("one\n");
    chat.starts("one");
    chat.fails(Some(CredentialRemedy::Replace));
    chat.check(&[asks("one")], "", &["one"]);
    let screen = chat.screen();
    assert!(!screen.contains("/login") && !screen.contains("signed in"));
    chat.shows("Enter sends it again");
    chat.press(ENTER);
    chat.check(&[asks("one")], "", &[]);
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
    chat.event(ChatEvent::SignIn(SignInEvent::Done { account }));
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
    // One that comes too late to end the turn does not leave.
    chat.ctrl('c');
    chat.shows("Ctrl+C again leaves");
    chat.ctrl('c');
    chat.check(&[asks("two"), Effect::Interrupt, Effect::Quit], "", &[]);
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
    chat.event(ChatEvent::Edited("y".repeat(2 << 20)));
    chat.shows("its end is cut off");
    assert_eq!(chat.state.question.text().len(), 1 << 20);
}

#[test]
fn another_conversation_keeps_what_was_queued_and_typed() {
    let mut chat = chat();
    chat.types("one\ntwo\ntext");
    chat.event(ChatEvent::Opened(OpenedConversation::default()));
    chat.check(&[asks("one")], "text", &["two"]);
    assert!(chat.state.queue.is_held());
    chat.event(ChatEvent::Notice(NoticeLevel::Error, "no such file".into()));
    chat.shows("no such file");
    chat.ctrl('o');
    chat.ctrl('g');
    chat.ctrl('z');
    let page = Effect::Page(chat.state.transcript.plain_text());
    let edit = Effect::EditQuestion("text".into());
    chat.check(&[page, edit, Effect::Suspend], "text", &["two"]);
}
