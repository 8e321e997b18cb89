//! A name in a held directory: reads, replaces and removes its file.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use rustix::fs::{AtFlags, Mode, OFlags, Stat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::directory::{Directory, sync};
use super::identity::{FileIdentity, of_file};
use super::regular::{content, regular};

/// A name in a held directory, and the file there.
#[derive(Clone, Debug)]
pub struct FileSlot {
    directory: Directory,
    name: OsString,
}

impl FileSlot {
    /// Creates a slot for this name in this directory.
    #[must_use]
    pub fn new(directory: Directory, name: &OsStr) -> Self {
        Self {
            directory,
            name: name.to_owned(),
        }
    }

    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    /// Returns the directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Returns its current path, if the system reports it.
    #[must_use]
    pub fn current_path(&self) -> PathBuf {
        self.directory.current_path().join(&self.name)
    }

    /// Returns the metadata of the file, without following a link; `None` if it does not exist.
    ///
    /// # Errors
    /// If it cannot be determined.
    pub fn stat(&self) -> io::Result<Option<Stat>> {
        let held = match self.directory.descriptor() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            held => held?,
        };
        match statat(held, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(found) => Ok(Some(found)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads the file, which must be a regular one of at most `most` bytes. A link is not followed, and a pipe cannot
    /// block.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(&self, most: u64) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let held = self.directory.descriptor()?;
        let file = File::from(openat(held, &self.name, flags, Mode::empty())?);
        content(regular(file)?, most)
    }

    /// Removes the file, if it exists.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        let held = self.directory.descriptor()?;
        match unlinkat(held, &self.name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => sync(held),
            Err(error) => Err(error.into()),
        }
    }

    /// Overwrites the file in place, as is necessary if it is a mount point.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn overwrite(&self, bytes: &[u8]) -> io::Result<FileIdentity> {
        let file = self.writable()?;
        file.write_all_at(bytes, 0)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()?;
        Ok(of_file(&file.metadata()?))
    }

    /// Opens the file to overwrite it.
    ///
    /// # Errors
    /// If it cannot be opened.
    pub fn writable(&self) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let held = self.directory.descriptor()?;
        Ok(File::from(openat(held, &self.name, flags, Mode::empty())?))
    }

    /// Returns whether the file is a mount point, as single files may be in containers. A rename over one fails.
    #[cfg(target_os = "linux")]
    #[must_use]
    pub fn is_mount(&self) -> bool {
        use rustix::fs::{StatxFlags, statx};
        let mount = |name: &OsStr| {
            let held = self.directory.descriptor().ok()?;
            let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
            let found = statx(held, name, flags, StatxFlags::MNT_ID);
            found.ok().map(|found| found.stx_mnt_id)
        };
        let directory = mount("".as_ref());
        mount(&self.name).is_some_and(|own| directory.is_some_and(|directory| own != directory))
    }

    /// Returns `false`: the system has no such mounts or does not report them.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn is_mount(&self) -> bool {
        false
    }
}
