//! Reads a pipe on a thread of its own, so that the writer never blocks.

use std::io::{self, Read};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::lock::lock;
use crate::exhausted::at_start;

/// How long a tool's pipes may stay open after it exited. Another process holds them then.
const PIPE_TIMEOUT: Duration = Duration::from_millis(200);

/// How much is kept of what a tool's process writes to a pipe. The process limits its text and images itself.
const MAX_PIPE_BYTES: usize = 10 << 20;

/// A pipe being read.
pub(super) struct PipeDrain {
    taken: Arc<Mutex<Vec<u8>>>,
    end: Receiver<()>,
}

impl PipeDrain {
    pub(super) fn start(pipe: impl Read + Send + 'static) -> io::Result<Self> {
        Self::start_with(pipe, |_| ())
    }

    /// The same; `look` may take bytes out of those that were read and not taken yet, whenever there are more.
    pub(super) fn start_with(
        mut pipe: impl Read + Send + 'static,
        look: impl Fn(&mut Vec<u8>) + Send + 'static,
    ) -> io::Result<Self> {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (at_end, end) = mpsc::channel();
        let kept = Arc::clone(&taken);
        // Not joined: if another process holds the other end of the pipe, this thread outlives the call and ends with
        // this process.
        let draining = thread::Builder::new().spawn(move || {
            let mut buffer = [0; 16 << 10];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                let mut kept = lock(&kept);
                let room = MAX_PIPE_BYTES.saturating_sub(kept.len());
                kept.extend_from_slice(&buffer[..count.min(room)]);
                look(&mut kept);
            }
            let _ = at_end.send(());
        });
        draining.map_err(at_start)?;
        Ok(Self { taken, end })
    }

    /// Returns the bytes read, once the writer has ended.
    pub(super) fn bytes(self) -> Vec<u8> {
        let _ = self.end.recv_timeout(PIPE_TIMEOUT);
        std::mem::take(&mut *lock(&self.taken))
    }
}
