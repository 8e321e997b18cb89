//! Why a process cannot be confined.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::{fmt, io};

use crate::exhausted::Exhausted;

/// Why there are no walls.
#[derive(Debug)]
pub enum Error {
    /// The system has nothing that could hide files, or an older form of it.
    Unavailable,
    /// A place that is to be open cannot be opened.
    Place(PathBuf, io::Error),
    /// The system gave no thread to try it on.
    Thread(io::Error),
    /// The system refused a step.
    Step(&'static str, String),
}

impl Error {
    /// What the system has no more of, if that is the reason.
    #[must_use]
    pub fn exhausted(&self) -> Option<Exhausted> {
        match self {
            Self::Place(_, error) | Self::Thread(error) => Exhausted::of(error),
            Self::Unavailable | Self::Step(..) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable => {
                f.write_str("this system has no Landlock, or one from before Linux 6.2")
            }
            Self::Place(path, error) => write!(f, "cannot open {}: {error}", path.display()),
            Self::Thread(error) => write!(f, "no thread can be started: {error}"),
            Self::Step(step, why) => write!(f, "the system refused to {step}: {why}"),
        }
    }
}

impl StdError for Error {}
