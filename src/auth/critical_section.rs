//! The moment in which a process must not end: from the sending of a refresh token, which can be used once, to
//! the rename that puts its successor into place.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::issuer::limit::TOKEN_TIMEOUT;

/// How long an end may be put off for it: as long as the issuer may take for its answer, and a little for storing it. An
/// earlier end would lose the sign-in, and the issuer's answer has a limit of its own.
pub const MAX_DELAY: Duration = Duration::from_secs(TOKEN_TIMEOUT.as_secs() + 10);

/// How many such moments there are now, and whether there may be more. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Critical(Arc<(Mutex<CriticalState>, Condvar)>);

#[derive(Debug, Default)]
struct CriticalState {
    count: usize,
    closed: bool,
}

/// Such a moment, for as long as this value lives.
#[derive(Debug)]
pub struct Moment(Critical);

impl Critical {
    /// Begins one; nothing if the process is about to end.
    #[must_use]
    pub fn enter(&self) -> Option<Moment> {
        let mut state = self.state();
        if state.closed {
            return None;
        }
        state.count += 1;
        Some(Moment(self.clone()))
    }

    /// Lets no more begin, and waits until there is none, for so long at most; whether there is none.
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

impl Moment {
    /// Ends it. If an end was put off for it, that comes now, and this thread goes no further.
    pub fn end(self) {
        let critical = self.0.clone();
        drop(self);
        while critical.is_closed() {
            thread::park();
        }
    }
}

impl Drop for Moment {
    fn drop(&mut self) {
        self.0.state().count -= 1;
        self.0.0.1.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_waits_for_the_last_of_them_and_none_begins_after_it() {
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
