//! What tells a file from every other one, and where an open file is.

use std::fs;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::Stat;

/// What tells a file from every other one that exists at the same time: its device and its inode.
pub type FileIdentity = (u64, u64);

/// Whether this path leads to that very file, links followed.
#[must_use]
pub fn leads_to(path: &Path, file: FileIdentity) -> bool {
    fs::metadata(path).is_ok_and(|found| of_file(&found) == file)
}

/// Where an open file is by now, if the system tells.
#[must_use]
pub fn whereabouts(file: impl AsFd) -> Option<PathBuf> {
    fs::read_link(format!("/proc/self/fd/{}", file.as_fd().as_raw_fd())).ok()
}

/// The identity of an open file.
#[must_use]
pub fn of_file(found: &fs::Metadata) -> FileIdentity {
    (found.dev(), found.ino())
}

#[allow(clippy::unnecessary_cast)] // not of this width on every system
pub(super) fn of_stat(found: &Stat) -> FileIdentity {
    (found.st_dev as u64, found.st_ino as u64)
}
