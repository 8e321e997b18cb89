//! Preconditions of a command: enough file descriptors, and a deadline while it reads its files.

use std::process;
use std::time::{Duration, Instant};

use super::ending::{LAST_LINE_TIMEOUT, claim_end, print_failure, print_json_line};
use super::flags::Args;
use super::values;
use crate::agent::StopRequest;
use crate::command::startup_deadline::StartupDeadline;
use crate::exhausted;
use crate::failure::{self, Failure};
use crate::output::paint::Paint;

/// The file descriptors that a command needs to start, in addition to the standard ones.
const MIN_DESCRIPTORS: usize = 24;

/// Checks that there are enough descriptors: a file that cannot be opened for lack of them must not be reported as
/// missing.
pub(super) fn check_descriptors() -> Result<(), Failure> {
    exhausted::check_descriptors(MIN_DESCRIPTORS)
        .map_err(|error| failure::of_exhausted("cannot start", error))
}

/// Ends the process if `--timeout` expires while the files named by arguments are being read, in a command that has `begun`
/// then. Without `--timeout`, only the idle timeout for each file applies.
pub(super) fn start_deadline(
    args: &Args,
    lines: bool,
    begun: Instant,
) -> Result<Option<StartupDeadline>, Failure> {
    let limit = values::duration(&args.named("timeout"), args.timeout.as_deref())?;
    let waiting = limit.map(|limit| {
        let left = limit.saturating_sub(begun.elapsed());
        StartupDeadline::start(left, move || {
            claim_end();
            let failure = failure::of_order(StopRequest::Timeout);
            if lines {
                print_json_line(&failure, LAST_LINE_TIMEOUT, false);
            }
            print_failure(&failure, Paint::default(), Duration::ZERO);
            process::exit(failure.outcome().exit_code().into());
        })
    });
    waiting
        .transpose()
        .map_err(|error| failure::of_thread(&error))
}
