//! Errors of stored conversations.

use std::io;
use std::path::PathBuf;

use super::stored::Damage;

/// The reason a stored conversation cannot be read or resumed.
#[derive(Debug)]
pub enum Error {
    /// No conversation has this id.
    Missing(String),
    /// This part of an id is shorter than [`MIN_PART_CHARACTERS`](super::MIN_PART_CHARACTERS).
    Short(String),
    /// The ids of several conversations begin or end like this.
    Ambiguous {
        /// The part of an id.
        part: String,
        /// The ids, the newest first.
        ids: Vec<String>,
    },
    /// No conversation belongs to this directory.
    NoneHere(PathBuf),
    /// Another run has locked it.
    Busy(PathBuf),
    /// Its file cannot be read or written.
    Io(PathBuf, io::Error),
    /// A line before the last is damaged.
    Damaged(PathBuf, Damage),
    /// It is not removed, because its first line is not that of a conversation.
    NotRemoved(PathBuf, Damage),
}
