//! Interrupts the wait for the next bytes of a response body, so that one thread can wait for a server and for other threads
//! at the same time.

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};

/// Ends the wait of a thread that reads a response body, from any other thread. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<InterruptState>);

#[derive(Debug, Default)]
struct InterruptState {
    /// A thread waits, or is about to.
    waits: AtomicBool,
    /// Two ends: a byte written to the second makes the first readable. Made for the first wait.
    ends: OnceLock<(UnixStream, UnixStream)>,
}

impl Interrupt {
    /// Ends the wait that has begun, if there is one.
    pub fn wake(&self) {
        if self.0.waits.load(Ordering::SeqCst)
            && let Some((_, end)) = self.0.ends.get()
        {
            // If it is full, the other end is readable already.
            let _ = { end }.write(&[0]);
        }
    }

    /// From now on, until [`Interrupt::end`], every `wake` ends a wait. The caller has to check what happened before.
    ///
    /// # Errors
    /// If the process cannot open more files.
    pub fn begin(&self) -> io::Result<()> {
        if self.0.ends.get().is_none() {
            let (first, second) = UnixStream::pair()?;
            second.set_nonblocking(true)?;
            let _ = self.0.ends.set((first, second));
        }
        self.0.waits.store(true, Ordering::SeqCst);
        Ok(())
    }

    /// No wait follows.
    pub fn end(&self) {
        self.0.waits.store(false, Ordering::SeqCst);
    }

    /// The end that becomes readable.
    pub(super) fn readable(&self) -> Option<&UnixStream> {
        self.0.ends.get().map(|(end, _)| end)
    }

    /// Takes the wakes so far.
    pub(super) fn clear(&self) {
        if let Some(end) = self.readable() {
            let mut bytes = [0; 64];
            while let Ok((64, _)) | Err(Errno::INTR) = recv(end, &mut bytes, RecvFlags::DONTWAIT) {}
        }
    }
}

/// What may end the wait for the next bytes of a body.
#[derive(Clone, Debug)]
pub(super) struct BodyWait {
    pub(super) interrupt: Interrupt,
    /// When to stop waiting.
    pub(super) until: Option<Instant>,
}

/// The wait of the read in progress, for the sockets of a client.
#[derive(Clone, Debug, Default)]
pub(super) struct CurrentWait(Arc<Mutex<Option<BodyWait>>>);

impl CurrentWait {
    pub(super) fn get(&self) -> Option<BodyWait> {
        let wait = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        wait.clone()
    }

    pub(super) fn set(&self, wait: Option<BodyWait>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = wait;
    }
}

/// The error of a read whose wait was ended. Nothing is lost: another read continues.
#[derive(Debug)]
pub(super) struct WaitEnded;

impl WaitEnded {
    /// Whether this error is one.
    pub(super) fn is(error: &io::Error) -> bool {
        error
            .get_ref()
            .is_some_and(<dyn Error + Send + Sync>::is::<Self>)
    }
}

impl fmt::Display for WaitEnded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the wait was ended")
    }
}

impl Error for WaitEnded {}
