//! Retries of an answer that failed: how many, and when (pure). A retry is for faults that may pass by themselves. The end
//! of a usage limit is awaited only on request (`--wait-for-reset`).

use std::time::{Duration, Instant};

use crate::api::{Unanswered, retry};
use crate::output::Notice;
use crate::wire::fault::{FaultKind, Retry};

/// When the request is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextAttempt {
    /// After `delay`, as the `attempt`th retry, counted from 1.
    Retry { attempt: usize, delay: Duration },
    /// After the usage limit has ended. `at` is its end and `until` the end of the wait, both in Unix seconds; `delay` is
    /// the length of the wait.
    Reset {
        at: u64,
        delay: Duration,
        until: u64,
    },
}

/// Interval between readings of the wall clock while waiting for a usage limit to end: the machine may have been suspended.
pub(super) const CLOCK_INTERVAL: Duration = Duration::from_secs(30);

impl NextAttempt {
    /// Whether the wait is over at `now`, in Unix seconds, whatever the monotonic clock says.
    fn is_over(&self, now: u64) -> bool {
        matches!(*self, Self::Reset { until, .. } if now > until)
    }

    /// The notice to report at `now`, in Unix seconds: a retry, or that the run continues from the calls that the answer
    /// contained (`continues`). `of` is the maximum number of retries.
    pub(super) fn notice<'a>(
        &self,
        reason: &'a Unanswered,
        continues: bool,
        of: usize,
        now: u64,
    ) -> Notice<'a> {
        match *self {
            Self::Reset { at, .. } => Notice::Reset { at, now, reason },
            Self::Retry { .. } if continues => Notice::Resumed { reason },
            Self::Retry { attempt, delay } => Notice::Retry {
                attempt,
                of,
                delay,
                reason,
            },
        }
    }

    /// The length of the wait, with jitter from `random`.
    fn wait(&self, random: u8) -> Duration {
        match *self {
            Self::Retry { delay, .. } | Self::Reset { delay, .. } => retry::spread(delay, random),
        }
    }
}

/// A wait before a request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// Its end.
    pub(super) until: Instant,
    next: NextAttempt,
}

impl Wait {
    /// A wait that begins at `now`, with jitter from `random`.
    pub(super) fn new(next: NextAttempt, now: Instant, random: u8) -> Self {
        let until = now + next.wait(random);
        Self { until, next }
    }

    /// Whether it is over at `now`, which is `unix` in Unix seconds.
    pub(super) fn is_over(&self, now: Instant, unix: u64) -> bool {
        now >= self.until || self.next.is_over(unix)
    }
}

/// The attempts at one answer.
#[derive(Debug)]
pub(super) struct Attempts {
    max_retries: usize,
    made: usize,
    /// The longest wait for the end of a usage limit.
    max_wait: Option<Duration>,
    /// The deadline of all such waits, in Unix seconds, set by the first one.
    until: Option<u64>,
    /// The number of such waits.
    resets: usize,
}

impl Attempts {
    pub(super) fn new(max_retries: usize, max_wait: Option<Duration>) -> Self {
        Self {
            max_retries,
            made: 0,
            max_wait,
            until: None,
            resets: 0,
        }
    }

    /// The next attempt after a failure at `now`, in Unix seconds; `None` if the failure is final.
    pub(super) fn next(&mut self, why: &Unanswered, now: u64) -> Option<NextAttempt> {
        let advice = match usage_limit_end(why) {
            Some(at) if at > now => return self.reset(at, now),
            // The limit still holds after its stated end: retry, but not forever.
            Some(_) if self.max_wait.is_some() => Retry::Backoff,
            _ => retry::advice(why),
        };
        match retry::next(advice, self.made, self.max_retries) {
            retry::RetryStep::Stop => None,
            retry::RetryStep::After(delay) => {
                self.made += 1;
                let attempt = self.made;
                Some(NextAttempt::Retry { attempt, delay })
            }
        }
    }

    fn reset(&mut self, at: u64, now: u64) -> Option<NextAttempt> {
        let max_wait = self.max_wait?.as_secs();
        let deadline = *self.until.get_or_insert(now.saturating_add(max_wait));
        // The clocks of two machines differ slightly. And a service that keeps answering "in one second" is asked at
        // growing intervals.
        self.resets += 1;
        let slack = retry::backoff(self.resets);
        let delay = Duration::from_secs(at - now).saturating_add(slack);
        let until = at.saturating_add(slack.as_secs());
        (at <= deadline).then_some(NextAttempt::Reset { at, delay, until })
    }
}

/// The end of the usage limit, in Unix seconds, if this failure is one and names it.
fn usage_limit_end(why: &Unanswered) -> Option<u64> {
    let fault = why
        .fault()
        .filter(|fault| fault.kind == FaultKind::UsageLimit)?;
    fault.resets_at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::answer::Trouble;
    use crate::wire::fault;

    fn usage_limit(at: u64) -> Unanswered {
        let event = format!(
            r#"{{"type":"error","error":{{"type":"usage_limit_reached","resets_at":{at}}}}}"#
        );
        Unanswered::Unusable(Trouble::Failed(fault::from_event(event.as_bytes())))
    }

    #[test]
    fn retries_are_counted() {
        let mut attempts = Attempts::new(2, None);
        let retry = |attempt, millis| {
            let delay = Duration::from_millis(millis);
            Some(NextAttempt::Retry { attempt, delay })
        };
        let cut = Unanswered::Unusable(Trouble::Cut);
        let differs = Unanswered::Unusable(Trouble::Differs);
        assert_eq!(attempts.next(&cut, 0), retry(1, 500));
        assert_eq!(attempts.next(&differs, 0), None);
        assert_eq!(attempts.next(&cut, 0), retry(2, 1000));
        assert_eq!(attempts.next(&cut, 0), None);
    }

    #[test]
    fn the_end_of_a_usage_limit_is_awaited_only_on_request() {
        let hour = Some(Duration::from_secs(3600));
        assert_eq!(Attempts::new(5, None).next(&usage_limit(1001), 1000), None);
        assert_eq!(Attempts::new(5, hour).next(&usage_limit(4601), 1000), None);
        let mut attempts = Attempts::new(2, hour);
        let reset = |at, seconds, until| {
            let delay = Duration::from_secs(seconds);
            Some(NextAttempt::Reset { at, delay, until })
        };
        assert_eq!(
            attempts.next(&usage_limit(1060), 1000),
            reset(1060, 61, 1061)
        );
        assert_eq!(
            attempts.next(&usage_limit(1062), 1061),
            reset(1062, 3, 1064)
        );
        // The limit applies to the sum of all waits.
        assert_eq!(attempts.next(&usage_limit(4601), 1100), None);
        assert_eq!(
            attempts.next(&usage_limit(4600), 1100),
            reset(4600, 3508, 4608)
        );
    }

    #[test]
    fn a_usage_limit_that_outlasts_its_end_is_retried_like_other_failures() {
        let hour = Some(Duration::from_secs(3600));
        let mut attempts = Attempts::new(2, hour);
        for attempt in 1..=2 {
            let delay = retry::backoff(attempt - 1);
            let next = attempts.next(&usage_limit(960), 1000);
            assert_eq!(next, Some(NextAttempt::Retry { attempt, delay }));
            assert!(!next.expect("one").is_over(u64::MAX), "the delay applies");
        }
        assert_eq!(attempts.next(&usage_limit(960), 1000), None);
        assert_eq!(Attempts::new(2, None).next(&usage_limit(960), 1000), None);
    }

    #[test]
    fn a_wait_for_a_reset_ends_by_either_clock() {
        let hour = Some(Duration::from_secs(3600));
        let next = Attempts::new(0, hour).next(&usage_limit(1060), 1000);
        let next = next.expect("it is near");
        assert!(!next.is_over(1061) && next.is_over(1062));
    }
}
