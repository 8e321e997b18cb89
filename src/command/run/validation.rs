//! Comparing the last message with its schema. A pattern of the schema may take long for a long text, and the library
//! cannot be stopped, so this happens on a thread that is left behind when its time is over or an end is ordered: the
//! process ends then.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::error::Error;
use crate::agent::{Control, Stop, StopRequest};
use crate::format::{OutputSchema, Unmatched};

/// How long comparing may take. Sensible patterns take far less than a second for the longest answer.
const VALIDATION_TIMEOUT: Duration = Duration::from_secs(30);

/// How long between two looks at whether an end was ordered.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Compares this message with the schema; why it does not match, if it does not.
///
/// # Errors
/// When an end is ordered meanwhile.
pub(super) fn compare(
    schema: &OutputSchema,
    message: &str,
    control: &Control,
) -> Result<Option<Unmatched>, Error> {
    let (sender, compared) = mpsc::channel();
    let (format, text) = (schema.clone(), message.to_owned());
    let thread = thread::Builder::new().spawn(move || {
        let _ = sender.send(format.check(&text));
    });
    thread.map_err(Error::Thread)?;
    wait(&compared, control, VALIDATION_TIMEOUT)
}

fn wait(
    compared: &Receiver<Option<Unmatched>>,
    control: &Control,
    limit: Duration,
) -> Result<Option<Unmatched>, Error> {
    let begun = Instant::now();
    loop {
        match compared.recv_timeout(POLL_INTERVAL) {
            Ok(unmatched) => return Ok(unmatched),
            Err(RecvTimeoutError::Disconnected) => return Err(Error::Stop(Stop::Panicked)),
            Err(RecvTimeoutError::Timeout) => {}
        }
        // A reader that has the message and goes away ends nothing any more.
        if let Some(order @ (StopRequest::Timeout | StopRequest::Signal(_))) = control.stopped() {
            return Err(Error::Stop(Stop::Ordered(order)));
        }
        if begun.elapsed() >= limit {
            return Ok(Some(Unmatched {
                at: String::new(),
                why: format!(
                    "comparing them takes more than {} s: a \"pattern\" of the schema is too slow for so long an answer, and wants to be simpler",
                    limit.as_secs()
                ),
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_comparison_has_a_limit_and_can_be_ended() {
        let (_never, compared) = mpsc::channel();
        let control = Control::new();
        let late = wait(&compared, &control, Duration::ZERO);
        assert!(
            matches!(&late, Ok(Some(unmatched)) if unmatched.why.contains("too slow")),
            "{late:?}"
        );
        let ended = |order| {
            control.stop_run(StopRequest::Closed);
            let goes_on = wait(&compared, &control, Duration::ZERO);
            assert!(goes_on.is_ok(), "{goes_on:?}");
            control.stop_run(order);
            wait(&compared, &control, VALIDATION_TIMEOUT)
        };
        for order in [StopRequest::Timeout, StopRequest::Signal(2)] {
            let stopped = ended(order);
            let is_it =
                |error: &Error| matches!(error, Error::Stop(Stop::Ordered(by)) if *by == order);
            assert!(stopped.as_ref().is_err_and(is_it), "{stopped:?}");
        }
    }
}
