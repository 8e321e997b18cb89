//! Reads small files that others may have created: only regular files, and only up to a limit. Opening a pipe of that
//! name would block forever.

use std::path::Path;

use crate::file::read_regular;

/// Returns the bytes of a regular file of at most `most` bytes.
pub(super) fn read(path: &Path, most: u64) -> Option<Vec<u8>> {
    read_regular(path, most).ok()
}

/// Returns the text of such a file.
pub(super) fn text(path: &Path, most: u64) -> Option<String> {
    String::from_utf8(read(path, most)?).ok()
}
