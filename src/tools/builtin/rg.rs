//! Runs `rg`, if installed, and collects its output line by line up to a limit.

use std::ffi::OsStr;
use std::io::ErrorKind::{NotFound, PermissionDenied};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use super::context::Context;
use super::lines::LimitedLines;
use crate::result::{CallResult, Status};
use crate::tools::child::capture::clean;
use crate::tools::child::supervise::{self, End};
use crate::tools::sandbox::paths::program_on;

/// Runs `rg` with these arguments on a path; `None` if it is not installed.
pub(super) fn run(
    arguments: &[&str],
    path: &Path,
    limit: usize,
    context: &Context<'_>,
) -> Option<CallResult> {
    // Look it up first: supervising a program replaces the default action of signals, which must still end this
    // process if it does the search itself.
    let mut command = context.command(installed(context)?);
    command
        .args([
            "--no-config",
            "--color=never",
            "--hidden",
            "--no-require-git",
        ])
        .args(["--glob=!.git", "--sort=path"])
        .args(arguments)
        .arg("--")
        .arg(path)
        .stdin(Stdio::null());
    let mut lines = LimitedLines::new(limit);
    let mut complaints = Vec::new();
    let mut take = |bytes: &[u8]| lines.add(bytes);
    let mut take_complaints = |bytes: &[u8]| {
        complaints.extend_from_slice(&bytes[..bytes.len().min(4096)]);
        complaints.truncate(4096);
        true
    };
    let deadline = Instant::now() + context.timeout;
    match supervise::watch(
        vec![command],
        vec![&mut take, &mut take_complaints],
        deadline,
        context.inner(),
        None,
    ) {
        Err(error) if matches!(error.kind(), NotFound | PermissionDenied) => None,
        Err(error) => Some(CallResult::new(
            Status::NotRun,
            format!("rg could not be started: {error}"),
        )),
        // 0: found, 1: not found, 2: an error, although there may be matches (rg(1)).
        Ok(End::Exited(status)) if status.exit_status() == Some(2) && lines.is_empty() => {
            Some(CallResult::new(Status::BadArguments, clean(&complaints)))
        }
        Ok(End::Exited(_) | End::Enough) => Some(lines.answer()),
        Ok(End::Timeout) => Some(lines.timed_out(context.timeout)),
        Ok(End::Unwanted) => Some(lines.stopped()),
    }
}

/// The path of `rg`, if installed.
fn installed(context: &Context<'_>) -> Option<PathBuf> {
    let (_, path) = context
        .environment
        .iter()
        .find(|(name, _)| name == "PATH")?;
    program_on(path, OsStr::new("rg"))
}

/// Restricts the search to the file type defined by `kind`.
pub(super) const OF_KIND: &str = "--type=wanted";

/// A glob as an `rg` file type. As `--glob` it would include ignored files; but types match names only, so a glob
/// with a slash has none.
pub(super) fn kind(glob: &str) -> Option<String> {
    let plain = !glob.contains('/') && !glob.is_empty();
    plain.then(|| format!("--type-add=wanted:{glob}"))
}
