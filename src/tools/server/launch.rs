//! How the program of a server is started.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::tools::sandbox::policy::SandboxPolicy;

/// How the program of a server is started: by `codex tool`, in the environment of a tool.
#[derive(Clone, Debug, Default)]
pub struct ServerLaunch {
    /// The server's name.
    pub name: String,
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// Additional environment variables.
    pub variables: Vec<(OsString, OsString)>,
    /// Its working directory, if it is not that of the tools.
    pub directory: Option<PathBuf>,
    /// It may use the network, if the run allows it.
    pub network: bool,
    /// It may write files, if the run allows it.
    pub write: bool,
}

impl ServerLaunch {
    /// The sandbox policy of its process, derived from the run's.
    #[must_use]
    pub fn policy(&self, run: &SandboxPolicy) -> SandboxPolicy {
        let mut policy = SandboxPolicy {
            write: run.write && self.write,
            network: run.network && self.network,
            ..run.clone()
        };
        if !self.write {
            policy.writable.clear();
        }
        policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::sandbox::paths::Root;

    #[test]
    fn a_server_has_no_more_permissions_than_the_run() {
        for asked in 0..16_u8 {
            let [network, write, of_run, writes] = [1, 2, 4, 8].map(|bit| asked & bit != 0);
            let launch = ServerLaunch {
                network,
                write,
                ..ServerLaunch::default()
            };
            let run = SandboxPolicy {
                write: writes,
                network: of_run,
                writable: vec![Root {
                    path: "/w".into(),
                    identity: (0, 0),
                }],
                hidden: vec!["/h".into()],
                ..SandboxPolicy::default()
            };
            let policy = launch.policy(&run);
            assert_eq!(policy.network, network && of_run);
            assert_eq!(policy.write, write && writes);
            assert_eq!(
                (policy.writable.len(), &policy.hidden),
                (usize::from(write), &run.hidden)
            );
        }
    }
}
