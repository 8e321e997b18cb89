//! Removes a directory with everything tools have left in it. Removal runs outside the sandbox, so it follows no links
//! and touches nothing outside that directory; it stops at its deadline, if there is one.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Instant;

use rustix::fs::{AtFlags, Dir, Mode, OFlags, fstat, openat, renameat, unlinkat};
use rustix::io::Errno;

use super::sandbox::paths::{Root, identity};

/// Removes the directory and everything in it, whatever its depth and modes.
pub(super) fn remove(root: &Root, deadline: Option<Instant>) -> io::Result<()> {
    let top = open(rustix::fs::CWD, &root.path)?;
    if identity(&top)? != root.identity {
        return Err(io::Error::other("it is not the directory that was created"));
    }
    // Nested directories are moved up before their parent is removed, so that paths stay short.
    let mut number = 0;
    loop {
        let mut directories = false;
        for (name, is_dir) in entries(&top, deadline)? {
            in_time(deadline)?;
            if is_dir {
                directories = true;
                flatten(&top, &name, &mut number, deadline)?;
            } else {
                unlinkat(&top, &name, AtFlags::empty())?;
            }
        }
        if !directories {
            return fs::remove_dir(&root.path);
        }
    }
}

/// Fails after the deadline.
fn in_time(deadline: Option<Instant>) -> io::Result<()> {
    match deadline {
        Some(deadline) if Instant::now() >= deadline => Err(io::ErrorKind::TimedOut.into()),
        _ => Ok(()),
    }
}

/// Empties and removes a directory; its subdirectories are moved up.
fn flatten(
    top: &OwnedFd,
    name: &Path,
    number: &mut u64,
    deadline: Option<Instant>,
) -> io::Result<()> {
    let directory = open(top, name)?;
    for (inner, is_dir) in entries(&directory, deadline)? {
        in_time(deadline)?;
        if !is_dir {
            unlinkat(&directory, &inner, AtFlags::empty())?;
            continue;
        }
        // Moving a directory requires write permission on it.
        open(&directory, &inner)?;
        loop {
            *number += 1;
            let place = format!(".{number}.codex-run");
            match renameat(&directory, &inner, top, &place) {
                Ok(()) => break,
                // The name is taken, possibly on purpose.
                Err(Errno::EXIST | Errno::NOTEMPTY | Errno::NOTDIR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    unlinkat(top, name, AtFlags::REMOVEDIR).map_err(Into::into)
}

/// Opens a directory as it is, without following a link.
pub(super) fn open_unchanged(parent: impl std::os::fd::AsFd, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    openat(parent, name, flags, Mode::empty()).map_err(Into::into)
}

/// Opens a directory and makes it accessible, without following a link.
pub(super) fn open(parent: impl std::os::fd::AsFd, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(&parent, name, flags | OFlags::RDONLY, Mode::empty()) {
        Ok(opened) if fstat(&opened)?.st_mode & 0o700 == 0o700 => return Ok(opened),
        Ok(_) | Err(Errno::ACCESS) => {}
        Err(error) => return Err(error.into()),
    }
    #[cfg(target_os = "linux")]
    {
        let place = openat(&parent, name, flags | OFlags::PATH, Mode::empty())?;
        let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&place));
        let private = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o700);
        fs::set_permissions(path, private)?;
    }
    openat(&parent, name, flags | OFlags::RDONLY, Mode::empty()).map_err(Into::into)
}

/// The entries of a directory, and whether each is itself a directory.
pub(super) fn entries(
    directory: &OwnedFd,
    deadline: Option<Instant>,
) -> io::Result<Vec<(PathBuf, bool)>> {
    use std::os::unix::ffi::OsStrExt;
    let mut found = Vec::new();
    for entry in Dir::read_from(directory)? {
        in_time(deadline)?;
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
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn made(name: &str) -> Root {
        let name = format!("codex-run-removal-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).expect("a directory");
        Root::of(path.canonicalize().expect("it was made")).expect("it was made")
    }

    #[test]
    fn everything_is_removed_at_any_depth_and_mode() {
        let (root, outside) = (made("closed"), made("outside"));
        let top = &root.path;
        fs::write(outside.path.join("kept"), "x").expect("a file");
        fs::create_dir_all(top.join("d/".repeat(200))).expect("directories");
        fs::create_dir_all(top.join(".1.codex-run/x")).expect("directories");
        fs::write(top.join("d/d/f"), "x").expect("a file");
        std::os::unix::fs::symlink(&outside.path, top.join("d/link")).expect("a link");
        fs::set_permissions(top.join("d/d"), Permissions::from_mode(0o0)).expect("it is ours");
        fs::set_permissions(top, Permissions::from_mode(0o0)).expect("it is ours");
        remove(&root, None).expect("it is ours");
        assert!(!top.exists() && outside.path.join("kept").exists());
        // A directory put in its place is left alone, and so is the target of a link.
        let (root, other) = (made("root"), made("other"));
        let top = &root.path;
        fs::rename(top, outside.path.join("first")).expect("it is ours");
        fs::rename(&other.path, top).expect("it is ours");
        remove(&root, None).expect_err("it is another one");
        fs::remove_dir(top).expect("it is ours");
        std::os::unix::fs::symlink(&outside.path, top).expect("a link");
        remove(&root, None).expect_err("it is a link");
        fs::remove_file(top).expect("it is ours");
        assert!(outside.path.join("kept").exists());
        remove(&outside, None).expect("it is ours");
    }

    #[test]
    fn a_removal_ends_at_its_deadline_even_inside_one_large_directory() {
        let root = made("late");
        let path = root.path.clone();
        fs::create_dir(path.join("d")).expect("a directory");
        fs::write(path.join("d/f"), "").expect("a file");
        let top = open(rustix::fs::CWD, &path).expect("it was made");
        let over = Some(Instant::now());
        let late = |result: io::Result<()>| {
            let error = result.expect_err("the time is over");
            assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        };
        late(remove(&root, over));
        late(flatten(&top, Path::new("d"), &mut 0, over));
        late(entries(&top, over).map(drop));
        assert!(path.join("d/f").exists());
        remove(&root, None).expect("it is ours");
    }
}
