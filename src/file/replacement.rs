//! A new file on its way into another one's place.

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

/// A new file that is about to replace another one. It is removed unless it does, or is kept.
#[derive(Debug)]
pub struct Replacement {
    slot: FileSlot,
    file: File,
    beside: OsString,
    remove: bool,
}

impl Replacement {
    /// Begins the replacement of what is in a slot: an empty file of this other name in the same directory, which must
    /// be free.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn begin(slot: &FileSlot, beside: &OsStr, mode: Mode) -> io::Result<Self> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW;
        let held = slot.directory().descriptor()?;
        let file = openat(held, beside, flags | OFlags::CLOEXEC, mode)?;
        Ok(Self {
            slot: slot.clone(),
            file: File::from(file),
            beside: beside.to_owned(),
            remove: true,
        })
    }

    /// The file.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Makes this its whole content, on the disk.
    ///
    /// # Errors
    /// When there is no space.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.fill(bytes)?;
        self.file.sync_all()
    }

    /// Makes this its whole content, which a power cut may take away again.
    ///
    /// # Errors
    /// When there is no space.
    pub fn fill(&self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, 0)?;
        self.file.set_len(bytes.len() as u64)
    }

    /// Gives it the owner and the permissions of another file, as far as this user may. Neither `setuid` nor its like
    /// is handed on.
    ///
    /// # Errors
    /// When the permissions cannot be set.
    pub fn like(&self, other: &Stat) -> io::Result<()> {
        self.owned_by(other)?;
        let mode = Mode::from_raw_mode(other.st_mode) & (Mode::RWXU | Mode::RWXG | Mode::RWXO);
        fchmod(&self.file, mode).map_err(Into::into)
    }

    /// Gives it the owner of another file, as root may.
    ///
    /// # Errors
    /// When its own owner cannot be found out.
    pub fn owned_by(&self, other: &Stat) -> io::Result<()> {
        let own = self.file.metadata()?;
        if (own.uid(), own.gid()) != (other.st_uid, other.st_gid) {
            let (user, group) = (Uid::from_raw(other.st_uid), Gid::from_raw(other.st_gid));
            let _ = fchown(&self.file, Some(user), Some(group));
        }
        Ok(())
    }

    /// Leaves it where it is.
    pub fn keep(&mut self) {
        self.remove = false;
    }

    /// Puts it into the other file's place, on the disk; what is there afterwards.
    ///
    /// # Errors
    /// When it cannot be put there, or the directory cannot be synced.
    pub fn commit(self) -> io::Result<FileIdentity> {
        let directory = self.slot.directory().clone();
        let written = self.take_place()?;
        sync(directory.descriptor()?)?;
        Ok(written)
    }

    /// The same, which a power cut may undo.
    ///
    /// # Errors
    /// When it cannot be put there.
    pub fn take_place(mut self) -> io::Result<FileIdentity> {
        let slot = &self.slot;
        let held = slot.directory().descriptor()?;
        if let Err(error) = renameat(held, &self.beside, held, slot.name()) {
            // A file that is a mount of its own cannot be replaced, but written over. Any other file that stands in the
            // way may have been put there, and may have further names elsewhere.
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
        let slot = FileSlot::new(self.slot.directory().clone(), &self.beside);
        slot.read(self.file.metadata()?.len())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if self.remove
            && let Ok(held) = self.slot.directory().descriptor()
        {
            let _ = unlinkat(held, &self.beside, AtFlags::empty());
        }
    }
}
