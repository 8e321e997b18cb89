//! The interface through which a conversation stores its items as they arrive.

use std::io;
use std::path::PathBuf;

use super::compaction::CompactionRecord;

/// Stores the items of a conversation.
pub trait Journal: std::fmt::Debug {
    /// Stores an item, which contains no line end.
    fn item(&mut self, item: &[u8]);

    /// Records that another turn begins, at this time in Unix seconds. The first turn of a run is recorded when
    /// the journal is opened.
    fn turn(&mut self, _at: u64, _model: &str, _effort: Option<&str>) {}

    /// Takes back the last items, which are not part of the conversation any more.
    fn withdraw(&mut self, _items: usize) {}

    /// Records a compaction.
    fn compacted(&mut self, _compaction: &CompactionRecord<'_>) {}

    /// Records the length of the conversation, in tokens, as the service has reported it with the last answer.
    fn length(&mut self, _tokens: u64) {}

    /// Records a change of the model, at this time in Unix seconds. The provider is that of the model in `models.json`, if it
    /// has one.
    fn model(&mut self, _at: u64, _model: &str, _provider: Option<&str>, _effort: Option<&str>) {}

    /// Returns the path of the stored conversation if it no longer resolves to that file.
    fn misplaced(&self) -> Option<PathBuf> {
        None
    }

    /// Takes the write error, which is reported once.
    fn take_failure(&mut self) -> Option<(PathBuf, io::Error)> {
        None
    }
}

impl Journal for Vec<Vec<u8>> {
    fn item(&mut self, item: &[u8]) {
        self.push(item.to_vec());
    }
}
