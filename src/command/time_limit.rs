//! Work with a time limit, for a command that must not wait as long as the work may take.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use crate::exhausted::at_start;

/// Why there is no result.
#[derive(Debug)]
pub(super) enum NoResult {
    /// The time limit has passed. The work continues until the process ends.
    Late,
    /// No thread can be started.
    Thread(io::Error),
    /// The work panicked.
    Panicked,
}

/// The result of this work, if it ends within the limit.
pub(super) fn within<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, NoResult> {
    let (sender, result) = mpsc::channel();
    let started = thread::Builder::new().spawn(move || drop(sender.send(work())));
    started.map_err(|error| NoResult::Thread(at_start(error)))?;
    result.recv_timeout(limit).map_err(|error| match error {
        RecvTimeoutError::Timeout => NoResult::Late,
        RecvTimeoutError::Disconnected => NoResult::Panicked,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_arrives_within_the_limit_or_not_at_all() {
        let long = Duration::from_secs(600);
        assert!(matches!(within(long, || 7), Ok(7)));
        let (sender, never) = mpsc::channel::<()>();
        let late = within(Duration::from_millis(1), move || never.recv());
        assert!(matches!(late, Err(NoResult::Late)));
        drop(sender);
        let panicked = within(long, || std::panic::resume_unwind(Box::new(7)));
        assert!(matches!(panicked, Err::<(), _>(NoResult::Panicked)));
    }
}
