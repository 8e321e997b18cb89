//! A file's content replaced in one step: whoever looks sees the old or the new, never a part.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

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

/// Makes the file anew beside the old one and renames it into its place.
fn renew(path: &Path, content: &[u8], old: Option<&Metadata>) -> io::Result<()> {
    let (beside, mut file) = create_beside(path, old.map_or(0o666, |old| old.mode() & 0o7777))?;
    let mut finish = || {
        if let Some(old) = old {
            let new = file.metadata()?;
            if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
                std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()))?;
            }
        }
        file.write_all(content)?;
        // Writing takes bits of a mode away, so it comes last. Inside the walls of a read-only run no mode can be changed,
        // not even of a temporary file.
        if let Some(old) =
            old.filter(|old| file.metadata().is_ok_and(|new| new.mode() != old.mode()))
        {
            file.set_permissions(old.permissions())?;
        }
        fs::rename(&beside, path)
    };
    finish().inspect_err(|_| {
        let _ = fs::remove_file(&beside);
    })
}

/// A new file in the same directory, so that renaming it is one step.
fn create_beside(path: &Path, mode: u32) -> io::Result<(PathBuf, File)> {
    let name = path
        .file_name()
        .ok_or(io::ErrorKind::InvalidInput)?
        .to_string_lossy()
        .into_owned();
    let short: String = name.chars().take(60).collect();
    let beside = path.with_file_name(format!(".{short}.{}.new", std::process::id()));
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)?;
    Ok((beside, file))
}
