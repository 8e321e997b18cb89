//! Messages and turns: what Enter and Ctrl+S send, and what happens to the queue when a turn ends.

use super::command::{Entered, as_typed, read};
use super::commands;
use super::queue::MAX_QUEUED;
use super::record::{ChatState, Turn};
use super::view::View;
use crate::chat::event::{CredentialRemedy, Effect, NoticeLevel, TurnEnd, TurnEvent};

/// Enter (or Ctrl+S, which steers): sends the question, queues it, or carries out its command.
pub fn submit(state: &mut ChatState, steers: bool, effects: &mut Vec<Effect>) {
    match read(state.question.text(), state.question.begins_typed()) {
        Entered::Nothing if steers && state.turn.is_some() => match state.queue.first() {
            Some(message) => steer(state, message, effects),
            None => state.hint(NoticeLevel::Note, "nothing to steer with"),
        },
        Entered::Nothing => {
            state.queue.release();
            go_on(state, effects);
        }
        Entered::Wrong(why) => state.hint(NoticeLevel::Warning, why),
        Entered::Command(command) => commands::carry_out(state, command, effects),
        // Also when nothing runs: the message may come back to the queue.
        Entered::Message(_) if state.queue.is_full() => state.hint(
            NoticeLevel::Warning,
            format!("{MAX_QUEUED} messages are queued already"),
        ),
        Entered::Message(message) => {
            state.question.take();
            let typed = as_typed(&message);
            state.question.remember(&typed);
            effects.push(Effect::Remember(typed));
            if state.turn.is_some() && steers {
                steer(state, message, effects);
            } else if state.is_busy() {
                state.queue.push(message);
            } else {
                // What is held was typed before it.
                state.queue.push(message);
                state.queue.release();
                go_on(state, effects);
            }
        }
    }
}

/// Asks the first message of the queue, if nothing runs and the queue is not held.
pub fn go_on(state: &mut ChatState, effects: &mut Vec<Effect>) {
    if state.is_busy() || state.queue.is_held() {
        return;
    }
    if let Some(message) = state.queue.first() {
        ask(state, message, effects);
    }
}

/// Interrupts the turn.
pub fn interrupt(state: &mut ChatState, effects: &mut Vec<Effect>) {
    if let Some(turn) = &mut state.turn {
        turn.interrupts += 1;
        effects.push(Effect::Interrupt);
    }
}

/// The running turn reported something.
pub fn reported(state: &mut ChatState, event: &TurnEvent) {
    match event {
        TurnEvent::Started { text, .. } => {
            let turn = state.turn.get_or_insert_default();
            turn.asked = Some(text.clone());
        }
        TurnEvent::Steered { text } => state.queue.steered(text),
        TurnEvent::Usage { context, cost } => {
            state.usage.context = Some(*context);
            state.usage.cost = *cost;
        }
        TurnEvent::Limits(windows) => state.usage.windows.clone_from(windows),
        TurnEvent::Text(_) | TurnEvent::ToolStarted(_) => state.signed_out = false,
        _ => {}
    }
    state.transcript.turn(event);
}

/// The turn ended.
pub fn ended(state: &mut ChatState, end: &TurnEnd, effects: &mut Vec<Effect>) {
    state.transcript.turn_ended(end);
    let turn = state.turn.take().unwrap_or_default();
    state.queue.turn_ended();
    match end {
        TurnEnd::Completed if turn.interrupts == 0 => return go_on(state, effects),
        TurnEnd::Failed {
            credential: Some(remedy),
            ..
        } => put_back(state, *remedy, turn.asked),
        _ => {}
    }
    state.queue.hold();
}

/// Puts the message of a turn that needs another credential at the front of the queue, where it does not stand in the way of
/// `/login`.
fn put_back(state: &mut ChatState, remedy: CredentialRemedy, asked: Option<String>) {
    state.signed_out = remedy == CredentialRemedy::SignIn;
    let text = match (remedy, asked.is_some()) {
        (CredentialRemedy::SignIn, false) => "a sign-in is needed: /login signs in here",
        (CredentialRemedy::SignIn, true) => {
            "a sign-in is needed: /login signs in here and sends your message; after `codex login` elsewhere, Enter sends it"
        }
        (CredentialRemedy::Replace, true) => "your message is kept: Enter sends it again",
        (CredentialRemedy::Replace, false) => "",
    };
    if let Some(message) = asked {
        state.queue.put_back(message);
    }
    if !text.is_empty() {
        state.transcript.notice(NoticeLevel::Note, text);
    }
}

fn ask(state: &mut ChatState, message: String, effects: &mut Vec<Effect>) {
    state.turn = Some(Turn {
        asked: Some(message.clone()),
        ..Turn::default()
    });
    state.scroll(View::follow);
    effects.push(Effect::Ask(message));
}

fn steer(state: &mut ChatState, message: String, effects: &mut Vec<Effect>) {
    state.queue.steer(message.clone());
    effects.push(Effect::Steer(message));
}
