//! The words that flags take, where they are fixed.

pub(crate) use crate::models::clamp::EFFORTS;
use crate::tools::builtin::table::TOOLS;

/// How many words the model makes.
pub(crate) const VERBOSITIES: &[&str] = &["low", "medium", "high"];

/// How the model sums up what it thinks.
pub(crate) const SUMMARIES: &[&str] = &["auto", "concise", "detailed", "none"];

/// What tools may touch.
pub(crate) const SANDBOXES: &[&str] = &["read-only", "workspace-write", "danger-full-access"];

/// What makes a run fail although the model has answered.
pub(crate) const FAILURES: &[&str] = &["tool-error"];

/// How the service searches the web.
pub(crate) const SEARCHES: &[&str] = &["live", "cached"];

/// When standard error is coloured.
pub(crate) const COLORS: &[&str] = &["auto", "always", "never"];

/// The shells that completions are made for.
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
