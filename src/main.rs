//! `codex`: argv in, exit code out.

use std::process::ExitCode;
use std::time::Duration;

use codex_run::cli;

fn main() -> ExitCode {
    match cli::run(std::env::args_os().skip(1)) {
        Ok(code) => code,
        Err(failure) => {
            cli::tell(&failure, Duration::from_secs(1));
            cli::die(&failure);
            failure.outcome().exit_code().into()
        }
    }
}
