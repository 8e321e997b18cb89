//! Threads that report by sending inputs.

use std::thread;

use crate::exhausted::at_start;
use crate::failure::Stop;

/// Starts a thread. It is not joined: it sends an input when it ends, and the loop waits for that where necessary.
pub(super) fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), Stop> {
    thread::Builder::new()
        .spawn(work)
        .map(drop)
        .map_err(|error| Stop::Thread(at_start(error)))
}
