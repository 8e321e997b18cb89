//! Why a chat failed, and its failure.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use super::super::run;
use crate::chat::terminal::TerminalError;
use crate::failure::{self, Failure, Stop, StopRequest, Used};
use crate::outcome::Outcome;

/// Why a chat failed.
#[derive(Debug)]
pub enum Error {
    /// The terminal cannot show a full screen.
    Dumb,
    /// There is no terminal.
    NoTerminal(io::Error),
    /// The terminal cannot be read or written any more.
    Terminal(io::Error),
    /// The conversation cannot begin.
    Run(run::Error),
    /// The system provided no thread.
    Thread(io::Error),
    /// The chat was stopped.
    Stopped(StopRequest),
    /// A bug in this program.
    Panicked,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dumb => f.write_str("the terminal is dumb"),
            Self::NoTerminal(error) | Self::Terminal(error) | Self::Thread(error) => error.fmt(f),
            Self::Run(error) => error.fmt(f),
            Self::Stopped(request) => write!(f, "{request:?}"),
            Self::Panicked => f.write_str("a thread panicked"),
        }
    }
}

impl StdError for Error {}

impl From<TerminalError> for Error {
    fn from(error: TerminalError) -> Self {
        match error {
            TerminalError::None(error) => Self::NoTerminal(error),
            TerminalError::Unusable(error) => Self::Terminal(error),
        }
    }
}

impl From<run::Error> for Error {
    fn from(error: run::Error) -> Self {
        Self::Run(error)
    }
}

/// A failure as one notice of the screen.
pub(super) fn in_one_notice(failure: &Failure) -> String {
    match failure.advice() {
        Some(hint) => format!("{} ({hint})", failure.what()),
        None => failure.what().to_owned(),
    }
}

/// What works without a full screen.
const OTHERWISE: &str = "`codex run \"a question\"` needs no terminal";

impl Error {
    /// The failure of a chat that used this credential.
    pub(crate) fn failure(self, used: Option<&Used>) -> Failure {
        match self {
            Self::Dumb => Failure::usage(
                "a chat needs a terminal with a screen, and TERM is not set, or set to dumb",
            )
            .hint(OTHERWISE),
            Self::NoTerminal(error) => Failure::usage(format!(
                "a chat needs a terminal, and /dev/tty cannot be used: {error}"
            ))
            .hint(OTHERWISE),
            Self::Terminal(error) => {
                Failure::new(Outcome::Io, format!("cannot use the terminal: {error}"))
                    .hint("`codex chat --last` continues the conversation in another terminal")
                    .because_of(&error)
            }
            Self::Run(error) => error.failure(used),
            Self::Thread(error) => failure::of_thread(&error),
            Self::Stopped(request) => failure::of_order(request),
            Self::Panicked => failure::of_stop(&Stop::Panicked, used),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::table::check_rows;

    #[test]
    fn messages_and_hints_of_a_chat() {
        let broken = || io::ErrorKind::BrokenPipe.into();
        let rows = [
            Error::Dumb,
            Error::NoTerminal(broken()),
            Error::Terminal(broken()),
        ];
        check_rows("codex chat", &rows.map(|error| error.failure(None)));
    }
}
