//! How the process ends: prints the failure and passes on the signal that ended the run, or does both immediately from
//! a second thread if the main loop does not respond.

use std::io::{self, Write};
use std::process;
use std::time::Duration;

use crate::agent::StopRequest;
use crate::command;
use crate::command::stdout::{Stdout, columns, takes};
use crate::failure::{self, Failure};
use crate::outcome::Outcome;
use crate::output::paint::Paint;
use crate::output::report;

/// Writes the last JSON line of a failed run, unless standard output stays blocked for a second.
pub(super) fn print_json_line(failure: &Failure) {
    if failure.outcome() != Outcome::Closed
        && takes(&io::stdout(), Duration::from_secs(1))
        && let Ok(mut stdout) = Stdout::open()
    {
        let _ = stdout.write_all(report::last_lines(failure).as_bytes());
    }
}

/// The same as [`exit_now`] for a run that prints JSON lines.
pub(super) fn exit_now_with_json_line(order: StopRequest, paint: Paint) {
    let failure = failure::of_order(order);
    if takes(&io::stdout(), Duration::ZERO) {
        print_json_line(&failure);
    }
    exit_now(order, paint);
}

/// Ends the process immediately, from a second thread, when the main loop does not respond.
pub(super) fn exit_now(order: StopRequest, paint: Paint) {
    let failure = failure::of_order(order);
    command::login::restore_terminal();
    print_failure(&failure, paint, Duration::ZERO);
    end_by_signal(&failure);
    process::exit(failure.outcome().exit_code().into());
}

/// Prints a failure on standard error, unless that stays blocked for `timeout`: a prompt exit is worth more than a delayed
/// message.
pub(super) fn print_failure(failure: &Failure, paint: Paint, timeout: Duration) {
    if takes(&io::stderr(), timeout) {
        report::report(failure, paint, columns(&io::stderr()), io::stderr());
    }
}

/// Ends the process by the signal that ended the run, if any, because a shell's loop stops only then. The first process
/// of a container cannot end this way; its exit code reports the signal.
pub(super) fn end_by_signal(failure: &Failure) {
    if let Some(signal) = failure.signal()
        && !command::signals::is_first_process()
    {
        let _ = signal_hook::low_level::emulate_default_handler(signal);
    }
}
