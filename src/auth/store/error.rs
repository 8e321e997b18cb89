//! Why the credentials file cannot be used: facts, and their words.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::contents::Other;
use crate::exhausted::Exhausted;

/// Why the file cannot be used.
#[derive(Debug)]
pub enum Error {
    /// It cannot be read.
    Unreadable(PathBuf, io::Error),
    /// It is a directory, a pipe or the like, or far too large.
    NotAFile(PathBuf),
    /// It is no JSON object: line and column, counted from 1.
    Malformed(PathBuf, usize, usize),
    /// An entry of another type stands where ours would.
    NotOurs(PathBuf, Other),
    /// It is not there any more, or nothing is in it.
    Blank(PathBuf),
    /// It, or something beside it, cannot be written.
    Unwritable(PathBuf, io::Error),
    /// The lock beside it cannot be taken, whoever has it.
    Lock(PathBuf, io::Error),
    /// Another process has had its lock all the time; which one, as far as that is known.
    Locked(PathBuf, Option<u32>),
}

impl Error {
    /// What the system has no more of, if that is the reason.
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
            Self::NotAFile(path) => write!(f, "{} is no credentials file", path.display()),
            Self::Malformed(path, line, column) => write!(
                f,
                "{} is not a JSON object, at line {line}, column {column}",
                path.display()
            ),
            Self::NotOurs(path, other) => write!(f, "{} holds {other}", path.display()),
            Self::Blank(path) => write!(f, "{} is gone, or empty", path.display()),
            Self::Unwritable(path, error) => write!(f, "cannot write {}: {error}", path.display()),
            Self::Lock(path, error) => write!(f, "cannot lock {}: {error}", path.display()),
            Self::Locked(path, None) => {
                write!(f, "another process holds the lock of {}", path.display())
            }
            Self::Locked(path, Some(process)) => {
                write!(f, "process {process} holds the lock of {}", path.display())
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
