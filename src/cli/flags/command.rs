//! A command as the table has it.

/// A command.
pub(crate) struct Command {
    pub(crate) name: &'static str,
    /// What follows the name.
    pub(crate) usage: &'static str,
    pub(crate) brief: &'static str,
    pub(crate) doc: &'static str,
    /// The words that may follow, where they are fixed.
    pub(crate) words: &'static [&'static str],
}
