//! Warnings of a run, as values and in words.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::stop::grouped;
use crate::auth::sign_in;
use crate::wire::request::Shape;

/// A warning: something worth a line that does not stop the run.
#[derive(Debug)]
pub enum RunWarning {
    /// A message composed before the run.
    Note(String),
    /// The sign-in could not be renewed or stored.
    SignIn(sign_in::Warning),
    /// The service requires this request shape for the model.
    OtherShape(Shape),
    /// The service cannot read the reasoning from earlier answers.
    WithoutReasoning,
    /// The service withheld reasoning from earlier answers from the model: its reason for each item, if
    /// it gave one.
    Withheld(Vec<Option<String>>),
    /// The service did not report the tokens of an answer, which a budget should count.
    Uncounted,
    /// This many events in a response could not be read.
    Skipped(usize),
    /// The request that is shown compacts a conversation of this many tokens; the question follows in the next one.
    CompactedFirst(u64),
    /// The tools changed files that make git run programs.
    GitChanged(Vec<PathBuf>),
    /// The session file could not be created.
    NotStored(io::Error),
    /// The session file can no longer be written.
    StoredNoFurther(PathBuf, io::Error),
    /// The session file was moved, removed or replaced.
    Misplaced(PathBuf),
    /// The temporary directory of the tools could not be removed.
    TemporaryLeft(PathBuf, io::Error),
    /// The run ends before this many messages were sent.
    NotAsked(usize),
    /// The run is waiting for standard input.
    StdinAwaited {
        /// Standard input is a terminal.
        terminal: bool,
    },
    /// Standard input sent nothing in time and is ignored.
    StdinGivenUp,
}

impl fmt::Display for RunWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Note(words) => f.write_str(words),
            Self::SignIn(warning) => warning.fmt(f),
            Self::OtherShape(shape) => write!(
                f,
                "the service requires the {} request shape for this model; retrying with it",
                shape.name()
            ),
            Self::WithoutReasoning => f.write_str(
                "the service cannot read the reasoning from earlier answers; retrying without it",
            ),
            Self::Withheld(reasons) => f.write_str(&withheld(reasons)),
            Self::Uncounted => f.write_str(
                "the service did not report the tokens of an answer: the limits on tokens and cost do not count it",
            ),
            Self::Skipped(1) => {
                f.write_str("one event in the response could not be read and was skipped")
            }
            Self::Skipped(count) => write!(
                f,
                "{count} events in the response could not be read and were skipped"
            ),
            Self::CompactedFirst(tokens) => write!(
                f,
                "the conversation has about {} tokens: this request compacts it, and the next one asks the question",
                grouped(*tokens)
            ),
            Self::GitChanged(places) => {
                let places: Vec<String> = places
                    .iter()
                    .map(|place| place.display().to_string())
                    .collect();
                write!(
                    f,
                    "tools changed {}: review it before you use git, which runs the programs named there",
                    places.join(" and ")
                )
            }
            Self::NotStored(error) => write!(
                f,
                "the conversation is not stored, so it cannot be resumed: {error}"
            ),
            Self::StoredNoFurther(path, error) => write!(
                f,
                "the conversation is no longer being stored: cannot write {}: {error}",
                path.display()
            ),
            Self::Misplaced(path) => write!(
                f,
                "the conversation cannot be resumed: {} was removed or replaced during the run",
                path.display()
            ),
            Self::TemporaryLeft(path, error) => write!(
                f,
                "cannot remove the tools' temporary directory {}: {error}",
                path.display()
            ),
            Self::NotAsked(1) => f.write_str("the run ended: one waiting message was not sent"),
            Self::NotAsked(count) => write!(
                f,
                "the run ended: {count} waiting messages were not sent"
            ),
            Self::StdinAwaited { terminal: true } => f.write_str(
                "waiting for the prompt on standard input; end it with Ctrl-D on an empty line",
            ),
            Self::StdinAwaited { terminal: false } => {
                f.write_str("waiting for the end of standard input")
            }
            Self::StdinGivenUp => f.write_str(
                "no data on standard input for 3 s; continuing without it (--no-stdin skips the wait)",
            ),
        }
    }
}

fn withheld(reasons: &[Option<String>]) -> String {
    let word =
        |reason: &'_ Option<String>| reason.as_deref().unwrap_or("no reason given").to_owned();
    let mut kinds: Vec<String> = reasons.iter().map(word).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let items = match reasons.len() {
        1 => "one item".to_owned(),
        several => format!("{several} items"),
    };
    format!(
        "the service did not show the model its reasoning from earlier answers: {items} ({})",
        kinds.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_withheld_is_counted_with_its_reasons() {
        let reasons = [Some("b"), None, Some("b")]
            .map(|reason| reason.map(str::to_owned))
            .to_vec();
        assert_eq!(
            RunWarning::Withheld(reasons).to_string(),
            "the service did not show the model its reasoning from earlier answers: 3 items (b, no reason given)"
        );
    }
}
