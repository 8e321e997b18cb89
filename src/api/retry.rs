//! Decides whether and when to retry a failed request. Pure. A request is retried only where the same one may succeed:
//! the service was busy, failing or unreachable, or its response was interrupted.

use std::time::Duration;

use super::error::{Break, Error, Unanswered};
use crate::http::{self, Refused};
use crate::wire::answer::Trouble;
use crate::wire::fault::Retry;

/// Delay before the first retry; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_millis(500);

/// Maximum back-off delay.
const MAX_DELAY: Duration = Duration::from_secs(30);

/// Maximum requested delay that is waited for before a retry.
const MAX_REQUESTED_DELAY: Duration = Duration::from_secs(120);

/// What to do after a failed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryStep {
    /// Retry after this delay.
    After(Duration),
    /// Stop retrying.
    Stop,
}

/// Whether the same request may succeed later.
#[must_use]
pub fn advice(why: &Unanswered) -> Retry {
    match why {
        Unanswered::Refused(error) => for_refusal(error),
        // A resource missing on this machine is not a network error.
        Unanswered::BrokeOff(Break::Connection(error)) if error.is_exhausted() => Retry::Never,
        Unanswered::BrokeOff(Break::Connection(_)) | Unanswered::Unusable(Trouble::Cut) => {
            Retry::Backoff
        }
        Unanswered::Unusable(Trouble::Failed(fault)) => fault.retry,
        Unanswered::BrokeOff(Break::TooLong(_)) | Unanswered::Unusable(_) => Retry::Never,
    }
}

fn for_refusal(error: &Error) -> Retry {
    match error {
        error if error.is_exhausted() => Retry::Never,
        Error::SignIn(_) => Retry::Never,
        Error::Fault(fault) => fault.retry,
        Error::Http(_, error) => match error {
            // Neither a bad certificate nor a server that speaks another protocol fixes itself within a minute.
            http::Error::Tls(_)
            | http::Error::Certificate(..)
            | http::Error::Setup(_)
            | http::Error::Protocol(_)
            | http::Error::Proxy(
                _,
                Refused::Password | Refused::Kind(_) | Refused::Name | Refused::NotSocks,
            ) => Retry::Never,
            http::Error::Proxy(_, Refused::Status(status)) if *status < 500 => Retry::Never,
            _ => Retry::Backoff,
        },
    }
}

/// The next step after `made` retries, of at most `most`.
#[must_use]
pub fn next(advice: Retry, made: usize, most: usize) -> RetryStep {
    match advice {
        _ if made >= most => RetryStep::Stop,
        Retry::Never => RetryStep::Stop,
        Retry::Backoff => RetryStep::After(backoff(made)),
        Retry::After(time) if time > MAX_REQUESTED_DELAY => RetryStep::Stop,
        Retry::After(time) => RetryStep::After(time),
    }
}

/// The back-off delay before the retry that follows this many.
#[must_use]
pub fn backoff(made: usize) -> Duration {
    let doubled = 2_u32.checked_pow(u32::try_from(made).unwrap_or(u32::MAX));
    doubled.map_or(MAX_DELAY, |times| {
        FIRST_DELAY
            .checked_mul(times)
            .unwrap_or(MAX_DELAY)
            .min(MAX_DELAY)
    })
}

/// Adds random jitter to a delay, so that processes that failed at the same moment do not all retry at the same moment.
/// Never shortens a delay that the service requested.
#[must_use]
pub fn spread(time: Duration, random: u8) -> Duration {
    time + time.min(Duration::from_secs(10)) * u32::from(random) / (10 * 256)
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn waits_double_up_to_thirty_seconds() {
        let waits: Vec<u128> = (0..9).map(|made| backoff(made).as_millis()).collect();
        assert_eq!(
            waits,
            [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]
        );
        assert_eq!(backoff(usize::MAX), MAX_DELAY);
    }

    #[test]
    fn requested_delays_are_honoured_up_to_two_minutes() {
        let after = |seconds| Retry::After(Duration::from_secs(seconds));
        assert_eq!(next(after(0), 0, 1), RetryStep::After(Duration::ZERO));
        assert_eq!(
            next(after(120), 0, 1),
            RetryStep::After(MAX_REQUESTED_DELAY)
        );
        assert_eq!(next(after(121), 0, 1), RetryStep::Stop);
        assert_eq!(next(after(1), 1, 1), RetryStep::Stop);
        assert_eq!(next(Retry::Backoff, 0, 0), RetryStep::Stop);
        assert_eq!(next(Retry::Never, 0, 5), RetryStep::Stop);
    }

    #[test]
    fn jitter_adds_a_tenth_at_most_and_removes_nothing() {
        for millis in [0, 500, 2000, 30_000, 120_000] {
            let time = Duration::from_millis(millis);
            assert_eq!(spread(time, 0), time);
            let most = spread(time, 255);
            assert!(most <= time + time / 10 && most <= time + Duration::from_secs(1));
        }
    }

    #[test]
    fn only_temporary_failures_are_retried() {
        let check = |why: Unanswered, expected| assert_eq!(advice(&why), expected, "{why:?}");
        let http = |error| Unanswered::Refused(Error::Http("host".to_owned(), error));
        let cut = |error| Unanswered::BrokeOff(Break::Connection(error));
        let broken = || http::Error::Broken(io::ErrorKind::ConnectionReset.into());
        check(cut(broken()), Retry::Backoff);
        check(http(broken()), Retry::Backoff);
        check(http(http::Error::NoSuchHost), Retry::Backoff);
        check(http(http::Error::Tls("x".to_owned())), Retry::Never);
        check(http(http::Error::Protocol("x".to_owned())), Retry::Never);
        let exhausted = || http::Error::Exhausted(io::ErrorKind::Other.into());
        check(http(exhausted()), Retry::Never);
        check(cut(exhausted()), Retry::Never);
        check(Unanswered::Unusable(Trouble::Cut), Retry::Backoff);
        for trouble in [Trouble::Differs, Trouble::Empty, Trouble::Unfinished] {
            check(Unanswered::Unusable(trouble), Retry::Never);
        }
    }
}
