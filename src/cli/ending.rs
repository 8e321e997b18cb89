//! How the process ends: prints the failure and passes on the signal that ended the run, or does both immediately from
//! a second thread if the main loop does not respond. One thread ends it.

use std::io;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::environment::environment;
use super::output_form::ReportingFlags;
use super::terminal;

use crate::agent::StopRequest;
use crate::command;
use crate::command::stdout::{columns, takes, write_last};
use crate::failure::{self, Failure};
use crate::outcome::Outcome;
use crate::output::paint::Paint;
use crate::output::report;
use crate::stdin;

/// How long the last line is tried on a standard output that does not take it.
pub(super) const LAST_LINE_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the writer of standard input may pause while its output is discarded.
const DRAIN_PAUSE: Duration = Duration::from_millis(500);

/// A thread ends the process.
static CLAIMED: AtomicBool = AtomicBool::new(false);

/// Makes this the thread that ends the process. If another one already is, this one waits for that.
pub(super) fn claim_end() {
    if CLAIMED.swap(true, Ordering::SeqCst) {
        loop {
            thread::park();
        }
    }
}

/// Reports the failure that ends the process. Other threads may be in the midst of a line only if that is a panic.
pub(super) fn report_end(failure: &Failure, seen: &ReportingFlags, is_panic: bool) {
    if seen.is_of_sdk() {
        // The SDK cannot handle a pipe without a reader, and ends this process as soon as it receives the line.
        stdin::drain(DRAIN_PAUSE);
    }
    let is_killed = seen.is_of_sdk() && failure.outcome() == Outcome::Terminated;
    if seen.has_lines() && !is_killed {
        print_json_line(failure, LAST_LINE_TIMEOUT, is_panic);
    }
    let paint = terminal::paint(seen.color().as_deref(), &environment());
    print_failure(failure, paint, Duration::from_secs(1));
}

/// Writes the last JSON line of a failed run, unless standard output stays blocked for `timeout`.
pub(super) fn print_json_line(failure: &Failure, timeout: Duration, is_panic: bool) {
    if failure.outcome() != Outcome::Closed {
        write_last(&report::last_lines(failure), timeout, is_panic);
    }
}

/// The same as [`exit_now`] for a run that prints JSON lines.
pub(super) fn exit_now_with_json_line(order: StopRequest, paint: Paint) {
    claim_end();
    print_json_line(&failure::of_order(order), Duration::ZERO, false);
    end_now(order, paint);
}

/// Ends the process immediately, from a second thread, when the main loop does not respond.
pub(super) fn exit_now(order: StopRequest, paint: Paint) {
    claim_end();
    end_now(order, paint);
}

fn end_now(order: StopRequest, paint: Paint) {
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
