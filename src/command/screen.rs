//! What a run has drawn on standard error, so that whoever ends it, however that comes, can take it away.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::stdout::takes;
use crate::output::spinner::ERASE;

/// Whether a spinner is drawn. If nobody has erased it before, it goes with this value: an error and
/// a panic leave none behind either.
#[derive(Debug, Default)]
pub(super) struct Screen(Arc<AtomicBool>);

impl Screen {
    /// The same, for another thread.
    pub(super) fn shared(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        erase(&self.0);
    }
}

/// Erases the spinner, unless standard error takes nothing just now.
pub(super) fn erase(shown: &AtomicBool) {
    if shown.swap(false, Ordering::Relaxed) && takes(&io::stderr(), Duration::ZERO) {
        let _ = io::stderr().write_all(ERASE.as_bytes());
    }
}
