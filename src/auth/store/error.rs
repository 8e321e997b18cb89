//! Errors of the credentials file, and their messages.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::contents::Other;
use crate::exhausted::Exhausted;

/// The reason the credentials file cannot be used.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be read.
    Unreadable(PathBuf, io::Error),
    /// It is not a regular file, far too large, or in an unknown format.
    NotAFile(PathBuf),
    /// It is not a JSON object; line and column of the error, counted from 1.
    Malformed(PathBuf, usize, usize),
    /// An entry of a different type is where the credential belongs.
    NotOurs(PathBuf, Other),
    /// It is missing or empty.
    Blank(PathBuf),
    /// The file, or another file in its directory, cannot be written.
    Unwritable(PathBuf, io::Error),
    /// The lock cannot be taken, even if it is free.
    Lock(PathBuf, io::Error),
    /// Another process has held the lock until the timeout; its process id, if known.
    Locked(PathBuf, Option<u32>),
}

impl Error {
    /// Returns the resource that ran out, if that is the reason.
    #[must_use]
    pub fn exhausted(&self) -> Option<Exhausted> {
        match self {
            Self::Unreadable(_, error) | Self::Unwritable(_, error) | Self::Lock(_, error) => {
                Exhausted::of(error)
            }
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::NotAFile(path) => write!(f, "{} is not a credentials file", path.display()),
            Self::Malformed(path, line, column) => {
                write!(f, "{}:{line}:{column} is not a JSON object", path.display())
            }
            Self::NotOurs(path, other) => write!(f, "{} contains {other}", path.display()),
            Self::Blank(path) => write!(f, "{} is missing or empty", path.display()),
            Self::Unwritable(path, error) => write!(f, "cannot write {}: {error}", path.display()),
            Self::Lock(path, error) => write!(f, "cannot lock {}: {error}", path.display()),
            Self::Locked(path, None) => {
                write!(f, "another process holds the lock on {}", path.display())
            }
            Self::Locked(path, Some(process)) => {
                write!(f, "process {process} holds the lock on {}", path.display())
            }
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Unreadable(_, error) | Self::Unwritable(_, error) | Self::Lock(_, error) => {
                Some(error)
            }
            Self::NotAFile(_)
            | Self::Malformed(..)
            | Self::NotOurs(..)
            | Self::Blank(_)
            | Self::Locked(..) => None,
        }
    }
}
