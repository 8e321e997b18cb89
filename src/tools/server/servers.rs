//! The servers of a run.

use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::client::{START_TIMEOUT, ServerClient};
use super::launch::ServerLaunch;
use super::offer::{StartedServer, tools_of};
use super::program::ProgramServer;
use super::server_tool::Server;
use super::start_error::StartError;
use crate::mcp::server_settings::{ServerSettings, Transport};
use crate::tools::launch::Launcher;
use crate::tools::tool::Tool;

/// How often a start looks whether the run was stopped.
const STOP_INTERVAL: Duration = Duration::from_millis(50);

/// A server to start.
#[derive(Clone, Debug)]
pub struct ServerToStart {
    /// How it is declared.
    pub settings: ServerSettings,
    /// What runs its calls.
    pub kind: ServerKind,
}

impl ServerToStart {
    /// A server that is a program, with these additional variables, in this directory of the tools; `None` for one behind a
    /// URL.
    #[must_use]
    pub fn program(
        settings: ServerSettings,
        of_tools: &Path,
        variables: Vec<(OsString, OsString)>,
    ) -> Option<Self> {
        let Transport::Stdio { command, .. } = &settings.transport else {
            return None;
        };
        let launch = ServerLaunch {
            name: settings.name.clone(),
            command: command.iter().map(OsString::from).collect(),
            variables,
            directory: settings.directory(of_tools),
            network: settings.network,
            write: settings.write,
        };
        let kind = ServerKind::Program(launch);
        Some(Self { settings, kind })
    }
}

/// What runs the calls of a server.
#[derive(Clone, Debug)]
pub enum ServerKind {
    /// A program.
    Program(ServerLaunch),
    /// Anything else.
    Client(Arc<dyn ServerClient>),
}

/// A server that did not start.
#[derive(Debug)]
pub struct UnstartedServer {
    /// How it is declared.
    pub settings: ServerSettings,
    /// Why.
    pub error: StartError,
    /// The last lines of its standard error.
    pub last_words: String,
}

impl fmt::Display for UnstartedServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, error) = (&self.settings.name, &self.error);
        write!(f, "cannot start the MCP server {name}: {error}")?;
        match &*self.last_words {
            "" => Ok(()),
            words => write!(f, ": {words}"),
        }
    }
}

/// The result of the start.
#[derive(Debug, Default)]
pub struct StartedServers {
    /// Those that have started, in their order.
    pub started: Vec<StartedServer>,
    /// Those that have not.
    pub failed: Vec<UnstartedServer>,
    /// Their tools.
    pub tools: Vec<Tool>,
}

/// The servers of a run.
#[derive(Debug, Default)]
pub struct Servers {
    servers: Vec<Arc<Server>>,
    begun: Option<Instant>,
}

impl Servers {
    /// Begins to start them, all at the same time, without waiting.
    pub(in crate::tools) fn start(launcher: &Arc<Launcher>, servers: Vec<ServerToStart>) -> Self {
        let policy = launcher.setup().policy.as_ref();
        let server = |server: ServerToStart| {
            let client: Arc<dyn ServerClient> = match server.kind {
                ServerKind::Program(launch) => {
                    Arc::new(ProgramServer::new(Arc::clone(launcher), launch))
                }
                ServerKind::Client(client) => client,
            };
            client.start();
            let may_write = server.settings.write && policy.is_none_or(|policy| policy.write);
            Arc::new(Server::new(server.settings, client, may_write))
        };
        Self {
            servers: servers.into_iter().map(server).collect(),
            begun: Some(Instant::now()),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.servers.is_empty()
    }

    /// Waits until they have started. Those that have not are ended.
    pub(in crate::tools) fn started(&mut self, is_stopped: &dyn Fn() -> bool) -> StartedServers {
        let deadline = self.begun.unwrap_or_else(Instant::now) + START_TIMEOUT;
        let offer = |client: &dyn ServerClient| loop {
            let now = Instant::now();
            if let Some(offer) = client.offer(deadline.min(now + STOP_INTERVAL)) {
                return offer;
            }
            if is_stopped() {
                return Err(StartError::Stopped);
            }
            if now >= deadline {
                return Err(StartError::Silent(START_TIMEOUT.as_secs()));
            }
        };
        let mut found = StartedServers::default();
        let (mut running, mut failed) = (Vec::new(), Vec::new());
        for server in self.servers.drain(..) {
            match offer(&*server.client) {
                Ok(offer) => {
                    found.started.push(StartedServer {
                        settings: server.settings.clone(),
                        offer,
                        names: Vec::new(),
                    });
                    running.push(server);
                }
                Err(error) => {
                    server.client.close(true);
                    failed.push((server, error));
                }
            }
        }
        for (server, error) in failed {
            // Its last words are complete once it has ended.
            server.client.wait();
            found.failed.push(UnstartedServer {
                settings: server.settings.clone(),
                error,
                last_words: server.client.quoted(),
            });
        }
        self.servers = running;
        found.tools = tools_of(&self.servers, &mut found.started);
        found
    }

    /// Ends the calls that run, without ending the servers.
    pub(in crate::tools) fn interrupt(&self) {
        for server in &self.servers {
            server.interrupt();
        }
    }

    /// Allows calls again.
    pub(in crate::tools) fn resume(&self) {
        for server in &self.servers {
            server.resume();
        }
    }

    /// Begins to end them all: standard input is closed, 2 s, SIGTERM, 2 s, SIGKILL; with `hurry`, from SIGTERM on.
    pub(in crate::tools) fn close(&self, hurry: bool) {
        for server in &self.servers {
            server.client.close(hurry);
        }
    }

    /// Waits until they have ended.
    pub(in crate::tools) fn wait(&self) {
        for server in &self.servers {
            server.client.wait();
        }
    }

    /// What each has written to standard error last, with its name.
    #[must_use]
    pub fn last_words(&self) -> Vec<(String, String)> {
        let words =
            |server: &Arc<Server>| (server.settings.name.clone(), server.client.last_words());
        let words = self.servers.iter().map(words);
        words
            .filter(|(_, words)| !words.trim().is_empty())
            .collect()
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        self.close(true);
        self.wait();
    }
}
