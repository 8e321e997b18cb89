//! The lock of the credentials file, in three kinds: an advisory lock on a file for codex-run's; two of them for the
//! official client's; a directory for pi's (npm `proper-lockfile`). None of them blocks before a token is spent.

use std::fs::{self, File, FileTimes, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use fs4::{FileExt, TryLockError};
use rustix::fs::OFlags;

use super::store_path::with_suffix;
use crate::exhausted::at_start;
use crate::file::{has_no_locks, inherit_owner_at};

/// Age of its last heartbeat at which a lock directory is considered stale. pi uses the same value.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// Heartbeat interval. Some users of such locks wait only ten seconds for one.
const BEAT_INTERVAL: Duration = Duration::from_secs(2);

/// Timeout for the official client's second lock at the end. The client itself waits as long.
const INNER_LOCK_TIMEOUT: Duration = Duration::from_secs(5);

/// A held lock, released on drop.
#[derive(Debug)]
pub struct Lock(LockKind);

#[derive(Debug)]
enum LockKind {
    /// Released by the system when the file is closed, even if the process is killed.
    File {
        _held: File,
    },
    /// The official client (0.169.0) takes `auth.lock`, waiting without a limit, then `auth.json.lock`, and loses its
    /// new tokens if it does not get the latter within 5 s. So the first is held while the token is being spent, and
    /// the second only while the file is written.
    Official {
        _outer: Vec<File>,
        inner: PathBuf,
    },
    Directories(Vec<LockDirectory>),
}

impl Lock {
    /// Takes an advisory lock on this file; `None` if it is held. On a file system without such locks, a directory
    /// next to it serves as the lock, for every process there.
    pub(super) fn file(path: &Path) -> io::Result<Option<Self>> {
        Self::file_by(path, FileExt::try_lock)
    }

    fn file_by(path: &Path, try_lock: TryLock) -> io::Result<Option<Self>> {
        match advisory_by(path, try_lock) {
            Err(error) if has_no_locks(&error) => Self::directories(&[with_suffix(path, ".d")]),
            held => Ok(held?.map(|held| Self(LockKind::File { _held: held }))),
        }
    }

    /// Takes the official client's two locks; `None` if either is held. The first may be in two places.
    pub(super) fn official(outer: &[PathBuf], inner: &Path) -> io::Result<Option<Self>> {
        let mut held = Vec::new();
        for path in outer {
            match advisory(path)? {
                Some(file) => held.push(file),
                None => return Ok(None),
            }
        }
        Ok(advisory(inner)?.map(|_free| {
            Self(LockKind::Official {
                _outer: held,
                inner: inner.to_owned(),
            })
        }))
    }

    /// Creates lock directories; `None` if another live process has one.
    pub(super) fn directories(paths: &[PathBuf]) -> io::Result<Option<Self>> {
        let mut made = Vec::new();
        for path in paths {
            match LockDirectory::make(path)? {
                Some(directory) => made.push(directory),
                None => return Ok(None),
            }
        }
        Ok(Some(Self(LockKind::Directories(made))))
    }

    /// Returns whether the lock is still held. After a pause of this process, another process may have taken a
    /// lock directory to be stale.
    #[must_use]
    pub fn holds(&self) -> bool {
        match &self.0 {
            LockKind::File { .. } | LockKind::Official { .. } => true,
            LockKind::Directories(made) => made.iter().all(LockDirectory::holds),
        }
    }

    /// Returns whether the lock excludes every other process, even a suspended one.
    pub(super) fn is_exclusive(&self) -> bool {
        !matches!(self.0, LockKind::Directories(_))
    }

    /// Takes the lock that is held only while writing. If it is not released in time, writing goes ahead: a token has
    /// been spent.
    pub(super) fn for_writing(&self) -> Option<File> {
        let LockKind::Official { inner, .. } = &self.0 else {
            return None;
        };
        let begun = Instant::now();
        loop {
            match advisory(inner) {
                Ok(None) if begun.elapsed() < INNER_LOCK_TIMEOUT => {
                    thread::sleep(Duration::from_millis(10))
                }
                other => return other.ok().flatten(),
            }
        }
    }
}

/// A function that takes an advisory lock if it is free.
type TryLock = fn(&File) -> Result<(), TryLockError>;

fn advisory(path: &Path) -> io::Result<Option<File>> {
    advisory_by(path, FileExt::try_lock)
}

/// Takes an advisory lock on this file, creating it if needed. Links are not followed: a planted one could make root
/// write anywhere.
fn advisory_by(path: &Path, try_lock: TryLock) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let file = match options.clone().create_new(true).open(path) {
        Ok(file) => {
            inherit_owner_at(&file, path);
            file
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match options.open(path) {
            // A process that treats the file as another program's has created a lock directory here.
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                return match stale_inode(path)? {
                    Some(_) => fs::remove_dir(path).and_then(|()| advisory_by(path, try_lock)),
                    None => Ok(None),
                };
            }
            other => other?,
        },
        Err(error) => return Err(error),
    };
    match try_lock(&file) {
        // A lock on a file that has since been removed protects nothing.
        Ok(()) if !is_at(&file, path) => Ok(None),
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Returns whether an open file is the one at this path.
fn is_at(file: &File, path: &Path) -> bool {
    let (file, path) = (file.metadata(), fs::symlink_metadata(path));
    file.is_ok_and(|file| path.is_ok_and(|path| file.ino() == path.ino()))
}

/// Returns the inode of a stale lock directory.
fn stale_inode(path: &Path) -> io::Result<Option<u64>> {
    let metadata = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if !metadata.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    let age = SystemTime::now().duration_since(metadata.modified()?);
    Ok(age
        .is_ok_and(|age| age > STALE_AFTER)
        .then(|| metadata.ino()))
}

/// A lock directory created by this process, and the thread that refreshes its time.
#[derive(Debug)]
struct LockDirectory {
    path: PathBuf,
    inode: u64,
    /// The time of the last heartbeat, as the file system stores it.
    fresh: Arc<Mutex<SystemTime>>,
    stop: Option<Sender<()>>,
    heartbeat: Option<JoinHandle<()>>,
}

impl LockDirectory {
    fn make(path: &Path) -> io::Result<Option<Self>> {
        let made = fs::create_dir(path);
        let taken = |made: &io::Result<()>| {
            let error = made.as_ref().err();
            error.is_some_and(|error| error.kind() == io::ErrorKind::AlreadyExists)
        };
        if !taken(&made) {
            made?;
            return Self::new(path.to_owned()).map(Some);
        }
        let Some(left) = stale_inode(path)? else {
            return Ok(None);
        };
        // Renamed first, so that only one of several contenders removes it, and never a new owner's.
        let aside = with_suffix(path, &format!(".{}", std::process::id()));
        if fs::rename(path, &aside).is_ok() {
            if fs::metadata(&aside)?.ino() != left {
                fs::rename(&aside, path)?;
                return Ok(None);
            }
            fs::remove_dir(&aside)?;
        }
        let made = fs::create_dir(path);
        if taken(&made) {
            return Ok(None);
        }
        made?;
        Self::new(path.to_owned()).map(Some)
    }

    fn new(path: PathBuf) -> io::Result<Self> {
        let metadata = fs::metadata(&path)?;
        let fresh = Arc::new(Mutex::new(metadata.modified()?));
        let (stop, stop_signal) = mpsc::channel();
        let inode = metadata.ino();
        let heartbeat = thread::Builder::new().spawn({
            let (path, fresh) = (path.clone(), Arc::clone(&fresh));
            move || {
                while stop_signal.recv_timeout(BEAT_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    touch(&path, inode, &fresh);
                }
            }
        });
        let heartbeat = heartbeat.inspect_err(|_| drop(fs::remove_dir(&path)));
        let heartbeat = heartbeat.map_err(at_start)?;
        Ok(Self {
            path,
            inode,
            fresh,
            stop: Some(stop),
            heartbeat: Some(heartbeat),
        })
    }

    fn holds(&self) -> bool {
        let fresh = *self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        is_untouched(&self.path, self.inode, fresh)
    }
}

impl Drop for LockDirectory {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(heartbeat) = self.heartbeat.take() {
            let _ = heartbeat.join();
        }
        if self.holds() {
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Returns whether the directory is still the one this process created, untouched by others.
fn is_untouched(path: &Path, inode: u64, fresh: SystemTime) -> bool {
    fs::metadata(path).is_ok_and(|now| {
        now.ino() == inode && now.modified().is_ok_and(|modified| modified == fresh)
    })
}

fn touch(path: &Path, inode: u64, fresh: &Mutex<SystemTime>) {
    let mut fresh = fresh.lock().unwrap_or_else(PoisonError::into_inner);
    if !is_untouched(path, inode, *fresh) {
        return;
    }
    let now = FileTimes::new().set_modified(SystemTime::now());
    let touched = File::open(path).and_then(|directory| {
        directory.set_times(now)?;
        directory.metadata()?.modified()
    });
    if let Ok(modified) = touched {
        *fresh = modified;
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    type Take = fn(&Path) -> io::Result<Option<Lock>>;

    fn place(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("codex-lock-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).expect("a directory");
        path
    }

    #[test]
    fn each_kind_of_lock_is_exclusive() {
        let place = place("one");
        let take: [Take; 3] = [
            Lock::file,
            |path| Lock::official(&[path.to_owned()], &path.with_extension("inner")),
            |path| Lock::directories(&[path.to_owned(), path.with_extension("2")]),
        ];
        for (take, name) in take.into_iter().zip(["file", "official", "directory"]) {
            let path = place.join(name);
            let first = take(&path).expect("no error").expect("free");
            assert!(first.holds());
            assert!(take(&path).expect("no error").is_none(), "{name} is taken");
            drop(first);
            assert!(
                take(&path).expect("no error").is_some(),
                "{name} is free again"
            );
        }
        assert!(place.join("file").is_file() && !place.join("directory").exists());
        fs::remove_dir_all(place).expect("it goes away");
    }

    #[test]
    fn without_advisory_locks_a_directory_is_the_lock() {
        let place = place("none");
        let path = place.join("auth.json.lock");
        for errno in [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP] {
            assert!(has_no_locks(&errno.into()));
        }
        let take = || Lock::file_by(&path, |_| Err(TryLockError::Error(Errno::NOLCK.into())));
        let first = take().expect("no error").expect("free");
        assert!(first.holds() && !first.is_exclusive());
        assert!(take().expect("no error").is_none(), "it is taken");
        drop(first);
        assert!(take().expect("no error").is_some(), "it is free again");
        assert!(path.is_file(), "the renewal memory keeps its file");
        let other = |_: &File| Err(TryLockError::Error(Errno::IO.into()));
        assert!(Lock::file_by(&path, other).is_err());
        fs::remove_dir_all(place).expect("it goes away");
    }

    #[test]
    fn the_official_clients_second_lock_is_left_free_until_the_file_is_written() {
        let place = place("official");
        let (outer, inner) = (place.join("auth.lock"), place.join("auth.json.lock"));
        let outers = [outer.clone()];
        let lock = Lock::official(&outers, &inner)
            .expect("no error")
            .expect("free");
        assert!(Lock::file(&inner).expect("no error").is_some());
        let writing = lock.for_writing();
        assert!(writing.is_some() && Lock::file(&inner).expect("no error").is_none());
        drop((lock, writing));
        let _held = Lock::file(&inner).expect("no error");
        assert!(Lock::official(&outers, &inner).expect("no error").is_none());
        assert!(
            Lock::file(&outer).expect("no error").is_some(),
            "the first was given back"
        );
        fs::remove_dir_all(place).expect("it goes away");
    }

    #[test]
    fn a_stale_directory_is_taken_over() {
        let place = place("left");
        let path = place.join("lock");
        let age = |seconds: u64| {
            let then = SystemTime::now() - Duration::from_secs(seconds);
            let times = FileTimes::new().set_modified(then);
            File::open(&path)
                .and_then(|f| f.set_times(times))
                .expect("times");
        };
        fs::create_dir(&path).expect("a directory");
        age(25);
        assert!(
            Lock::directories(std::slice::from_ref(&path))
                .expect("no error")
                .is_none(),
            "its owner lives"
        );
        age(31);
        let lock = Lock::directories(std::slice::from_ref(&path))
            .expect("no error")
            .expect("taken over");
        assert!(lock.holds());
        // Another process takes it over: then it must not be removed.
        age(0);
        assert!(!lock.holds());
        drop(lock);
        assert!(path.exists());
        fs::remove_dir_all(place).expect("it goes away");
    }
}
