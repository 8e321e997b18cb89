//! Threads that report by inputs.

use std::thread;

use crate::exhausted::at_start;
use crate::failure::Stop;

/// Starts a thread. It is not joined: it reports by an input, and the loop waits for what it waits for.
pub(super) fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Stop> {
    thread::Builder::new()
        .spawn(work)
        .map(drop)
        .map_err(|error| Stop::Thread(at_start(error)))
}
