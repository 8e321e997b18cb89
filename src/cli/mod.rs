//! The command line: argv and the environment in, an exit code or a printed failure out. The environment is read and
//! failures are printed only here.

mod complete;
mod config;
mod dispatch;
mod ending;
mod environment;
mod exec;
mod flags;
mod guard;
mod help;
mod limits;
mod manual;
mod named_files;
mod nearest;
mod network;
mod output_form;
mod parse;
mod settings;
mod synopsis;
mod terminal;
mod time_zone;
mod values;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use crate::outcome::Outcome;
use crate::stdin;

use dispatch::invoke;
use ending::{end_by_signal, print_failure, print_json_line};
use environment::environment;
use guard::guard;
use output_form::ReportingFlags;

/// How long the writer of standard input may pause while its output is discarded.
const DRAIN_PAUSE: Duration = Duration::from_millis(500);

/// Runs the command line of these arguments (without the program's name), reports its failure, and returns the exit code.
/// Does not return if a signal ended the run.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let seen = ReportingFlags::default();
    seen.scan(&arguments);
    match guard(|| invoke(parse::parse(arguments, &seen)?, &seen)) {
        Ok(code) => code,
        Err(failure) => {
            if seen.of_sdk.get() {
                // The SDK cannot handle a pipe without a reader, and ends this process as soon as it receives the line.
                stdin::drain(DRAIN_PAUSE);
            }
            let is_killed = seen.of_sdk.get() && failure.outcome() == Outcome::Terminated;
            if seen.lines.get() && !is_killed {
                print_json_line(&failure);
            }
            let color = seen.color.borrow();
            let paint = terminal::paint(color.as_deref(), &environment());
            print_failure(&failure, paint, Duration::from_secs(1));
            end_by_signal(&failure);
            failure.outcome().exit_code().into()
        }
    }
}
