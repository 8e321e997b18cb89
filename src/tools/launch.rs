//! Runs a call from the outside: starts `codex tool NAME`, exchanges arguments and result with it, and ends it when its
//! time limit expires or the run ends. The process gets no credential: not in its environment, its arguments or its
//! file descriptors. Its standard output is a socket: the arguments come in on it, the result goes out, and its other
//! end closes when the run ends.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::child::capture;
use super::exchange::{Exchanged, exchange};
use super::job::{Job, RunningJobs};
use super::live_output::{OutputFollower, take_lines};
use super::lock::lock;
use super::python::is_code_for_python;
use super::sandbox::confine::RunRules;
use super::sandbox::paths::Root;
use super::sandbox::policy::SandboxPolicy;
use super::sandbox::writable_reach::WritableReach;
use super::scratch::Scratch;
use super::server::launch::ServerLaunch;
use super::setup::ToolSetup;
use super::tool_request::{self, ToolRequest};
use crate::result::{CallResult, Status};

/// How much longer than its time limit a tool may take to end what it started and to report.
const TIMEOUT_MARGIN: Duration = Duration::from_secs(8);

/// Keeps Python from searching the working directory for modules first (3.11 and newer).
const SAFE_PATH: &str = "PYTHONSAFEPATH";

/// Why tools cannot be started.
#[derive(Debug)]
pub enum LaunchError {
    /// No temporary directory could be created here.
    Temporary(PathBuf, io::Error),
    /// This writable directory could not be opened and held.
    Place(PathBuf, io::Error),
    /// SIGCHLD could not be handled.
    Signal(io::Error),
}

/// How to start the process of a call.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    /// The request to the tool's process. The temporary directory is added to its writable ones.
    pub(super) request: ToolRequest,
    /// Additional environment variables, by name.
    pub(super) variables: &'a [String],
    /// Additional environment variables, with their values.
    pub(super) own_variables: &'a [(OsString, OsString)],
    /// The program makes Python search the working directory for code first.
    pub(super) is_code_for_python: bool,
}

/// Starts the processes of calls.
#[derive(Debug)]
pub struct Launcher {
    setup: ToolSetup,
    /// The tools' temporary directory, created before the first call and removed at the end.
    scratch: Mutex<Option<Scratch>>,
    running: Mutex<RunningJobs>,
    /// Open file descriptors of the writable directories: while they are held, no other directory gets the same
    /// inode.
    held: Mutex<Vec<OwnedFd>>,
    /// The rules of the run's sandbox.
    rules: RunRules,
    /// They are being made, or were.
    expected: Mutex<bool>,
}

impl Launcher {
    /// Creates a launcher without starting anything.
    #[must_use]
    pub(super) fn new(setup: ToolSetup) -> Self {
        Self {
            setup,
            scratch: Mutex::default(),
            running: Mutex::default(),
            held: Mutex::default(),
            rules: RunRules::default(),
            expected: Mutex::default(),
        }
    }

    /// Creates the temporary directory, so that a failure is noticed before the first request.
    ///
    /// # Errors
    ///
    /// If it cannot be created, or a writable directory has been replaced.
    pub(super) fn prepare(&self) -> Result<(), LaunchError> {
        // If the parent process ignores SIGCHLD, this process inherits that and would not see its children exit.
        signal_hook::flag::register(signal_hook::consts::SIGCHLD, Arc::default())
            .map_err(LaunchError::Signal)?;
        let temporary = |(path, error)| LaunchError::Temporary(path, error);
        let scratch = self.scratch().map_err(temporary)?;
        let policy = self.setup.policy.iter();
        for root in policy.flat_map(|policy| &policy.writable).chain([&scratch]) {
            let held = root
                .hold()
                .map_err(|error| LaunchError::Place(root.path.clone(), error))?;
            lock(&self.held).push(held);
        }
        Ok(())
    }

    /// The settings for starting tools.
    pub(super) fn setup(&self) -> &ToolSetup {
        &self.setup
    }

    /// Allows calls again after [`Launcher::end`]. None may be running.
    pub(super) fn resume(&self) {
        lock(&self.running).over = false;
    }

    /// Ends all calls: the first stop request gives processes a moment to exit by themselves, the second one does
    /// not.
    pub(super) fn end(&self) {
        let mut running = lock(&self.running);
        running.over = true;
        for pid in &running.children {
            let _ = rustix::process::kill_process(*pid, Signal::TERM);
            // A command may have stopped it, and a stopped process handles no signal.
            let _ = rustix::process::kill_process(*pid, Signal::CONT);
        }
    }

    /// Removes the temporary directory. No call may be running.
    ///
    /// # Errors
    ///
    /// If something is left of it; the error includes its path.
    pub(super) fn clean(&self) -> Result<(), (PathBuf, io::Error)> {
        match lock(&self.scratch).take() {
            Some(scratch) => scratch.remove(),
            None => Ok(()),
        }
    }

    /// Runs a call in its own process until it ends. `follower` takes what it prints meanwhile.
    ///
    /// # Errors
    /// If it cannot be started.
    pub(super) fn run(
        &self,
        mut launch: Launch<'_>,
        arguments: &[u8],
        follower: Option<&OutputFollower>,
    ) -> io::Result<CallResult> {
        self.scratch().map_err(|(_, error)| error)?;
        let (mut sockets, mut rules) = (None, None);
        if let Some(policy) = &mut launch.request.policy {
            self.open_scratch(policy);
            rules = self.rules.of(policy);
            launch.request.inherits_rules = rules.is_some();
            // On a full disk it cannot be created, and the call runs without it.
            let mut made = lock(&self.scratch);
            sockets = made.as_mut().and_then(|made| made.take_sockets().ok()?);
            policy.sockets.clone_from(&sockets);
        }
        let (socket, of_tool) = UnixStream::pair()?;
        let mut command = self.command(&launch)?;
        command
            .stdin(rules.map_or_else(Stdio::null, Stdio::from))
            .stdout(OwnedFd::from(of_tool))
            .stderr(Stdio::piped());
        let mut job = Job::start(&self.running, command)?;
        let limit = launch.request.timeout;
        let deadline = Instant::now() + limit + TIMEOUT_MARGIN;
        let Exchanged {
            status,
            result,
            complaints,
        } = exchange(&mut job, socket, arguments, deadline, |bytes| {
            if let Some(follower) = follower
                && let Some(tail) = take_lines(bytes)
            {
                follower(tail);
            }
        })?;
        self.put_back(sockets);
        if let Ok(result) = serde_json::from_slice(&result) {
            return Ok(result);
        }
        let late = || CallResult::new(Status::TimedOut { limit }, "");
        Ok(status.map_or_else(late, |status| without_result(status, &complaints)))
    }

    /// The command that starts a server, which has the standard streams of its process, and the directory of its sockets, to
    /// be put back once it has ended.
    ///
    /// # Errors
    /// If the temporary directory cannot be created.
    pub(super) fn server(&self, server: &ServerLaunch) -> io::Result<(Command, Option<Root>)> {
        self.scratch().map_err(|(_, error)| error)?;
        let policy = self.setup.policy.as_ref();
        let mut policy = policy.map(|policy| server.policy(policy));
        let mut sockets = None;
        if let Some(policy) = &mut policy {
            self.open_scratch(policy);
            let mut made = lock(&self.scratch);
            sockets = made.as_mut().and_then(|made| made.take_sockets().ok()?);
            policy.sockets.clone_from(&sockets);
        }
        let mut command = self.command(&Launch {
            request: ToolRequest {
                name: server.name.clone(),
                number: 1,
                timeout: Duration::ZERO,
                live: false,
                serves: true,
                inherits_rules: false,
                policy,
                program: Some(server.command.clone()),
            },
            variables: &[],
            own_variables: &server.variables,
            is_code_for_python: is_code_for_python(&server.command),
        })?;
        if let Some(directory) = &server.directory {
            command.current_dir(directory);
        }
        Ok((command, sockets))
    }

    /// Takes back the directory of the sockets of a process that has ended.
    pub(super) fn put_back(&self, sockets: Option<Root>) {
        if let Some(sockets) = sockets
            && let Some(made) = lock(&self.scratch).as_mut()
        {
            made.put_back(sockets);
        }
    }

    /// The path of the tools' temporary directory.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(super) fn temporary(&self) -> Result<PathBuf, (PathBuf, io::Error)> {
        self.scratch().map(|root| root.path)
    }

    /// Starts to make the rules of the run's sandbox, for the calls that may follow.
    pub(super) fn expect_calls(&self) {
        let is_first = !std::mem::replace(&mut *lock(&self.expected), true);
        if let Some(mut policy) = self.setup.policy.clone().filter(|_| is_first) {
            self.open_scratch(&mut policy);
            self.rules.expect(policy);
        }
    }

    /// Adds to a policy what all calls of the run can write. Rules for sockets are for all of the run, so that all calls
    /// have the same ones: in the directory of another call, a program could create a socket on which nothing listens.
    fn open_scratch(&self, policy: &mut SandboxPolicy) {
        if let Some(made) = &*lock(&self.scratch) {
            policy.temporary = Some(made.root.path.clone());
            policy.writable.push(made.root.clone());
            policy.sockets = made.above_sockets().cloned();
        }
    }

    /// The command that starts the process of a call. Its caller chooses the standard streams.
    fn command(&self, launch: &Launch<'_>) -> io::Result<Command> {
        let setup = &self.setup;
        let named = |(name, _): &&(OsString, OsString)| {
            launch.variables.iter().any(|wanted| *name == **wanted)
        };
        let further = setup.variables.iter().filter(named);
        // A tool with additional variables does not search for code where other tools can write.
        let reach = setup.policy.as_ref().filter(|policy| policy.write);
        let has_more = !launch.variables.is_empty() || !launch.own_variables.is_empty();
        let reach = reach.filter(|_| has_more);
        let reach = reach.map(WritableReach::of).unwrap_or_default();
        let found = setup.environment.iter().chain(further);
        let found = found.chain(launch.own_variables);
        let found = found.filter_map(|(name, value)| {
            let value = reach.narrowed(name, value, &setup.directory)?;
            Some((tool_request::held_name(name), value))
        });
        let apart = (reach != WritableReach::default() && launch.is_code_for_python)
            .then(|| (tool_request::held_name(SAFE_PATH.as_ref()), OsStr::new("1")));
        let mut command = Command::new(&setup.program);
        command
            .arg0("codex")
            .args(["tool", "--held"])
            .args(launch.request.words())
            .current_dir(&setup.directory)
            .env_clear()
            .envs(found)
            .envs(apart)
            .env("TMPDIR", self.scratch().map_err(|(_, error)| error)?.path);
        Ok(command)
    }

    /// The root of the tools' temporary directory.
    fn scratch(&self) -> Result<Root, (PathBuf, io::Error)> {
        let mut scratch = lock(&self.scratch);
        if let Some(made) = &*scratch {
            return Ok(made.root.clone());
        }
        let made = Scratch::make(&self.setup.temporary)?;
        Ok(scratch.insert(made).root.clone())
    }
}

/// Sets close-on-exec on all file descriptors but the standard ones. A shell may have left one open, possibly the one
/// that a key was read from.
pub fn set_close_on_exec() {
    close_fds::set_fds_cloexec(3, &[]);
}

/// The result of a call whose process exited without reporting one.
fn without_result(status: ExitStatus, complaints: &[u8]) -> CallResult {
    if let Some(signal) = status.signal() {
        let words = format!("the tool was killed by signal {signal} before it returned a result");
        return CallResult::new(Status::Signalled(signal), words);
    }
    let complaints = capture::clean(complaints);
    CallResult::failed(format!("the tool failed: {}", complaints.trim()))
}

impl Drop for Launcher {
    fn drop(&mut self) {
        let _ = self.clean();
    }
}
