//! The fixed words that flags accept.

pub(crate) use crate::models::clamp::EFFORTS;
use crate::tools::builtin::table::TOOLS;

/// The levels of detail of an answer.
pub(crate) const VERBOSITIES: &[&str] = &["low", "medium", "high"];

/// The kinds of reasoning summary.
pub(crate) const SUMMARIES: &[&str] = &["auto", "concise", "detailed", "none"];

/// The sandbox modes.
pub(crate) const SANDBOXES: &[&str] = &["read-only", "workspace-write", "danger-full-access"];

/// What makes a run fail although the model answered.
pub(crate) const FAILURES: &[&str] = &["tool-error"];

/// The words for when a conversation is compacted, besides a number of tokens.
pub(crate) const COMPACTIONS: &[&str] = &["auto", "off"];

/// The web search modes.
pub(crate) const SEARCHES: &[&str] = &["live", "cached"];

/// When standard error is coloured.
pub(crate) const COLORS: &[&str] = &["auto", "always", "never"];

/// The formats of standard input.
pub(crate) const INPUTS: &[&str] = &["jsonl"];

/// The shells with completion scripts.
pub(crate) const SHELLS: &[&str] = &["bash", "zsh", "fish"];

/// The tools that can be offered.
pub(crate) const TOOL_NAMES: [&str; TOOLS.len()] = {
    let mut names = [""; TOOLS.len()];
    let mut i = 0;
    while i < TOOLS.len() {
        names[i] = TOOLS[i].name;
        i += 1;
    }
    names
};
