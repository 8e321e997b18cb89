//! Lists the stored conversations. Of a long file, the beginning and the end are read, so a damaged line in between shows only
//! once the conversation is used.

use std::cmp::Reverse;
use std::fs;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::OFlags;

use super::stored::StoredParser;
use super::{Error, Sessions, StoredConversation, id_of, named, parse, regular};
use crate::id::ThreadId;

impl Sessions {
    /// Returns the conversations that were used last, at most this many, the last one first: each with the time of its last
    /// use, and without its items. Unreadable files are left out.
    #[must_use]
    pub fn last_used(&self, most: usize) -> Vec<(SystemTime, StoredConversation)> {
        self.last_used_in(None, most)
    }

    /// The same for the conversations of one directory, if it is given.
    #[must_use]
    pub fn last_used_in(
        &self,
        directory: Option<&Path>,
        most: usize,
    ) -> Vec<(SystemTime, StoredConversation)> {
        let shown = directory.map(Path::to_string_lossy);
        let is_wanted =
            |stored: &StoredConversation| shown.as_ref().is_none_or(|shown| stored.cwd == **shown);
        let found = self
            .by_last_use()
            .into_iter()
            .filter_map(|(used, path)| Some((used?, read_summary(&path)?)))
            .filter(|(_, stored)| is_wanted(stored));
        found.take(most).collect()
    }

    /// Returns the ids of all conversations, the last used first, each with the beginning of the user's first message:
    /// as far as the beginning of the file has it, and only for this many.
    #[must_use]
    pub fn beginnings(&self, most: usize) -> Vec<(String, String)> {
        let files = self.by_last_use();
        let found = files.iter().enumerate();
        let found = found.filter_map(|(n, (_, path))| {
            let first = || read_beginning(path).unwrap_or_default();
            Some((id_of(path)?, if n < most { first() } else { String::new() }))
        });
        found.collect()
    }

    /// Returns the most recently used conversation of this directory.
    ///
    /// # Errors
    /// If there is none.
    pub fn newest(&self, cwd: &Path) -> Result<ThreadId, Error> {
        let shown = cwd.to_string_lossy();
        let files = self.by_last_use();
        let mut found = files.iter().filter_map(|(_, path)| read_summary(path));
        found
            .find(|stored| stored.cwd == shown)
            .map(|stored| stored.id)
            .ok_or_else(|| Error::NoneHere(cwd.to_owned()))
    }

    /// All files with the time of their last use, if it can be read, the last used first.
    fn by_last_use(&self) -> Vec<(Option<SystemTime>, PathBuf)> {
        let used = |path: &Path| fs::metadata(path).and_then(|found| found.modified()).ok();
        let files = self.files().into_iter();
        let mut files: Vec<_> = files.map(|path| (used(&path), path)).collect();
        files.sort_by_key(|(used, _)| Reverse(*used));
        files
    }
}

/// How much of a file is read for the beginning of its first message.
const MAX_BEGINNING_BYTES: u64 = 64 << 10;

/// The beginning of the first message, if it is near the beginning of the file.
fn read_beginning(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    let file = regular(path, OFlags::RDONLY).ok()?;
    let mut file = file.take(MAX_BEGINNING_BYTES);
    file.read_to_end(&mut bytes).ok()?;
    Some(StoredConversation::read(&bytes).ok()?.0.first)
}

/// How much of the beginning of a long file is read for a list: enough for the first line.
const HEAD_BYTES: u64 = 4 << 10;

/// How much of its end is read: enough for an overview.
const TAIL_BYTES: u64 = 8 << 10;

/// The size of a file up to which it has no overview, because a list reads all of it.
pub(super) const MAX_SHORT_BYTES: u64 = HEAD_BYTES + TAIL_BYTES;

/// Reads a file without its items.
fn read_summary(path: &Path) -> Option<StoredConversation> {
    id_of(path)?;
    let file = regular(path, OFlags::RDONLY).ok()?;
    let length = file.metadata().ok()?.len();
    if length > MAX_SHORT_BYTES {
        let piece = |start: u64, bytes: u64| {
            let mut room = vec![0; usize::try_from(bytes).ok()?];
            file.read_exact_at(&mut room, start).ok()?;
            Some(room)
        };
        let head = piece(0, HEAD_BYTES)?;
        let tail = piece(length - TAIL_BYTES, TAIL_BYTES)?;
        if let Some(stored) = StoredConversation::from_ends(&head, &tail) {
            return Some(named(path, stored));
        }
        return Some(parse(path, &file, StoredParser::without_items()).ok()?.0);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(length).ok()? + 1);
    file.take(MAX_SHORT_BYTES).read_to_end(&mut bytes).ok()?;
    let (mut stored, _) = StoredConversation::read(&bytes).ok()?;
    stored.items = Vec::new();
    Some(named(path, stored))
}
