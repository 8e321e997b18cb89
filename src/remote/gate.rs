//! Whether exchanges are allowed: closed while a run or a turn ends.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A gate, open at first.
#[derive(Debug, Default)]
pub(super) struct Gate {
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Gate {
    pub(super) fn set_closed(&self, closed: bool) {
        *lock(&self.closed) = closed;
        self.changed.notify_all();
    }

    pub(super) fn is_closed(&self) -> bool {
        *lock(&self.closed)
    }

    /// Waits for this long, or until the gate is closed.
    pub(super) fn pause(&self, time: Duration) {
        let closed = lock(&self.closed);
        let _ = self
            .changed
            .wait_timeout_while(closed, time, |closed| !*closed);
    }
}

/// Locks. A thread that panicked has left nothing half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
