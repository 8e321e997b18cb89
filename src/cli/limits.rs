//! What a command needs to begin: room for the files that it opens, and an end to the time that they may take.

use std::process;
use std::time::Duration;

use super::ending::{tell, tell_in_lines};
use super::flags::Args;
use super::values;
use crate::agent::StopRequest;
use crate::command::startup_deadline::StartupDeadline;
use crate::exhausted;
use crate::failure::{self, Failure};
use crate::output::paint::Paint;

/// How many descriptors a command needs to begin, beside the standard ones.
const MIN_DESCRIPTORS: usize = 24;

/// Whether there is room for a command, so that no file which cannot be opened for want of it is taken for another
/// mistake.
pub(super) fn room() -> Result<(), Failure> {
    exhausted::room(MIN_DESCRIPTORS).map_err(|error| failure::of_exhausted("cannot begin", error))
}

/// Ends the process when the time of `--timeout` is over, while the files are read that the arguments name. Without it
/// their silence alone has a limit.
pub(super) fn patience(args: &Args, lines: bool) -> Result<Option<StartupDeadline>, Failure> {
    let limit = values::duration(&args.named("timeout"), args.timeout.as_deref())?;
    let waiting = limit.map(|limit| {
        StartupDeadline::start(limit, move || {
            let failure = failure::of_order(StopRequest::Timeout);
            if lines {
                tell_in_lines(&failure);
            }
            tell(&failure, Paint::default(), Duration::ZERO);
            process::exit(failure.outcome().exit_code().into());
        })
    });
    waiting
        .transpose()
        .map_err(|error| failure::of_thread(&error))
}
