//! Random keys and events: nothing panics, the cursor stays inside, and memory is bounded.

use super::super::ChatState;
use super::super::queue::MAX_QUEUED;
use crate::chat::draw::draw;
use crate::chat::editor::MAX_QUESTION_BYTES;
use crate::chat::event::{
    ChatEvent, CredentialRemedy, Effect, ModelEntry, NoticeLevel, OpenedConversation, Said,
    SessionEntry, Setup, SignInEvent, Size, ToolCall, ToolSubject, TurnEnd, TurnEvent,
};
use crate::chat::key::{Input, Key, KeyPress};
use crate::result::CallResult;

const EVENTS: usize = 100_000;

/// Events between two drawings.
const DRAWN_EVERY: usize = 20;

const TEXTS: [&str; 12] = [
    "a",
    "two words",
    "日本語",
    "e\u{301}\u{301}",
    "👩\u{200d}💻",
    "\u{1b}[2J\r\u{7}",
    "line\n\nlines\n",
    "/model ",
    "/",
    "\t# `x` **y**\n```\n",
    "\u{202e}\u{200b}\u{301}",
    "a very long line of many words that is wrapped in every terminal there is, and once more",
];

/// Numbers that are the same in every run (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % most
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    fn text(&mut self) -> String {
        (0..=self.below(3)).map(|_| self.pick(&TEXTS)).collect()
    }

    fn level(&mut self) -> NoticeLevel {
        self.pick(&[NoticeLevel::Note, NoticeLevel::Warning, NoticeLevel::Error])
    }

    fn key(&mut self) -> KeyPress {
        let key = match self.below(20) {
            0 => Key::Enter,
            1 => Key::Tab,
            2 => Key::Backspace,
            3 => Key::Delete,
            4 => Key::Escape,
            5 | 6 => Key::Up,
            7 => Key::Down,
            8 => Key::Left,
            9 => Key::Right,
            10 => Key::Home,
            11 => Key::End,
            12 => Key::PageUp,
            13 => Key::PageDown,
            _ => Key::Char(self.pick(&[
                'a', 'b', 'c', 'd', 'e', 'f', 'g', 'j', 'k', 'o', 'p', 'r', 's', 'u', 'w', 'y',
                'z', ' ', '/', '日', '\u{301}', '\u{1}',
            ])),
        };
        KeyPress {
            key,
            ctrl: self.below(3) == 0,
            alt: self.below(6) == 0,
            shift: self.below(6) == 0,
        }
    }

    fn turn(&mut self) -> TurnEvent {
        let id = self.below(3).to_string();
        match self.below(13) {
            0 => TurnEvent::Started {
                text: self.text(),
                images: self.below(2),
            },
            1 => TurnEvent::Steered { text: self.text() },
            2 | 3 => TurnEvent::Text(self.text()),
            4 => TurnEvent::MessageEnd,
            5 => TurnEvent::Summary(self.text()),
            6 => TurnEvent::Searched(self.text()),
            7 => {
                let (path, removed, added) = (self.text(), self.text(), self.text());
                let command = self.text();
                TurnEvent::ToolStarted(ToolCall {
                    id,
                    name: "bash".into(),
                    subject: self.pick(&[
                        ToolSubject::Command(command.clone()),
                        ToolSubject::Other(command),
                        ToolSubject::Change {
                            path,
                            removed,
                            added,
                        },
                    ]),
                })
            }
            8 | 9 => TurnEvent::ToolEnded {
                id,
                result: Box::new(CallResult::done(self.text().repeat(9))),
                took_ms: 5,
            },
            10 => TurnEvent::Waiting(self.text()),
            11 => TurnEvent::ToolPrinted {
                id,
                tail: self.text().repeat(9),
            },
            _ => TurnEvent::Usage {
                context: 1 << self.below(64),
                cost: Some(0.5),
            },
        }
    }

    fn end(&mut self) -> TurnEnd {
        let (what, has_hint) = (self.text(), self.coin());
        let remedies = [CredentialRemedy::SignIn, CredentialRemedy::Replace];
        let credential = self.coin().then(|| self.pick(&remedies));
        self.pick(&[
            TurnEnd::Completed,
            TurnEnd::Interrupted,
            TurnEnd::Failed {
                what: what.clone(),
                hint: has_hint.then_some(what),
                credential,
            },
        ])
    }

    fn event(&mut self) -> ChatEvent {
        match self.below(1_000) {
            0..600 => ChatEvent::Input(Input::Key(self.key())),
            600..700 => ChatEvent::Input(Input::Paste(self.text())),
            700..730 => ChatEvent::Resized(Size {
                columns: u16::try_from(self.below(101)).unwrap_or(1),
                rows: u16::try_from(self.below(31)).unwrap_or(1),
            }),
            730..920 => ChatEvent::Turn(self.turn()),
            920..940 => ChatEvent::TurnEnded(self.end()),
            940..945 => ChatEvent::Opened(OpenedConversation {
                id: None,
                said: vec![Said::User(self.text()), Said::Model(self.text())],
            }),
            945..955 => {
                let session = SessionEntry {
                    id: self.text(),
                    used: self.text(),
                    model: self.text(),
                    first: self.text(),
                };
                ChatEvent::Sessions(vec![session; self.below(30)])
            }
            955..965 => ChatEvent::ModelChanged {
                entry: ModelEntry {
                    id: self.text(),
                    efforts: vec![self.text()],
                    effort: self.coin().then(|| self.text()),
                    window: None,
                },
                effort: self.coin().then(|| self.text()),
                note: self.coin().then(|| self.text()),
                unlisted: self.coin(),
            },
            965..975 => ChatEvent::SignIn(match self.below(3) {
                0 => SignInEvent::Code {
                    address: self.text(),
                    code: self.text(),
                },
                1 => SignInEvent::Done {
                    account: self.text(),
                },
                _ => SignInEvent::Failed(self.text()),
            }),
            975..980 => ChatEvent::Edited(self.text()),
            980..990 => ChatEvent::Notice(self.level(), self.text()),
            _ => ChatEvent::Clock(self.below(1_000) as u64),
        }
    }
}

#[test]
fn a_hundred_thousand_random_events_leave_the_cursor_inside_and_lose_no_turn() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let entry = |id: &str| ModelEntry {
        id: id.into(),
        efforts: vec!["low".into(), "high".into()],
        effort: Some("low".into()),
        window: Some(1_000),
    };
    let mut state = ChatState::new(Setup {
        models: vec![entry("a"), entry("b")],
        model: entry("a"),
        signed_out: true,
        ..Setup::default()
    });
    for n in 0..EVENTS {
        let event = random.event();
        // Only a message that was sent begins a turn, and none is sent while the queue is full.
        if matches!(event, ChatEvent::Turn(TurnEvent::Started { .. }))
            && state.turn.is_none()
            && state.queue.is_full()
        {
            continue;
        }
        let busy = state.turn.is_some();
        let pastes = matches!(event, ChatEvent::Input(Input::Paste(_)));
        let effects = state.step(event);
        let asked = effects.iter().filter(|e| matches!(e, Effect::Ask(_)));
        assert!(asked.count() <= 1 && effects.len() <= 3);
        assert!(!pastes || effects.is_empty(), "{effects:?}");
        for effect in effects {
            match effect {
                Effect::Ask(_) => assert!(state.turn.is_some()),
                Effect::Steer(_) | Effect::Interrupt => assert!(busy),
                _ => {}
            }
        }
        assert!(state.question.text().len() <= MAX_QUESTION_BYTES);
        assert!(state.queue.waiting().len() + state.queue.steering().len() <= MAX_QUEUED + 1);
        if n % DRAWN_EVERY == 0 {
            let size = state.size;
            let screen = draw(&mut state);
            assert_eq!(screen.size(), size);
            if let Some((row, column)) = screen.cursor() {
                assert!(row < size.rows && column < size.columns, "event {n}");
            }
        }
    }
}
