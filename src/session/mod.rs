//! Stored conversations: one file each, an item a line, appended as it happens. The file is the whole truth. Beside the
//! items, which are kept as the bytes that go to the service, it has lines of ours: `session` is the first, and a `turn`
//! stands before what each run has added. Whoever writes to one holds a lock on it.

pub mod list;
pub mod stored;

use std::borrow::Cow;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};
use rustix::fs::{Mode, OFlags};
use serde_json::json;

use crate::clock::date;
use crate::file;
use crate::file::{Directory, give_at, has_no_locks};
use crate::id::ThreadId;
pub use stored::{Damage, Stored};

/// The version of the file, raised when older programs could not read it.
const VERSION: u32 = 1;

/// Where conversations are kept.
#[derive(Clone, Debug)]
pub struct Sessions {
    root: PathBuf,
}

/// Why a stored conversation cannot be gone on with.
#[derive(Debug)]
pub enum Error {
    /// There is none of this id.
    Missing(String),
    /// There is none of this directory.
    NoneHere(PathBuf),
    /// Another run holds it.
    Busy(PathBuf),
    /// It cannot be read or written.
    Io(PathBuf, io::Error),
    /// A line in its middle is not what it should be.
    Damaged(PathBuf, Damage),
}

/// What a run begins with.
#[derive(Clone, Copy, Debug)]
pub struct Beginning<'a> {
    /// When, in Unix seconds.
    pub now: u64,
    /// The directory that it works in.
    pub cwd: &'a Path,
    /// The model that it asks.
    pub model: &'a str,
    /// The provider of `models.json` that it is a model of, where it is one of the user's own servers.
    pub provider: Option<&'a str>,
    /// The effort that its requests name, before those changes of it that are items of the conversation.
    pub effort: Option<&'a str>,
    /// This program's version.
    pub version: &'a str,
}

/// Whoever keeps the items of a conversation.
pub trait Journal: std::fmt::Debug {
    /// Keeps an item, which has no line end in it.
    fn item(&mut self, item: &[u8]);

    /// Notes that from this time in Unix seconds on another model is asked.
    fn model(&mut self, _at: u64, _model: &str, _effort: Option<&str>) {}

    /// The path that was to lead to what is kept, if it does not any more: then nobody will find it there.
    fn misplaced(&self) -> Option<PathBuf> {
        None
    }

    /// What went wrong, once.
    fn take_failure(&mut self) -> Option<(PathBuf, io::Error)> {
        None
    }
}

impl Journal for Vec<Vec<u8>> {
    fn item(&mut self, item: &[u8]) {
        self.push(item.to_vec());
    }
}

/// Appends to a conversation that it holds.
#[derive(Debug)]
pub struct Writer {
    file: File,
    path: PathBuf,
    /// What went wrong first. Nothing is written after it, since a line would be missing.
    failed: Option<io::Error>,
}

impl Sessions {
    /// Conversations are kept in this directory of ours.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self {
            root: home.join("sessions"),
        }
    }

    /// Begins a conversation.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub fn create(&self, id: &ThreadId, beginning: &Beginning<'_>) -> io::Result<Writer> {
        let day = date(beginning.now);
        let folder = self.root.join(day[..10].replace('-', "/"));
        Directory::hold(&folder)?.make()?;
        let path = folder.join(format!("{}.jsonl", id.as_str()));
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        give_at(&file, &path);
        // Nobody else knows of it yet.
        let _ = FileExt::try_lock(&file);
        let mut writer = Writer {
            file,
            path,
            failed: None,
        };
        let line = json!({"type": "session", "version": VERSION, "id": id.as_str(), "created_at": beginning.now,
            "cwd": beginning.cwd.to_string_lossy(), "codex_run": beginning.version});
        writer.line(line.to_string().as_bytes());
        writer.turn(beginning);
        match writer.failed.take() {
            Some(error) => {
                // Nothing is in it that could be gone on with.
                let _ = fs::remove_file(&writer.path);
                Err(error)
            }
            None => Ok(writer),
        }
    }

    /// Takes a conversation up again, for writing. What is torn at its end is dropped.
    ///
    /// # Errors
    /// When it is not there, held by somebody else, or damaged.
    pub fn open(&self, id: &str) -> Result<(Stored, Writer), Error> {
        let path = self.path(id)?;
        let failed = |error| Error::Io(path.clone(), error);
        let mut file = regular(&path, OFlags::RDWR | OFlags::APPEND).map_err(failed)?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy(path)),
            // On a file system that has no locks nobody is kept out.
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let (stored, whole) =
            Stored::read(&bytes).map_err(|damage| Error::Damaged(path.clone(), damage))?;
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(failed)?;
            file.seek(io::SeekFrom::End(0)).map_err(failed)?;
        }
        let writer = Writer {
            file,
            path: path.clone(),
            failed: None,
        };
        Ok((stored, writer))
    }

    /// Reads a conversation without holding it.
    ///
    /// # Errors
    /// When it is not there or damaged.
    pub fn read(&self, id: &str) -> Result<Stored, Error> {
        let path = self.path(id)?;
        let bytes = read(&path).map_err(|error| Error::Io(path.clone(), error))?;
        let (stored, _) = Stored::read(&bytes).map_err(|damage| Error::Damaged(path, damage))?;
        Ok(stored)
    }

    /// Removes a conversation that nobody holds.
    ///
    /// # Errors
    /// When it is not there, held, or cannot be removed.
    pub fn remove(&self, id: &str) -> Result<(), Error> {
        let path = self.path(id)?;
        let failed = |error| Error::Io(path.clone(), error);
        let file = regular(&path, OFlags::RDONLY).map_err(failed)?;
        if let Err(TryLockError::WouldBlock) = FileExt::try_lock(&file) {
            return Err(Error::Busy(path));
        }
        fs::remove_file(&path).map_err(failed)?;
        // A day without a conversation leaves no trace.
        for folder in path.ancestors().skip(1).take(3) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// The file of this id.
    fn path(&self, id: &str) -> Result<PathBuf, Error> {
        let is_id = |c: char| c.is_ascii_hexdigit() || c == '-';
        let found = self.files().into_iter().find(|path| {
            id.len() == 36
                && id.chars().all(is_id)
                && path.file_stem().is_some_and(|stem| stem == id)
        });
        found.ok_or_else(|| Error::Missing(id.to_owned()))
    }

    /// All files, the newest first.
    fn files(&self) -> Vec<PathBuf> {
        let mut level = vec![self.root.clone()];
        for _ in 0..4 {
            let entries = level.iter().flat_map(fs::read_dir).flatten().flatten();
            level = entries.map(|entry| entry.path()).collect();
        }
        level.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
        // Their ids begin with their time.
        level.sort_by(|a, b| b.file_name().cmp(&a.file_name()));
        level
    }
}

impl Writer {
    /// Notes that a run begins.
    pub fn turn(&mut self, beginning: &Beginning<'_>) {
        let mut line = json!({"type": "turn", "at": beginning.now, "model": beginning.model,
            "cwd": beginning.cwd.to_string_lossy()});
        for (name, value) in [
            ("provider", beginning.provider),
            ("effort", beginning.effort),
        ] {
            if let Some(value) = value {
                line[name] = value.into();
            }
        }
        self.line(line.to_string().as_bytes());
    }

    fn line(&mut self, line: &[u8]) {
        if self.failed.is_none() {
            // A long item is not copied for the sake of its line end.
            let written = if line.len() < 1 << 16 {
                self.file.write_all(&[line, b"\n"].concat())
            } else {
                self.file
                    .write_all(line)
                    .and_then(|()| self.file.write_all(b"\n"))
            };
            self.failed = written.err();
        }
    }
}

impl Journal for Writer {
    fn item(&mut self, item: &[u8]) {
        self.line(item);
    }

    fn model(&mut self, at: u64, model: &str, effort: Option<&str>) {
        let mut line = json!({"type": "turn", "at": at, "model": model});
        if let Some(effort) = effort {
            line["effort"] = effort.into();
        }
        self.line(line.to_string().as_bytes());
    }

    fn misplaced(&self) -> Option<PathBuf> {
        let held = self.file.metadata().map(|found| file::of_file(&found));
        let found = held.is_ok_and(|held| file::leads_to(&self.path, held));
        // One that could not be written was told of before.
        (!found && self.failed.is_none()).then(|| self.path.clone())
    }

    fn take_failure(&mut self) -> Option<(PathBuf, io::Error)> {
        let error = self.failed.as_ref()?;
        let told = (
            self.path.clone(),
            io::Error::new(error.kind(), error.to_string()),
        );
        // Told once, and still nothing is written.
        self.path = PathBuf::new();
        (!told.0.as_os_str().is_empty()).then_some(told)
    }
}

/// The most of a conversation that is read, in bytes: no model takes in as much.
const MOST: u64 = 512 << 20;

/// A regular file. What else may lie there is not waited for, and links are not followed.
fn regular(path: &Path, flags: OFlags) -> io::Result<File> {
    let flags = flags | OFlags::NONBLOCK | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if found.len() > MOST {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(file)
}

/// What is in a regular file.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    regular(path, OFlags::RDONLY)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// An item on one line: between its values JSON takes a blank as well as a line end, and in a text it has none.
#[must_use]
pub fn on_one_line(item: &[u8]) -> Cow<'_, [u8]> {
    if !item.contains(&b'\n') && !item.contains(&b'\r') {
        return Cow::Borrowed(item);
    }
    let blank = |byte: &u8| match byte {
        b'\n' | b'\r' => b' ',
        other => *other,
    };
    Cow::Owned(item.iter().map(blank).collect())
}
