//! Why a server cannot be used.

use std::fmt;
use std::io;

use crate::mcp::session::SessionError;

/// Why a server cannot be used.
#[derive(Debug)]
pub enum StartError {
    /// The system could not start its process.
    NotStarted(io::Error),
    /// It has ended.
    Ended,
    /// It has not answered within this many seconds.
    Silent(u64),
    /// What it answers cannot be used.
    Session(SessionError),
    /// It has sent a line of more than this many bytes.
    LineTooLong(usize),
    /// The run was stopped.
    Stopped,
    /// It cannot be reached, for this reason.
    Unreachable(String),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotStarted(error) => write!(f, "its process cannot be started: {error}"),
            Self::Ended => f.write_str("it ended before it answered"),
            Self::Silent(seconds) => write!(f, "it did not answer within {seconds} s"),
            Self::Session(SessionError::Refused { method, answer }) => {
                write!(f, "it refused {method}: {answer}")
            }
            Self::Session(SessionError::Version(version)) => {
                write!(
                    f,
                    "it speaks a version of the protocol that is not supported: {version}"
                )
            }
            Self::Session(SessionError::Malformed(method)) => {
                write!(f, "its answer to {method} is not what the protocol says")
            }
            Self::LineTooLong(most) => write!(f, "it sent a line of more than {} MiB", most >> 20),
            Self::Stopped => f.write_str("the run was stopped"),
            Self::Unreachable(why) => f.write_str(why),
        }
    }
}
