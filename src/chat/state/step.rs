//! What each event does.

use super::record::{SignIn, State};
use super::view::View;
use super::{commands, keys, turn};
use crate::chat::editor::MAX_QUESTION_BYTES;
use crate::chat::event::{Effect, Event, NoticeLevel, OpenedConversation, SignInEvent, Size};
use crate::chat::key::Input;
use crate::text::first_bytes;

/// The largest screen that is drawn. A terminal can claim any size.
const MAX_SIZE: Size = Size {
    columns: 1_000,
    rows: 500,
};

impl State {
    /// Takes an event and returns what to do, in order.
    pub fn step(&mut self, event: Event) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::Input(Input::Key(key)) => keys::press(self, key, &mut effects),
            Event::Input(Input::Paste(text)) => keys::paste(self, &text),
            Event::Resized(Size { columns, rows }) => {
                self.size = Size {
                    columns: columns.min(MAX_SIZE.columns),
                    rows: rows.min(MAX_SIZE.rows),
                };
            }
            Event::Turn(event) => turn::reported(self, &event),
            Event::TurnEnded(end) => turn::ended(self, &end, &mut effects),
            Event::Opened(conversation) => opened(self, &conversation),
            Event::Sessions(sessions) => commands::list_sessions(self, sessions),
            Event::ModelChanged {
                model,
                effort,
                note,
            } => {
                self.models.changed(model, effort);
                if let Some(note) = note {
                    self.hint(NoticeLevel::Note, note);
                }
            }
            Event::SignIn(event) => signs_in(self, event, &mut effects),
            Event::Edited(text) => edited(self, text.trim_end_matches('\n')),
            Event::Notice(level, text) => self.transcript.notice(level, &text),
            Event::Clock(seconds) => {
                if let Some(turn) = &mut self.turn {
                    turn.began.get_or_insert(seconds.saturating_sub(1));
                    turn.now = seconds;
                }
            }
        }
        effects
    }
}

fn opened(state: &mut State, conversation: &OpenedConversation) {
    state.transcript.open(&conversation.said);
    state.say_how_to_sign_in();
    state.usage.context = None;
    state.usage.cost = None;
    (state.turn, state.panel, state.anchor) = (None, None, None);
    state.queue.turn_ended();
    state.queue.hold();
    state.scroll(View::follow);
}

fn signs_in(state: &mut State, event: SignInEvent, effects: &mut Vec<Effect>) {
    match event {
        SignInEvent::Code { address, code } => {
            // One that was cancelled meanwhile is not shown.
            if let Some(sign_in) = &mut state.sign_in {
                *sign_in = SignIn::Code { address, code };
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

fn edited(state: &mut State, text: &str) {
    if text.len() > MAX_QUESTION_BYTES {
        let most = MAX_QUESTION_BYTES >> 20;
        let text = format!("the question has more than {most} MiB: its end is left out");
        state.hint(NoticeLevel::Warning, text);
    }
    let text = first_bytes(text, MAX_QUESTION_BYTES);
    state.question.set(text.to_owned());
}
