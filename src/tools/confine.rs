//! Puts the walls up around this process, for good: it, and whatever it starts, can never take them down. Called by
//! a tool's own process before anything else; and by a thread of the run, which then ends, to find out whether this
//! system can.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::{fmt, io, thread};

use super::walls::Walls;
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
        .spawn(move || confine(&walls).map(drop))
        .map_err(|error| Error::Thread(at_start(error)))?;
    tried
        .join()
        .unwrap_or_else(|_| Err(Error::Step("try the walls", "a defect".to_owned())))
}

/// Starts a program so that it cannot signal this process, and can use only Unix sockets of the same sandbox: by what
/// is returned beside it, which serves them as long as it is kept.
///
/// # Errors
/// When that cannot be had, or the program cannot be started.
pub fn start_inside<T: Send>(
    reach: Reach,
    start: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<(T, Option<Sockets>)> {
    let Some(network) = reach.network else {
        return Ok((start()?, None));
    };
    // A sandbox is put around a thread and whatever it starts; this one ends with what it has started.
    let (started, sockets) = thread::scope(|scope| {
        let inner = thread::Builder::new().spawn_scoped(scope, || {
            if reach.signals {
                shield().map_err(io::Error::other)?;
            }
            let sockets = ask_about_sockets(network).map_err(io::Error::other)?;
            io::Result::Ok((start()?, sockets))
        });
        let inner = inner.map_err(at_start)?;
        inner
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
    })?;
    let sockets = sockets.map(|sockets| Sockets::serve(sockets, reach.signals));
    Ok((started, sockets.transpose()?))
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
use elsewhere::{ask_about_sockets, shield};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::io;
    use std::os::fd::OwnedFd;

    use super::{Error, Reach, Walls};

    /// Nothing serves sockets here.
    #[derive(Debug)]
    pub struct Sockets;

    impl Sockets {
        pub(super) fn serve(_: OwnedFd, _: bool) -> io::Result<Self> {
            Ok(Self)
        }
    }

    pub(super) fn ask_about_sockets(_: bool) -> Result<Option<OwnedFd>, Error> {
        Err(Error::Unavailable)
    }

    /// There are no walls here yet.
    ///
    /// # Errors
    /// Always.
    pub fn confine(_: &Walls) -> Result<Reach, Error> {
        Err(Error::Unavailable)
    }

    pub(super) fn shield() -> Result<(), Error> {
        Err(Error::Unavailable)
    }
}

#[cfg(target_os = "linux")]
pub use super::enforce::confine;
#[cfg(target_os = "linux")]
use super::enforce::{ask_about_sockets, shield};
#[cfg(target_os = "linux")]
pub use super::sockets::Broker as Sockets;
