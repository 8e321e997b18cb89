//! What keeps a signal from ending a command while a token is being spent: the signal waits, and then ends the
//! process as it would have.

use std::io;
use std::thread;
use std::time::Duration;

use super::signals::take_over;
use super::stop_requests::next;
use super::warn;
use crate::agent::StopRequest;
use crate::auth::critical_section::{Critical, MAX_DELAY};
use crate::exhausted::at_start;

/// Begins to hold signals off, on a thread that ends with the process. `force` ends the process.
///
/// # Errors
/// When the system gives no thread or no pipe.
pub fn raise(
    critical: &Critical,
    force: impl FnOnce(StopRequest) + Send + 'static,
) -> io::Result<()> {
    let signals = take_over()?;
    let critical = critical.clone();
    thread::Builder::new()
        .spawn(move || {
            let order = next(&signals, None, false);
            end_renewals(&critical, MAX_DELAY);
            force(order);
        })
        .map(drop)
        .map_err(at_start)
}

/// How long an end waits for a renewal before it says so.
const NOTICE_DELAY: Duration = Duration::from_secs(1);

/// Lets no renewal of the sign-in begin any more, and waits for those that have begun, for so long at most.
pub(super) fn end_renewals(critical: &Critical, most: Duration) {
    let first = NOTICE_DELAY.min(most);
    if critical.close(first) || first == most {
        return;
    }
    warn("the sign-in is being renewed, and would be lost; the end waits for the issuer's answer");
    let _ = critical.close(most.saturating_sub(first));
}
