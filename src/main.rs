//! `codex`: argv in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    codex_run::cli::run(std::env::args_os().skip(1))
}
