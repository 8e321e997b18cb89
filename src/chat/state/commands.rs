//! Carries out the commands of the question.

use super::command::Command;
use super::help::help;
use super::list::{Choice, List, ListEntry};
use super::model_choice::EFFORTS;
use super::record::{Panel, SignIn, State};
use super::view::View;
use crate::chat::event::{Effect, NoticeLevel, SessionEntry};

/// Carries out a command, and removes it from the question unless it is impossible now.
pub fn carry_out(state: &mut State, command: Command, effects: &mut Vec<Effect>) {
    let waits = match command {
        Command::Resume(_) | Command::Fork | Command::New | Command::Login => state.is_busy(),
        _ => false,
    };
    if waits {
        let what = if state.turn.is_some() {
            "a turn"
        } else {
            "a sign-in"
        };
        let text = format!("not while {what} is running: Esc ends it");
        return state.hint(NoticeLevel::Warning, text);
    }
    if let Command::Effort(Some(level)) = &command
        && !EFFORTS.contains(&level.as_str())
    {
        let text = format!("no effort {level}: {}", EFFORTS.join(" "));
        return state.hint(NoticeLevel::Warning, text);
    }
    let question = state.question.take();
    state.question.remember(question.trim_end());
    match command {
        Command::Model(Some(name)) => effects.push(state.models.choose(&name)),
        Command::Effort(Some(level)) => effects.push(state.models.choose_effort(&level)),
        Command::Resume(Some(id)) => effects.push(Effect::Resume(id)),
        Command::Model(None) => list_models(state),
        Command::Effort(None) => list_efforts(state),
        Command::Resume(None) => effects.push(Effect::ListSessions),
        Command::Fork => effects.push(Effect::Fork),
        Command::New => effects.push(Effect::New),
        Command::Copy => copy(state, effects),
        Command::Login => {
            state.sign_in = Some(SignIn::Starting);
            effects.push(Effect::SignIn);
        }
        Command::Help => {
            state.transcript.notice(NoticeLevel::Note, &help());
            state.scroll(View::follow);
        }
        Command::Quit => effects.push(Effect::Quit),
    }
}

/// Carries out what was chosen in a list.
pub fn choose(state: &mut State, choice: Choice, effects: &mut Vec<Effect>) {
    match choice {
        Choice::Model(id) => effects.push(state.models.choose(&id)),
        Choice::Effort(level) => effects.push(state.models.choose_effort(&level)),
        Choice::Conversation(_) if state.is_busy() => {
            state.hint(
                NoticeLevel::Warning,
                "not while a turn is running: Esc ends it",
            );
        }
        Choice::Conversation(id) => effects.push(Effect::Resume(id)),
    }
}

/// Lists the stored conversations.
pub fn list_sessions(state: &mut State, sessions: Vec<SessionEntry>) {
    let entries = sessions.into_iter().map(|session| ListEntry {
        label: format!("{}  {}  {}", session.used, session.model, session.first),
        choice: Choice::Conversation(session.id),
    });
    show(state, "conversations", entries.collect(), 0);
}

fn list_models(state: &mut State) {
    let entries = state.models.models().iter().map(|entry| ListEntry {
        label: format!("{}  {}", entry.id, entry.efforts.join(" ")),
        choice: Choice::Model(entry.id.clone()),
    });
    let entries: Vec<ListEntry> = entries.collect();
    let current = Choice::Model(state.models.model().to_owned());
    let at = entries.iter().position(|entry| entry.choice == current);
    show(state, "models", entries, at.unwrap_or_default());
}

fn list_efforts(state: &mut State) {
    let levels = state.models.efforts();
    let at = levels
        .iter()
        .position(|level| Some(*level) == state.models.effort());
    let entries = levels.iter().map(|level| ListEntry {
        label: (*level).to_owned(),
        choice: Choice::Effort((*level).to_owned()),
    });
    let entries = entries.collect();
    show(state, "efforts", entries, at.unwrap_or_default());
}

fn show(state: &mut State, title: &'static str, entries: Vec<ListEntry>, selected: usize) {
    if entries.is_empty() {
        state.hint(NoticeLevel::Note, format!("there are no {title}"));
    } else {
        state.panel = Some(Panel::List(List::new(title, entries, selected)));
    }
}

fn copy(state: &mut State, effects: &mut Vec<Effect>) {
    match state.transcript.last_message() {
        Some(message) => {
            effects.push(Effect::Copy(message.to_owned()));
            state.hint(NoticeLevel::Note, "copied the last answer");
        }
        None => state.hint(NoticeLevel::Note, "there is no answer to copy"),
    }
}
