//! A file's content replaced in one step: whoever looks sees the old or the new, never a part.

use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::Mode;

use crate::file::{Directory, FileSlot, Replacement, unused};

/// Replaces the content of the file, or makes it; mode and owner stay as they were. A link is followed.
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
        // Replacing would go around a file's own write protection.
        OpenOptions::new().write(true).open(&path)?;
    }
    match renew(&path, content, old.as_ref()) {
        // A file that we may write but not make anew: its directory or its owner forbids that.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied && old.is_some() => {
            fs::write(&path, content)
        }
        other => other,
    }
}

/// Makes the file anew beside the old one and puts it into its place.
fn renew(path: &Path, content: &[u8], old: Option<&Metadata>) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let directory = path.parent().filter(|parent| *parent != Path::new(""));
    let slot = FileSlot::new(Directory::open(directory.unwrap_or(Path::new(".")))?, name);
    let mode = Mode::from_raw_mode(old.map_or(0o666, |old| old.mode() & 0o7777));
    let new = Replacement::begin(&slot, &unused(".new-")?, mode)?;
    if let Some(old) = old {
        let own = new.file().metadata()?;
        if (own.uid(), own.gid()) != (old.uid(), old.gid()) {
            std::os::unix::fs::fchown(new.file(), Some(old.uid()), Some(old.gid()))?;
        }
    }
    new.fill(content)?;
    // Writing takes bits of a mode away, so it comes last. In the sandbox of a read-only run no mode can be changed,
    // not even of a temporary file.
    if let Some(old) = old
        && new.file().metadata()?.mode() != old.mode()
    {
        new.file().set_permissions(old.permissions())?;
    }
    // No power cut is worth two syncs for each of a thousand edits.
    new.take_place().map(drop)
}
