//! Delays signals while a refresh token is being used. Afterwards the signal ends the process as usual.

use std::io;
use std::thread;
use std::time::Duration;

use super::signals::take_over;
use super::stop_requests::next;
use super::warn;
use crate::agent::StopRequest;
use crate::auth::critical_section::{Critical, MAX_DELAY};
use crate::exhausted::at_start;

/// Starts a thread that handles signals until the process ends. `exit_now` ends the process.
///
/// # Errors
/// If no thread or pipe can be created.
pub fn delay_signals(
    critical: &Critical,
    exit_now: impl FnOnce(StopRequest) + Send + 'static,
) -> io::Result<()> {
    let signals = take_over(&[])?;
    let critical = critical.clone();
    thread::Builder::new()
        .spawn(move || {
            let request = next(&signals, None, false);
            end_renewals(&critical, MAX_DELAY);
            exit_now(request);
        })
        .map(drop)
        .map_err(at_start)
}

/// How long an exit waits for a renewal before it prints a notice.
const NOTICE_DELAY: Duration = Duration::from_secs(1);

/// Prevents new renewals of the sign-in, and waits up to `timeout` for those in progress.
pub(super) fn end_renewals(critical: &Critical, timeout: Duration) {
    let first = NOTICE_DELAY.min(timeout);
    if critical.close(first) || first == timeout {
        return;
    }
    warn("the sign-in is being renewed and would be lost; exiting after the issuer's response");
    let _ = critical.close(timeout.saturating_sub(first));
}
