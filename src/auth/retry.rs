//! Asking the issuer again where its answer may be another one a moment later: a code that a person has signed in for
//! is worth more than one attempt.

use std::thread;
use std::time::{Duration, Instant};

use super::issuer::Error;
use crate::http;

/// How long is asked again, counted from the first question.
const RETRY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long is waited before the second question; before each further one twice as long.
const FIRST_DELAY: Duration = Duration::from_secs(1);

/// What hears of a wait: how long it is, and why.
pub type Heard<'a> = &'a dyn Fn(Duration, &Error);

/// Which failures to connect may pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// A dropped connection only: nothing is lost yet.
    Little,
    /// Those to make one too: there is something to lose.
    Much,
}

/// Asks until there is an answer, or a failure that does not pass or has outlasted our patience.
pub(super) fn ask<T>(
    worth: Worth,
    heard: Heard<'_>,
    mut question: impl FnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let begun = Instant::now();
    let mut made = 0;
    loop {
        let error = match question() {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        let Some(delay) = wait(&error, worth, made, begun.elapsed()) else {
            return Err(error);
        };
        made += 1;
        heard(delay, &error);
        thread::sleep(delay);
    }
}

/// How long to wait after this failure, which came so long after the first question and has so many before it; nothing
/// where it is final.
fn wait(error: &Error, worth: Worth, made: u32, elapsed: Duration) -> Option<Duration> {
    let doubled = FIRST_DELAY.saturating_mul(1 << made.min(10));
    let delay = match error {
        Error::Refused(refusal) if refusal.may_pass() => refusal.retry_after.unwrap_or(doubled),
        Error::Http(error) if passes(error, worth) => doubled,
        _ => return None,
    };
    (elapsed.saturating_add(delay) <= RETRY_TIMEOUT).then_some(delay)
}

fn passes(error: &http::Error, worth: Worth) -> bool {
    match error {
        http::Error::Broken(_) | http::Error::Late => true,
        http::Error::NoSuchHost
        | http::Error::NoSuchProxy
        | http::Error::Connect(_)
        | http::Error::ConnectTimeout(_) => worth == Worth::Much,
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
    fn only_what_may_pass_is_asked_again_and_not_for_long() {
        let check = |error: &Error, worth, made, elapsed: u64, expected: Option<u64>| {
            let found = wait(error, worth, made, Duration::from_secs(elapsed));
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
        for worth in [Worth::Little, Worth::Much] {
            for error in [refused(429, None), refused(503, None), broken()] {
                check(&error, worth, 0, 0, Some(1));
                check(&error, worth, 3, 7, Some(8));
                check(&error, worth, 4, 15, None);
            }
            check(&refused(429, Some(20)), worth, 0, 0, Some(20));
            check(&refused(429, Some(20)), worth, 1, 20, None);
            check(&refused(503, Some(31)), worth, 0, 0, None);
            for final_one in [
                refused(400, None),
                refused(401, Some(1)),
                refused(403, None),
            ] {
                check(&final_one, worth, 0, 0, None);
            }
            check(&Error::Unreadable, worth, 0, 0, None);
        }
        check(&away(), Worth::Little, 0, 0, None);
        check(&away(), Worth::Much, 0, 0, Some(1));
    }

    #[test]
    fn the_answer_that_comes_in_the_end_counts_and_every_wait_is_heard() {
        let waits = RefCell::new(Vec::new());
        let heard = |delay: Duration, error: &Error| {
            waits
                .borrow_mut()
                .push((delay.as_millis(), error.to_string()));
        };
        let mut left = 1;
        let answer = ask(Worth::Little, &heard, || {
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
