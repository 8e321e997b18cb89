//! What a call is about, for programs that read what a run prints: a command, files that it changes, or something else.

use serde_json::Value;

use super::process::Tools;
use crate::wire::item::Call;

/// What a call is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    /// It runs this command.
    Command(String),
    /// It changes these files.
    Changes(Vec<Change>),
    /// Something else, with these arguments; a text where they are no JSON.
    Other(Value),
}

/// A file that a call changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its path, as the model named it.
    pub path: String,
    /// Whether it is there already.
    pub there: bool,
}

impl Tools {
    /// What this call is about, as things are before it runs.
    #[must_use]
    pub fn about(&self, call: &Call) -> About {
        let arguments: Value = serde_json::from_str(&call.arguments)
            .unwrap_or_else(|_| Value::from(call.arguments.clone()));
        let offer = self.offered(&call.name);
        let built_in = offer.is_some_and(|offer| offer.program().is_none());
        let text = |name: &str| arguments[name].as_str().map(str::to_owned);
        match (&*call.name, text("command"), text("path")) {
            ("bash", Some(command), _) if built_in => About::Command(command),
            ("edit" | "write", _, Some(path)) if built_in => {
                let there = self.directory().join(&path).exists();
                About::Changes(vec![Change { path, there }])
            }
            _ => About::Other(arguments),
        }
    }
}

/// Whether what a tool answered has a part left out, which is in a file.
#[must_use]
pub fn is_cut(text: &str) -> bool {
    text.lines().any(|line| {
        let rest = line.strip_prefix('[').unwrap_or_default();
        let count = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        count.len() < rest.len()
            && count.starts_with(" of ")
            && count.contains(" bytes are left out here")
    })
}
