//! Runs a call from the outside: starts `codex tool NAME`, writes the arguments to it, reads both of its pipes, and
//! ends it when its time limit expires or the run ends. The process gets no credential: not in its environment, its
//! arguments or its file descriptors. It notices the end of the run by the pipe that carries its result.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::child::capture;
use super::job::{Job, RunningJobs};
use super::live_output::{OutputFollower, take_lines};
use super::lock::lock;
use super::pipe::PipeDrain;
use super::python::is_code_for_python;
use super::sandbox::paths::Root;
use super::sandbox::writable_reach::WritableReach;
use super::scratch::{Scratch, SocketScratch};
use super::server::launch::ServerLaunch;
use super::setup::ToolSetup;
use super::tool_request::{self, ToolRequest};
use crate::exhausted::at_start;
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
        let sockets = self.open_temporary(&mut launch.request)?;
        let mut child = Job::start(&self.running, self.command(&launch)?)?;
        let (stdin, stdout, stderr) = child.pipes()?;
        let limit = launch.request.timeout;
        let (status, bytes, complaints) = thread::scope(|scope| {
            // The child reads all of its input first, unless it fails earlier, which its result shows.
            let feed = move || drop({ stdin }.write_all(arguments));
            let feeding = thread::Builder::new().spawn_scoped(scope, feed);
            feeding.map_err(at_start)?;
            let result = match follower.cloned() {
                None => PipeDrain::start(stdout)?,
                Some(follower) => PipeDrain::start_with(stdout, move |bytes| {
                    if let Some(tail) = take_lines(bytes) {
                        follower(tail);
                    }
                })?,
            };
            let complaints = PipeDrain::start(stderr)?;
            let status = child.wait(Instant::now() + limit + TIMEOUT_MARGIN)?;
            io::Result::Ok((status, result.bytes(), complaints.bytes()))
        })?;
        drop(sockets);
        if let Ok(result) = serde_json::from_slice(&bytes) {
            return Ok(result);
        }
        let late = || CallResult::new(Status::TimedOut { limit }, "");
        Ok(status.map_or_else(late, |status| without_result(status, &complaints)))
    }

    /// The command that starts a server, which has its standard streams, and the directory of its sockets, to be kept
    /// until it has ended.
    ///
    /// # Errors
    /// If the temporary directory cannot be created.
    pub(super) fn server(
        &self,
        server: &ServerLaunch,
    ) -> io::Result<(Command, Option<SocketScratch>)> {
        let policy = self.setup.policy.as_ref();
        let mut launch = Launch {
            request: ToolRequest {
                name: server.name.clone(),
                number: 1,
                timeout: Duration::ZERO,
                live: false,
                serves: true,
                policy: policy.map(|policy| server.policy(policy)),
                program: Some(server.command.clone()),
            },
            variables: &[],
            own_variables: &server.variables,
            is_code_for_python: is_code_for_python(&server.command),
        };
        let sockets = self.open_temporary(&mut launch.request)?;
        let mut command = self.command(&launch)?;
        if let Some(directory) = &server.directory {
            command.current_dir(directory);
        }
        Ok((command, sockets))
    }

    /// Opens the temporary directory to the process of a request, and a directory for its sockets. On a full disk the
    /// latter cannot be created, and the process runs without it.
    fn open_temporary(&self, request: &mut ToolRequest) -> io::Result<Option<SocketScratch>> {
        let scratch = self.scratch().map_err(|(_, error)| error)?;
        let Some(policy) = &mut request.policy else {
            return Ok(None);
        };
        policy.temporary = Some(scratch.path.clone());
        policy.writable.push(scratch);
        let mut made = lock(&self.scratch);
        let sockets = made.as_mut().and_then(|made| made.make_sockets().ok()?);
        policy.sockets = sockets.as_ref().map(|SocketScratch(root)| root.clone());
        Ok(sockets)
    }

    /// The path of the tools' temporary directory.
    ///
    /// # Errors
    /// If it cannot be created.
    pub(super) fn temporary(&self) -> Result<PathBuf, (PathBuf, io::Error)> {
        self.scratch().map(|root| root.path)
    }

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
            .env("TMPDIR", self.scratch().map_err(|(_, error)| error)?.path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
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
