//! What a stored conversation says about how it is to be gone on with: its model, unless another one is named, and how much
//! that is to think.

use std::path::Path;

use crate::cli::environment::Environment;
use crate::cli::flags::{Args, FlagOrigin};
use crate::command::run::Keep;
use crate::session::Sessions;

/// A stored conversation that is gone on with.
#[derive(Debug, Default)]
pub(super) struct ResumedSettings {
    /// Its model, as `-m` takes it; nothing where the file does not say.
    pub(super) model: Option<String>,
    /// The server of the user's own that it is a model of.
    pub(super) provider: Option<String>,
    /// How much that model was to think.
    pub(super) effort: Option<String>,
}

/// What is done about storing the conversation, with the newest one named by its id; and what a conversation that is gone
/// on with says. One that cannot be read is none here: the run reports that.
pub(super) fn look(
    keep: Keep,
    directory: &Path,
    environment: &Environment,
) -> (Keep, Option<ResumedSettings>) {
    let Some(home) = environment.home() else {
        return (keep, None);
    };
    let sessions = Sessions::new(&home);
    let keep = match keep {
        Keep::Last => match sessions.newest(directory) {
            Ok(id) => Keep::Resume(id.to_string()),
            Err(_) => Keep::Last,
        },
        keep => keep,
    };
    let (Keep::Resume(id) | Keep::Fork(id)) = &keep else {
        return (keep, None);
    };
    let resumed = sessions.read(id).ok().map(|stored| ResumedSettings {
        effort: stored.effort.current().map(str::to_owned),
        model: Some(stored.model).filter(|model| !model.is_empty()),
        provider: stored.provider,
    });
    (keep, resumed)
}

/// Whether this flag was given for this run, and is no default of `config.json`.
pub(super) fn is_given(args: &Args, long: &str) -> bool {
    let given = args.given.iter().rev().find(|given| given.long == long);
    // `exec -c` sets values without a flag of that name.
    given.is_none_or(|given| given.origin == FlagOrigin::Flag)
}
