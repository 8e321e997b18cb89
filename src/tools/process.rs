//! A tool from outside: starts `codex tool NAME`, hands it the arguments, takes both of its pipes, and
//! ends it when its time is over or the run ends. It is given no credential: not in its environment, its
//! arguments or its descriptors. The pipe that carries its result is also what tells it that the run is gone.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::answer::Answer;
use super::capture;
use super::git::Repositories;
use super::job::{Job, Running};
use super::offer::Offer;
use super::order::{self, Order};
use super::pipe::Taking;
use super::places::Root;
use super::reach::Reach;
use super::scratch::{OfSockets, Parent, Scratch};
use super::walls::Walls;
use crate::exhausted::{Exhausted, at_start};
use crate::wire::item::Call;
use crate::wire::request::Function;

/// How much longer than its time limit a tool may take to end what it started and to answer.
const MARGIN: Duration = Duration::from_secs(8);

/// Keeps Python from looking for modules in the working directory first (3.11 and newer).
const SAFE_PATH: &str = "PYTHONSAFEPATH";

/// How tools are started.
#[derive(Clone, Debug)]
pub struct Setup {
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
    pub temporary: Vec<Parent>,
    /// The tools that the model was offered.
    pub offered: Vec<Offer>,
    /// What is around them; nothing with `danger-full-access`.
    pub walls: Option<Walls>,
}

impl Setup {
    /// For tools that are functions of this program: nothing is started.
    #[must_use]
    pub fn only(offered: Vec<Offer>) -> Self {
        Self {
            program: PathBuf::new(),
            directory: PathBuf::new(),
            environment: Vec::new(),
            variables: Vec::new(),
            timeout: Duration::ZERO,
            temporary: Vec::new(),
            offered,
            walls: None,
        }
    }
}

/// Why tools cannot be started.
#[derive(Debug)]
pub enum Unready {
    /// No temporary directory can be made here.
    Temporary(PathBuf, io::Error),
    /// This directory, which tools may change, cannot be held.
    Place(PathBuf, io::Error),
    /// The end of child processes cannot be noticed.
    Signal(io::Error),
}

/// How a call went.
#[derive(Debug)]
pub struct Output {
    /// What the tool answered.
    pub answer: Answer,
    /// How long it took.
    pub took: Duration,
    /// This machine had no more of what starting it takes: that is no matter of the tool.
    pub exhausted: Option<io::Error>,
}

/// The tools of one run.
#[derive(Debug)]
pub struct Tools {
    setup: Setup,
    /// The tools' temporary directory, made before the first call and removed at the end.
    scratch: Mutex<Option<Scratch>>,
    running: Mutex<Running>,
    /// Keeps the identities of directories that may be changed: as long as somebody holds it, no other gets its number.
    held: Mutex<Vec<OwnedFd>>,
    /// What git runs by itself, as it was before the calls.
    repositories: Mutex<Option<Repositories>>,
}

impl Tools {
    /// Nothing is started yet.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        Self {
            setup,
            scratch: Mutex::default(),
            running: Mutex::default(),
            held: Mutex::default(),
            repositories: Mutex::default(),
        }
    }

    /// Makes the temporary directory, so that a place where none can be made is found out before a request.
    ///
    /// # Errors
    /// When it cannot be made, or a directory that tools may change is another one by now.
    pub fn prepare(&self) -> Result<(), Unready> {
        // Where the parent process ignores the end of its children, so would this one, and learn of none.
        signal_hook::flag::register(signal_hook::consts::SIGCHLD, Arc::default())
            .map_err(Unready::Signal)?;
        let temporary = |(path, error)| Unready::Temporary(path, error);
        let scratch = self.scratch().map_err(temporary)?;
        let walls = self.setup.walls.iter();
        for root in walls.flat_map(|walls| &walls.writable).chain([&scratch]) {
            let held = root
                .hold()
                .map_err(|error| Unready::Place(root.path.clone(), error))?;
            lock(&self.held).push(held);
        }
        Ok(())
    }

    /// Where calls work.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.setup.directory
    }

    /// The tool of this name, if it was offered.
    #[must_use]
    pub fn offered(&self, name: &str) -> Option<&Offer> {
        self.setup.offered.iter().find(|offer| offer.name() == name)
    }

    /// Runs a call to its end, on the caller's thread. Whatever goes wrong is an output for the model.
    #[must_use]
    pub fn call(&self, call: &Call) -> Output {
        let begun = Instant::now();
        let answer = match self.offered(&call.name) {
            Some(offer) => match offer.check(&call.arguments) {
                Ok(()) => self.answer(offer, &call.arguments),
                Err(answer) => Ok(answer),
            },
            None => Ok(self.unknown(&call.name)),
        };
        let not_run = |error: &io::Error| {
            Answer::not(format!("the tool could not be run: {error}"), "not run")
        };
        let took = begun.elapsed();
        match answer {
            Ok(answer) => Output {
                answer,
                took,
                exhausted: None,
            },
            Err(error) => Output {
                answer: not_run(&error),
                took,
                exhausted: Some(error).filter(|error| Exhausted::of(error).is_some()),
            },
        }
    }

    fn answer(&self, offer: &Offer, arguments: &str) -> io::Result<Answer> {
        match offer {
            Offer::Closure(closure) => Ok(closure.call(arguments)),
            offer => self.run(offer, arguments.as_bytes()),
        }
    }

    fn unknown(&self, name: &str) -> Answer {
        let names: Vec<&str> = self.setup.offered.iter().map(Offer::name).collect();
        let offered = match names[..] {
            [] => "there are no tools".to_owned(),
            _ => format!("the tools are: {}", names.join(", ")),
        };
        Answer::not(
            format!("there is no tool {name:?}; {offered}"),
            "unknown tool",
        )
    }

    /// Looks at what git runs by itself, before calls that may change it.
    pub fn watch_git(&self) {
        let mut seen = lock(&self.repositories);
        let may_write = self.setup.walls.as_ref().is_none_or(|walls| walls.write);
        if may_write && seen.is_none() {
            let further = self.setup.walls.iter().flat_map(|walls| &walls.writable);
            let mut places: Vec<&Path> = further.map(|root| root.path.as_path()).collect();
            places.push(&self.setup.directory);
            *seen = Some(Repositories::of(&places));
        }
    }

    /// What of it has changed since the last look.
    #[must_use]
    pub fn changed_git(&self) -> Vec<PathBuf> {
        lock(&self.repositories)
            .as_mut()
            .map(Repositories::changed)
            .unwrap_or_default()
    }

    /// What the model is shown of them, in their order.
    #[must_use]
    pub fn functions(&self) -> Vec<Function<'_>> {
        self.setup.offered.iter().map(Offer::function).collect()
    }

    /// Lets calls be started again after [`Tools::end`]. None may be running.
    pub fn resume(&self) {
        lock(&self.running).over = false;
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
    ///
    /// # Errors
    /// When something is left of it, with its path.
    pub fn clean(&self) -> Result<(), (PathBuf, io::Error)> {
        match lock(&self.scratch).take() {
            Some(scratch) => scratch.remove(),
            None => Ok(()),
        }
    }

    /// Why this tool does not run: a part of its command is by now a file that tools can change, and it is given more than
    /// they are.
    fn refuse(&self, offer: &Offer) -> Option<Answer> {
        let (manifest, _) = offer.program().filter(|_| !offer.variables().is_empty())?;
        let walls = self.setup.walls.as_ref().filter(|walls| walls.write)?;
        let words = manifest.command.get(1..)?;
        let file = Reach::of(walls).file_of(words, &self.setup.directory)?;
        let text = format!(
            "the tool could not be run: {} is a part of its command, tools can change it, and this tool is given {}",
            file.display(),
            offer.variables().join(" and ")
        );
        Some(Answer::not(text, "not run"))
    }

    fn run(&self, offer: &Offer, arguments: &[u8]) -> io::Result<Answer> {
        if let Some(refused) = self.refuse(offer) {
            return Ok(refused);
        }
        let mut order = offer.order(&self.setup);
        let scratch = self.scratch().map_err(|(_, error)| error)?;
        let mut of_sockets = None;
        if let Some(walls) = &mut order.walls {
            walls.writable.push(scratch);
            // On a full disk there is none, and the call is made without.
            let mut made = lock(&self.scratch);
            of_sockets = made.as_mut().and_then(|made| made.of_sockets().ok()?);
            walls.sockets = of_sockets.as_ref().map(|OfSockets(root)| root.clone());
        }
        let mut child = Job::start(&self.running, self.command(offer, &order)?)?;
        let (stdin, stdout, stderr) = child.pipes()?;
        let timeout = order.timeout + MARGIN;
        let (status, bytes, complaints) = thread::scope(|scope| {
            // The child reads all of its input first, unless it fails before, which shows in its result.
            let feed = move || drop({ stdin }.write_all(arguments));
            let feeding = thread::Builder::new().spawn_scoped(scope, feed);
            feeding.map_err(at_start)?;
            let (result, complaints) = (Taking::start(stdout)?, Taking::start(stderr)?);
            let status = child.wait(Instant::now() + timeout)?;
            io::Result::Ok((status, result.bytes(), complaints.bytes()))
        })?;
        drop(of_sockets);
        if let Ok(answer) = serde_json::from_slice(&bytes) {
            return Ok(answer);
        }
        let limit = order.timeout.as_secs_f64();
        let late = || {
            Answer::not(
                format!("[ended after {limit} s, its time limit]"),
                "timeout",
            )
        };
        Ok(status.map_or_else(late, |status| unanswered(status, &complaints)))
    }

    fn command(&self, offer: &Offer, order: &Order) -> io::Result<Command> {
        let setup = &self.setup;
        let named = |(name, _): &&(OsString, OsString)| {
            offer.variables().iter().any(|wanted| *name == **wanted)
        };
        let further = setup.variables.iter().filter(named);
        // What other tools may change is not searched for code of one that has further variables.
        let reach = setup.walls.as_ref().filter(|walls| walls.write);
        let reach = reach.filter(|_| !offer.variables().is_empty());
        let reach = reach.map(Reach::of).unwrap_or_default();
        let found = setup.environment.iter().chain(further);
        let found = found.filter_map(|(name, value)| {
            let value = reach.narrowed(name, value, &setup.directory)?;
            Some((order::put_off(name), value))
        });
        let apart = (reach != Reach::default() && offer.is_code_for_python())
            .then(|| (order::put_off(SAFE_PATH.as_ref()), OsStr::new("1")));
        let mut command = Command::new(&setup.program);
        command
            .arg0("codex")
            .args(["tool", "--held"])
            .args(order.words())
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

    /// The tools' temporary directory.
    fn scratch(&self) -> Result<Root, (PathBuf, io::Error)> {
        let mut scratch = lock(&self.scratch);
        if let Some(made) = &*scratch {
            return Ok(made.root.clone());
        }
        let made = Scratch::make(&self.setup.temporary)?;
        Ok(scratch.insert(made).root.clone())
    }
}

/// Keeps every descriptor but the standard ones from the processes that are started from now on. A shell may
/// have left one open, and it may be the one that a key was read from.
pub fn keep_descriptors() {
    close_fds::set_fds_cloexec(3, &[]);
}

/// What is told of a tool that ended without an answer.
fn unanswered(status: ExitStatus, complaints: &[u8]) -> Answer {
    if let Some(signal) = status.signal() {
        return Answer::not(
            format!("the tool was ended by signal {signal} before it could answer"),
            format!("signal {signal}"),
        );
    }
    let complaints = capture::clean(complaints);
    Answer::failed(format!("the tool failed: {}", complaints.trim()))
}

impl Drop for Tools {
    fn drop(&mut self) {
        let _ = self.clean();
    }
}

/// A poisoned lock guards nothing here that a panic could have left half done.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
