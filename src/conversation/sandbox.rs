//! The sandbox of a program's tools: working directory, write access, network, hidden paths.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Error;
use crate::tools::environment::{for_tools, non_interactive};
use crate::tools::sandbox::confine;
use crate::tools::sandbox::paths::{Root, real};
use crate::tools::sandbox::policy::SandboxPolicy;
use crate::tools::scratch::TemporaryParent;
use crate::tools::setup::{DEFAULT_TIMEOUT, ToolSetup};

/// Default parent of the tools' temporary directory.
const TEMPORARY: &str = "/tmp";

/// The sandbox of the built-in tools. Each call runs as a process of the program `codex`, which must be installed.
#[derive(Clone, Debug)]
pub struct Sandbox {
    program: PathBuf,
    directory: PathBuf,
    write: bool,
    network: bool,
    hidden: Vec<PathBuf>,
    environment: Vec<(OsString, OsString)>,
    timeout: Duration,
    temporary: PathBuf,
}

impl Sandbox {
    /// Tools may read but not write; they run in `directory`. `program` is the path of `codex`.
    #[must_use]
    pub fn read_only(program: &Path, directory: &Path) -> Self {
        Self {
            program: program.to_owned(),
            directory: directory.to_owned(),
            write: false,
            network: false,
            hidden: Vec::new(),
            environment: Vec::new(),
            timeout: DEFAULT_TIMEOUT,
            temporary: PathBuf::from(TEMPORARY),
        }
    }

    /// Tools may also write to `directory`, where they run. `program` is the path of `codex`.
    #[must_use]
    pub fn workspace_write(program: &Path, directory: &Path) -> Self {
        Self {
            write: true,
            ..Self::read_only(program, directory)
        }
    }

    /// Allows network access.
    #[must_use]
    pub fn network(self) -> Self {
        Self {
            network: true,
            ..self
        }
    }

    /// Hides a path from tools, such as a directory with credentials.
    #[must_use]
    pub fn hide(mut self, place: &Path) -> Self {
        self.hidden.push(place.to_owned());
        self
    }

    /// Passes environment variables to tools. Variables that look like credentials, or that programs do not need, are removed.
    #[must_use]
    pub fn environment(mut self, variables: Vec<(OsString, OsString)>) -> Self {
        self.environment = variables;
        self
    }

    /// Sets the timeout for a command.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Sets the parent of the tools' temporary directory.
    #[must_use]
    pub fn temporary(self, directory: &Path) -> Self {
        Self {
            temporary: directory.to_owned(),
            ..self
        }
    }

    /// The setup for starting tools.
    pub(super) fn setup(&self) -> Result<ToolSetup, Error> {
        let unusable = |path: &Path| {
            let path = path.to_owned();
            move |error| Error::Directory(path, error)
        };
        let place = |path: &Path| path.canonicalize().map_err(unusable(path));
        let directory = place(&self.directory)?;
        let temporary = place(&self.temporary)?;
        let mut writable = Vec::new();
        if self.write {
            writable.push(Root::of(directory.clone()).map_err(unusable(&directory))?);
        }
        let policy = SandboxPolicy {
            write: self.write,
            network: self.network,
            writable,
            hidden: self.hidden.iter().map(|place| real(place)).collect(),
            ..SandboxPolicy::default()
        };
        if let Some(conflict) = policy.conflicts().next() {
            return Err(Error::Conflict(conflict));
        }
        confine::check(&policy).map_err(Error::Sandbox)?;
        let mut environment = for_tools(&self.environment, self.network).variables;
        environment.extend(non_interactive());
        Ok(ToolSetup {
            program: self.program.clone(),
            variables: Vec::new(),
            environment,
            timeout: self.timeout,
            temporary: vec![TemporaryParent {
                apart: !(self.write && temporary.starts_with(&directory)),
                path: temporary,
                private: false,
            }],
            policy: Some(policy),
            directory,
        })
    }
}
