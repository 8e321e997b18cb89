//! The critical section in which a process must not exit: from sending a single-use refresh token to the rename that
//! stores its successor.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::issuer::limit::TOKEN_TIMEOUT;

/// Longest time an exit is delayed: the issuer's response timeout plus time to store the tokens. An earlier exit
/// would lose the sign-in.
pub const MAX_DELAY: Duration = Duration::from_secs(TOKEN_TIMEOUT.as_secs() + 10);

/// Counts the critical sections in progress and blocks new ones at exit. Clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Critical(Arc<(Mutex<CriticalState>, Condvar)>);

#[derive(Debug, Default)]
struct CriticalState {
    count: usize,
    closed: bool,
}

/// Guard for a critical section.
#[derive(Debug)]
pub struct CriticalGuard(Critical);

impl Critical {
    /// Enters a critical section; `None` if the process is shutting down.
    #[must_use]
    pub fn enter(&self) -> Option<CriticalGuard> {
        let mut state = self.state();
        if state.closed {
            return None;
        }
        state.count += 1;
        Some(CriticalGuard(self.clone()))
    }

    /// Blocks new critical sections and waits up to `most` for those in progress; returns whether all have ended.
    #[must_use]
    pub fn close(&self, most: Duration) -> bool {
        let mut state = self.state();
        state.closed = true;
        let busy = |state: &mut CriticalState| state.count > 0;
        let waited = self.0.1.wait_timeout_while(state, most, busy);
        waited.map_or(true, |(_, ended)| !ended.timed_out())
    }

    fn is_closed(&self) -> bool {
        self.state().closed
    }

    fn state(&self) -> MutexGuard<'_, CriticalState> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CriticalGuard {
    /// Leaves the critical section. If the process is shutting down, parks this thread so that it does nothing more.
    pub fn end(self) {
        let critical = self.0.clone();
        drop(self);
        while critical.is_closed() {
            thread::park();
        }
    }
}

impl Drop for CriticalGuard {
    fn drop(&mut self) {
        self.0.state().count -= 1;
        self.0.0.1.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_waits_for_the_last_guard_and_blocks_new_ones() {
        let critical = Critical::default();
        let (one, two) = (critical.enter(), critical.enter());
        assert!(one.is_some() && two.is_some());
        drop(one);
        let waiting = std::thread::spawn({
            let critical = critical.clone();
            move || critical.close(Duration::from_secs(60))
        });
        while critical.enter().is_some() {
            std::thread::yield_now();
        }
        assert!(!waiting.is_finished());
        drop(two);
        waiting.join().expect("it does not panic");
        assert!(critical.enter().is_none());
    }
}
