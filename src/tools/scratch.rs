//! The temporary directory of a run: created for its tools and removed with whatever they left in it. Directories of
//! killed runs are removed by later runs; a lock (flock(2)) shows whether a directory's run is alive.
//!
//! Next to the directory that tools write to (`tmp`) is another (`sockets`) with one for each call's sockets, in
//! which nothing can be replaced from inside the sandbox.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, fchmod, flock, fstat};
use rustix::process::geteuid;

use super::removal::{entries, open, open_unchanged, remove};
use super::sandbox::paths::{Root, identity};
use crate::clock::seconds;

/// Prefix of the names of these directories.
const PREFIX: &str = "codex-run-";

/// Minimum age of a killed run's directory before it is removed.
const MIN_AGE_SECONDS: u64 = 60 * 60;

/// How long removing the directories of killed runs may take.
const SWEEP_TIMEOUT: Duration = Duration::from_millis(500);

/// A directory in which temporary directories are created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemporaryParent {
    /// Its path.
    pub path: PathBuf,
    /// Whether it exists only for this purpose: private to this user, and removed when empty.
    pub private: bool,
    /// Whether it is outside everything that tools can write, under any name.
    pub apart: bool,
}

/// The temporary directory of a run. While this is held, no other run removes it.
#[derive(Debug)]
pub(super) struct Scratch {
    /// The directory that tools write to.
    pub(super) root: Root,
    /// The directory that is removed at the end.
    whole: Root,
    parent: TemporaryParent,
    /// Number of socket directories created so far.
    made: u64,
    /// Those that no call uses. They are empty.
    free: Vec<Root>,
    _lock: OwnedFd,
}

impl Scratch {
    /// Creates a temporary directory in the first parent where that is possible, and removes those of killed runs
    /// there.
    ///
    /// # Errors
    ///
    /// If it is possible in none of them; the error is about the last one.
    pub(super) fn make(parents: &[TemporaryParent]) -> Result<Self, (PathBuf, io::Error)> {
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

    fn make_in(parent: &TemporaryParent) -> io::Result<Self> {
        // Another run may remove an empty private parent just after we saw it; then it is created again.
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
        // Without lock support, no run can take the lock, and so none removes this directory.
        let _ = flock(&lock, FlockOperation::NonBlockingLockExclusive);
        let whole = Root::of(path)?;
        let root = make_closed(&whole.path.join("tmp")).inspect_err(|_| {
            let _ = fs::remove_dir(&whole.path);
        })?;
        Ok(Self {
            root,
            whole,
            parent: parent.clone(),
            made: 0,
            free: Vec::new(),
            _lock: lock,
        })
    }

    /// The directory in which those for sockets are made; `None` if tools could reach it by another path.
    pub(super) fn above_sockets(&self) -> Option<&Root> {
        self.parent.apart.then_some(&self.whole)
    }

    /// An empty directory for the sockets of a call, until it is put back; `None` if tools could reach it by another path.
    ///
    /// # Errors
    ///
    /// If it cannot be created.
    pub(super) fn take_sockets(&mut self) -> io::Result<Option<Root>> {
        if !self.parent.apart {
            return Ok(None);
        }
        if let Some(free) = self.free.pop() {
            return Ok(Some(free));
        }
        self.made += 1;
        let name = format!("s{}", self.made);
        match make_closed(&self.whole.path.join(&name)) {
            // A program of another call has put a socket there.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                make(&self.whole.path).and_then(Root::of).map(Some)
            }
            made => made.map(Some),
        }
    }

    /// Takes back the directory of a call that has ended. It is used again if no socket was bound in it.
    pub(super) fn put_back(&mut self, sockets: Root) {
        let is_empty = fs::read_dir(&sockets.path).is_ok_and(|mut found| found.next().is_none());
        if is_empty {
            self.free.push(sockets);
        } else {
            let _ = remove(&sockets, None);
        }
    }

    /// Removes the directory with its contents, and a private parent if it is then empty.
    pub(super) fn remove(self) -> Result<(), (PathBuf, io::Error)> {
        let removed = remove(&self.whole, None);
        if self.parent.private {
            let _ = fs::remove_dir(&self.parent.path);
        }
        removed.map_err(|error| (self.whole.path, error))
    }
}

/// Creates a directory that only this user can enter.
fn make_closed(path: &Path) -> io::Result<Root> {
    DirBuilder::new().mode(0o700).create(path)?;
    Root::of(path.to_owned())
}

/// Creates a private directory of this user, and its parent if missing. If a tool has changed its mode, the mode is
/// restored, so that later runs do not have to go elsewhere.
fn make_private(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    match builder.mode(0o700).recursive(true).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() || found.uid() != geteuid().as_raw() {
        return Err(io::Error::other("it is not a directory owned by this user"));
    }
    if found.mode() & 0o777 == 0o700 {
        return Ok(());
    }
    let opened = open(rustix::fs::CWD, path)?;
    fchmod(&opened, Mode::RWXU).map_err(Into::into)
}

/// Creates a directory with a unique name.
fn make(parent: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let name = format!("{PREFIX}{:016x}", u64::from_ne_bytes(random));
    let path = parent.join(name);
    DirBuilder::new().mode(0o700).create(&path)?;
    path.canonicalize()
}

/// Whether a file name is that of a run's temporary directory.
fn is_scratch_name(name: &Path) -> bool {
    let digits = name.to_str().and_then(|name| name.strip_prefix(PREFIX));
    digits.is_some_and(|digits| {
        digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Removes the temporary directories of killed runs: owned by this user, on the same device as `parent`, older than
/// an hour, and not locked. What cannot be removed within the time limit is left for the next run.
fn sweep(parent: &Path, now: u64) {
    let deadline = Instant::now() + SWEEP_TIMEOUT;
    let Ok(opened) = open_unchanged(rustix::fs::CWD, parent) else {
        return;
    };
    let Ok(device) = fstat(&opened).map(|found| found.st_dev) else {
        return;
    };
    let Ok(found) = entries(&opened, Some(deadline)) else {
        return;
    };
    for (name, _) in found
        .iter()
        .filter(|(name, is_dir)| *is_dir && is_scratch_name(name))
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
            let Ok(identity) = identity(&left) else {
                continue;
            };
            let root = Root {
                path: parent.join(name),
                identity,
            };
            let _ = remove(&root, Some(deadline));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_of_killed_runs_are_removed() {
        let path = std::env::temp_dir().join(format!("codex-run-sweep-{}", std::process::id()));
        let parent = TemporaryParent {
            path: path.join("deep/parent"),
            private: true,
            apart: true,
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
        let left = alive.whole.path.clone();
        alive.remove().expect("it is ours");
        assert!(!left.exists() && parent.path.exists(), "it is not empty");
        let _ = fs::remove_dir_all(path);
    }

    #[test]
    fn each_call_has_a_socket_directory_out_of_reach_of_tools() {
        let path = std::env::temp_dir().join(format!("codex-run-apart-{}", std::process::id()));
        let make = |apart| {
            let parent = TemporaryParent {
                path: path.clone(),
                private: true,
                apart,
            };
            Scratch::make(&[parent]).expect("a directory")
        };
        let mut scratch = make(true);
        let [one, other, unused] =
            [(); 3].map(|()| scratch.take_sockets().expect("a directory").expect("one"));
        assert_ne!(one.path, other.path);
        for call in [&one, &other] {
            assert!(!call.path.starts_with(&scratch.root.path));
            std::os::unix::net::UnixListener::bind(call.path.join("s")).expect("a socket");
        }
        let (left, again) = (one.path.clone(), unused.path.clone());
        for call in [one, other, unused] {
            scratch.put_back(call);
        }
        assert!(!left.exists());
        let mut next = || scratch.take_sockets().expect("a directory").expect("one");
        assert_eq!(next().path, again);
        // A program of a call can create sockets beside these directories.
        std::os::unix::net::UnixListener::bind(again.with_file_name("s4")).expect("a socket");
        assert!(next().path.is_dir());
        scratch.remove().expect("it is ours");
        let mut scratch = make(false);
        assert!(
            scratch
                .take_sockets()
                .expect("nothing goes wrong")
                .is_none()
        );
        scratch.remove().expect("it is ours");
    }

    #[test]
    fn the_first_private_parent_is_used() {
        let path = std::env::temp_dir().join(format!("codex-run-parents-{}", std::process::id()));
        fs::create_dir_all(path.join("open")).expect("a directory");
        let odd = std::os::unix::fs::PermissionsExt::from_mode(0o055);
        fs::set_permissions(path.join("open"), odd).expect("it is ours");
        fs::write(path.join("file"), "").expect("a file");
        std::os::unix::fs::symlink("good", path.join("link")).expect("a link");
        let parent = |name: &str| TemporaryParent {
            path: path.join(name),
            private: true,
            apart: true,
        };
        let parents = ["file", "link", "good/codex-run"].map(parent);
        let made = Scratch::make(&parents).expect("a directory");
        let expected = path
            .join("good/codex-run")
            .canonicalize()
            .expect("it was made");
        assert_eq!(made.whole.path.parent(), Some(&*expected));
        made.remove().expect("it is ours");
        assert!(!expected.exists(), "it was empty");
        let (place, _) = Scratch::make(&parents[..2]).expect_err("none of them is private");
        assert_eq!(place, path.join("link"));
        // A directory whose mode a tool has changed gets its old mode back.
        let made = Scratch::make(&[parent("open")]).expect("a directory");
        let found = fs::metadata(path.join("open")).expect("it is there");
        assert_eq!(found.mode() & 0o777, 0o700);
        made.remove().expect("it is ours");
        let _ = fs::remove_dir_all(path);
    }
}
