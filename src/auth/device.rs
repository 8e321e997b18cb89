//! Waits for a device sign-in: the next step after each response (pure), and the polling loop.

use std::thread;
use std::time::{Duration, Instant};

use super::device_poll::Poll;
use super::issuer::{Device, Error, Issuer};
use crate::secret::Secret;

/// Time limit for the user to finish; the issuer's limit.
pub const DEVICE_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// Consecutive polls that may fail.
const MAX_LOST_POLLS: u32 = 5;

/// Increase of the polling interval on `slow_down` (RFC 8628, section 3.5).
const POLL_SLOWDOWN: Duration = Duration::from_secs(5);

/// How a device sign-in failed.
#[derive(Debug)]
pub enum Ended {
    /// The issuer refused, or could not be reached.
    Failed(Error),
    /// The user did not finish in time.
    TimedOut,
    /// The sign-in was cancelled.
    Cancelled,
}

/// The next step.
#[derive(Debug)]
enum DevicePoll {
    /// Poll again after this time.
    Ask(Duration),
    /// Stop polling.
    End(Result<(Secret, Secret), Ended>),
}

/// The state between polls.
#[derive(Debug)]
struct Polling {
    interval: Duration,
    lost: u32,
}

impl Polling {
    /// Returns the next step after this response, `elapsed` after the start.
    fn step(&mut self, answer: Result<Poll, Error>, elapsed: Duration) -> DevicePoll {
        let mut pause = Duration::ZERO;
        match answer {
            Ok(Poll::Granted(code, verifier)) => return DevicePoll::End(Ok((code, verifier))),
            Ok(Poll::Pending) => self.lost = 0,
            Ok(Poll::SlowDown) => {
                self.lost = 0;
                self.interval += POLL_SLOWDOWN;
            }
            // A lost request or a server error may succeed next time.
            Err(error) if self.lost + 1 < MAX_LOST_POLLS && is_transient(&error) => {
                self.lost += 1;
                if let Error::Refused(refusal) = &error {
                    pause = pause.max(refusal.retry_after.unwrap_or_default());
                }
            }
            Err(error) => return DevicePoll::End(Err(Ended::Failed(error))),
        }
        let pause = pause.max(self.interval);
        if elapsed.saturating_add(pause) > DEVICE_TIMEOUT {
            DevicePoll::End(Err(Ended::TimedOut))
        } else {
            DevicePoll::Ask(pause)
        }
    }
}

fn is_transient(error: &Error) -> bool {
    match error {
        Error::Http(error) => !error.is_exhausted(),
        Error::Refused(refusal) => refusal.status >= 500 || refusal.status == 429,
        Error::Declined(_) | Error::Unreadable => false,
    }
}

/// Polls until the user has decided. Returns the authorization code and its verifier.
///
/// # Errors
/// If the user declines or does not finish in time.
pub fn wait(issuer: &Issuer, device: &Device) -> Result<(Secret, Secret), Ended> {
    wait_unless(issuer, device, |pause| {
        thread::sleep(pause);
        false
    })
}

/// The same, unless the sign-in is cancelled: `cancelled` waits for the time that it is given, or until it is.
///
/// # Errors
/// As for [`wait`], and if it was cancelled.
pub fn wait_unless(
    issuer: &Issuer,
    device: &Device,
    cancelled: impl Fn(Duration) -> bool,
) -> Result<(Secret, Secret), Ended> {
    let begun = Instant::now();
    let mut polling = Polling {
        interval: device.interval,
        lost: 0,
    };
    loop {
        match polling.step(issuer.poll(device), begun.elapsed()) {
            DevicePoll::Ask(pause) if cancelled(pause) => return Err(Ended::Cancelled),
            DevicePoll::Ask(_) => {}
            DevicePoll::End(ended) => return ended,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::refusal::Refusal;

    #[test]
    fn every_response_has_its_next_step() {
        let second = Duration::from_secs(1);
        let mut polling = Polling {
            interval: 5 * second,
            lost: 0,
        };
        let mut check = |answer: Result<Poll, Error>, elapsed: u32, expected: &str| {
            let next = match polling.step(answer, elapsed * second) {
                DevicePoll::Ask(pause) => format!("ask in {}", pause.as_secs()),
                DevicePoll::End(Ok(_)) => "granted".to_owned(),
                DevicePoll::End(Err(Ended::Failed(_))) => "failed".to_owned(),
                DevicePoll::End(Err(Ended::TimedOut)) => "timed out".to_owned(),
                DevicePoll::End(Err(Ended::Cancelled)) => "cancelled".to_owned(),
            };
            assert_eq!(next, expected, "after {elapsed} s");
        };
        let broken = || Err(Error::Refused(Box::new(Refusal::of(503, ""))));
        check(Ok(Poll::Pending), 0, "ask in 5");
        check(Ok(Poll::SlowDown), 5, "ask in 10");
        for _ in 0..4 {
            check(broken(), 20, "ask in 10");
        }
        check(broken(), 20, "failed");
        check(Ok(Poll::Pending), 30, "ask in 10");
        check(broken(), 40, "ask in 10");
        let mut asked = Refusal::of(429, "");
        asked.retry_after = Some(12 * second);
        check(
            Err(Error::Refused(Box::new(asked.clone()))),
            41,
            "ask in 12",
        );
        asked.retry_after = Some(900 * second);
        check(Err(Error::Refused(Box::new(asked))), 42, "timed out");
        check(Ok(Poll::Pending), 890, "ask in 10");
        check(Ok(Poll::Pending), 891, "timed out");
        check(
            Err(Error::Refused(Box::new(Refusal::of(403, "expired")))),
            10,
            "failed",
        );
        check(Err(Error::Unreadable), 10, "failed");
        let secret = || Secret::new("x".to_owned());
        check(Ok(Poll::Granted(secret(), secret())), 899, "granted");
    }
}
