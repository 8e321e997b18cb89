//! The temporary directory of a run: made for its tools, and removed whatever they have left in it. The removal is not
//! confined, so it follows no link and touches nothing but what is in that very directory.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, OFlags, fstat, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::places::Root;

/// A new directory that only this user can look into.
pub(super) fn make(parent: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let path = parent.join(format!("codex-run-{:016x}", u64::from_ne_bytes(random)));
    DirBuilder::new().mode(0o700).create(&path)?;
    path.canonicalize()
}

/// Removes the directory with all that is in it, however deep, and however its modes were changed.
pub(super) fn remove(root: &Root) -> io::Result<()> {
    let top = open(rustix::fs::CWD, &root.path)?;
    let found = fstat(&top)?;
    if (found.st_dev, found.st_ino) != root.identity {
        return Err(io::Error::other("it is not the directory that was made"));
    }
    // A directory's directories are moved up before it is removed, so that nothing gets deep.
    let mut number = 0;
    loop {
        let mut directories = false;
        for (name, is_dir) in entries(&top)? {
            if is_dir {
                directories = true;
                flatten(&top, &name, &mut number)?;
            } else {
                unlinkat(&top, &name, AtFlags::empty())?;
            }
        }
        if !directories {
            return fs::remove_dir(&root.path);
        }
    }
}

/// Removes a directory; those in it are moved up.
fn flatten(top: &OwnedFd, name: &Path, number: &mut u64) -> io::Result<()> {
    let directory = open(top, name)?;
    for (inner, is_dir) in entries(&directory)? {
        if !is_dir {
            unlinkat(&directory, &inner, AtFlags::empty())?;
            continue;
        }
        // To be moved it must be writable itself.
        open(&directory, &inner)?;
        loop {
            *number += 1;
            let place = format!(".{number}.codex-run");
            match renameat(&directory, &inner, top, &place) {
                Ok(()) => break,
                // The name is taken, maybe for that very purpose.
                Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    unlinkat(top, name, AtFlags::REMOVEDIR).map_err(Into::into)
}

/// A directory, made accessible; a link is not followed.
fn open(parent: impl std::os::fd::AsFd, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(&parent, name, flags | OFlags::RDONLY, Mode::empty()) {
        Ok(opened) if fstat(&opened)?.st_mode & 0o700 == 0o700 => return Ok(opened),
        Ok(_) | Err(Errno::ACCESS) => {}
        Err(error) => return Err(error.into()),
    }
    #[cfg(target_os = "linux")]
    {
        let place = openat(&parent, name, flags | OFlags::PATH, Mode::empty())?;
        let path = format!("/proc/self/fd/{}", place.as_raw_fd());
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    openat(&parent, name, flags | OFlags::RDONLY, Mode::empty()).map_err(Into::into)
}

/// What is in a directory, and whether each is one itself.
fn entries(directory: &OwnedFd) -> io::Result<Vec<(PathBuf, bool)>> {
    use std::os::unix::ffi::OsStrExt;
    let mut found = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = Path::new(std::ffi::OsStr::from_bytes(entry.file_name().to_bytes())).to_owned();
        if name == Path::new(".") || name == Path::new("..") {
            continue;
        }
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        let mode = rustix::fs::statat(directory, &name, flags)?.st_mode;
        let is_dir = rustix::fs::FileType::from_raw_mode(mode).is_dir();
        found.push((name, is_dir));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_removed_however_deep_and_closed() {
        let made = || {
            let path = make(&std::env::temp_dir()).expect("a directory");
            Root::of(path).expect("it was made")
        };
        let (root, outside) = (made(), made());
        let top = &root.path;
        fs::write(outside.path.join("kept"), "x").expect("a file");
        fs::create_dir_all(top.join("d/".repeat(200))).expect("directories");
        fs::create_dir_all(top.join(".1.codex-run/x")).expect("directories");
        fs::write(top.join("d/d/f"), "x").expect("a file");
        std::os::unix::fs::symlink(&outside.path, top.join("d/link")).expect("a link");
        fs::set_permissions(top.join("d/d"), Permissions::from_mode(0o0)).expect("it is ours");
        fs::set_permissions(top, Permissions::from_mode(0o0)).expect("it is ours");
        remove(&root).expect("it is ours");
        assert!(!top.exists() && outside.path.join("kept").exists());
        // Another directory in its place is left alone, and so is what a link there leads to.
        let (root, other) = (made(), made());
        let top = &root.path;
        fs::rename(top, outside.path.join("first")).expect("it is ours");
        fs::rename(&other.path, top).expect("it is ours");
        remove(&root).expect_err("it is another one");
        fs::remove_dir(top).expect("it is ours");
        std::os::unix::fs::symlink(&outside.path, top).expect("a link");
        remove(&root).expect_err("it is a link");
        fs::remove_file(top).expect("it is ours");
        assert!(outside.path.join("kept").exists());
        remove(&outside).expect("it is ours");
    }
}
