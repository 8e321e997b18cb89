//! Which conversations are stored.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::{Error, Sessions, Stored};

/// The most of a file that is read to say what it is about, in bytes.
const GLANCE: u64 = 64 << 10;

impl Sessions {
    /// What is stored, the newest first, without the items. What cannot be read is left out.
    #[must_use]
    pub fn list(&self) -> Vec<Stored> {
        let files = self.files();
        files.iter().filter_map(|path| glance(path)).collect()
    }

    /// The newest conversation of this directory.
    ///
    /// # Errors
    /// When there is none.
    pub fn newest(&self, cwd: &Path) -> Result<String, Error> {
        let shown = cwd.to_string_lossy();
        let files = self.files();
        let mut found = files.iter().filter_map(|path| glance(path));
        found
            .find(|stored| stored.cwd == shown)
            .map(|stored| stored.id)
            .ok_or_else(|| Error::NoneHere(cwd.to_owned()))
    }
}

/// What the beginning of a file says.
fn glance(path: &Path) -> Option<Stored> {
    let mut bytes = Vec::new();
    File::open(path)
        .ok()?
        .take(GLANCE)
        .read_to_end(&mut bytes)
        .ok()?;
    let (mut stored, _) = Stored::read(&bytes).ok()?;
    stored.items.clear();
    Some(stored)
}
