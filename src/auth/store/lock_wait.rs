//! How long to wait for the lock (pure): as long as a renewal takes, and when to report the wait.

use std::time::{Duration, Instant};

/// Longest time a process holds the lock, and so the timeout for acquiring it: the token endpoint's timeout plus time
/// to write the file.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(130);

/// Wait for a holder that took the lock long ago: its clock may have stopped, as during a suspend.
const LOCK_GRACE: Duration = Duration::from_secs(5);

/// Total wait for processes that hold the lock in turn.
const TOTAL_TIMEOUT: Duration = Duration::from_secs(3 * LOCK_TIMEOUT.as_secs());

/// Delay before the wait is reported.
const NOTICE_DELAY: Duration = Duration::from_secs(1);

/// The process that holds the lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The process id.
    pub process: u32,
    /// When it took the lock, in Unix milliseconds; 0 if unknown.
    pub since: u64,
}

/// The next step of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockStep {
    /// Try again after a pause.
    Again,
    /// Report the wait, once, and try again after a pause.
    Report,
    /// Stop waiting.
    GiveUp,
}

/// The state of a wait for the lock, from the first failed attempt.
#[derive(Debug, Default)]
pub struct Hold {
    /// When the wait began, and when the current holder was first seen.
    seen: Option<(Instant, Instant)>,
    holder: Option<Holder>,
    reported: bool,
}

impl Hold {
    /// Returns the next step while the lock is held; `holder` is `None` if unknown, `clock` is the time in Unix
    /// milliseconds.
    pub fn step(&mut self, holder: Option<Holder>, now: Instant, clock: u64) -> LockStep {
        let (begun, mut seen) = self.seen.unwrap_or((now, now));
        if holder != self.holder {
            self.holder = holder;
            seen = now;
        }
        self.seen = Some((begun, seen));
        let held = now.duration_since(seen);
        let since = holder.map(|holder| holder.since).filter(|since| *since > 0);
        let age = since.map_or(0, |since| clock.saturating_sub(since));
        let stale = u128::from(age) >= LOCK_TIMEOUT.as_millis() && held >= LOCK_GRACE;
        let waited = now.duration_since(begun);
        if stale || held >= LOCK_TIMEOUT || waited >= TOTAL_TIMEOUT {
            LockStep::GiveUp
        } else if waited >= NOTICE_DELAY && !self.reported {
            self.reported = true;
            LockStep::Report
        } else {
            LockStep::Again
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The time at which the wait begins, in Unix seconds.
    const BEGUN: u64 = 1_000_000;

    fn holder(process: u32, since: u64) -> Option<Holder> {
        Some(Holder {
            process,
            since: since * 1000,
        })
    }

    /// Checks the steps at these seconds of a wait.
    fn check(steps: &[(u64, Option<Holder>, LockStep)]) {
        let (mut hold, begun) = (Hold::default(), Instant::now());
        for (second, holder, expected) in steps {
            let now = begun + Duration::from_secs(*second);
            let found = hold.step(*holder, now, (BEGUN + second) * 1000);
            assert_eq!(found, *expected, "after {second} s of {steps:?}");
        }
    }

    #[test]
    fn the_wait_for_a_holder_ends_when_a_renewal_must_have_ended() {
        for holder in [None, holder(7, 0), holder(7, BEGUN), holder(7, BEGUN + 999)] {
            check(&[
                (0, holder, LockStep::Again),
                (1, holder, LockStep::Report),
                (2, holder, LockStep::Again),
                (129, holder, LockStep::Again),
                (130, holder, LockStep::GiveUp),
            ]);
        }
    }

    #[test]
    fn time_held_before_the_wait_counts() {
        let half = holder(7, BEGUN - 65);
        check(&[
            (0, half, LockStep::Again),
            (1, half, LockStep::Report),
            (65, half, LockStep::GiveUp),
        ]);
        let stopped = holder(7, BEGUN - 9999);
        check(&[
            (0, stopped, LockStep::Again),
            (4, stopped, LockStep::Report),
            (5, stopped, LockStep::GiveUp),
        ]);
    }

    #[test]
    fn each_holder_has_its_own_timeout_within_a_total() {
        check(&[
            (0, holder(1, BEGUN), LockStep::Again),
            (120, holder(2, BEGUN + 120), LockStep::Report),
            (249, holder(2, BEGUN + 120), LockStep::Again),
            (249, holder(3, BEGUN + 249), LockStep::Again),
            (378, holder(4, BEGUN + 378), LockStep::Again),
            (390, holder(5, BEGUN + 390), LockStep::GiveUp),
        ]);
    }
}
