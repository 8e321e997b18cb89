//! Applies the sandbox to this process for good: neither it nor anything it starts can ever lift it. A tool's process
//! does so before anything else; a run tries it on a thread that then ends, to find out whether this system supports
//! it.

use std::path::Path;
use std::{io, thread};

pub use super::error::Error;
use super::policy::SandboxPolicy;
pub use super::scope::SandboxScope;
use crate::exhausted::at_start;

/// Checks that the sandbox can be applied here, on a thread that then ends.
///
/// # Errors
/// If it cannot.
pub fn check(policy: &SandboxPolicy) -> Result<(), Error> {
    let policy = policy.clone();
    let tried = thread::Builder::new()
        .spawn(move || try_out(&policy))
        .map_err(|error| Error::Thread(at_start(error)))?;
    tried
        .join()
        .unwrap_or_else(|_| Err(Error::Step("try the policy", "a defect".to_owned())))
}

/// How the programs that a tool's process starts are confined.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inner<'a> {
    /// What the sandbox confines.
    pub reach: SandboxScope,
    /// Where their sockets are bound, see `SandboxPolicy::sockets`.
    pub sockets: Option<&'a Path>,
}

/// Starts a program that cannot signal this process and can reach only Unix sockets of the same sandbox. The second
/// return value is its socket calls, which the caller has to answer or to have served, until none of its processes is
/// left.
///
/// # Errors
/// If that is not possible, or the program cannot be started.
pub fn start_inside<T: Send>(
    inner: Inner<'_>,
    start: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<(T, Option<Sockets>)> {
    let Some(network) = inner.reach.network else {
        return Ok((start()?, None));
    };
    let broker = Broker::prepare(inner.sockets, inner.reach.signals)?;
    // The sandbox applies to a thread and everything it starts; this thread ends after starting the program.
    thread::scope(|scope| {
        let within = thread::Builder::new().spawn_scoped(scope, || {
            let sockets = step_inside(inner.reach, network, broker).map_err(io::Error::other)?;
            Ok((start()?, sockets))
        });
        let within = within.map_err(at_start)?;
        within
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
    })
}

/// Keeps other processes from reading this one's memory, environment and file descriptors through `/proc`.
pub fn prevent_inspection() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Makes this process end when its parent does.
pub fn end_with_parent() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
}

#[cfg(not(target_os = "linux"))]
use elsewhere::{Broker, step_inside, try_out};
#[cfg(not(target_os = "linux"))]
pub use elsewhere::{RunRules, Sockets, confine, confine_by_stdin};

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use std::io;
    use std::os::fd::{BorrowedFd, OwnedFd};
    use std::path::Path;

    use super::{Error, SandboxPolicy, SandboxScope};

    /// Sockets are not served on this system.
    pub(super) struct Broker;

    impl Broker {
        pub(super) fn prepare(_: Option<&Path>, _: bool) -> io::Result<Option<Self>> {
            Ok(None)
        }
    }

    /// Sockets are not served on this system.
    #[derive(Debug)]
    pub struct Sockets;

    impl Sockets {
        /// There is never one.
        pub fn next_call(&self) -> Option<BorrowedFd<'_>> {
            None
        }

        /// Does nothing.
        pub fn answer_next(&mut self) {}

        /// Does nothing.
        pub fn serve(&mut self) {}

        /// Does nothing.
        pub fn end(&mut self) {}
    }

    /// There is no sandbox on this system.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn confine(_: &SandboxPolicy) -> Result<SandboxScope, Error> {
        Err(Error::Unavailable)
    }

    /// There is no sandbox on this system.
    ///
    /// # Errors
    ///
    /// Always.
    pub fn confine_by_stdin(_: &SandboxPolicy) -> Result<SandboxScope, Error> {
        Err(Error::Unavailable)
    }

    /// There are no rules on this system.
    #[derive(Debug, Default)]
    pub struct RunRules;

    impl RunRules {
        /// Does nothing.
        pub fn expect(&self, _: SandboxPolicy) {}

        /// There are none.
        pub fn of(&self, _: &SandboxPolicy) -> Option<OwnedFd> {
            None
        }
    }

    pub(super) fn try_out(_: &SandboxPolicy) -> Result<(), Error> {
        Err(Error::Unavailable)
    }

    pub(super) fn step_inside(
        _: SandboxScope,
        _: bool,
        _: Option<Broker>,
    ) -> Result<Option<Sockets>, Error> {
        Err(Error::Unavailable)
    }
}

#[cfg(target_os = "linux")]
pub use super::landlock::{confine, confine_by_stdin};
#[cfg(target_os = "linux")]
use super::landlock::{step_inside, try_out};
#[cfg(target_os = "linux")]
pub use super::run_rules::RunRules;
#[cfg(target_os = "linux")]
use super::sockets::Broker;
#[cfg(target_os = "linux")]
pub use super::sockets::Sockets;
