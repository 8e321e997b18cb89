//! A directory held open, so that it stays the same one even if its path changes.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustix::fs::{
    Access, AtFlags, CWD, Dir, Mode, OFlags, accessat, fstat, fsync, mkdirat, openat,
};
use rustix::io::Errno;

use super::identity::{current_path, of_stat, resolves_to};
use super::owner::inherit_owner;

/// A directory held open, or to be created below one that is held open.
#[derive(Clone, Debug)]
pub struct Directory {
    path: PathBuf,
    /// The nearest existing ancestor.
    above: Arc<OwnedFd>,
    /// The path components from there to the directory.
    missing: Vec<OsString>,
    opened: Arc<OnceLock<OwnedFd>>,
}

impl Directory {
    /// Opens an existing directory.
    ///
    /// # Errors
    /// If it is missing or cannot be entered.
    pub fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            above: Arc::new(opened(CWD, path, OFlags::empty())?),
            path: path.canonicalize().unwrap_or_else(|_| path.to_owned()),
            missing: Vec::new(),
            opened: Arc::default(),
        })
    }

    /// Opens a directory or its nearest existing ancestor, below which it can be created later.
    ///
    /// # Errors
    /// If none of them can be opened.
    pub fn hold(path: &Path) -> io::Result<Self> {
        let path = std::path::absolute(path)?;
        let mut place = path.clone();
        let mut missing = Vec::new();
        loop {
            match opened(CWD, &place, OFlags::empty()) {
                Ok(above) => {
                    missing.reverse();
                    return Ok(Self {
                        path,
                        above: Arc::new(above),
                        missing,
                        opened: Arc::default(),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let name = place.file_name().ok_or(error)?;
                    missing.push(name.to_owned());
                    place.pop();
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Creates the missing components, private to this user.
    ///
    /// # Errors
    /// If it cannot be created. Links are not followed.
    pub fn make(&self) -> io::Result<()> {
        if self.missing.is_empty() || self.opened.get().is_some() {
            return Ok(());
        }
        self.walk(true).map(|found| drop(self.opened.set(found)))
    }

    /// Returns the file descriptor.
    ///
    /// # Errors
    /// `NotFound` if the directory was missing and has not been created.
    pub fn descriptor(&self) -> io::Result<BorrowedFd<'_>> {
        if self.missing.is_empty() {
            return Ok(self.above.as_fd());
        }
        if self.opened.get().is_none() {
            let _ = self.opened.set(self.walk(false)?);
        }
        let opened = self.opened.get().ok_or(io::ErrorKind::NotFound)?;
        Ok(opened.as_fd())
    }

    fn walk(&self, make: bool) -> io::Result<OwnedFd> {
        let mut here = self.above.try_clone()?;
        for name in &self.missing {
            let mut is_new = false;
            if make {
                match mkdirat(&here, name, Mode::RWXU) {
                    Ok(()) => is_new = true,
                    Err(Errno::EXIST) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            let next = opened(&here, Path::new(name), OFlags::NOFOLLOW)?;
            if is_new {
                inherit_owner(&next, &here);
            }
            here = next;
        }
        Ok(here)
    }

    /// Checks that this user may create and replace files in it.
    ///
    /// # Errors
    /// If not.
    pub fn check_writable(&self) -> io::Result<()> {
        let access = Access::WRITE_OK | Access::EXEC_OK;
        accessat(self.descriptor()?, ".", access, AtFlags::empty()).map_err(Into::into)
    }

    /// Returns whether its path still resolves to it. A directory that does not exist yet counts as in place.
    #[must_use]
    pub fn is_in_place(&self) -> bool {
        match self.descriptor() {
            Ok(held) => fstat(held).is_ok_and(|held| resolves_to(&self.path, of_stat(&held))),
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        }
    }

    /// Returns its current path if the system reports it, otherwise the original one.
    #[must_use]
    pub fn current_path(&self) -> PathBuf {
        let found = self.descriptor().ok().and_then(current_path);
        found.unwrap_or_else(|| self.path.clone())
    }

    /// Lists the names in it; empty if it cannot be listed.
    #[must_use]
    pub fn names(&self) -> Vec<OsString> {
        let listed = self.descriptor().ok();
        let listed = listed.and_then(|held| Dir::read_from(held).ok());
        let entries = listed.into_iter().flatten().flatten();
        entries
            .map(|entry| OsStr::from_bytes(entry.file_name().to_bytes()).to_owned())
            .collect()
    }
}

/// Opens a directory. One that can be entered but not listed supports everything but a sync.
fn opened(parent: impl AsFd, path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    let flags = flags | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat(&parent, path, flags | OFlags::RDONLY, Mode::empty()) {
        #[cfg(target_os = "linux")]
        Err(Errno::ACCESS) => {
            openat(parent, path, flags | OFlags::PATH, Mode::empty()).map_err(Into::into)
        }
        other => other.map_err(Into::into),
    }
}

/// Syncs a directory so that a new name survives a power cut, where the system supports that.
pub(super) fn sync(directory: BorrowedFd<'_>) -> io::Result<()> {
    match fsync(directory) {
        Err(error @ (Errno::IO | Errno::NOSPC | Errno::DQUOT)) => Err(error.into()),
        _ => Ok(()),
    }
}
