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
    /// Its path.
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
                let path = self.directory().join(&path);
                let there = path.exists();
                let path = path.to_string_lossy().into_owned();
                About::Changes(vec![Change { path, there }])
            }
            _ => About::Other(arguments),
        }
    }
}

/// What a command printed, without the line about its end that the model is told.
#[must_use]
pub fn printed(text: &str) -> &str {
    let footer = text.rfind("[exit code ").filter(|at| {
        let rest = &text[*at..];
        rest.trim_end().ends_with(" s]") && rest.trim_end().lines().count() == 1
    });
    match footer {
        Some(at) if at == 0 || text[..at].ends_with('\n') => &text[..at],
        _ => text,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_about_the_end_is_no_output() {
        assert_eq!(printed("hi\n[exit code 0, 0.0 s]"), "hi\n");
        assert_eq!(printed("[exit code 3, 1.2 s]\n"), "");
        assert_eq!(printed("x [exit code 3, 1.2 s]"), "x [exit code 3, 1.2 s]");
        assert_eq!(
            printed("[exit code 3, 1.2 s]\nmore"),
            "[exit code 3, 1.2 s]\nmore"
        );
        assert_eq!(printed("plain"), "plain");
    }

    #[test]
    fn a_cut_is_seen_by_its_line() {
        assert!(is_cut(
            "a\n[12 of 3456 bytes are left out here; all of it is in /x]\nb"
        ));
        assert!(!is_cut("a\n[x of 3456 bytes are left out here]\nb") && !is_cut(""));
    }
}
