//! The deadline for reading files before a run begins: one of them may be a pipe that never ends.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::exhausted::at_start;

/// A deadline that is cancelled when this is dropped.
#[derive(Debug)]
pub struct StartupDeadline(#[allow(dead_code)] Sender<()>); // dropping it wakes the thread

impl StartupDeadline {
    /// Calls `late`, which should end the process, after `limit`, unless this is dropped before.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(limit: Duration, late: impl FnOnce() + Send + 'static) -> io::Result<Self> {
        let (sender, ended) = mpsc::channel::<()>();
        let waiting = thread::Builder::new().spawn(move || {
            if ended.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                late();
            }
        });
        waiting.map_err(at_start)?;
        Ok(Self(sender))
    }
}
