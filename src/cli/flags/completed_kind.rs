//! The kinds of values that completion finds on this machine.

/// A kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CompletedKind {
    Models,
    /// Models, separated by commas.
    ModelList,
    /// The same, each with an effort after a colon if need be.
    ModelEfforts,
    Sessions,
    /// Tools, separated by commas.
    Tools,
    Variables,
}

impl CompletedKind {
    /// All kinds.
    pub(crate) const ALL: [Self; 6] = [
        Self::Models,
        Self::ModelList,
        Self::ModelEfforts,
        Self::Sessions,
        Self::Tools,
        Self::Variables,
    ];

    /// The KIND of `codex __complete`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::ModelList => "model-list",
            Self::ModelEfforts => "model-efforts",
            Self::Sessions => "sessions",
            Self::Tools => "tools",
            Self::Variables => "env",
        }
    }

    /// Whether a value is a list, separated by commas.
    pub(crate) fn is_list(self) -> bool {
        matches!(self, Self::ModelList | Self::ModelEfforts | Self::Tools)
    }
}
