//! Replaces a file's content atomically: readers see the old or the new content, never a mix.

use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, RawMode};

use crate::file::{Directory, FileSlot, Replacement, unused};

/// Replaces the content of a file, or creates it; mode and owner are preserved. Symbolic links are followed.
pub(super) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let path = match fs::canonicalize(path) {
        Ok(real) => real,
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
            path.to_owned()
        }
        Err(error) => return Err(error),
    };
    let old = fs::metadata(&path).ok();
    if let Some(old) = &old {
        if !old.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is not a regular file",
            ));
        }
        if old.nlink() > 1 {
            return fs::write(&path, content); // another name of the file must see the change too
        }
        // Renaming over a file would bypass its write protection.
        OpenOptions::new().write(true).open(&path)?;
    }
    match renew(&path, content, old.as_ref()) {
        // The file is writable, but its directory or its owner does not allow replacing it.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && old.is_some() => {
            fs::write(&path, content)
        }
        other => other,
    }
}

/// Writes a new file next to the old one and renames it over it.
fn renew(path: &Path, content: &[u8], old: Option<&Metadata>) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    let slot = FileSlot::new(Directory::open(directory.unwrap_or(Path::new(".")))?, name);
    #[allow(
        clippy::useless_conversion,
        reason = "the type of a mode is narrower on macOS"
    )]
    let mode = RawMode::try_from(old.map_or(0o666, |old| old.mode() & 0o7777)).unwrap_or(0o600);
    let mode = Mode::from_raw_mode(mode);
    let new = Replacement::begin(&slot, &unused(".new-")?, mode)?;
    if let Some(old) = old {
        let own = new.file().metadata()?;
        if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
            std::os::unix::fs::fchown(new.file(), Some(old.uid()), Some(old.gid()))?;
        }
    }
    new.write_unsynced(content)?;
    // Writing clears bits of the mode, so it is set last. The sandbox of a read-only run allows no mode changes, not
    // even of temporary files.
    if let Some(old) = old
        && new.file().metadata()?.mode() != old.mode()
    {
        new.file().set_permissions(old.permissions())?;
    }
    // No sync: surviving a power cut is not worth two syncs for each of a thousand edits.
    new.commit_unsynced().map(drop)
}
