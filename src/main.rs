//! `codex`: argv in, exit code out.

use std::io;
use std::process::ExitCode;

use codex_run::cli;

fn main() -> ExitCode {
    match cli::run(std::env::args_os().skip(1)) {
        Ok(code) => code,
        Err(failure) => {
            failure.report(io::stderr().lock());
            cli::die(&failure);
            failure.outcome().exit_code().into()
        }
    }
}
