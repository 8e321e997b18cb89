//! The settings of a resumed conversation: its model, unless a different one is named, and that model's effort.

use std::path::Path;

use crate::cli::environment::Environment;
use crate::cli::flags::{Args, FlagOrigin};
use crate::command::run::SessionChoice;
use crate::session::Sessions;

/// A resumed conversation.
#[derive(Debug, Default)]
pub(super) struct ResumedSettings {
    /// Its model, as for `-m`; `None` if the file does not name it.
    pub(super) model: Option<String>,
    /// The provider of that model in `models.json`.
    pub(super) provider: Option<String>,
    /// The effort of that model.
    pub(super) effort: Option<String>,
}

/// How the conversation is stored, with `Last` resolved to an id, and not at all for a copy; and the settings of a resumed conversation, if it can be
/// read. If it cannot, the run reports that later.
pub(super) fn read(
    choice: SessionChoice,
    is_copy: bool,
    directory: &Path,
    environment: &Environment,
) -> (SessionChoice, Option<ResumedSettings>) {
    let Some(home) = environment.home() else {
        return (choice, None);
    };
    let sessions = Sessions::new(&home);
    let choice = match choice {
        SessionChoice::Last => match sessions.newest(directory) {
            Ok(id) => SessionChoice::Resume(id.to_string()),
            Err(_) => SessionChoice::Last,
        },
        choice => choice,
    };
    let (SessionChoice::Resume(id) | SessionChoice::Fork(id)) = &choice else {
        return (choice, None);
    };
    let resumed = sessions.read(id).ok().map(|(stored, _)| ResumedSettings {
        effort: stored.effort.current().map(str::to_owned),
        model: Some(stored.model).filter(|model| !model.is_empty()),
        provider: stored.provider,
    });
    let choice = match choice {
        SessionChoice::Resume(id) | SessionChoice::Fork(id) if is_copy => {
            SessionChoice::EphemeralFork(id)
        }
        choice => choice,
    };
    (choice, resumed)
}

/// Whether this flag was given for this run, rather than by `config.json`.
pub(super) fn is_given(args: &Args, long: &str) -> bool {
    let given = args.given.iter().rev().find(|given| given.long == long);
    // `exec -c` sets values without a flag of that name.
    given.is_none_or(|given| given.origin == FlagOrigin::Flag)
}
