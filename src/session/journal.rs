//! Where the items of a conversation are kept as they come.

use std::io;
use std::path::PathBuf;

/// Whoever keeps the items of a conversation.
pub trait Journal: std::fmt::Debug {
    /// Keeps an item, which has no line end in it.
    fn item(&mut self, item: &[u8]);

    /// Notes that from this time in Unix seconds on another model is asked.
    fn model(&mut self, _at: u64, _model: &str, _effort: Option<&str>) {}

    /// The path that was to lead to what is kept, if it does not any more, so that it cannot be found there.
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
