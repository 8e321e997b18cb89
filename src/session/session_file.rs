//! The file of a stored conversation, where its items stay until they are read.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use super::Error;
use super::stored_item::StoredItem;

/// An open file of a stored conversation. Lines are only ever appended to it.
#[derive(Debug)]
pub struct SessionFile {
    file: File,
    path: PathBuf,
}

impl SessionFile {
    /// Uses this open file at this path.
    pub(super) fn new(file: File, path: PathBuf) -> Self {
        Self { file, path }
    }

    /// Reads the bytes at a place in the file; `room` has their length.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn read(&self, start: u64, room: &mut [u8]) -> Result<(), Error> {
        let read = self.file.read_exact_at(room, start);
        read.map_err(|error| Error::Io(self.path.clone(), error))
    }

    /// Returns the bytes of an item.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn bytes(&self, item: &StoredItem) -> Result<Vec<u8>, Error> {
        let mut bytes = Vec::new();
        self.read_item(&item.range, &mut bytes)?;
        Ok(bytes)
    }

    /// Reads the item at a place in the file into `room`, which grows as needed.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read_item<'a>(
        &self,
        range: &Range<u64>,
        room: &'a mut Vec<u8>,
    ) -> Result<&'a [u8], Error> {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        room.resize(length, 0);
        self.read(range.start, room)?;
        Ok(room)
    }
}
