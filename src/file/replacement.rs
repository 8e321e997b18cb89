//! A new file that replaces an existing one.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use rustix::fs::{
    AtFlags, Gid, Mode, OFlags, Stat, Uid, fchmod, fchown, openat, renameat, unlinkat,
};

use super::directory::sync;
use super::identity::{FileIdentity, of_file};
use super::slot::FileSlot;

/// A temporary file that is about to replace an existing one. It is removed on drop unless it was committed or kept.
#[derive(Debug)]
pub struct Replacement {
    slot: FileSlot,
    file: File,
    temporary_name: OsString,
    remove: bool,
}

impl Replacement {
    /// Starts to replace the file of a slot: creates an empty file with this unused name in the same
    /// directory.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn begin(slot: &FileSlot, temporary_name: &OsStr, mode: Mode) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let held = slot.directory().descriptor()?;
        let file = openat(held, temporary_name, flags | OFlags::CLOEXEC, mode)?;
        Ok(Self {
            slot: slot.clone(),
            file: File::from(file),
            temporary_name: temporary_name.to_owned(),
            remove: true,
        })
    }

    /// Returns the file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Replaces its contents and syncs them to disk.
    ///
    /// # Errors
    /// If there is no space.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.write_unsynced(bytes)?;
        self.file.sync_all()
    }

    /// Replaces its contents without a sync, so that a power cut may undo it.
    ///
    /// # Errors
    /// If there is no space.
    pub fn write_unsynced(&self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, 0)?;
        self.file.set_len(bytes.len() as u64)
    }

    /// Copies the owner and permissions of another file, as far as this user is allowed to. `setuid` and similar bits are not
    /// copied.
    ///
    /// # Errors
    /// If the permissions cannot be set.
    pub fn copy_permissions(&self, other: &Stat) -> io::Result<()> {
        self.copy_owner(other)?;
        let mode = Mode::from_raw_mode(other.st_mode) & (Mode::RWXU | Mode::RWXG | Mode::RWXO);
        fchmod(&self.file, mode).map_err(Into::into)
    }

    /// Copies the owner of another file, which only root can do.
    ///
    /// # Errors
    /// If its current owner cannot be determined.
    pub fn copy_owner(&self, other: &Stat) -> io::Result<()> {
        let own = self.file.metadata()?;
        if (own.uid(), own.gid()) != (other.st_uid, other.st_gid) {
            let (user, group) = (Uid::from_raw(other.st_uid), Gid::from_raw(other.st_gid));
            let _ = fchown(&self.file, Some(user), Some(group));
        }
        Ok(())
    }

    /// Keeps the temporary file on drop.
    pub fn keep(&mut self) {
        self.remove = false;
    }

    /// Renames it over the existing file and syncs the directory; returns the identity of the file now in place.
    ///
    /// # Errors
    /// If it cannot be renamed, or the directory cannot be synced.
    pub fn commit(self) -> io::Result<FileIdentity> {
        let directory = self.slot.directory().clone();
        let written = self.commit_unsynced()?;
        sync(directory.descriptor()?)?;
        Ok(written)
    }

    /// Does the same as [`Self::commit`] without a sync, so that a power cut may undo it.
    ///
    /// # Errors
    /// If it cannot be renamed.
    pub fn commit_unsynced(mut self) -> io::Result<FileIdentity> {
        let slot = &self.slot;
        let held = slot.directory().descriptor()?;
        if let Err(error) = renameat(held, &self.temporary_name, held, slot.name()) {
            // A file that is a mount point cannot be replaced, only overwritten. Any other file in the way may have
            // been planted and may have further links elsewhere.
            if !slot.is_mount() {
                return Err(error.into());
            }
            let content = self.content();
            let written = content.and_then(|content| slot.overwrite(&content));
            let written = written.map_err(|_| error)?;
            self.remove = true;
            return Ok(written);
        }
        self.remove = false;
        Ok(of_file(&self.file.metadata()?))
    }

    fn content(&self) -> io::Result<Vec<u8>> {
        let slot = FileSlot::new(self.slot.directory().clone(), &self.temporary_name);
        slot.read(self.file.metadata()?.len())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if self.remove
            && let Ok(held) = self.slot.directory().descriptor()
        {
            let _ = unlinkat(held, &self.temporary_name, AtFlags::empty());
        }
    }
}
