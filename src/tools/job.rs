//! The process of one call: started unless the run is over, waited for, and killed at its deadline.

use std::io;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::Mutex;
use std::time::Instant;

use rustix::process::Pid;

use super::lock::lock;
use crate::exhausted::at_start;

/// The processes of all running calls.
#[derive(Debug, Default)]
pub(super) struct RunningJobs {
    pub(super) children: Vec<Pid>,
    /// The run is over: no more processes are started.
    pub(super) over: bool,
}

/// A tool's process, registered with the run while it lives.
pub(super) struct Job<'a> {
    running: &'a Mutex<RunningJobs>,
    child: Child,
    pid: Pid,
}

impl<'a> Job<'a> {
    /// Starts the process, unless the run is over.
    pub(super) fn start(
        registry: &'a Mutex<RunningJobs>,
        mut command: Command,
    ) -> io::Result<Self> {
        // Under the lock, so that the end of the run misses no process.
        let mut running = lock(registry);
        if running.over {
            return Err(io::Error::other("the run is over"));
        }
        let mut child = command.spawn().map_err(at_start)?;
        let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) else {
            let _ = child.kill();
            return Err(io::ErrorKind::InvalidData.into());
        };
        running.children.push(pid);
        drop(running);
        Ok(Self {
            running: registry,
            child,
            pid,
        })
    }

    pub(super) fn pipes(&mut self) -> io::Result<(ChildStdin, ChildStdout, ChildStderr)> {
        let child = &mut self.child;
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok((stdin, stdout, stderr)),
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Waits for the process, not for its pipes. At the deadline it is killed and the status is `None`.
    pub(super) fn wait(&mut self, deadline: Instant) -> io::Result<Option<ExitStatus>> {
        let mut late = false;
        loop {
            {
                // Reaping frees the process id, so nothing else may be about to signal it.
                let mut running = lock(self.running);
                if let Some(status) = self.child.try_wait()? {
                    running.children.retain(|pid| *pid != self.pid);
                    return Ok(Some(status).filter(|_| !late));
                }
                if Instant::now() >= deadline {
                    late = true;
                    self.child.kill()?;
                }
            }
            self.pause();
        }
    }

    /// Pauses briefly; where the system supports it, only until the process exits.
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
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        let mut running = lock(self.running);
        if running.children.contains(&self.pid) {
            let _ = self.child.kill();
            let _ = self.child.wait();
            running.children.retain(|pid| *pid != self.pid);
        }
    }
}
