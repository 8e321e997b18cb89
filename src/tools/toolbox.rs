//! The tools of a run, and the dispatch of calls to them. It is opened before the first request is built, which
//! describes the tools to the model.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::git::Repositories;
use super::launch::{LaunchError, Launcher};
use super::live_output::OutputFollower;
use super::lock::lock;
use super::server::servers::{ServerToStart, Servers, StartedServers};
use super::setup::ToolSetup;
use super::tool::{CallContext, Tool};
use super::topic::{About, Topic};
use crate::exhausted::Exhausted;
use crate::result::{CallResult, Status};
use crate::wire::item::Call;
use crate::wire::request::Function;

/// The tools of a run.
#[derive(Debug)]
pub struct Toolbox {
    tools: Vec<Tool>,
    // Before the launcher: they end before its temporary directory is removed.
    servers: Servers,
    launcher: Arc<Launcher>,
    /// The state of the git repositories before the calls.
    repositories: Mutex<Option<Repositories>>,
}

/// A call that ended.
#[derive(Debug)]
pub struct Called {
    /// Its result.
    pub result: CallResult,
    /// How long it took.
    pub took: Duration,
    /// Set if it could not be started because this machine ran out of a resource, which is not the tool's fault.
    pub exhausted: Option<io::Error>,
}

impl Toolbox {
    /// Creates a toolbox; nothing is started or created on disk.
    #[must_use]
    pub fn new(setup: ToolSetup, tools: Vec<Tool>) -> Self {
        Self {
            tools,
            servers: Servers::default(),
            launcher: Arc::new(Launcher::new(setup)),
            repositories: Mutex::default(),
        }
    }

    /// Creates a toolbox with everything that calls need.
    ///
    /// # Errors
    ///
    /// If the temporary directory cannot be created, or a writable directory has been replaced.
    pub fn open(setup: ToolSetup, tools: Vec<Tool>) -> Result<Self, LaunchError> {
        Self::open_with(setup, tools, Vec::new())
    }

    /// Creates a toolbox and begins to start these servers, whose tools are added by [`Toolbox::add_servers`].
    ///
    /// # Errors
    ///
    /// If the temporary directory cannot be created, or a writable directory has been replaced.
    pub fn open_with(
        setup: ToolSetup,
        tools: Vec<Tool>,
        servers: Vec<ServerToStart>,
    ) -> Result<Self, LaunchError> {
        let mut toolbox = Self::new(setup, tools);
        if !toolbox.tools.is_empty() || !servers.is_empty() {
            toolbox.launcher.prepare()?;
        }
        if !servers.is_empty() {
            toolbox.servers = Servers::start(&toolbox.launcher, servers);
        }
        Ok(toolbox)
    }

    /// Waits until the servers have started, or the run is stopped, and adds their tools.
    pub fn add_servers(&mut self, is_stopped: &dyn Fn() -> bool) -> StartedServers {
        if self.servers.is_empty() {
            return StartedServers::default();
        }
        let mut started = self.servers.started(is_stopped);
        self.tools.append(&mut started.tools);
        started
    }

    /// Whether the run allows tools to use the network.
    #[must_use]
    pub fn allows_network(&self) -> bool {
        let policy = self.launcher.setup().policy.as_ref();
        policy.is_none_or(|policy| policy.network)
    }

    /// The servers.
    #[must_use]
    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// Ends the servers: standard input is closed, 2 s, SIGTERM, 2 s, SIGKILL; with `hurry`, from SIGTERM on. No call
    /// may be running.
    pub fn close_servers(&self, hurry: bool) {
        self.servers.close(hurry);
        self.servers.wait();
    }

    /// The definitions for the model, in order.
    #[must_use]
    pub fn functions(&self) -> Vec<Function<'_>> {
        self.tools.iter().map(Tool::function).collect()
    }

    /// Finds a tool by name.
    fn tool(&self, name: &str) -> Option<&Tool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    /// Prepares for calls, on a thread, while the model thinks.
    pub fn expect_calls(&self) {
        if !self.tools.is_empty() {
            self.launcher.expect_calls();
        }
    }

    /// Whether this call may change files, so that its order among the other calls matters.
    #[must_use]
    pub fn changes_files(&self, call: &Call) -> bool {
        self.tool(&call.name).is_some_and(|tool| tool.changes_files)
    }

    /// What this call is about, in a few words.
    #[must_use]
    pub fn brief(&self, call: &Call) -> String {
        self.topic(call).brief(&call.arguments)
    }

    /// What this call is about, given the state of the files before it runs.
    #[must_use]
    pub fn about(&self, call: &Call) -> About {
        let directory = &self.launcher.setup().directory;
        let about = self.topic(call).about(&call.arguments, directory);
        let tool = self.tool(&call.name);
        match (about, tool.and_then(|tool| tool.runner.origin())) {
            (About::Other(arguments), Some(origin)) => About::ServerCall {
                server: origin.server.to_owned(),
                tool: origin.tool.to_owned(),
                arguments,
            },
            (about, _) => about,
        }
    }

    fn topic(&self, call: &Call) -> Topic {
        let tool = self.tool(&call.name);
        tool.map_or(Topic::Arguments, |tool| tool.topic)
    }

    /// Runs a call until it ends, on the caller's thread. Any failure is a result for the model. `number` is the
    /// number of the call in the run, counted from 1 in the order of the responses; it is used in the names of files
    /// kept for later calls. `follower` takes what the call prints while it runs.
    #[must_use]
    pub fn call(&self, call: &Call, number: usize, follower: Option<&OutputFollower>) -> Called {
        let begun = Instant::now();
        let context = CallContext {
            number,
            launcher: &self.launcher,
            follower,
        };
        let ended = match self.tool(&call.name) {
            Some(tool) => tool.runner.run(&call.arguments, context),
            None => Ok(self.unknown(&call.name)),
        };
        let took = begun.elapsed();
        let (result, exhausted) = match ended {
            Ok(result) => (result, None),
            Err(error) => {
                let words = format!("the tool could not be run: {error}");
                let exhausted = Some(error).filter(|error| Exhausted::of(error).is_some());
                (CallResult::new(Status::NotRun, words), exhausted)
            }
        };
        Called {
            result,
            took,
            exhausted,
        }
    }

    fn unknown(&self, name: &str) -> CallResult {
        let names: Vec<&str> = self.tools.iter().map(|tool| &*tool.name).collect();
        let offered = match names[..] {
            [] => "there are no tools".to_owned(),
            _ => format!("the tools are: {}", names.join(", ")),
        };
        CallResult::new(
            Status::UnknownTool,
            format!("there is no tool {name:?}; {offered}"),
        )
    }

    /// Takes a snapshot of what git executes automatically, before calls that may change it.
    pub fn watch_git(&self) {
        let mut seen = lock(&self.repositories);
        let setup = self.launcher.setup();
        let may_write = setup.policy.as_ref().is_none_or(|policy| policy.write);
        if may_write && seen.is_none() {
            let further = setup.policy.iter().flat_map(|policy| &policy.writable);
            let mut places: Vec<&Path> = further.map(|root| root.path.as_path()).collect();
            places.push(&setup.directory);
            *seen = Some(Repositories::of(&places));
        }
    }

    /// Which of those files changed since the last snapshot.
    #[must_use]
    pub fn changed_git(&self) -> Vec<PathBuf> {
        lock(&self.repositories)
            .as_mut()
            .map(Repositories::changed)
            .unwrap_or_default()
    }

    /// Allows calls again after [`Toolbox::end`]. None may be running.
    pub fn resume(&self) {
        self.launcher.resume();
        self.servers.resume();
    }

    /// Ends all calls: the first stop request gives processes a moment to exit by themselves, the second one does
    /// not.
    pub fn end(&self) {
        self.launcher.end();
        self.servers.interrupt();
    }

    /// Removes the temporary directory. No call may be running.
    ///
    /// # Errors
    ///
    /// If something is left of it; the error includes its path.
    pub fn clean(&self) -> Result<(), (PathBuf, io::Error)> {
        self.launcher.clean()
    }
}
