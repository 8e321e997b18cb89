//! Why a process cannot be confined.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::{fmt, io};

use crate::exhausted::Exhausted;

/// Why the sandbox cannot be applied.
#[derive(Debug)]
pub enum Error {
    /// The system has no mechanism to hide files, or an older version of it.
    Unavailable,
    /// A path that should be accessible cannot be opened.
    Place(PathBuf, io::Error),
    /// No thread could be started to try it.
    Thread(io::Error),
    /// A step failed.
    Step(&'static str, String),
}

impl Error {
    /// The I/O error, if the cause is an exhausted resource.
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
            Self::Unavailable => f.write_str(
                "this system has no Landlock, or a version older than that of Linux 6.2",
            ),
            Self::Place(path, error) => write!(f, "cannot open {}: {error}", path.display()),
            Self::Thread(error) => write!(f, "cannot start a thread: {error}"),
            Self::Step(step, why) => write!(f, "the system refused to {step}: {why}"),
        }
    }
}

impl StdError for Error {}
