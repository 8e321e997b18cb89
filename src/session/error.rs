//! Errors of stored conversations.

use std::io;
use std::path::PathBuf;

use super::stored::Damage;

/// The reason a stored conversation cannot be read or resumed.
#[derive(Debug)]
pub enum Error {
    /// No conversation has this id.
    Missing(String),
    /// No conversation belongs to this directory.
    NoneHere(PathBuf),
    /// Another run has locked it.
    Busy(PathBuf),
    /// Its file cannot be read or written.
    Io(PathBuf, io::Error),
    /// A line before the last is damaged.
    Damaged(PathBuf, Damage),
}
