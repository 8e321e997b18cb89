//! How the process ends: the failure reported, the signal that ended the run passed on, or all of it at once from a
//! thread beside a loop that does not hear.

use std::io::{self, Write};
use std::process;
use std::time::Duration;

use crate::agent::StopRequest;
use crate::command;
use crate::command::stdout::{Stdout, takes};
use crate::failure::{self, Failure};
use crate::outcome::Outcome;
use crate::output::paint::Paint;
use crate::output::report;

/// Writes the last JSON line of a run that did not end well, unless nobody takes it.
pub(super) fn tell_in_lines(failure: &Failure) {
    if failure.outcome() != Outcome::Closed
        && takes(&io::stdout(), Duration::from_secs(1))
        && let Ok(mut stdout) = Stdout::open()
    {
        let _ = stdout.write_all(report::last_lines(failure).as_bytes());
    }
}

/// The same as [`force`] for a run that prints JSON lines.
pub(super) fn force_in_lines(order: StopRequest, paint: Paint) {
    let failure = failure::of_order(order);
    if takes(&io::stdout(), Duration::ZERO) {
        tell_in_lines(&failure);
    }
    force(order, paint);
}

/// Ends the process at once, from a thread beside a loop that does not hear.
pub(super) fn force(order: StopRequest, paint: Paint) {
    let failure = failure::of_order(order);
    tell(&failure, paint, Duration::ZERO);
    die(&failure);
    process::exit(failure.outcome().exit_code().into());
}

/// Tells of a failure on standard error, unless nobody takes it: an exit code that comes is worth more than
/// words that hold it up.
pub(super) fn tell(failure: &Failure, paint: Paint, patience: Duration) {
    if takes(&io::stderr(), patience) {
        report::report(failure, paint, io::stderr());
    }
}

/// Ends the process by the signal that ended the run, if it was one: a shell's loop stops only then. The first process of
/// a container cannot end so; the exit code says the same.
pub(super) fn die(failure: &Failure) {
    if let Some(signal) = failure.signal()
        && !command::signals::is_first_process()
    {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}
