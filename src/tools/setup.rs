//! How the tools of a run are started: directory, environment and sandbox policy.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::sandbox::policy::SandboxPolicy;
use super::scratch::TemporaryParent;

macro_rules! default_timeout {
    ($seconds:literal) => {
        /// Default time limit for commands.
        pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs($seconds);

        /// The same, as the value of a flag.
        pub const DEFAULT_TIMEOUT_TEXT: &str = concat!($seconds, "s");
    };
}

default_timeout!(120);

/// How tools are started. Not needed for tools that are functions of this program.
#[derive(Clone, Debug, Default)]
pub struct ToolSetup {
    /// The path of this program.
    pub program: PathBuf,
    /// The tools' working directory.
    pub directory: PathBuf,
    /// The complete environment in which tools run, except `TMPDIR`.
    pub environment: Vec<(OsString, OsString)>,
    /// Additional variables, for user-defined tools that name them.
    pub variables: Vec<(OsString, OsString)>,
    /// The time limit for commands.
    pub timeout: Duration,
    /// Where the temporary directory may be created, in order of preference.
    pub temporary: Vec<TemporaryParent>,
    /// The sandbox policy; `None` for `danger-full-access`.
    pub policy: Option<SandboxPolicy>,
}
