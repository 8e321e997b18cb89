//! What keeps a signal from ending a command while a token is being spent: the signal waits, and then ends the
//! process as it would have.

use std::io;
use std::thread;

use super::signals::take_over;
use super::watch::next;
use crate::agent::Order;
use crate::auth::critical::{Critical, PATIENCE};
use crate::exhausted::at_start;

/// Begins to hold signals off, on a thread that ends with the process. `force` ends the process.
///
/// # Errors
/// When the system gives no thread or no pipe.
pub fn raise(critical: &Critical, force: impl FnOnce(Order) + Send + 'static) -> io::Result<()> {
    let signals = take_over()?;
    let critical = critical.clone();
    thread::Builder::new()
        .spawn(move || {
            let order = next(&signals, None, false);
            critical.close(PATIENCE);
            force(order);
        })
        .map(drop)
        .map_err(at_start)
}
