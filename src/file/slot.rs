//! A name in a held directory: reading, replacing and removing what is there.

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

/// A name in a held directory, and what is there.
#[derive(Clone, Debug)]
pub struct FileSlot {
    directory: Directory,
    name: OsString,
}

impl FileSlot {
    /// This name in this directory.
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

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Where it is by now, as far as the system tells.
    #[must_use]
    pub fn whereabouts(&self) -> PathBuf {
        self.directory.whereabouts().join(&self.name)
    }

    /// What is there, a link not followed; nothing if nothing is.
    ///
    /// # Errors
    /// When that cannot be found out.
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

    /// What the file holds, which is to be a regular one of at most this many bytes. No link is followed, and no pipe
    /// waited for.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(&self, most: u64) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let held = self.directory.descriptor()?;
        let file = File::from(openat(held, &self.name, flags, Mode::empty())?);
        content(regular(file)?, most)
    }

    /// Removes the file; nothing happens if it is not there.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        let held = self.directory.descriptor()?;
        match unlinkat(held, &self.name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => sync(held),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes over the file that is there, as it must be where the file is a mount of its own.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn overwrite(&self, bytes: &[u8]) -> io::Result<FileIdentity> {
        let file = self.writable()?;
        file.write_all_at(bytes, 0)?;
        file.set_len(bytes.len() as u64)?;
        file.sync_all()?;
        Ok(of_file(&file.metadata()?))
    }

    /// The file that is there, to be written over.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn writable(&self) -> io::Result<File> {
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let held = self.directory.descriptor()?;
        Ok(File::from(openat(held, &self.name, flags, Mode::empty())?))
    }

    /// Whether the file is a mount of its own, as containers have single files. Those cannot be renamed over.
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

    /// The same where the system has no such mounts, or does not tell.
    #[cfg(not(target_os = "linux"))]
    #[must_use]
    pub fn is_mount(&self) -> bool {
        false
    }
}
