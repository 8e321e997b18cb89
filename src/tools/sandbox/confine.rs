//! Puts the walls up around this process, for good: it, and whatever it starts, can never take them down. Called by
//! a tool's own process before anything else; and by a thread of the run, which then ends, to find out whether this
//! system can.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};
use std::{fmt, io, thread};

use super::policy::Walls;
use crate::exhausted::{Exhausted, at_start};

/// Why there are no walls.
#[derive(Debug)]
pub enum Error {
    /// The system has nothing that could hide files, or an older form of it.
    Unavailable,
    /// A place that is to be open cannot be opened.
    Place(PathBuf, io::Error),
    /// The system gave no thread to try it on.
    Thread(io::Error),
    /// The system refused a step.
    Step(&'static str, String),
}

impl Error {
    /// What the system has no more of, if that is the reason.
    #[must_use]
    pub fn exhausted(&self) -> Option<Exhausted> {
        match self {
            Self::Place(_, error) | Self::Thread(error) => Exhausted::of(error),
            Self::Unavailable | Self::Step(..) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable => {
                f.write_str("this system has no Landlock, or one from before Linux 6.2")
            }
            Self::Place(path, error) => write!(f, "cannot open {}: {error}", path.display()),
            Self::Thread(error) => write!(f, "no thread can be started: {error}"),
            Self::Step(step, why) => write!(f, "the system refused to {step}: {why}"),
        }
    }
}

impl StdError for Error {}

/// What confines this process, as far as others need to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Signals reach no process outside, so that one to all processes ends just those inside.
    pub signals: bool,
    /// There is a sandbox; and whether it lets tools use the network.
    pub network: Option<bool>,
}

/// Whether the walls can be put up here, tried on a thread that ends.
///
/// # Errors
/// When they cannot.
pub fn check(walls: &Walls) -> Result<(), Error> {
    let walls = walls.clone();
    let tried = thread::Builder::new()
        .spawn(move || try_out(&walls))
        .map_err(|error| Error::Thread(at_start(error)))?;
    tried
        .join()
        .unwrap_or_else(|_| Err(Error::Step("try the walls", "a defect".to_owned())))
}

/// What is around the programs that a tool's own process starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inner<'a> {
    /// What confines this process.
    pub reach: Reach,
    /// Where their sockets are bound, see `Walls::sockets`.
    pub sockets: Option<&'a Path>,
}

/// Starts a program so that it cannot signal this process, and can use only Unix sockets of the same sandbox: by what
/// is returned beside it, which serves them as long as it is kept.
///
/// # Errors
/// When that cannot be had, or the program cannot be started.
pub fn start_inside<T: Send>(
    inner: Inner<'_>,
    start: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<(T, Option<Sockets>)> {
    let Some(network) = inner.reach.network else {
        return Ok((start()?, None));
    };
    // What serves is there before the program is, so that no program is left behind without it.
    let (sockets, served) = match Sockets::start(inner.sockets, inner.reach.signals)? {
        Some((sockets, served)) => (Some(sockets), Some(served)),
        None => (None, None),
    };
    // A sandbox is put around a thread and whatever it starts; this one ends with what it has started.
    let started = thread::scope(|scope| {
        let within = thread::Builder::new().spawn_scoped(scope, || {
            step_inside(inner.reach, network, served).map_err(io::Error::other)?;
            start()
        });
        let within = within.map_err(at_start)?;
        within
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
    })?;
    Ok((started, sockets))
}

/// Keeps other processes from looking into this one's memory, environment and descriptors through `/proc`.
pub fn shut() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Has this process end when the one that started it does.
pub fn end_with_parent() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::{Sockets, confine};
#[cfg(not(target_os = "linux"))]
use elsewhere::{step_inside, try_out};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::io;
    use std::path::Path;

    use super::{Error, Reach, Walls};

    /// Nothing serves sockets here.
    #[derive(Debug)]
    pub struct Sockets;

    impl Sockets {
        pub(super) fn start(_: Option<&Path>, _: bool) -> io::Result<Option<(Self, ())>> {
            Ok(None)
        }
    }

    /// There are no walls here yet.
    ///
    /// # Errors
    /// Always.
    pub fn confine(_: &Walls) -> Result<Reach, Error> {
        Err(Error::Unavailable)
    }

    pub(super) fn try_out(_: &Walls) -> Result<(), Error> {
        Err(Error::Unavailable)
    }

    pub(super) fn step_inside(_: Reach, _: bool, _: Option<()>) -> Result<(), Error> {
        Err(Error::Unavailable)
    }
}

#[cfg(target_os = "linux")]
pub use super::landlock::confine;
#[cfg(target_os = "linux")]
use super::landlock::{step_inside, try_out};
#[cfg(target_os = "linux")]
pub use super::sockets::Broker as Sockets;
