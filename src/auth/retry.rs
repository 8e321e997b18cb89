//! Retries requests to the issuer that may succeed a moment later: an authorization code that a user signed in for
//! deserves more than one attempt.

use std::thread;
use std::time::{Duration, Instant};

use super::issuer::Error;
use crate::http;

/// Time limit for retries, from the first request.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// Delay before the first retry; it doubles with each further one.
const FIRST_DELAY: Duration = Duration::from_secs(1);

/// Called before each wait with its length and the error.
pub type OnRetry<'a> = &'a dyn Fn(Duration, &Error);

/// Which connection errors are retried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RetryScope {
    /// Only dropped connections: nothing is lost by failing.
    DroppedConnection,
    /// Failures to connect too: a code or token would be lost.
    AnyConnection,
}

/// Repeats a request until it succeeds, fails permanently or exceeds `RETRY_TIMEOUT`.
pub(super) fn with_retries<T>(
    scope: RetryScope,
    on_retry: OnRetry<'_>,
    mut request: impl FnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let begun = Instant::now();
    let mut retries = 0;
    loop {
        let error = match request() {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Some(delay) = wait(&error, scope, retries, begun.elapsed()) else {
            return Err(error);
        };
        retries += 1;
        on_retry(delay, &error);
        thread::sleep(delay);
    }
}

/// Returns the delay before the next retry; `None` if the error is final. `retries` were made so far, `elapsed` since
/// the first request.
fn wait(error: &Error, scope: RetryScope, retries: u32, elapsed: Duration) -> Option<Duration> {
    let doubled = FIRST_DELAY.saturating_mul(1 << retries.min(10));
    let delay = match error {
        Error::Refused(refusal) if refusal.may_pass() => refusal.retry_after.unwrap_or(doubled),
        Error::Http(error) if is_transient(error, scope) => doubled,
        _ => return None,
    };
    (elapsed.saturating_add(delay) <= RETRY_TIMEOUT).then_some(delay)
}

fn is_transient(error: &http::Error, scope: RetryScope) -> bool {
    match error {
        http::Error::Broken(_) | http::Error::Late => true,
        http::Error::NoSuchHost
        | http::Error::NoSuchProxy
        | http::Error::Connect(_)
        | http::Error::ConnectTimeout(_) => scope == RetryScope::AnyConnection,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io;

    use super::*;
    use crate::auth::refusal::Refusal;

    fn refused(status: u16, retry_after: Option<u64>) -> Error {
        let mut refusal = Refusal::of(status, "");
        refusal.retry_after = retry_after.map(Duration::from_secs);
        Error::Refused(Box::new(refusal))
    }

    #[test]
    fn only_transient_errors_are_retried_within_the_time_limit() {
        let check = |error: &Error, scope, made, elapsed: u64, expected: Option<u64>| {
            let found = wait(error, scope, made, Duration::from_secs(elapsed));
            assert_eq!(
                found.map(|time| time.as_secs()),
                expected,
                "{error:?} {made}"
            );
        };
        let broken = || Error::Http(http::Error::Broken(io::ErrorKind::UnexpectedEof.into()));
        let away = || {
            Error::Http(http::Error::Connect(
                io::ErrorKind::ConnectionRefused.into(),
            ))
        };
        for scope in [RetryScope::DroppedConnection, RetryScope::AnyConnection] {
            for error in [refused(429, None), refused(503, None), broken()] {
                check(&error, scope, 0, 0, Some(1));
                check(&error, scope, 3, 7, Some(8));
                check(&error, scope, 4, 15, None);
            }
            check(&refused(429, Some(20)), scope, 0, 0, Some(20));
            check(&refused(429, Some(20)), scope, 1, 20, None);
            check(&refused(503, Some(31)), scope, 0, 0, None);
            for final_one in [
                refused(400, None),
                refused(401, Some(1)),
                refused(403, None),
            ] {
                check(&final_one, scope, 0, 0, None);
            }
            check(&Error::Unreadable, scope, 0, 0, None);
        }
        check(&away(), RetryScope::DroppedConnection, 0, 0, None);
        check(&away(), RetryScope::AnyConnection, 0, 0, Some(1));
    }

    #[test]
    fn the_final_response_counts_and_every_delay_is_reported() {
        let waits = RefCell::new(Vec::new());
        let on_retry = |delay: Duration, error: &Error| {
            waits
                .borrow_mut()
                .push((delay.as_millis(), error.to_string()));
        };
        let mut left = 1;
        let answer = with_retries(RetryScope::DroppedConnection, &on_retry, || {
            left -= 1;
            if left < 0 {
                return Ok(7);
            }
            let mut refusal = Refusal::of(503, "busy");
            refusal.retry_after = Some(Duration::from_millis(1));
            Err(Error::Refused(Box::new(refusal)))
        });
        assert_eq!(answer.ok(), Some(7));
        assert_eq!(waits.into_inner(), [(1, "busy [HTTP 503]".to_owned())]);
    }
}
