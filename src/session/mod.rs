//! Stored conversations: one append-only file each, with an item per line. The file is the only record. Besides the
//! items, stored as the bytes sent to the service, it contains metadata lines: `codex.session` comes first, a `codex.turn`
//! precedes the items of each run, and a `codex.overview` ends a long file. A process that writes to a file holds a lock on
//! it.

mod compaction;
mod error;
mod journal;
mod line;
pub mod list;
mod session_file;
pub mod stored;
mod stored_item;
mod writer;

use std::fs::{self, DirEntry, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use fs4::{FileExt, TryLockError};
use rustix::fs::OFlags;

use crate::clock::date;
use crate::file::{Directory, has_no_locks, inherit_owner_at, open_regular};
use crate::id::ThreadId;
pub use compaction::CompactionRecord;
pub use error::Error;
pub use journal::Journal;
use line::LineFormat;
pub use line::on_one_line;
pub use session_file::SessionFile;
pub use stored::StoredConversation;
use stored::{Flaw, StoredParser};
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

    /// Creates a conversation and its file. The file is removed if no item was added when the writer is dropped.
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
        writer.is_empty = true;
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
    pub fn open(&self, id: &str) -> Result<(StoredConversation, SessionFile, Writer), Error> {
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
        let (stored, whole) = parse(&path, &file, StoredParser::default())?;
        if whole < file.metadata().map_err(failed)?.len() {
            file.set_len(whole).map_err(failed)?;
        }
        file.seek(io::SeekFrom::End(0)).map_err(failed)?;
        let items = SessionFile::new(file.try_clone().map_err(failed)?, path.clone());
        let mut writer = Writer::new(file, path.clone(), stored.line_format);
        writer.resume(&stored);
        Ok((stored, items, writer))
    }

    /// Reads a conversation without locking it.
    ///
    /// # Errors
    /// If it is missing or damaged.
    pub fn read(&self, id: &str) -> Result<(StoredConversation, SessionFile), Error> {
        let path = self.path(id)?;
        let file = regular(&path, OFlags::RDONLY);
        let file = file.map_err(|error| Error::Io(path.clone(), error))?;
        let (stored, _) = parse(&path, &file, StoredParser::default())?;
        Ok((stored, SessionFile::new(file, path)))
    }

    /// Removes a conversation that is not in use.
    ///
    /// # Errors
    /// If it is missing, locked, not a conversation by its first line, or cannot be removed.
    pub fn remove(&self, id: &str) -> Result<(), Error> {
        let paths = self.paths(id)?;
        // The locks are held until the files are gone.
        let mut files = Vec::new();
        for path in &paths {
            let failed = |error| Error::Io(path.clone(), error);
            let file = regular(path, OFlags::RDONLY).map_err(failed)?;
            if let Err(TryLockError::WouldBlock) = FileExt::try_lock(&file) {
                return Err(Error::Busy(path.clone()));
            }
            let first = first_line(&file).map_err(failed)?;
            match StoredConversation::read(&first) {
                Err(damage) if damage.flaw != Flaw::Newer => {
                    return Err(Error::NotRemoved(path.clone(), damage));
                }
                _ => files.push(file),
            }
        }
        for path in paths {
            fs::remove_file(&path).map_err(|error| Error::Io(path.clone(), error))?;
            // Directories of dates that became empty are removed too.
            for folder in path.ancestors().skip(1).take(3) {
                if fs::remove_dir(folder).is_err() {
                    break;
                }
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
    /// If no id matches, or several do, or the text is too short: a mistyped letter must not name a conversation.
    pub fn find(&self, id: &str) -> Result<String, Error> {
        let path = self.path(id)?;
        id_of(&path).ok_or_else(|| Error::Missing(id.to_owned()))
    }

    /// Returns the file of the conversation with this id, or with the only one that begins or ends like this.
    fn path(&self, id: &str) -> Result<PathBuf, Error> {
        self.paths(id).map(|mut paths| paths.swap_remove(0))
    }

    /// Returns its files, at least one, the newest day first: someone may have copied it to the directory of another day.
    fn paths(&self, id: &str) -> Result<Vec<PathBuf>, Error> {
        // Lists on a terminal shorten ids.
        let part = id.trim_matches('…');
        let is_match = |of: &str| of.starts_with(part) || of.ends_with(part);
        let files = self.all_files().into_iter().filter(|_| !part.is_empty());
        let found = files.filter_map(|path| Some((id_of(&path)?, path)));
        let mut found: Vec<(String, PathBuf)> = found.filter(|(of, _)| is_match(of)).collect();
        if found.iter().any(|(of, _)| of == part) {
            found.retain(|(of, _)| of == part);
        } else if !found.is_empty() && part.chars().count() < MIN_PART_CHARACTERS {
            return Err(Error::Short(part.to_owned()));
        }
        let (mut ids, paths): (Vec<String>, Vec<PathBuf>) = found.into_iter().unzip();
        ids.dedup();
        match ids.len() {
            0 => Err(Error::Missing(id.to_owned())),
            1 => Ok(paths),
            _ => Err(Error::Ambiguous {
                part: part.to_owned(),
                ids,
            }),
        }
    }

    /// Lists one file for each conversation, newest first.
    fn files(&self) -> Vec<PathBuf> {
        let mut files = self.all_files();
        files.dedup_by(|a, b| a.file_name() == b.file_name());
        files
    }

    /// Lists all files, newest first. Links are not followed: what they lead to is not stored here.
    fn all_files(&self) -> Vec<PathBuf> {
        let mut level = vec![self.root.clone()];
        for depth in 0..4 {
            let entries = level.iter().flat_map(fs::read_dir).flatten().flatten();
            let is_wanted = |entry: &DirEntry| {
                let kind = entry.file_type();
                kind.is_ok_and(|kind| !kind.is_symlink() && (depth == 3 || kind.is_dir()))
            };
            let entries = entries.filter(is_wanted);
            level = entries.map(|entry| entry.path()).collect();
        }
        level.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
        // The ids begin with a timestamp.
        level.sort_by(|a, b| (b.file_name(), b).cmp(&(a.file_name(), a)));
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

/// The maximum size of a first line, in bytes: it contains an id and a path.
const MAX_FIRST_LINE_BYTES: u64 = 64 << 10;

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 64 << 10;

/// Reads the first line, with its end if it has one within the limit.
fn first_line(file: &File) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    BufReader::new(file.take(MAX_FIRST_LINE_BYTES)).read_until(b'\n', &mut line)?;
    Ok(line)
}

/// Parses the file at a path, which is read line by line; also returns the length of its complete lines. The id is that of the
/// file's name, which lookups use.
fn parse(
    path: &Path,
    file: &File,
    mut parser: StoredParser,
) -> Result<(StoredConversation, u64), Error> {
    let failed = |error| Error::Io(path.to_owned(), error);
    let damaged = |damage| Error::Damaged(path.to_owned(), damage);
    let mut reader = BufReader::with_capacity(READ_BYTES, file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).map_err(failed)? > 0 {
        parser.take(&line).map_err(damaged)?;
        line.clear();
    }
    let (stored, whole) = parser.finish().map_err(damaged)?;
    Ok((named(path, stored), whole))
}

/// The conversation with the id that its file is named for.
fn named(path: &Path, mut stored: StoredConversation) -> StoredConversation {
    if let Some(id) = id_of(path).and_then(|id| id.parse().ok()) {
        stored.id = id;
    }
    stored
}

/// Opens a regular file. Opening anything else could block, and links are not followed.
fn regular(path: &Path, flags: OFlags) -> io::Result<File> {
    let file = open_regular(path, flags | OFlags::NOFOLLOW)?;
    if file.metadata()?.len() > MAX_SESSION_BYTES {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(file)
}
