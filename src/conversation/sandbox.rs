//! What confines the tools of a program: where they work, what they may change, and what they cannot read.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Error;
use crate::tools::environment::{for_tools, non_interactive};
use crate::tools::sandbox::confine;
use crate::tools::sandbox::paths::{Root, real};
use crate::tools::sandbox::policy::SandboxPolicy;
use crate::tools::scratch::TemporaryParent;
use crate::tools::setup::ToolSetup;

/// How long a command may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);

/// Where the temporary directory of the tools is made.
const TEMPORARY: &str = "/tmp";

/// The sandbox of the built-in tools. Each call runs as a process of the program `codex`, which has to be installed.
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
    /// Tools that work in this directory and change nothing; `program` is the path of `codex`.
    #[must_use]
    pub fn read_only(program: &Path, directory: &Path) -> Self {
        Self {
            program: program.to_owned(),
            directory: directory.to_owned(),
            write: false,
            network: false,
            hidden: Vec::new(),
            environment: Vec::new(),
            timeout: CALL_TIMEOUT,
            temporary: PathBuf::from(TEMPORARY),
        }
    }

    /// Tools that work in this directory and may change what is in it; `program` is the path of `codex`.
    #[must_use]
    pub fn workspace_write(program: &Path, directory: &Path) -> Self {
        Self {
            write: true,
            ..Self::read_only(program, directory)
        }
    }

    /// The same with the network.
    #[must_use]
    pub fn network(self) -> Self {
        Self {
            network: true,
            ..self
        }
    }

    /// The same, where tools cannot read this place, such as a directory of credentials.
    #[must_use]
    pub fn hide(mut self, place: &Path) -> Self {
        self.hidden.push(place.to_owned());
        self
    }

    /// The same, where tools find what programs need of these variables. What looks like a credential is left out.
    #[must_use]
    pub fn environment(mut self, variables: Vec<(OsString, OsString)>) -> Self {
        self.environment = variables;
        self
    }

    /// The same with this time limit for a command.
    #[must_use]
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// The same with the temporary directory of the tools in this one.
    #[must_use]
    pub fn temporary(self, directory: &Path) -> Self {
        Self {
            temporary: directory.to_owned(),
            ..self
        }
    }

    /// How tools are started in it.
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
