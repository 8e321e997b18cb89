//! What the system has no more of. An error that says so is a fact about this machine and never about a network, a
//! service or a file, so it is told apart from theirs. Starting a thread or a process fails with `EAGAIN`, which
//! elsewhere means something else: who starts one has `at_start` mark the error.

use std::error::Error as StdError;
use std::fmt;
use std::fs;
use std::io;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// What the system has no more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// Descriptors of this process: `RLIMIT_NOFILE`.
    Descriptors,
    /// Descriptors of the whole system.
    SystemDescriptors,
    /// Threads and processes: `RLIMIT_NPROC` of the user, or the limit of a control group.
    Threads,
    /// Memory for one more thread or process.
    Memory,
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Descriptors => "this process has too many open files (RLIMIT_NOFILE)",
            Self::SystemDescriptors => "the whole system has too many open files",
            Self::Threads => {
                "the system gives no further thread or process (RLIMIT_NPROC, or a pids limit)"
            }
            Self::Memory => "there is no memory for a further thread or process",
        })
    }
}

impl StdError for Exhausted {}

impl Exhausted {
    /// What this error says, if it says that something is exhausted.
    #[must_use]
    pub fn of(error: &io::Error) -> Option<Self> {
        if let Some(marked) = error.get_ref().and_then(|inner| inner.downcast_ref()) {
            return Some(*marked);
        }
        match Errno::from_io_error(error)? {
            Errno::MFILE => Some(Self::Descriptors),
            Errno::NFILE => Some(Self::SystemDescriptors),
            _ => None,
        }
    }
}

/// Marks the error of starting a thread or a process, where it says that there can be no more of them.
#[must_use]
pub fn at_start(error: io::Error) -> io::Error {
    let exhausted = match Errno::from_io_error(&error) {
        Some(Errno::AGAIN) => Exhausted::Threads,
        Some(Errno::NOMEM) => Exhausted::Memory,
        _ => return error,
    };
    io::Error::other(exhausted)
}

/// A limit on descriptors that no command comes near, unless almost all were handed to it.
const FAR: u64 = 256;

/// How many are tried below such a limit.
const FEW: usize = 4;

/// Whether this many more files could be opened now.
///
/// # Errors
/// When not, for this reason.
pub fn room(descriptors: usize) -> Result<(), Exhausted> {
    // Where the limit is far away a few say enough.
    let limit = getrlimit(Resource::Nofile).current;
    let is_far = limit.is_none_or(|limit| limit >= FAR);
    let descriptors = if is_far {
        descriptors.min(FEW)
    } else {
        descriptors
    };
    let mut held = Vec::new();
    for _ in 0..descriptors {
        // The place is of no matter, as long as it is there.
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
        match rustix::fs::open("/", flags, rustix::fs::Mode::empty()) {
            Ok(opened) => held.push(opened),
            Err(Errno::MFILE) => return Err(Exhausted::Descriptors),
            Err(Errno::NFILE) => return Err(Exhausted::SystemDescriptors),
            // It cannot be found out in this way.
            Err(_) => break,
        }
    }
    Ok(())
}

/// Whether this many more threads could run now.
///
/// # Errors
/// When not, for the system's reason.
pub fn room_for_threads(threads: usize) -> io::Result<()> {
    let (known, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    for _ in 0..threads {
        let wait = Arc::clone(&wait);
        // Each of them ends once it is known whether all could begin.
        let waiting = move || drop(wait.lock().map(|wait| wait.recv()));
        let started = thread::Builder::new().spawn(waiting);
        started.map_err(at_start)?;
    }
    drop(known);
    Ok(())
}

/// The limits that hold now, where there are any and they can be found out.
#[derive(Debug, Default)]
pub struct SystemLimits {
    /// Open files of this process.
    pub files: Option<u64>,
    /// Processes and threads of this user.
    pub processes: Option<u64>,
    /// Processes and threads of the control group.
    pub tasks: Option<String>,
}

impl SystemLimits {
    /// Reads them.
    #[must_use]
    pub fn now() -> Self {
        Self {
            files: getrlimit(Resource::Nofile).current,
            processes: getrlimit(Resource::Nproc).current,
            tasks: tasks(),
        }
    }
}

/// The limit of tasks of the control group that this process is in, as the second version of control groups tells it.
fn tasks() -> Option<String> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let limit = fs::read_to_string(format!("/sys/fs/cgroup{group}/pids.max")).ok()?;
    let limit = limit.trim();
    limit.parse::<u64>().ok().map(|limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_start_is_marked_and_descriptors_are_known_anywhere() {
        let check = |errno: Errno, anywhere: Option<Exhausted>, at_its_start: Option<Exhausted>| {
            let error = || io::Error::from(errno);
            assert_eq!(Exhausted::of(&error()), anywhere, "{errno:?}");
            let marked = at_start(error());
            assert_eq!(Exhausted::of(&marked), at_its_start, "{errno:?}");
        };
        let descriptors = Some(Exhausted::Descriptors);
        check(Errno::MFILE, descriptors, descriptors);
        let system = Some(Exhausted::SystemDescriptors);
        check(Errno::NFILE, system, system);
        check(Errno::AGAIN, None, Some(Exhausted::Threads));
        check(Errno::NOMEM, None, Some(Exhausted::Memory));
        check(Errno::NOENT, None, None);
        check(Errno::ACCESS, None, None);
    }
}
