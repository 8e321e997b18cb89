//! The identity and the current path of an open file.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

/// Identifies a file among all existing ones: its device and inode.
pub type FileIdentity = (u64, u64);

/// Returns whether this path resolves to this file, following links.
#[must_use]
pub fn resolves_to(path: &Path, file: FileIdentity) -> bool {
    fs::metadata(path).is_ok_and(|found| of_file(&found) == file)
}

/// Returns the current path of an open file, if the system reports it.
#[must_use]
pub fn current_path(file: impl AsFd) -> Option<PathBuf> {
    fs::read_link(format!("/proc/self/fd/{}", file.as_fd().as_raw_fd())).ok()
}

/// Returns the identity of an open file.
#[must_use]
pub fn of_file(found: &fs::Metadata) -> FileIdentity {
    (found.dev(), found.ino())
}

#[allow(clippy::unnecessary_cast)] // the width differs between systems
pub(super) fn of_stat(found: &Stat) -> FileIdentity {
    (found.st_dev as u64, found.st_ino as u64)
}
