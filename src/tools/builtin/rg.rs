//! `rg`, where it is installed: what it prints, line by line, up to a limit.

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

/// Runs `rg` with these arguments on this path; `None` where it is not installed.
pub(super) fn run(
    arguments: &[&str],
    path: &Path,
    limit: usize,
    context: &Context<'_>,
) -> Option<CallResult> {
    // Whatever watches a program no longer ends by a signal at once, which we must if we do the work ourselves.
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
    ) {
        Err(error) if matches!(error.kind(), NotFound | PermissionDenied) => None,
        Err(error) => Some(CallResult::new(
            Status::NotRun,
            format!("rg could not be started: {error}"),
        )),
        // 0: found, 1: not found, 2: something went wrong, though some may be found (rg(1)).
        Ok(End::Exited(status)) if status.exit_status() == Some(2) && lines.is_empty() => {
            Some(CallResult::new(Status::BadArguments, clean(&complaints)))
        }
        Ok(End::Exited(_) | End::Enough) => Some(lines.answer()),
        Ok(End::Timeout) => Some(lines.late(context.timeout)),
        Ok(End::Unwanted) => Some(lines.stopped()),
    }
}

/// Where it is installed.
fn installed(context: &Context<'_>) -> Option<PathBuf> {
    let (_, path) = context
        .environment
        .iter()
        .find(|(name, _)| name == "PATH")?;
    program_on(path, OsStr::new("rg"))
}

/// Takes only files of the kind that `kind` makes.
pub(super) const OF_KIND: &str = "--type=wanted";

/// A glob as a kind of file. As `--glob` it would bring back what is ignored; but a kind goes by names alone, so there
/// is none for a glob with a slash.
pub(super) fn kind(glob: &str) -> Option<String> {
    let plain = !glob.contains('/') && !glob.is_empty();
    plain.then(|| format!("--type-add=wanted:{glob}"))
}
