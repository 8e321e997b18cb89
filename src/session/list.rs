//! Which conversations are stored.

use std::cmp::Reverse;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Error, Sessions, StoredConversation, read};
use crate::id::ThreadId;

impl Sessions {
    /// What is stored, the newest first, without the items. What cannot be read is left out.
    #[must_use]
    pub fn list(&self) -> Vec<StoredConversation> {
        let files = self.files();
        files.iter().filter_map(|path| glance(path)).collect()
    }

    /// The conversation of this directory that was gone on with last.
    ///
    /// # Errors
    /// When there is none.
    pub fn newest(&self, cwd: &Path) -> Result<ThreadId, Error> {
        let shown = cwd.to_string_lossy();
        let used = |path: &PathBuf| fs::metadata(path).and_then(|found| found.modified()).ok();
        let mut files = self.files();
        files.sort_by_cached_key(|path| Reverse(used(path)));
        let mut found = files.iter().filter_map(|path| glance(path));
        found
            .find(|stored| stored.cwd == shown)
            .map(|stored| stored.id)
            .ok_or_else(|| Error::NoneHere(cwd.to_owned()))
    }
}

/// What a file says, without its items.
fn glance(path: &Path) -> Option<StoredConversation> {
    let bytes = read(path).ok()?;
    let (mut stored, _) = StoredConversation::read(&bytes).ok()?;
    stored.items = Vec::new();
    stored.models = Vec::new();
    // Its name is what it is found by.
    stored.id = path.file_stem()?.to_str()?.parse().ok()?;
    Some(stored)
}
