//! How often an answer that failed is asked for again, and when (pure). Retries are for what may pass by itself; the end of
//! a usage limit is waited for only by those who asked for it.

use std::time::{Duration, Instant};

use crate::api::{Unanswered, retry};
use crate::output::Notice;
use crate::wire::fault::{FaultKind, Retry};

/// The request is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NextAttempt {
    /// After this time, for the `attempt`th time.
    Retry { attempt: usize, delay: Duration },
    /// After the usage limit has ended, at `at`; the wait for it takes this time, until `until`, both in Unix seconds.
    Reset {
        at: u64,
        delay: Duration,
        until: u64,
    },
}

/// How often the clock is looked at while a limit's end is waited for: a machine may have slept meanwhile.
pub(super) const CLOCK_INTERVAL: Duration = Duration::from_secs(30);

impl NextAttempt {
    /// Whether the wait is over by this time in Unix seconds, however long it has been by another clock.
    fn is_over(&self, now: u64) -> bool {
        matches!(*self, Self::Reset { until, .. } if now > until)
    }

    /// What there is to report at this time in Unix seconds: that the request is made again, or that the run goes on from
    /// the calls which the answer has brought. `of` is how many retries there may be.
    pub(super) fn notice<'a>(
        &self,
        reason: &'a Unanswered,
        goes_on: bool,
        of: usize,
        now: u64,
    ) -> Notice<'a> {
        match *self {
            Self::Reset { at, .. } => Notice::Reset { at, now, reason },
            Self::Retry { .. } if goes_on => Notice::GoesOn { reason },
            Self::Retry { attempt, delay } => Notice::Retry {
                attempt,
                of,
                delay,
                reason,
            },
        }
    }

    /// How long to wait, spread by a random number.
    fn wait(&self, random: u8) -> Duration {
        match *self {
            Self::Retry { delay, .. } | Self::Reset { delay, .. } => retry::spread(delay, random),
        }
    }
}

/// Until when a request waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wait {
    /// The end of it.
    pub(super) until: Instant,
    again: NextAttempt,
}

impl Wait {
    /// A wait that begins now, spread by a random number.
    pub(super) fn new(again: NextAttempt, now: Instant, random: u8) -> Self {
        let until = now + again.wait(random);
        Self { until, again }
    }

    /// Whether it is over at this time, which is `unix` in Unix seconds.
    pub(super) fn is_over(&self, now: Instant, unix: u64) -> bool {
        now >= self.until || self.again.is_over(unix)
    }
}

/// The attempts at one answer.
#[derive(Debug)]
pub(super) struct Attempts {
    most: usize,
    made: usize,
    /// How long the end of a usage limit may be waited for.
    patience: Option<Duration>,
    /// When that patience ends, in Unix seconds, once it was needed.
    until: Option<u64>,
    /// How often it was needed.
    resets: usize,
}

impl Attempts {
    pub(super) fn new(most: usize, patience: Option<Duration>) -> Self {
        Self {
            most,
            made: 0,
            patience,
            until: None,
            resets: 0,
        }
    }

    /// What to do about an answer that failed in this way, at this time in Unix seconds; nothing where it is final.
    pub(super) fn next(&mut self, why: &Unanswered, now: u64) -> Option<NextAttempt> {
        let advice = match limit(why) {
            Some(at) if at > now => return self.reset(at, now),
            // Its end has passed, and yet it holds: that may pass as well, but not for ever.
            Some(_) if self.patience.is_some() => Retry::Backoff,
            _ => retry::advice(why),
        };
        match retry::next(advice, self.made, self.most) {
            retry::RetryStep::Stop => None,
            retry::RetryStep::After(delay) => {
                self.made += 1;
                let attempt = self.made;
                Some(NextAttempt::Retry { attempt, delay })
            }
        }
    }

    fn reset(&mut self, at: u64, now: u64) -> Option<NextAttempt> {
        let patience = self.patience?.as_secs();
        let most = *self.until.get_or_insert(now.saturating_add(patience));
        // The clocks of two machines differ a little; and one that says "in a second" again and again is asked less and
        // less often.
        self.resets += 1;
        let slack = retry::backoff(self.resets);
        let delay = Duration::from_secs(at - now).saturating_add(slack);
        let until = at.saturating_add(slack.as_secs());
        (at <= most).then_some(NextAttempt::Reset { at, delay, until })
    }
}

/// When the usage limit ends that this failure is, where that is said.
fn limit(why: &Unanswered) -> Option<u64> {
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

    fn used_up(at: u64) -> Unanswered {
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
    fn the_end_of_a_limit_is_waited_for_by_those_who_asked() {
        let hour = Some(Duration::from_secs(3600));
        assert_eq!(Attempts::new(5, None).next(&used_up(1001), 1000), None);
        assert_eq!(Attempts::new(5, hour).next(&used_up(4601), 1000), None);
        let mut attempts = Attempts::new(2, hour);
        let reset = |at, seconds, until| {
            let delay = Duration::from_secs(seconds);
            Some(NextAttempt::Reset { at, delay, until })
        };
        assert_eq!(attempts.next(&used_up(1060), 1000), reset(1060, 61, 1061));
        assert_eq!(attempts.next(&used_up(1062), 1061), reset(1062, 3, 1064));
        // All the waiting together is what was asked for.
        assert_eq!(attempts.next(&used_up(4601), 1100), None);
        assert_eq!(attempts.next(&used_up(4600), 1100), reset(4600, 3508, 4608));
    }

    #[test]
    fn a_limit_that_outlasts_its_end_is_a_failure_like_others() {
        let hour = Some(Duration::from_secs(3600));
        let mut attempts = Attempts::new(2, hour);
        for attempt in 1..=2 {
            let delay = retry::backoff(attempt - 1);
            let again = attempts.next(&used_up(960), 1000);
            assert_eq!(again, Some(NextAttempt::Retry { attempt, delay }));
            assert!(!again.expect("one").is_over(u64::MAX), "it takes its time");
        }
        assert_eq!(attempts.next(&used_up(960), 1000), None);
        let patience = None;
        assert_eq!(Attempts::new(2, patience).next(&used_up(960), 1000), None);
    }

    #[test]
    fn a_wait_for_an_end_is_over_by_either_clock() {
        let hour = Some(Duration::from_secs(3600));
        let again = Attempts::new(0, hour).next(&used_up(1060), 1000);
        let again = again.expect("it is near");
        assert!(!again.is_over(1061) && again.is_over(1062));
    }
}
