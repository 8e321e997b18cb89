//! The command line: argv and the environment in, an exit code or a printed failure out. The environment is read and
//! failures are printed only here.

mod complete;
mod config;
mod dispatch;
mod ending;
mod environment;
mod exec;
mod flags;
mod help;
mod limits;
mod manual;
mod named_files;
mod nearest;
mod network;
mod output_form;
mod panic_hook;
mod parse;
mod settings;
mod synopsis;
mod terminal;
mod time_zone;
mod values;
mod version;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use dispatch::invoke;
use ending::{claim_end, end_by_signal, report_end};
use output_form::ReportingFlags;

/// Runs the command line of these arguments (without the program's name), reports its failure, and returns the exit code.
/// Does not return if a signal ended the run, or after a panic in any thread.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let seen = Arc::new(ReportingFlags::default());
    panic_hook::install(&seen);
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    seen.scan(&arguments);
    let ended = parse::parse(arguments, &seen).and_then(|parsed| invoke(parsed, &seen));
    if let Err(failure) = &ended {
        report_end(failure, &seen, false);
    }
    claim_end();
    ended.unwrap_or_else(|failure| {
        end_by_signal(&failure);
        failure.outcome().exit_code().into()
    })
}
