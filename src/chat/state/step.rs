//! What each event does.

use super::record::{ChatState, ScreenSignIn};
use super::view::View;
use super::{commands, keys, turn};
use crate::chat::editor::MAX_QUESTION_BYTES;
use crate::chat::event::{ChatEvent, Effect, NoticeLevel, OpenedConversation, SignInEvent, Size};
use crate::chat::key::Input;
use crate::text::first_bytes;

/// The largest screen that is drawn. A terminal can claim any size.
const MAX_SIZE: Size = Size {
    columns: 1_000,
    rows: 500,
};

impl ChatState {
    /// Takes an event and returns what to do, in order.
    pub fn step(&mut self, event: ChatEvent) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            ChatEvent::Input(Input::Key(key)) => keys::press(self, key, &mut effects),
            ChatEvent::Input(Input::Paste(text)) => keys::paste(self, &text),
            ChatEvent::Resized(Size { columns, rows }) => {
                self.size = Size {
                    columns: columns.min(MAX_SIZE.columns),
                    rows: rows.min(MAX_SIZE.rows),
                };
            }
            ChatEvent::Turn(event) => turn::reported(self, &event),
            ChatEvent::TurnEnded(end) => turn::ended(self, &end, &mut effects),
            ChatEvent::Opened(conversation) => opened(self, &conversation),
            ChatEvent::Sessions(sessions) => commands::list_sessions(self, &sessions),
            ChatEvent::ModelChanged {
                entry,
                effort,
                note,
                unlisted,
            } => {
                let unlisted = unlisted && !self.models.lists(&entry.id);
                let note = note.or_else(|| {
                    let id = &entry.id;
                    unlisted
                        .then(|| format!("{id} is not in a list of models; it is sent unchanged"))
                });
                self.models.changed(entry, effort);
                if let Some(note) = note {
                    self.hint(NoticeLevel::Note, note);
                }
            }
            ChatEvent::SignIn(event) => signs_in(self, event, &mut effects),
            ChatEvent::Edited(text) => edited(self, text.trim_end_matches('\n')),
            ChatEvent::Notice(level, text) => self.transcript.notice(level, &text),
            ChatEvent::Clock(seconds) => {
                if let Some(turn) = &mut self.turn {
                    turn.began.get_or_insert(seconds.saturating_sub(1));
                    turn.now = seconds;
                }
            }
        }
        effects
    }
}

fn opened(state: &mut ChatState, conversation: &OpenedConversation) {
    state.transcript.open(&conversation.said);
    state.say_how_to_sign_in();
    state.usage.context = None;
    state.usage.cost = None;
    (state.turn, state.panel, state.anchor) = (None, None, None);
    state.queue.turn_ended();
    state.queue.hold();
    state.scroll(View::follow);
}

fn signs_in(state: &mut ChatState, event: SignInEvent, effects: &mut Vec<Effect>) {
    match event {
        SignInEvent::Code { address, code } => {
            // One that was cancelled meanwhile is not shown.
            if let Some(sign_in) = &mut state.sign_in {
                *sign_in = ScreenSignIn::Code { address, code };
            }
        }
        SignInEvent::Done { account } => {
            state.sign_in = None;
            if std::mem::take(&mut state.signed_out) {
                state.queue.release();
            }
            let text = format!("signed in as {account}");
            state.transcript.notice(NoticeLevel::Note, &text);
            turn::go_on(state, effects);
        }
        SignInEvent::Failed(why) => {
            state.sign_in = None;
            state.queue.hold();
            state.transcript.notice(NoticeLevel::Error, &why);
        }
    }
}

fn edited(state: &mut ChatState, text: &str) {
    if text.len() > MAX_QUESTION_BYTES {
        let most = MAX_QUESTION_BYTES >> 20;
        let text = format!("the question has more than {most} MiB: its end is left out");
        state.hint(NoticeLevel::Warning, text);
    }
    let text = first_bytes(text, MAX_QUESTION_BYTES);
    state.question.set(text.to_owned());
}
