//! Validation of the last message against its schema. A pattern can take very long on a long text, and the regex library
//! cannot be interrupted. So validation has its own thread, which is abandoned on timeout or on a stop request: the process
//! ends then anyway.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use super::error::Error;
use crate::agent::{Control, Stop, StopRequest};
use crate::format::{OutputSchema, Unmatched};

/// Timeout of the validation. Reasonable patterns take far less than a second for the longest answer.
const VALIDATION_TIMEOUT: Duration = Duration::from_secs(30);

/// Interval between checks for a stop request.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// Validates the message. Returns why it does not match, or `None` if it does.
///
/// # Errors
/// If the run is stopped meanwhile.
pub(super) fn validate(
    schema: &OutputSchema,
    message: &str,
    control: &Control,
) -> Result<Option<Unmatched>, Error> {
    let (sender, result) = mpsc::channel();
    let (format, text) = (schema.clone(), message.to_owned());
    let thread = thread::Builder::new().spawn(move || {
        let _ = sender.send(format.check(&text));
    });
    thread.map_err(Error::Thread)?;
    wait(&result, control, VALIDATION_TIMEOUT)
}

fn wait(
    result: &Receiver<Option<Unmatched>>,
    control: &Control,
    limit: Duration,
) -> Result<Option<Unmatched>, Error> {
    let begun = Instant::now();
    loop {
        match result.recv_timeout(POLL_INTERVAL) {
            Ok(unmatched) => return Ok(unmatched),
            Err(RecvTimeoutError::Disconnected) => return Err(Error::Stop(Stop::Panicked)),
            Err(RecvTimeoutError::Timeout) => {}
        }
        // A reader that has closed standard output already has the message.
        if let Some(request @ (StopRequest::Timeout | StopRequest::Signal(_))) = control.stopped() {
            return Err(Error::Stop(Stop::Ordered(request)));
        }
        if begun.elapsed() >= limit {
            return Ok(Some(Unmatched {
                at: String::new(),
                why: format!(
                    "validation took more than {} s: a \"pattern\" in the schema is too slow for an answer of this length; simplify it",
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
    fn validation_has_a_timeout_and_can_be_stopped() {
        let (_never, result) = mpsc::channel();
        let control = Control::new();
        let late = wait(&result, &control, Duration::ZERO);
        assert!(
            matches!(&late, Ok(Some(unmatched)) if unmatched.why.contains("too slow")),
            "{late:?}"
        );
        let stopped_by = |request| {
            control.stop_run(StopRequest::Closed);
            let goes_on = wait(&result, &control, Duration::ZERO);
            assert!(goes_on.is_ok(), "{goes_on:?}");
            control.stop_run(request);
            wait(&result, &control, VALIDATION_TIMEOUT)
        };
        for request in [StopRequest::Timeout, StopRequest::Signal(2)] {
            let stopped = stopped_by(request);
            let is_it =
                |error: &Error| matches!(error, Error::Stop(Stop::Ordered(by)) if *by == request);
            assert!(stopped.as_ref().is_err_and(is_it), "{stopped:?}");
        }
    }
}
