//! How the tools of a run are started: where, with which environment, and what confines them.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::sandbox::policy::SandboxPolicy;
use super::scratch::TemporaryParent;

/// How tools are started. Tools that are functions of this program need nothing of it.
#[derive(Clone, Debug, Default)]
pub struct ToolSetup {
    /// This program.
    pub program: PathBuf,
    /// Where tools run.
    pub directory: PathBuf,
    /// All that a tool finds in its environment, `TMPDIR` aside.
    pub environment: Vec<(OsString, OsString)>,
    /// Further variables, for the tools of the user's own that name them.
    pub variables: Vec<(OsString, OsString)>,
    /// How long a command may take.
    pub timeout: Duration,
    /// Where their temporary directory may be made, the best place first.
    pub temporary: Vec<TemporaryParent>,
    /// What is around them; nothing with `danger-full-access`.
    pub policy: Option<SandboxPolicy>,
}
