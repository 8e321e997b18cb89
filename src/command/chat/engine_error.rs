//! Why the engine could not do what it was asked to.

use crate::command::run;
use crate::failure::Failure;

/// Why a conversation cannot be opened.
pub(super) enum OpenError {
    Failed(Failure),
    Run(run::Error),
}

impl From<Failure> for OpenError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<run::Error> for OpenError {
    fn from(error: run::Error) -> Self {
        Self::Run(error)
    }
}

/// Why a turn has no answer.
pub(super) enum TurnFailure {
    /// It was stopped.
    Interrupted,
    Failed(Failure),
    Panicked,
}
