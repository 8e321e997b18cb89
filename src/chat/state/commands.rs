//! Carries out the commands of the question.

use super::command::ChatCommand;
use super::help::help;
use super::list::{ChoiceList, ListChoice, ListEntry};
use super::model_choice::EFFORTS;
use super::record::{ChatState, Panel, ScreenSignIn, Turn};
use super::view::View;
use crate::chat::event::{Effect, NoticeLevel, SessionEntry};

/// The widest text in front of others that are aligned, in columns.
const MAX_ALIGNED_COLUMNS: usize = 32;

/// The columns from which on the list of conversations has their models.
const MIN_MODEL_COLUMNS: u16 = 50;

/// Carries out a command, and removes it from the question unless it is impossible now.
pub fn carry_out(state: &mut ChatState, command: ChatCommand, effects: &mut Vec<Effect>) {
    let waits = match command {
        ChatCommand::Resume(_)
        | ChatCommand::Fork(_)
        | ChatCommand::New
        | ChatCommand::Login
        | ChatCommand::Compact => state.is_busy(),
        _ => false,
    };
    if waits {
        let what = if state.turn.is_some() {
            "a turn"
        } else {
            "a sign-in"
        };
        let text = format!("not available while {what} is running; press Esc to stop it");
        return state.hint(NoticeLevel::Warning, text);
    }
    if let ChatCommand::Effort(Some(level)) = &command
        && !EFFORTS.contains(&level.as_str())
    {
        let text = format!("no effort {level}: {}", EFFORTS.join(" "));
        return state.hint(NoticeLevel::Warning, text);
    }
    let question = state.question.take();
    state.question.remember(question.trim_end());
    match command {
        ChatCommand::Model(Some(name)) => effects.push(state.models.choose(&name)),
        ChatCommand::Effort(Some(level)) => effects.push(state.models.choose_effort(&level)),
        ChatCommand::Resume(Some(id)) => effects.push(Effect::Resume(id)),
        ChatCommand::Model(None) => list_models(state),
        ChatCommand::Effort(None) => list_efforts(state),
        ChatCommand::Resume(None) => effects.push(Effect::ListSessions),
        ChatCommand::Fork(id) => effects.push(Effect::Fork(id)),
        ChatCommand::Compact => {
            // A turn without a question.
            state.turn = Some(Turn::default());
            state.scroll(View::follow);
            effects.push(Effect::Compact);
        }
        ChatCommand::New => effects.push(Effect::New),
        ChatCommand::Copy => copy(state, effects),
        ChatCommand::Login => {
            state.sign_in = Some(ScreenSignIn::Starting);
            effects.push(Effect::SignIn);
        }
        ChatCommand::Help => show_help(state),
        ChatCommand::Quit => effects.push(Effect::Quit),
    }
}

/// Adds the help, and shows its beginning.
fn show_help(state: &mut ChatState) {
    state.scroll(View::follow);
    let rows = state.view.bottom();
    for (heading, text) in help(usize::from(state.size.columns)) {
        state.transcript.headed(heading, &text);
    }
    state.scroll(View::follow);
    // Without the blank row before it.
    let first = rows + usize::from(rows > 0);
    state.scroll(|view| view.show_from(first));
}

/// Carries out what was chosen in a list.
pub fn choose(state: &mut ChatState, choice: ListChoice, effects: &mut Vec<Effect>) {
    match choice {
        ListChoice::Model(id) => effects.push(state.models.choose(&id)),
        ListChoice::Effort(level) => effects.push(state.models.choose_effort(&level)),
        ListChoice::Conversation(_) if state.is_busy() => {
            state.hint(
                NoticeLevel::Warning,
                "not available while a turn is running; press Esc to stop it",
            );
        }
        ListChoice::Conversation(id) => effects.push(Effect::Resume(id)),
    }
}

/// Lists the stored conversations.
pub fn list_sessions(state: &mut ChatState, sessions: &[SessionEntry]) {
    let widest = |text: fn(&SessionEntry) -> &str| widest(sessions.iter().map(text));
    let (used, model) = (
        widest(|session| session.used.as_str()),
        widest(|session| session.model.as_str()),
    );
    let entries = sessions.iter().map(|session| ListEntry {
        label: if state.size.columns < MIN_MODEL_COLUMNS {
            format!("{:used$}  {}", session.used, session.first)
        } else {
            let SessionEntry {
                first, model: id, ..
            } = session;
            format!("{:used$}  {id:model$}  {first}", session.used)
        },
        choice: ListChoice::Conversation(session.id.clone()),
        is_current: false,
    });
    let entries = entries.collect();
    show(state, "conversations", entries);
}

fn list_models(state: &mut ChatState) {
    let models = state.models.models();
    let width = widest(models.iter().map(|entry| entry.id.as_str()));
    let entries = models.iter().map(|entry| ListEntry {
        label: format!("{:width$}  {}", entry.id, entry.efforts.join(" "))
            .trim_end()
            .to_owned(),
        choice: ListChoice::Model(entry.id.clone()),
        is_current: entry.id == state.models.model(),
    });
    let entries = entries.collect();
    show(state, "models", entries);
}

fn list_efforts(state: &mut ChatState) {
    let levels = state.models.efforts().into_iter();
    let entries = levels.map(|level| ListEntry {
        label: level.to_owned(),
        choice: ListChoice::Effort(level.to_owned()),
        is_current: Some(level) == state.models.effort_in_use(),
    });
    let entries = entries.collect();
    show(state, "efforts", entries);
}

/// The columns in which the texts are aligned; a longer one is out of line.
fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    let widths = texts.map(|text| text.chars().count());
    widths
        .filter(|width| *width <= MAX_ALIGNED_COLUMNS)
        .max()
        .unwrap_or_default()
}

/// Shows a list, with the current entry selected.
fn show(state: &mut ChatState, title: &'static str, entries: Vec<ListEntry>) {
    let current = entries.iter().position(|entry| entry.is_current);
    let selected = current.unwrap_or_default();
    if entries.is_empty() {
        state.hint(NoticeLevel::Note, format!("there are no {title}"));
    } else {
        state.panel = Some(Panel::List(ChoiceList::new(title, entries, selected)));
    }
}

fn copy(state: &mut ChatState, effects: &mut Vec<Effect>) {
    match state.transcript.last_message() {
        Some(message) => {
            effects.push(Effect::Copy(message.to_owned()));
            state.hint(NoticeLevel::Note, "copied the last answer");
        }
        None => state.hint(NoticeLevel::Note, "there is no answer to copy"),
    }
}
