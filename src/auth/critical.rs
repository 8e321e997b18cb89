//! The moment in which a process must not end: from the sending of a refresh token, which can be used once, to
//! the rename that puts its successor into place.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an end may be put off for it.
pub const PATIENCE: Duration = Duration::from_secs(15);

/// How many such moments there are now. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Critical(Arc<(Mutex<usize>, Condvar)>);

/// Such a moment, for as long as this value lives.
#[derive(Debug)]
pub struct Moment(Critical);

impl Critical {
    /// Begins one.
    #[must_use]
    pub fn enter(&self) -> Moment {
        *self.count() += 1;
        Moment(self.clone())
    }

    /// Waits until there is none, for this long at most; whether there is none.
    #[must_use]
    pub fn wait(&self, most: Duration) -> bool {
        let waited = self
            .0
            .1
            .wait_timeout_while(self.count(), most, |count| *count > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Moment {
    fn drop(&mut self) {
        *self.0.count() -= 1;
        self.0.0.1.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_waits_for_the_last_of_them() {
        let critical = Critical::default();
        assert!(critical.wait(Duration::ZERO));
        let (one, two) = (critical.enter(), critical.enter());
        drop(one);
        assert!(!critical.wait(Duration::from_millis(1)));
        let waiting = std::thread::spawn(move || critical.wait(Duration::from_secs(30)));
        drop(two);
        assert!(waiting.join().expect("it does not panic"));
    }
}
