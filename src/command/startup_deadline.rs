//! How long the files may take that are read before a run is watched: a pipe among them may never end.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use crate::exhausted::at_start;

/// As long as it lives, something is waited for.
#[derive(Debug)]
pub struct StartupDeadline(#[allow(dead_code)] Sender<()>); // its end is what is heard

impl StartupDeadline {
    /// Calls `late` once this time is over, unless what is waited for has come before. It is to end the process.
    ///
    /// # Errors
    /// When the system gives no thread that could call it.
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
