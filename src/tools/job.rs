//! The process of one call: started unless the run is over, and killed at its deadline.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, ChildStderr, Command, ExitStatus};
use std::sync::Mutex;

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

    /// The pipe of its standard error.
    pub(super) fn stderr(&mut self) -> io::Result<ChildStderr> {
        let stderr = self.child.stderr.take();
        stderr.ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    /// A descriptor that is readable once the process has exited, where the system has one.
    pub(super) fn exit(&self) -> Option<OwnedFd> {
        #[cfg(target_os = "linux")]
        return rustix::process::pidfd_open(self.pid, rustix::process::PidfdFlags::empty()).ok();
        #[cfg(not(target_os = "linux"))]
        None
    }

    /// Reaps the process if it has exited.
    pub(super) fn reap(&mut self) -> io::Result<Option<ExitStatus>> {
        // Reaping frees the process id, so nothing else may be about to signal it.
        let mut running = lock(self.running);
        let status = self.child.try_wait()?;
        if status.is_some() {
            running.children.retain(|pid| *pid != self.pid);
        }
        Ok(status)
    }

    /// Kills the process.
    pub(super) fn kill(&mut self) -> io::Result<()> {
        self.child.kill()
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
