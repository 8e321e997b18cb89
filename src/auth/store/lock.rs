//! The lock beside the credentials file, in three kinds: an advisory lock on a file for ours; two of them for the
//! official client's; a directory for pi's (npm `proper-lockfile`). None is waited for before a token is spent.

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

use super::store_path::beside;
use crate::exhausted::at_start;
use crate::file::{give_at, has_no_locks};

/// How long after its last sign of life a directory counts as left behind. pi's own number.
const STALE_AFTER: Duration = Duration::from_secs(30);

/// How often we give a sign of life. Some users of such locks wait no longer than ten seconds for one.
const BEAT_INTERVAL: Duration = Duration::from_secs(2);

/// How long the official client's second lock is waited for at the end. The client itself waits as long.
const INNER: Duration = Duration::from_secs(5);

/// The lock, for as long as this value lives.
#[derive(Debug)]
pub struct Lock(LockKind);

#[derive(Debug)]
enum LockKind {
    /// Given back by the system when the file is closed, also if we are killed.
    File {
        _held: File,
    },
    /// The official client (0.169.0) takes `auth.lock` and waits for it as long as it must, then `auth.json.lock`,
    /// and loses its new tokens if it does not get that one within 5 s. So the first is ours while the token is
    /// being spent, and the second only while the file is written.
    Official {
        _outer: Vec<File>,
        inner: PathBuf,
    },
    Directories(Vec<LockDirectory>),
}

impl Lock {
    /// An advisory lock on this file; nothing if somebody else has it. On a file system that has no such locks a
    /// directory beside it takes its place, for all who come there.
    pub(super) fn file(path: &Path) -> io::Result<Option<Self>> {
        Self::file_by(path, FileExt::try_lock)
    }

    fn file_by(path: &Path, try_lock: TryLock) -> io::Result<Option<Self>> {
        match advisory_by(path, try_lock) {
            Err(error) if has_no_locks(&error) => Self::directories(&[beside(path, ".d")]),
            held => Ok(held?.map(|held| Self(LockKind::File { _held: held }))),
        }
    }

    /// The official client's two; nothing if somebody else has one of them. The first may be in two places.
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

    /// Directories of these names; nothing if somebody else has made one and is alive.
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

    /// Whether the lock is still ours. A directory may be taken for one that was left behind, if we stood still.
    #[must_use]
    pub fn holds(&self) -> bool {
        match &self.0 {
            LockKind::File { .. } | LockKind::Official { .. } => true,
            LockKind::Directories(made) => made.iter().all(LockDirectory::holds),
        }
    }

    /// Whether nobody else can be at work, even if it stands still.
    pub(super) fn is_sure(&self) -> bool {
        !matches!(self.0, LockKind::Directories(_))
    }

    /// What more is to be held while the file is written. Whoever does not let go of it in time is passed over:
    /// by then a token has been spent.
    pub(super) fn for_writing(&self) -> Option<File> {
        let LockKind::Official { inner, .. } = &self.0 else {
            return None;
        };
        let begun = Instant::now();
        loop {
            match advisory(inner) {
                Ok(None) if begun.elapsed() < INNER => thread::sleep(Duration::from_millis(10)),
                other => return other.ok().flatten(),
            }
        }
    }
}

/// Takes an advisory lock, if it is free.
type TryLock = fn(&File) -> Result<(), TryLockError>;

/// An advisory lock on this file.
fn advisory(path: &Path) -> io::Result<Option<File>> {
    advisory_by(path, FileExt::try_lock)
}

/// An advisory lock on this file, which is made if it is not there. No link is followed: whoever could put one there
/// could have root write anywhere.
fn advisory_by(path: &Path, try_lock: TryLock) -> io::Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let file = match options.clone().create_new(true).open(path) {
        Ok(file) => {
            give_at(&file, path);
            file
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => match options.open(path) {
            // Somebody who takes the file for another program's has made a directory there.
            Err(error) if error.kind() == io::ErrorKind::IsADirectory => {
                return match stale(path)? {
                    Some(_) => fs::remove_dir(path).and_then(|()| advisory_by(path, try_lock)),
                    None => Ok(None),
                };
            }
            other => other?,
        },
        Err(error) => return Err(error),
    };
    match try_lock(&file) {
        // One that was removed meanwhile locks nobody out.
        Ok(()) if !same(&file, path) => Ok(None),
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether this is the file of this name.
fn same(file: &File, path: &Path) -> bool {
    let (file, path) = (file.metadata(), fs::symlink_metadata(path));
    file.is_ok_and(|file| path.is_ok_and(|path| file.ino() == path.ino()))
}

/// The number of a directory that was left behind.
fn stale(path: &Path) -> io::Result<Option<u64>> {
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

/// A directory that we have made, and the thread that keeps it fresh.
#[derive(Debug)]
struct LockDirectory {
    path: PathBuf,
    number: u64,
    /// When we last gave a sign of life, as the system keeps it.
    fresh: Arc<Mutex<SystemTime>>,
    stop: Option<Sender<()>>,
    beat: Option<JoinHandle<()>>,
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
        let Some(left) = stale(path)? else {
            return Ok(None);
        };
        // Moved away first, so that of several who find it only one removes it, and nobody a new owner's.
        let aside = beside(path, &format!(".{}", std::process::id()));
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
        let (stop, stopped) = mpsc::channel();
        let number = metadata.ino();
        let beat = thread::Builder::new().spawn({
            let (path, fresh) = (path.clone(), Arc::clone(&fresh));
            move || {
                while stopped.recv_timeout(BEAT_INTERVAL) == Err(RecvTimeoutError::Timeout) {
                    touch(&path, number, &fresh);
                }
            }
        });
        let beat = beat.inspect_err(|_| drop(fs::remove_dir(&path)));
        let beat = beat.map_err(at_start)?;
        Ok(Self {
            path,
            number,
            fresh,
            stop: Some(stop),
            beat: Some(beat),
        })
    }

    fn holds(&self) -> bool {
        let fresh = *self.fresh.lock().unwrap_or_else(PoisonError::into_inner);
        ours(&self.path, self.number, fresh)
    }
}

impl Drop for LockDirectory {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(beat) = self.beat.take() {
            let _ = beat.join();
        }
        if self.holds() {
            let _ = fs::remove_dir(&self.path);
        }
    }
}

/// Whether this is the directory that we made and nobody else has touched.
fn ours(path: &Path, number: u64, fresh: SystemTime) -> bool {
    fs::metadata(path).is_ok_and(|now| {
        now.ino() == number && now.modified().is_ok_and(|modified| modified == fresh)
    })
}

fn touch(path: &Path, number: u64, fresh: &Mutex<SystemTime>) {
    let mut fresh = fresh.lock().unwrap_or_else(PoisonError::into_inner);
    if !ours(path, number, *fresh) {
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
    fn one_at_a_time() {
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
    fn without_advisory_locks_a_directory_takes_their_place() {
        let place = place("none");
        let path = place.join("auth.json.lock");
        for errno in [Errno::NOSYS, Errno::NOLCK, Errno::OPNOTSUPP] {
            assert!(has_no_locks(&errno.into()));
        }
        let take = || Lock::file_by(&path, |_| Err(TryLockError::Error(Errno::NOLCK.into())));
        let first = take().expect("no error").expect("free");
        assert!(first.holds() && !first.is_sure());
        assert!(take().expect("no error").is_none(), "it is taken");
        drop(first);
        assert!(take().expect("no error").is_some(), "it is free again");
        assert!(path.is_file(), "what is remembered has its place");
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
    fn a_directory_that_was_left_behind_is_taken_over() {
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
        // Somebody else takes it from us: then it is not ours to remove.
        age(0);
        assert!(!lock.holds());
        drop(lock);
        assert!(path.exists());
        fs::remove_dir_all(place).expect("it goes away");
    }
}
