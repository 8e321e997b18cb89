//! Exhausted system resources. Such an error concerns this machine, never a network, a service or a file, so it is
//! reported separately. Starting a thread or a process fails with `EAGAIN`, which has a different meaning elsewhere:
//! code that starts one marks the error with `at_start`.

use std::error::Error as StdError;
use std::fmt;
use std::fs;
use std::io;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit};

/// An exhausted resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// File descriptors of this process (`RLIMIT_NOFILE`).
    Descriptors,
    /// File descriptors of the whole system.
    SystemDescriptors,
    /// Threads and processes: `RLIMIT_NPROC` of the user, or the limit of a control group.
    Threads,
    /// Memory for another thread or process.
    Memory,
}

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Descriptors => "this process has too many open files (RLIMIT_NOFILE)",
            Self::SystemDescriptors => "the system as a whole has too many open files",
            Self::Threads => {
                "the limit on threads and processes has been reached (RLIMIT_NPROC, or a pids limit)"
            }
            Self::Memory => "not enough memory to start another thread or process",
        })
    }
}

impl StdError for Exhausted {}

impl Exhausted {
    /// The exhausted resource that this error names, if any.
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

/// Marks an error from starting a thread or a process if it means that no more can be started.
#[must_use]
pub fn at_start(error: io::Error) -> io::Error {
    let exhausted = match Errno::from_io_error(&error) {
        Some(Errno::AGAIN) => Exhausted::Threads,
        Some(Errno::NOMEM) => Exhausted::Memory,
        _ => return error,
    };
    io::Error::other(exhausted)
}

/// A descriptor limit that no command comes near, unless it inherited many open descriptors.
const HIGH_LIMIT: u64 = 256;

/// Descriptors to try below such a limit.
const SAMPLE_DESCRIPTORS: usize = 4;

/// Checks that this many more files could be opened now.
///
/// # Errors
/// When they could not be opened, with the reason.
pub fn check_descriptors(descriptors: usize) -> Result<(), Exhausted> {
    // If the limit is high, a few are enough.
    let limit = getrlimit(Resource::Nofile).current;
    let is_far = limit.is_none_or(|limit| limit >= HIGH_LIMIT);
    let descriptors = if is_far {
        descriptors.min(SAMPLE_DESCRIPTORS)
    } else {
        descriptors
    };
    let mut held = Vec::new();
    for _ in 0..descriptors {
        // Any path will do, as long as it exists.
        let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::CLOEXEC;
        match rustix::fs::open("/", flags, rustix::fs::Mode::empty()) {
            Ok(opened) => held.push(opened),
            Err(Errno::MFILE) => return Err(Exhausted::Descriptors),
            Err(Errno::NFILE) => return Err(Exhausted::SystemDescriptors),
            // Cannot be determined this way.
            Err(_) => break,
        }
    }
    Ok(())
}

/// Checks that this many more threads could run now.
///
/// # Errors
/// When they could not be started, with the system's error.
pub fn check_threads(threads: usize) -> io::Result<()> {
    let (known, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    for _ in 0..threads {
        let wait = Arc::clone(&wait);
        // Each thread waits until it is known whether all of them could start.
        let waiting = move || drop(wait.lock().map(|wait| wait.recv()));
        let started = thread::Builder::new().spawn(waiting);
        started.map_err(at_start)?;
    }
    drop(known);
    Ok(())
}

/// The limits in effect, where they exist and can be determined.
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
    /// Reads the limits.
    #[must_use]
    pub fn now() -> Self {
        Self {
            files: getrlimit(Resource::Nofile).current,
            processes: getrlimit(Resource::Nproc).current,
            tasks: tasks(),
        }
    }
}

/// The task limit of this process's control group (version 2).
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
    fn only_start_errors_are_marked_and_descriptor_errors_are_always_recognized() {
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
