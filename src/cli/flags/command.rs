//! An entry of the command table.

/// A command.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// The arguments in the usage line.
    pub(crate) usage: &'static str,
    pub(crate) brief: &'static str,
    pub(crate) doc: &'static str,
    /// The accepted arguments, if they are fixed.
    pub(crate) words: &'static [&'static str],
}
