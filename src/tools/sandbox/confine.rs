//! Puts the walls up around this process, for good: it, and whatever it starts, can never take them down. Called by
//! a tool's own process before anything else; and by a thread of the run, which then ends, to find out whether this
//! system can.

use std::path::Path;
use std::{io, thread};

pub use super::error::Error;
use super::policy::SandboxPolicy;
pub use super::scope::SandboxScope;
use crate::exhausted::at_start;

/// Whether the walls can be put up here, tried on a thread that ends.
///
/// # Errors
/// When they cannot.
pub fn check(policy: &SandboxPolicy) -> Result<(), Error> {
    let policy = policy.clone();
    let tried = thread::Builder::new()
        .spawn(move || try_out(&policy))
        .map_err(|error| Error::Thread(at_start(error)))?;
    tried
        .join()
        .unwrap_or_else(|_| Err(Error::Step("try the policy", "a defect".to_owned())))
}

/// What is around the programs that a tool's own process starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inner<'a> {
    /// What confines this process.
    pub reach: SandboxScope,
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
    pub fn confine(_: &SandboxPolicy) -> Result<SandboxScope, Error> {
        Err(Error::Unavailable)
    }

    pub(super) fn try_out(_: &SandboxPolicy) -> Result<(), Error> {
        Err(Error::Unavailable)
    }

    pub(super) fn step_inside(_: SandboxScope, _: bool, _: Option<()>) -> Result<(), Error> {
        Err(Error::Unavailable)
    }
}

#[cfg(target_os = "linux")]
pub use super::landlock::confine;
#[cfg(target_os = "linux")]
use super::landlock::{step_inside, try_out};
#[cfg(target_os = "linux")]
pub use super::sockets::Broker as Sockets;
