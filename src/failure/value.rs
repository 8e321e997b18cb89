//! A failure as a value: the outcome, what happened and why, and what to do about it.

use crate::outcome::Outcome;

/// A failed run or command.
#[derive(Debug)]
pub struct Failure {
    pub(super) outcome: Outcome,
    pub(super) what: String,
    pub(super) hint: Option<String>,
    /// When a usage limit resets, in Unix seconds.
    pub(super) retry_at: Option<u64>,
    /// The service's id of the request.
    pub(super) request_id: Option<String>,
    /// The signal to end the process by, so that shells see it and their loops stop.
    pub(super) signal: Option<i32>,
    /// The HTTP status of the response that caused it.
    pub(super) http_status: Option<u16>,
    /// The peer of the request: the host of a service, or the name of a provider in `models.json`.
    pub(super) provider: Option<Box<str>>,
    /// It happened while no turn was running.
    pub(super) between_turns: bool,
}

impl Failure {
    pub(crate) fn new(outcome: Outcome, what: impl Into<String>) -> Self {
        Self {
            outcome,
            what: what.into(),
            hint: None,
            retry_at: None,
            request_id: None,
            signal: None,
            http_status: None,
            provider: None,
            between_turns: false,
        }
    }

    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Outcome::Usage, what)
    }

    /// Replaces the outcome.
    pub(crate) fn with_outcome(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Records that it happened while no turn was running.
    pub(crate) fn between_turns(self) -> Self {
        Self {
            between_turns: true,
            ..self
        }
    }

    /// Adds to the hint that only part of an answer was printed, if `partial`.
    pub(super) fn noting_partial(mut self, partial: bool) -> Self {
        if !partial {
            return self;
        }
        let hint = self.hint.take().unwrap_or_else(|| "try again".to_owned());
        self.hint(format!(
            "{hint}; what was printed is only part of the answer"
        ))
    }

    /// The outcome, which gives the exit code.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The signal that ended the run, if any, by which the process should end too.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        self.signal
    }

    /// What happened, and why.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The hint.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// When a usage limit resets, in Unix seconds.
    #[must_use]
    pub fn retry_at(&self) -> Option<u64> {
        self.retry_at
    }

    /// The service's id of the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The HTTP status of the response that caused it, if any.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.http_status
    }

    /// Whether it ended a turn, rather than a run between two turns.
    pub(crate) fn ends_turn(&self) -> bool {
        !self.between_turns
    }

    /// The peer of the request, if known: the host of a service, or the name of a provider in `models.json`.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.provider.as_deref()
    }

    #[cfg(test)]
    pub(crate) fn words(&self) -> String {
        format!(
            "{}\nhint: {}",
            self.what,
            self.hint.as_deref().unwrap_or_default()
        )
    }
}

/// A bug in this program, found at `place`.
pub(crate) fn bug(place: &str) -> Failure {
    Failure::new(
        Outcome::Bug,
        format!(
            "internal error in codex-run {}: {place}",
            env!("CARGO_PKG_VERSION")
        ),
    )
    .hint("please report this message and the command that caused it")
}
