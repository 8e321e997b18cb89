//! A tool from outside: starts `codex tool NAME`, hands it the arguments, takes both of its pipes, and
//! ends it when its time is over or the run ends. It is given no credential: not in its environment, its
//! arguments or its descriptors. The pipe that carries its result is also what tells it that the run is gone.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io::{self, Read, Write};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use super::{OUTPUT, capture, find};
use crate::wire::item::Call;

/// How much longer than its time limit a tool may take to end what it started and to answer.
const MARGIN: Duration = Duration::from_secs(8);

/// How long a tool's pipes may stay open once it has ended. Somebody else holds them then.
const PIPES: Duration = Duration::from_millis(200);

/// The most that is kept of what a tool writes to a pipe; it caps its result by itself.
const PIPE: usize = 4 * OUTPUT;

/// How tools are started.
#[derive(Clone, Debug)]
pub struct Setup {
    /// This program.
    pub program: PathBuf,
    /// Where tools run.
    pub directory: PathBuf,
    /// All that a tool finds in its environment, `TMPDIR` aside.
    pub environment: Vec<(OsString, OsString)>,
    /// How long a command may take.
    pub timeout: Duration,
    /// Where their temporary directory is made.
    pub temporary: PathBuf,
    /// The tools that the model was offered.
    pub offered: Vec<&'static str>,
}

/// How a call went.
#[derive(Debug)]
pub struct Output {
    /// The words for the model.
    pub text: String,
    /// How it went, in a word or two.
    pub result: &'static str,
    /// How long it took.
    pub took: Duration,
}

/// The tools of one run.
#[derive(Debug)]
pub struct Tools {
    setup: Setup,
    /// The tools' temporary directory, made before the first call and removed at the end.
    scratch: Mutex<Option<PathBuf>>,
    running: Mutex<Running>,
}

#[derive(Debug, Default)]
struct Running {
    children: Vec<Pid>,
    /// The run is over: nothing is started any more.
    over: bool,
}

impl Tools {
    /// Nothing is started yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self {
            setup,
            scratch: Mutex::default(),
            running: Mutex::default(),
        }
    }

    /// Makes the temporary directory, so that a place where none can be made is found out before a request.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn prepare(&self) -> io::Result<()> {
        self.scratch().map(drop)
    }

    /// Runs a call to its end, on the caller's thread. Whatever goes wrong is an output for the model.
    #[must_use]
    pub fn call(&self, call: &Call) -> Output {
        let begun = Instant::now();
        let output = |text: String, result| Output {
            text,
            result,
            took: begun.elapsed(),
        };
        let Some(tool) =
            find(&call.name).filter(|tool| self.setup.offered.contains(&tool.function.name))
        else {
            let offered = match self.setup.offered.join(", ") {
                none if none.is_empty() => "there are no tools".to_owned(),
                names => format!("the tools are: {names}"),
            };
            return output(
                format!("there is no tool {:?}; {offered}", call.name),
                "unknown tool",
            );
        };
        match self.run(tool.function.name, call.arguments.as_bytes()) {
            Ok((status, text)) => {
                let result = match status.code() {
                    Some(0) => "ok",
                    Some(_) => "failed",
                    None => "killed",
                };
                output(text, result)
            }
            Err(error) => output(format!("the tool could not be run: {error}"), "not run"),
        }
    }

    /// Ends all calls: a first order lets processes end by themselves for a moment, a second one does not.
    pub fn end(&self) {
        let mut running = lock(&self.running);
        running.over = true;
        for pid in &running.children {
            let _ = rustix::process::kill_process(*pid, Signal::TERM);
            // A command may have stopped it, and a stopped process hears nothing.
            let _ = rustix::process::kill_process(*pid, Signal::CONT);
        }
    }

    /// Removes the temporary directory. No call may be running; whoever still holds these tools does not matter.
    pub fn clean(&self) {
        if let Some(path) = lock(&self.scratch).take() {
            let _ = fs::remove_dir_all(path);
        }
    }

    fn run(&self, name: &str, arguments: &[u8]) -> io::Result<(ExitStatus, String)> {
        let mut child = Started::new(self, name)?;
        let (stdin, stdout, stderr) = child.pipes()?;
        let timeout = self.setup.timeout + MARGIN;
        let (status, bytes, complaints) = thread::scope(|scope| {
            // The child reads all of its input first, unless it fails before, which shows in its result.
            let feed = move || drop({ stdin }.write_all(arguments));
            thread::Builder::new().spawn_scoped(scope, feed)?;
            let (result, complaints) = (Taking::start(stdout)?, Taking::start(stderr)?);
            let status = child.wait(Instant::now() + timeout)?;
            io::Result::Ok((status, result.bytes(), complaints.bytes()))
        })?;
        let mut text = capture::clean(&bytes);
        if text.is_empty() && !status.success() {
            let complaints = capture::clean(&complaints);
            text = match status.signal() {
                Some(signal) => {
                    format!("the tool was ended by signal {signal} before it could answer")
                }
                None => format!("the tool failed: {}", complaints.trim()),
            };
        }
        Ok((status, text))
    }

    fn command(&self, name: &str) -> io::Result<Command> {
        let setup = &self.setup;
        let mut command = command(
            &setup.program,
            name,
            setup.timeout,
            &setup.environment,
            &self.scratch()?,
        );
        command
            .current_dir(&setup.directory)
            .stdin(Stdio::piped())
            .stderr(Stdio::piped());
        Ok(command)
    }

    /// The tools' temporary directory.
    fn scratch(&self) -> io::Result<PathBuf> {
        let mut scratch = lock(&self.scratch);
        if let Some(path) = &*scratch {
            return Ok(path.clone());
        }
        let path = make_directory(&self.setup.temporary)?;
        Ok(scratch.insert(path).clone())
    }
}

/// Keeps every descriptor but the standard ones from the processes that are started from now on. A shell may
/// have left one open, and it may be the one that a key was read from.
pub fn keep_descriptors() {
    close_fds::set_fds_cloexec(3, &[]);
}

/// `codex tool NAME` as one that holds its standard output starts it, with nothing in its environment but this
/// and the place for temporary files.
#[must_use]
pub fn command(
    program: &Path,
    name: &str,
    timeout: Duration,
    environment: &[(OsString, OsString)],
    temporary: &Path,
) -> Command {
    let mut command = Command::new(program);
    command
        .arg0("codex")
        .args(["tool", "--held", name, "--tool-timeout"])
        .arg(format!("{}ms", timeout.as_millis()))
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .env("TMPDIR", temporary)
        .stdout(Stdio::piped());
    command
}

impl Drop for Tools {
    fn drop(&mut self) {
        self.clean();
    }
}

/// A new directory that only this user can look into.
fn make_directory(parent: &Path) -> io::Result<PathBuf> {
    let mut random = [0; 8];
    getrandom::fill(&mut random).map_err(io::Error::other)?;
    let path = parent.join(format!("codex-run-{:016x}", u64::from_ne_bytes(random)));
    DirBuilder::new().mode(0o700).create(&path)?;
    path.canonicalize()
}

/// A tool's process, known to the run as long as it lives.
struct Started<'a> {
    tools: &'a Tools,
    child: Child,
    pid: Pid,
}

impl<'a> Started<'a> {
    fn new(tools: &'a Tools, name: &str) -> io::Result<Self> {
        let mut command = tools.command(name)?;
        // Under the lock, so that a run that ends misses nobody.
        let mut running = lock(&tools.running);
        if running.over {
            return Err(io::Error::other("the run is over"));
        }
        let mut child = command.spawn()?;
        let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
            let _ = child.kill();
            return Err(io::ErrorKind::InvalidData.into());
        };
        running.children.push(pid);
        drop(running);
        Ok(Self { tools, child, pid })
    }

    fn pipes(&mut self) -> io::Result<(ChildStdin, ChildStdout, ChildStderr)> {
        let child = &mut self.child;
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok((stdin, stdout, stderr)),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Waits for the process itself, not for its pipes; at the deadline it is killed.
    fn wait(&mut self, deadline: Instant) -> io::Result<ExitStatus> {
        loop {
            {
                // Collecting it frees its number, so nobody may be about to signal it then.
                let mut running = lock(&self.tools.running);
                if let Some(status) = self.child.try_wait()? {
                    running.children.retain(|pid| *pid != self.pid);
                    return Ok(status);
                }
                if Instant::now() >= deadline {
                    self.child.kill()?;
                }
            }
            self.pause();
        }
    }

    /// Waits a little; where the system can tell, only until the process has ended.
    fn pause(&self) {
        #[cfg(target_os = "linux")]
        if let Ok(fd) = rustix::process::pidfd_open(self.pid, rustix::process::PidfdFlags::empty())
        {
            use rustix::event::{PollFd, PollFlags, Timespec, poll};
            let half_a_second = Timespec {
                tv_sec: 0,
                tv_nsec: 500_000_000,
            };
            let _ = poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&half_a_second));
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

impl Drop for Started<'_> {
    fn drop(&mut self) {
        let mut running = lock(&self.tools.running);
        if running.children.contains(&self.pid) {
            let _ = self.child.kill();
            let _ = self.child.wait();
            running.children.retain(|pid| *pid != self.pid);
        }
    }
}

/// What comes through a pipe, taken on a thread of its own so that the writer never waits.
struct Taking {
    taken: Arc<Mutex<Vec<u8>>>,
    end: Receiver<()>,
}

impl Taking {
    fn start(mut pipe: impl Read + Send + 'static) -> io::Result<Self> {
        let taken = Arc::new(Mutex::new(Vec::new()));
        let (at_end, end) = mpsc::channel();
        let kept = Arc::clone(&taken);
        // Not joined: if something else holds the pipe's other end, this thread outlives the call, and
        // then ends with the process.
        thread::Builder::new().spawn(move || {
            let mut buffer = [0; 16 << 10];
            while let Ok(count @ 1..) = pipe.read(&mut buffer) {
                let mut kept = lock(&kept);
                let room = PIPE.saturating_sub(kept.len());
                kept.extend_from_slice(&buffer[..count.min(room)]);
            }
            let _ = at_end.send(());
        })?;
        Ok(Self { taken, end })
    }

    /// What came, once its writer has ended.
    fn bytes(self) -> Vec<u8> {
        let _ = self.end.recv_timeout(PIPES);
        std::mem::take(&mut *lock(&self.taken))
    }
}

/// A poisoned lock guards nothing here that a panic could have left half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
