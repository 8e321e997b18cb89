//! Why a stored conversation cannot be gone on with.

use std::io;
use std::path::PathBuf;

use super::stored::Damage;

/// Why a stored conversation cannot be gone on with.
#[derive(Debug)]
pub enum Error {
    /// There is none of this id.
    Missing(String),
    /// There is none of this directory.
    NoneHere(PathBuf),
    /// Another run holds it.
    Busy(PathBuf),
    /// It cannot be read or written.
    Io(PathBuf, io::Error),
    /// A line in its middle is not what it should be.
    Damaged(PathBuf, Damage),
}
