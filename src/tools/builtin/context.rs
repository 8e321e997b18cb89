//! The environment of a call of a built-in tool.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::result::{CallResult, Status};
use crate::tools::live_output::LiveOutput;
use crate::tools::sandbox::confine::{Inner, SandboxScope};
use crate::tools::sandbox::paths::program_on;
use crate::tools::sandbox::policy::SandboxPolicy;

/// The environment of a call.
pub struct Context<'a> {
    /// Number of the call in the run, counted from 1; used in the names of files kept for later calls.
    pub number: usize,
    /// The time limit for commands.
    pub timeout: Duration,
    /// The sandbox policy.
    pub policy: Option<&'a SandboxPolicy>,
    /// What the sandbox confines.
    pub reach: SandboxScope,
    /// Reports the end of a program's output while it runs, to a reader that follows the call.
    pub report: Option<&'a dyn Fn(&str)>,
    /// Environment of the programs that it starts, without the temporary directory.
    pub environment: &'a [(OsString, OsString)],
}

impl Context<'_> {
    /// Confinement of the programs that it starts.
    pub(super) fn inner(&self) -> Inner<'_> {
        let sockets = self.policy.and_then(|policy| policy.sockets.as_ref());
        Inner {
            reach: self.reach,
            sockets: sockets.map(|root| root.path.as_path()),
        }
    }

    /// The output of a program that starts now, if it is to be reported.
    pub(super) fn live(&self) -> Option<LiveOutput<'_>> {
        self.report.map(LiveOutput::new)
    }

    /// A command with the tool's environment, not this process's own.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let name = program.as_ref();
        let found = self.find_program(name);
        let mut command = Command::new(found.as_deref().unwrap_or(Path::new(name)));
        command
            .arg0(name)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env("TMPDIR", std::env::temp_dir());
        command
    }

    /// Looks up a program, which is cheaper than trying each directory with exec. A `PATH` that depends on the
    /// working directory is left to the system.
    fn find_program(&self, name: &OsStr) -> Option<PathBuf> {
        let (_, list) = self.environment.iter().find(|(name, _)| name == "PATH")?;
        let is_plain = Path::new(name).components().count() == 1;
        let is_absolute = std::env::split_paths(list).all(|directory| directory.is_absolute());
        (is_plain && is_absolute).then(|| program_on(list, name))?
    }
}

/// The result for a file operation that failed, with the status denied if the sandbox policy forbids it.
pub(super) fn file_error(
    what: &str,
    path: &Path,
    error: &io::Error,
    writing: bool,
    context: &Context<'_>,
) -> CallResult {
    use io::ErrorKind::{CrossesDevices, PermissionDenied};
    let refused = context
        .policy
        .filter(|_| matches!(error.kind(), PermissionDenied | CrossesDevices))
        .and_then(|policy| {
            let hidden = policy.refuse_read(path);
            hidden.or_else(|| policy.refuse_write(path).filter(|_| writing))
        });
    match refused {
        Some(words) => CallResult::new(
            Status::Denied,
            format!("cannot {what} {}: {words}", path.display()),
        ),
        None => CallResult::failed(format!("cannot {what} {}: {error}", path.display())),
    }
}
