//! The temporary directory of a run: made for its tools, and removed whatever they have left in it. The removal is not
//! confined, so it follows no link and touches nothing but what is in that very directory. What killed runs have left
//! is swept by later ones: a lock (flock(2)) says whether its run is alive.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{
    AtFlags, Dir, FlockOperation, Mode, OFlags, flock, fstat, openat, renameat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::places::Root;
use crate::clock::seconds;

/// What the names of these directories begin with.
const PREFIX: &str = "codex-run-";

/// How old what a killed run has left must be before it is removed.
const MIN_AGE_SECONDS: u64 = 60 * 60;

/// How long the removal of what killed runs have left may take.
const SWEEP_TIMEOUT: Duration = Duration::from_millis(500);

/// A directory in which temporary directories are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its path.
    pub path: PathBuf,
    /// It is made for this purpose alone: private to this user, and removed when it is empty.
    pub private: bool,
}

/// The temporary directory of a run. As long as it is held, no other run sweeps it.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) root: Root,
    parent: Parent,
    _lock: OwnedFd,
}

impl Scratch {
    /// Makes one in the first of these directories that takes one, and sweeps what killed runs have left there.
    ///
    /// # Errors
    /// When none of them does, with the last one.
    pub(super) fn make(parents: &[Parent]) -> Result<Self, (PathBuf, io::Error)> {
        let mut failed = (PathBuf::new(), io::Error::from(io::ErrorKind::NotFound));
        for parent in parents {
            match Self::make_in(parent) {
                Ok(made) => {
                    sweep(&parent.path, seconds());
                    return Ok(made);
                }
                Err(error) => failed = (parent.path.clone(), error),
            }
        }
        Err(failed)
    }

    fn make_in(parent: &Parent) -> io::Result<Self> {
        // Another run may remove a private parent as empty just after it was seen; then it is made again.
        let mut attempts = 0;
        let path = loop {
            attempts += 1;
            if parent.private {
                make_private(&parent.path)?;
            }
            match make(&parent.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && attempts < 10 => {}
                made => break made?,
            }
        };
        let lock = open(rustix::fs::CWD, &path)?;
        // Where there are no locks, no other run can take this one either, and so none sweeps.
        let _ = flock(&lock, FlockOperation::NonBlockingLockExclusive);
        Ok(Self {
            root: Root::of(path)?,
            parent: parent.clone(),
            _lock: lock,
        })
    }

    /// Removes the directory with all that is in it, and a private parent that is empty then.
    pub(super) fn remove(self) -> Result<(), (PathBuf, io::Error)> {
        let removed = remove(&self.root, None);
        if self.parent.private {
            let _ = fs::remove_dir(&self.parent.path);
        }
        removed.map_err(|error| (self.root.path, error))
    }
}

/// A directory of this user's that nobody else can enter, made with the directory above it where that is missing.
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    match builder.mode(0o700).recursive(true).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(path)?;
    let closed = found.mode().trailing_zeros() >= 6;
    let private = found.is_dir() && found.uid() == geteuid().as_raw() && closed;
    if private {
        Ok(())
    } else {
        Err(io::Error::other(
            "it is not a directory that only this user can enter",
        ))
    }
}

/// A new directory that only this user can look into.
fn make(parent: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let name = format!("{PREFIX}{:016x}", u64::from_ne_bytes(random));
    let path = parent.join(name);
    DirBuilder::new().mode(0o700).create(&path)?;
    path.canonicalize()
}

/// Whether a directory of this name is a temporary directory of a run.
fn is_named_so(name: &Path) -> bool {
    let digits = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    digits.is_some_and(|digits| {
        digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Removes the temporary directories of runs that were killed: of this user, on the device of `parent`, older than an
/// hour, and locked by nobody. What cannot be removed in a short time is left to the next run.
fn sweep(parent: &Path, now: u64) {
    let deadline = Instant::now() + SWEEP_TIMEOUT;
    let Ok(opened) = open_unchanged(rustix::fs::CWD, parent) else {
        return;
    };
    let Ok(device) = fstat(&opened).map(|found| found.st_dev) else {
        return;
    };
    let Ok(found) = entries(&opened) else { return };
    for (name, _) in found
        .iter()
        .filter(|(name, is_dir)| *is_dir && is_named_so(name))
    {
        if Instant::now() >= deadline {
            return;
        }
        let Ok(left) = open_unchanged(&opened, name) else {
            continue;
        };
        let Ok(found) = fstat(&left) else { continue };
        let changed = u64::try_from(found.st_mtime).unwrap_or(u64::MAX);
        let abandoned = found.st_uid == geteuid().as_raw()
            && found.st_dev == device
            && now.saturating_sub(changed) >= MIN_AGE_SECONDS
            && flock(&left, FlockOperation::NonBlockingLockExclusive).is_ok();
        if abandoned {
            let root = Root {
                path: parent.join(name),
                identity: (found.st_dev, found.st_ino),
            };
            let _ = remove(&root, Some(deadline));
        }
    }
}

/// Removes the directory with all that is in it, however deep, and however its modes were changed.
fn remove(root: &Root, deadline: Option<Instant>) -> io::Result<()> {
    let top = open(rustix::fs::CWD, &root.path)?;
    let found = fstat(&top)?;
    if (found.st_dev, found.st_ino) != root.identity {
        return Err(io::Error::other("it is not the directory that was made"));
    }
    let in_time = || match deadline {
        Some(deadline) if Instant::now() >= deadline => Err(io::ErrorKind::TimedOut.into()),
        _ => io::Result::Ok(()),
    };
    // A directory's directories are moved up before it is removed, so that nothing gets deep.
    let mut number = 0;
    loop {
        let mut directories = false;
        for (name, is_dir) in entries(&top)? {
            in_time()?;
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

/// A directory as it is; a link is not followed.
fn open_unchanged(parent: impl std::os::fd::AsFd, name: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    openat(parent, name, flags, Mode::empty()).map_err(Into::into)
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
        remove(&root, None).expect("it is ours");
        assert!(!top.exists() && outside.path.join("kept").exists());
        // Another directory in its place is left alone, and so is what a link there leads to.
        let (root, other) = (made(), made());
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
    fn what_killed_runs_have_left_is_swept() {
        let path = std::env::temp_dir().join(format!("codex-run-sweep-{}", std::process::id()));
        let parent = Parent {
            path: path.join("deep/parent"),
            private: true,
        };
        let alive = Scratch::make(std::slice::from_ref(&parent)).expect("a directory");
        let young = make(&parent.path).expect("a directory");
        fs::create_dir(parent.path.join("codex-run-mine")).expect("a directory");
        fs::create_dir(path.join("outside")).expect("a directory");
        let link = parent.path.join("codex-run-00112233aabbccdd");
        std::os::unix::fs::symlink(path.join("outside"), &link).expect("a link");
        sweep(&parent.path, seconds());
        assert!(young.exists(), "it is younger than an hour");
        let later = seconds() + MIN_AGE_SECONDS + 60;
        sweep(&parent.path, later);
        assert!(!young.exists(), "its run is gone");
        assert!(alive.root.path.exists(), "its run lives");
        assert!(path.join("outside").exists() && link.is_symlink());
        assert!(parent.path.join("codex-run-mine").exists(), "another name");
        let left = alive.root.path.clone();
        alive.remove().expect("it is ours");
        assert!(!left.exists() && parent.path.exists(), "it is not empty");
        let _ = fs::remove_dir_all(path);
    }

    #[test]
    fn the_first_parent_that_is_private_takes_the_directory() {
        let path = std::env::temp_dir().join(format!("codex-run-parents-{}", std::process::id()));
        fs::create_dir_all(path.join("open")).expect("a directory");
        fs::set_permissions(path.join("open"), Permissions::from_mode(0o755)).expect("it is ours");
        fs::write(path.join("file"), "").expect("a file");
        std::os::unix::fs::symlink("good", path.join("link")).expect("a link");
        let parent = |name: &str| Parent {
            path: path.join(name),
            private: true,
        };
        let parents = ["open", "file", "link", "good/codex-run"].map(parent);
        let made = Scratch::make(&parents).expect("a directory");
        let expected = path
            .join("good/codex-run")
            .canonicalize()
            .expect("it was made");
        assert_eq!(made.root.path.parent(), Some(&*expected));
        made.remove().expect("it is ours");
        assert!(!expected.exists(), "it was empty");
        let (place, _) = Scratch::make(&parents[..2]).expect_err("none of them is private");
        assert_eq!(place, path.join("file"));
        let _ = fs::remove_dir_all(path);
    }
}
