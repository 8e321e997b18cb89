//! What the rules of a sandbox were derived from, so that it can be seen cheaply whether they still hold: the mount
//! table, the identities of single paths, and the entries of divided directories.
//!
//! Rules are bound to files, not to names, so they are made anew when a name that one was derived from may mean another
//! file: an entry of a divided directory is new, gone or replaced, or a hidden path leads to another file. Nothing needs
//! to be looked at within a directory that a rule allows as a whole, and nothing in a divided directory can be changed
//! by tools, since none may write where something is hidden.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{FileType, Mode, OFlags, RawDir, Stat, fstat, fstatfs, lstat, open};

use super::mounts::table;
use crate::clock::seconds;

/// How much older than a listing the last change of a directory must be for its time to show the next change. File
/// systems count in steps of up to a second, and the clock itself in steps of milliseconds.
const MIN_AGE_SECONDS: u64 = 2;

/// File systems that set the time of a change themselves, when it happens: ext4, xfs, btrfs, tmpfs, overlayfs, f2fs and
/// zfs. Directories of others, such as network file systems, are listed each time.
const DATED: &[u32] = &[
    0xef53,
    0x5846_5342,
    0x9123_683e,
    0x0102_1994,
    0x794c_7630,
    0xf2f5_2010,
    0x2fc1_2fc1,
];

/// A device and inode.
type PathIdentity = (u64, u64);

/// What rules were derived from.
pub(super) struct Observed {
    /// The mount table, and the descriptor that reports its changes.
    pub(super) mounts: Vec<u8>,
    changes: File,
    /// What was found at paths, if anything.
    paths: BTreeMap<PathBuf, Option<PathIdentity>>,
    pub(super) directories: Vec<DirectoryState>,
}

impl Observed {
    /// Nothing yet. The mount table must be read afterwards, so that no change of it is missed.
    ///
    /// # Errors
    /// If there is no mount table.
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            mounts: Vec::new(),
            changes: File::open("/proc/self/mountinfo")?,
            paths: BTreeMap::new(),
            directories: Vec::new(),
        })
    }

    /// Looks at a path, not through a link, and returns what is there.
    pub(super) fn see(&mut self, path: &Path) -> Option<PathIdentity> {
        if let Some(known) = self.paths.get(path) {
            return *known;
        }
        let found = identity(path);
        self.saw(path, found);
        found
    }

    /// Notes what was found at a path.
    pub(super) fn saw(&mut self, path: &Path, found: Option<PathIdentity>) {
        self.paths.insert(path.to_owned(), found);
    }

    /// Whether all of it is as it was.
    pub(super) fn is_current(&mut self) -> bool {
        self.mounts_are_current()
            && self
                .paths
                .iter()
                .all(|(path, found)| identity(path) == *found)
            && self.directories.iter_mut().all(DirectoryState::is_current)
    }

    /// Whether no file system was mounted, moved or unmounted: the kernel reports that as an exceptional event
    /// (proc(5)). A table that reads as before is not a change.
    fn mounts_are_current(&mut self) -> bool {
        let mut fds = [PollFd::new(&self.changes, PollFlags::PRI)];
        match poll(&mut fds, Some(&Timespec::default())) {
            Ok(0) => true,
            Ok(_) => table().is_ok_and(|now| now == self.mounts),
            Err(_) => false,
        }
    }
}

fn identity(path: &Path) -> Option<PathIdentity> {
    let found = lstat(path).ok()?;
    Some((found.st_dev, found.st_ino))
}

/// A divided directory and its entries.
pub(super) struct DirectoryState {
    path: PathBuf,
    stamp: Option<Stamp>,
    /// The stamp changes with the next change.
    is_dated: bool,
    /// An entry could not be opened, so a change of modes matters too.
    pub(super) failed: bool,
    /// For each entry its number, kind and name, with a NUL at its end.
    entries: Vec<u8>,
}

/// What a change of a directory changes. Its time of change (ctime) is set by the kernel alone, unlike its time of
/// modification.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Stamp {
    identity: PathIdentity,
    seconds: i64,
    nanoseconds: i64,
}

impl Stamp {
    fn of(found: &Stat) -> Self {
        Self {
            identity: (found.st_dev, found.st_ino),
            seconds: found.st_ctime,
            #[allow(clippy::cast_possible_wrap)] // below a billion
            nanoseconds: found.st_ctime_nsec as i64,
        }
    }
}

impl DirectoryState {
    /// The state of this directory before it is listed.
    pub(super) fn of(path: &Path, directory: &OwnedFd) -> Self {
        let stamp = fstat(directory).ok().map(|found| Stamp::of(&found));
        let now = seconds();
        let is_old = |stamp: Stamp| {
            u64::try_from(stamp.seconds).is_ok_and(|changed| changed + MIN_AGE_SECONDS < now)
        };
        let keeps_dates = || {
            fstatfs(directory).is_ok_and(|found| {
                u32::try_from(found.f_type).is_ok_and(|kind| DATED.contains(&kind))
            })
        };
        Self {
            path: path.to_owned(),
            stamp,
            is_dated: stamp.is_some_and(is_old) && keeps_dates(),
            failed: false,
            entries: Vec::new(),
        }
    }

    /// Adds an entry.
    pub(super) fn add(&mut self, name: &[u8], number: u64, kind: FileType) {
        self.entries.extend_from_slice(&number.to_ne_bytes());
        self.entries.push(kind_byte(kind));
        self.entries.extend_from_slice(name);
        self.entries.push(0);
    }

    /// The names of the entries.
    pub(super) fn names(&self) -> Vec<&[u8]> {
        let mut names = Vec::new();
        let mut rest = &self.entries[..];
        while let Some(named) = rest.get(9..) {
            let Some(end) = memchr::memchr(0, named) else {
                break;
            };
            names.push(&named[..end]);
            rest = &named[end + 1..];
        }
        names
    }

    /// Whether the directory and its entries are what they were. Entries keep their numbers while a rule is bound to
    /// them, so another file has another one.
    fn is_current(&mut self) -> bool {
        let now = lstat(&*self.path).ok().map(|found| Stamp::of(&found));
        let is_same = now == self.stamp;
        if is_same && (self.is_dated || now.is_none()) {
            return true;
        }
        let was = self.stamp.map(|stamp| stamp.identity);
        if now.map(|stamp| stamp.identity) != was || (self.failed && !is_same) {
            return false;
        }
        let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let opened = open(&*self.path, flags, Mode::empty())
            .or_else(|_| open(&*self.path, flags | OFlags::PATH, Mode::empty()));
        let Ok(opened) = opened else {
            return false;
        };
        let mut again = Self::of(&self.path, &opened);
        list(&opened, |name, number, kind| {
            again.add(name.to_bytes(), number, kind);
        });
        let is_current =
            again.entries == self.entries && again.stamp.map(|stamp| stamp.identity) == was;
        again.failed = self.failed;
        *self = again;
        is_current
    }
}

/// Calls `each` with the name, the number and the kind of each entry of a directory, until one cannot be read.
pub(super) fn list(directory: &OwnedFd, mut each: impl FnMut(&CStr, u64, FileType)) {
    let mut buffer = [MaybeUninit::uninit(); 16 << 10];
    let mut entries = RawDir::new(directory, &mut buffer);
    while let Some(Ok(entry)) = entries.next() {
        let name = entry.file_name();
        if name != c"." && name != c".." {
            each(name, entry.ino(), entry.file_type());
        }
    }
}

fn kind_byte(kind: FileType) -> u8 {
    match kind {
        FileType::Directory => 1,
        FileType::Symlink => 2,
        FileType::Unknown => 3,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn entries_that_are_new_gone_or_replaced_are_seen() {
        let top = std::env::temp_dir().join(format!("codex-run-observed-{}", std::process::id()));
        let _ = fs::remove_dir_all(&top);
        fs::create_dir_all(top.join("d/sub")).expect("a directory");
        let place = |name: &str| top.join("d").join(name);
        fs::write(place("file"), "").expect("a file");
        let observe = || {
            let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
            let opened = open(top.join("d"), flags, Mode::empty()).expect("a directory");
            let mut state = DirectoryState::of(&top.join("d"), &opened);
            list(&opened, |name, number, kind| {
                state.add(name.to_bytes(), number, kind);
            });
            // What a rule does: the file keeps its number.
            let held = fs::File::open(place("file")).expect("a file");
            (state, held)
        };
        let check = |what: &str, change: &dyn Fn(), expected: bool| {
            let (mut state, _held) = observe();
            assert!(state.is_current(), "{what}");
            change();
            assert_eq!(state.is_current(), expected, "{what}");
        };
        check("nothing", &|| {}, true);
        let write = |path: &Path| fs::write(path, "x").expect("a file");
        check("another content", &|| write(&place("file")), true);
        check("something deeper", &|| write(&place("sub/file")), true);
        check("a new entry", &|| write(&place("new")), false);
        let remove = |name: &str| fs::remove_file(place(name)).expect("it is ours");
        check("one less", &|| remove("new"), false);
        let come_and_go = || {
            write(&place("passing"));
            remove("passing");
        };
        check("one that came and went", &come_and_go, true);
        let replace = || {
            write(&top.join("other"));
            fs::rename(top.join("other"), place("file")).expect("it is ours");
        };
        check("another file of this name", &replace, false);
        let move_away = || {
            fs::rename(top.join("d"), top.join("e")).expect("it is ours");
            fs::create_dir(top.join("d")).expect("a directory");
            fs::write(place("file"), "").expect("a file");
        };
        check("another directory of this name", &move_away, false);
        let _ = fs::remove_dir_all(top);
    }
}
