//! A run that did not end well, as a value: which outcome, what happened and why, and what to do about it.

use crate::outcome::Outcome;

/// A run that did not end well.
#[derive(Debug)]
pub struct Failure {
    pub(super) outcome: Outcome,
    pub(super) what: String,
    pub(super) hint: Option<String>,
    /// When a usage limit ends, in Unix seconds.
    pub(super) retry_at: Option<u64>,
    /// What the service calls the request.
    pub(super) request_id: Option<String>,
    /// The process ends by this signal, so that shells see it and loops stop.
    pub(super) signal: Option<i32>,
    /// The HTTP status of the answer that it comes from.
    pub(super) http_status: Option<u16>,
    /// Who answered, or was to: the host of a service, or a provider of `models.json` by its name.
    pub(super) provider: Option<Box<str>>,
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
        }
    }

    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self::new(Outcome::Usage, what)
    }

    /// The same with another outcome.
    pub(crate) fn with_outcome(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says too that a part of an answer was printed, if it was.
    pub(super) fn of_part(mut self, partial: bool) -> Self {
        if !partial {
            return self;
        }
        let hint = self.hint.take().unwrap_or_else(|| "try again".to_owned());
        self.hint(format!(
            "{hint}; what was printed is only part of the answer"
        ))
    }

    /// How it ended.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// The signal that the process is to end by, if it was one that ended the run.
    #[must_use]
    pub fn signal(&self) -> Option<i32> {
        self.signal
    }

    /// What happened, and why.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// When a usage limit ends, in Unix seconds.
    #[must_use]
    pub fn retry_at(&self) -> Option<u64> {
        self.retry_at
    }

    /// What the service calls the request.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// The HTTP status of the answer that it comes from, where there is one.
    #[must_use]
    pub fn http_status(&self) -> Option<u16> {
        self.http_status
    }

    /// Who answered, or was to, where that is known: the host of a service, or a provider of `models.json` by its name.
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

/// A defect of this program; `place` is where it showed.
pub(crate) fn bug(place: &str) -> Failure {
    Failure::new(
        Outcome::Bug,
        format!(
            "internal error in codex-run {}: {place}",
            env!("CARGO_PKG_VERSION")
        ),
    )
    .hint("please report this line and the command that caused it")
}
