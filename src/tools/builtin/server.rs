//! An MCP server in the process of a tool, as it is declared: it gets no more than the run allows.

use std::ffi::OsString;
use std::io;
use std::io::ErrorKind::{NotFound, PermissionDenied};

use super::context::Context;
use crate::tools::child::serve;

/// Runs the server until it exits or is no longer wanted. Returns how it failed, in a few words, if it did.
///
/// # Errors
/// If it cannot be started or ended.
pub fn run(program: &[OsString], context: &Context<'_>) -> io::Result<Option<String>> {
    let (name, rest) = program.split_first().ok_or(NotFound)?;
    let mut command = context.command(name);
    command.args(rest);
    let status = match serve::serve(command, context.inner()) {
        // What is wrong is the program that the user named, not this one.
        Err(error) if matches!(error.kind(), NotFound | PermissionDenied) => {
            return Ok(Some(format!("cannot run {}: {error}", name.display())));
        }
        ended => ended?,
    };
    Ok(status.and_then(|status| match status.exit_status() {
        Some(0) => None,
        Some(code) => Some(format!("exit code {code}")),
        None => {
            let signal = status.terminating_signal().unwrap_or_default();
            Some(format!("killed by signal {signal}"))
        }
    }))
}
