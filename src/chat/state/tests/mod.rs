//! What a user does, and what comes of it.

mod commands;
mod random;
mod turns;
mod views;

use super::ChatState;
use crate::chat::draw::draw;
use crate::chat::event::{
    ChatEvent, CredentialRemedy, Effect, ModelEntry, NoticeLevel, OpenedConversation, Said,
    SessionEntry, Setup, SignInEvent, Size, ToolCall, ToolSubject, TurnEnd, TurnEvent,
};
use crate::chat::key::{Input, Key, KeyPress};
use crate::result::CallResult;

/// A chat, and the effects since they were last looked at.
struct Chat {
    state: ChatState,
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
        model: entry("gpt-a"),
        effort: Some("medium".into()),
        sandbox: "read-only".into(),
        directory: "~/src".into(),
        ..Setup::default()
    }
}

fn chat_with(setup: Setup) -> Chat {
    let mut chat = Chat {
        state: ChatState::new(setup),
        effects: Vec::new(),
    };
    chat.event(ChatEvent::Opened(OpenedConversation::default()));
    chat.screen();
    chat
}

fn chat() -> Chat {
    chat_with(setup())
}

impl Chat {
    fn event(&mut self, event: ChatEvent) {
        let effects = self.state.step(event);
        self.effects.extend(effects);
    }

    fn press(&mut self, key: KeyPress) {
        self.event(ChatEvent::Input(Input::Key(key)));
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
        self.event(ChatEvent::Input(Input::Paste(text.into())));
    }

    fn turn(&mut self, event: TurnEvent) {
        self.event(ChatEvent::Turn(event));
    }

    fn starts(&mut self, text: &str) {
        let text = text.to_owned();
        self.turn(TurnEvent::Started { text, images: 0 });
    }

    fn ends(&mut self, end: TurnEnd) {
        self.event(ChatEvent::TurnEnded(end));
    }

    fn fails(&mut self, credential: Option<CredentialRemedy>) {
        self.ends(TurnEnd::Failed {
            what: "it failed".into(),
            hint: None,
            credential,
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
