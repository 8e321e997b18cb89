//! What a command needs to begin: room for the files that it opens, and an end to the time that they may take.

use std::process;
use std::time::Duration;

use super::flags::Args;
use super::{Failure, failure, tell, tell_in_lines, values};
use crate::agent::Order;
use crate::command::patience::Patience;
use crate::exhausted;

/// How many descriptors a command needs to begin, beside the standard ones.
const DESCRIPTORS: usize = 24;

/// Whether there is room for a command, so that no file which cannot be opened for want of it is taken for another
/// mistake.
pub(super) fn room() -> Result<(), Failure> {
    exhausted::room(DESCRIPTORS).map_err(|error| failure::of_exhausted("cannot begin", error))
}

/// The most time that files which a run is given may take, if `--timeout` does not say.
const FILES: Duration = Duration::from_secs(300);

/// Limits the time that the files may take which the arguments name.
pub(super) fn patience(args: &Args, lines: bool) -> Result<Patience, Failure> {
    let limit = values::duration(&args.named("timeout"), args.timeout.as_deref())?;
    let waiting = Patience::start(limit.unwrap_or(FILES), move || {
        let failure = match limit {
            Some(_) => failure::of_order(Order::Timeout),
            None => Failure::usage("a file that is named does not end within 5 minutes")
                .hint("something holds a pipe open; close it"),
        };
        if lines {
            tell_in_lines(&failure);
        }
        tell(&failure, Duration::ZERO);
        process::exit(failure.outcome().exit_code().into());
    });
    waiting.map_err(|error| failure::of_thread(&error))
}
