//! The groups that the help lists flags in.

/// A group of flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlagGroup {
    /// Of no group yet. A test refuses a flag that stays here.
    None,
    Prompt,
    Model,
    Tools,
    Output,
    Sessions,
    Limits,
    SignIn,
    Settings,
    Ignored,
}

/// The groups, in listing order.
pub(crate) const GROUPS: &[FlagGroup] = &[
    FlagGroup::Prompt,
    FlagGroup::Model,
    FlagGroup::Tools,
    FlagGroup::Output,
    FlagGroup::Sessions,
    FlagGroup::Limits,
    FlagGroup::SignIn,
    FlagGroup::Settings,
    FlagGroup::Ignored,
];

impl FlagGroup {
    /// The heading in the help.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Prompt => "prompt",
            Self::Model => "model",
            Self::Tools => "tools",
            Self::Output => "output",
            Self::Sessions => "sessions",
            Self::Limits => "limits",
            Self::SignIn => "sign-in",
            Self::Settings => "settings",
            Self::Ignored => "ignored",
        }
    }
}
