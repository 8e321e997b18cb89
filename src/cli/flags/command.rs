//! An entry of the command table.

use super::completed_kind::CompletedKind;

/// A command.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// The arguments in the usage line.
    pub(crate) usage: &'static str,
    pub(crate) brief: &'static str,
    pub(crate) doc: &'static str,
    /// The accepted arguments, if they are fixed.
    pub(crate) words: &'static [&'static str],
    /// First arguments that take others.
    pub(crate) actions: &'static [CommandAction],
}

/// A first argument that takes others, such as `rm` of `sessions`.
pub(crate) struct CommandAction {
    pub(crate) word: &'static str,
    /// It takes any number of them.
    pub(crate) repeats: bool,
    pub(crate) offers: CompletedKind,
}
