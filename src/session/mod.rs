//! Stored conversations: one append-only file each, with an item per line. The file is the only record. Besides the
//! items, stored as the bytes sent to the service, it contains metadata lines: `codex.session` comes first, and a
//! `codex.turn` precedes the items of each run. A process that writes to a file holds a lock on it.

mod error;
mod journal;
mod line;
pub mod list;
pub mod stored;
mod writer;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};
use rustix::fs::OFlags;

use crate::clock::date;
use crate::file::{Directory, has_no_locks, inherit_owner_at, open_regular};
use crate::id::ThreadId;
pub use error::Error;
pub use journal::Journal;
use line::LineFormat;
pub use line::on_one_line;
pub use stored::StoredConversation;
pub use writer::{TurnHeader, Writer};

/// The directory of stored conversations.
#[derive(Clone, Debug)]
pub struct Sessions {
    root: PathBuf,
}

impl Sessions {
    /// Uses the session directory of this home.
    #[must_use]
    pub fn new(home: &Path) -> Self {
        Self {
            root: home.join("sessions"),
        }
    }

    /// Creates a conversation and its file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn create(&self, id: &ThreadId, beginning: &TurnHeader<'_>) -> io::Result<Writer> {
        let day = date(beginning.now);
        let folder = self.root.join(day[..10].replace('-', "/"));
        Directory::hold(&folder)?.make()?;
        let path = folder.join(format!("{}.jsonl", id.as_str()));
        let file = OpenOptions::new()
            .append(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        inherit_owner_at(&file, &path);
        // No other process knows about the file yet.
        let _ = FileExt::try_lock(&file);
        let mut writer = Writer::new(file, path.clone(), LineFormat::default());
        match writer.begin(id, beginning) {
            Err(error) => {
                // The file contains nothing to resume.
                let _ = fs::remove_file(&path);
                Err(error)
            }
            Ok(()) => Ok(writer),
        }
    }

    /// Opens a conversation to append to it. A truncated last line is dropped.
    ///
    /// # Errors
    /// If it is missing, locked by another process, or damaged.
    pub fn open(&self, id: &str) -> Result<(StoredConversation, Writer), Error> {
        let path = self.path(id)?;
        let failed = |error| Error::Io(path.clone(), error);
        let mut file = regular(&path, OFlags::RDWR | OFlags::APPEND).map_err(failed)?;
        match FileExt::try_lock(&file) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(Error::Busy(path)),
            // A file system without locks excludes no other process.
            Err(TryLockError::Error(error)) if has_no_locks(&error) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed)?;
        let (stored, whole) = StoredConversation::read(&bytes)
            .map_err(|damage| Error::Damaged(path.clone(), damage))?;
        if whole < bytes.len() {
            file.set_len(whole as u64).map_err(failed)?;
            file.seek(io::SeekFrom::End(0)).map_err(failed)?;
        }
        let writer = Writer::new(file, path.clone(), stored.line_format);
        Ok((stored, writer))
    }

    /// Reads a conversation without locking it.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub fn read(&self, id: &str) -> Result<StoredConversation, Error> {
        let path = self.path(id)?;
        let bytes = read(&path).map_err(|error| Error::Io(path.clone(), error))?;
        let (stored, _) =
            StoredConversation::read(&bytes).map_err(|damage| Error::Damaged(path, damage))?;
        Ok(stored)
    }

    /// Removes a conversation that is not in use.
    ///
    /// # Errors
    /// If it is missing, locked, or cannot be removed.
    pub fn remove(&self, id: &str) -> Result<(), Error> {
        let path = self.path(id)?;
        let failed = |error| Error::Io(path.clone(), error);
        let file = regular(&path, OFlags::RDONLY).map_err(failed)?;
        if let Err(TryLockError::WouldBlock) = FileExt::try_lock(&file) {
            return Err(Error::Busy(path));
        }
        fs::remove_file(&path).map_err(failed)?;
        // Directories of dates that became empty are removed too.
        for folder in path.ancestors().skip(1).take(3) {
            if fs::remove_dir(folder).is_err() {
                break;
            }
        }
        Ok(())
    }

    /// Returns the ids of all conversations, newest first.
    #[must_use]
    pub fn ids(&self) -> Vec<String> {
        let files = self.files();
        files.iter().filter_map(|path| id_of(path)).collect()
    }

    /// Returns the id that this text is, or the only one that begins or ends like this.
    ///
    /// # Errors
    /// If there is none, or more than one, or if the text is too short: a mistyped letter must not name a conversation.
    pub fn find(&self, id: &str) -> Result<String, Error> {
        let path = self.path(id)?;
        id_of(&path).ok_or_else(|| Error::Missing(id.to_owned()))
    }

    /// Returns the file of the conversation with this id, or with the only one that begins or ends like this.
    fn path(&self, id: &str) -> Result<PathBuf, Error> {
        // Lists on a terminal shorten ids.
        let part = id.trim_matches('…');
        let is_match = |of: &str| of.starts_with(part) || of.ends_with(part);
        let mut found = Vec::new();
        for path in self.files().into_iter().filter(|_| !part.is_empty()) {
            match id_of(&path) {
                Some(of) if of == part => return Ok(path),
                Some(of) if is_match(&of) => found.push((of, path)),
                _ => {}
            }
        }
        if !found.is_empty() && part.chars().count() < MIN_PART_CHARACTERS {
            return Err(Error::Short(part.to_owned()));
        }
        match found.len() {
            0 | 1 => match found.pop() {
                Some((_, path)) => Ok(path),
                None => Err(Error::Missing(id.to_owned())),
            },
            _ => Err(Error::Ambiguous {
                part: part.to_owned(),
                ids: found.into_iter().map(|(of, _)| of).collect(),
            }),
        }
    }

    /// Lists all files, newest first.
    fn files(&self) -> Vec<PathBuf> {
        let mut level = vec![self.root.clone()];
        for _ in 0..4 {
            let entries = level.iter().flat_map(fs::read_dir).flatten().flatten();
            level = entries.map(|entry| entry.path()).collect();
        }
        level.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
        // The ids begin with a timestamp.
        level.sort_by(|a, b| b.file_name().cmp(&a.file_name()));
        level
    }
}

/// Returns the id that the name of a file is.
fn id_of(path: &Path) -> Option<String> {
    let name = path.file_stem()?.to_str()?;
    name.parse::<ThreadId>().is_ok().then(|| name.to_owned())
}

/// Length of the shortest part of an id that names a conversation, in characters.
pub const MIN_PART_CHARACTERS: usize = 4;

/// Size limit for a session file, in bytes: far beyond the context window of any model.
const MAX_SESSION_BYTES: u64 = 512 << 20;

/// Opens a regular file. Opening anything else could block, and links are not followed.
fn regular(path: &Path, flags: OFlags) -> io::Result<File> {
    let file = open_regular(path, flags | OFlags::NOFOLLOW)?;
    if file.metadata()?.len() > MAX_SESSION_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(file)
}

/// Reads a regular file.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    regular(path, OFlags::RDONLY)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}
