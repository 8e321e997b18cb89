//! The exchange with the process of a call, as one loop on the caller's thread: its arguments go in and its result comes
//! out on one socket, its standard error is read, and its exit and its deadline are awaited.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ExitStatus};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::job::Job;

/// How long a tool's socket and pipe may stay open after it exited. Another process holds them then.
const PIPE_TIMEOUT: Duration = Duration::from_millis(200);

/// How often to look for the exit of a process where no descriptor reports it.
const EXIT_INTERVAL: Duration = Duration::from_millis(10);

/// How much is kept of what a tool's process writes to each. The process limits its text and images itself.
const MAX_KEPT_BYTES: usize = 10 << 20;

/// What a process has left behind.
pub(super) struct Exchanged {
    /// How it exited; `None` if it was killed at its deadline.
    pub(super) status: Option<ExitStatus>,
    /// What it wrote to the socket, without what was taken out of it.
    pub(super) result: Vec<u8>,
    /// What it wrote to standard error.
    pub(super) complaints: Vec<u8>,
}

/// A source of bytes that are kept up to a limit.
struct Kept<S> {
    source: Option<S>,
    bytes: Vec<u8>,
}

impl<S: Read> Kept<S> {
    fn of(source: S) -> Self {
        Self {
            source: Some(source),
            bytes: Vec::new(),
        }
    }

    /// Reads what is available.
    fn drain(&mut self) {
        let mut buffer = [0; 16 << 10];
        while let Some(source) = &mut self.source {
            match source.read(&mut buffer) {
                Ok(count @ 1..) => {
                    let room = MAX_KEPT_BYTES.saturating_sub(self.bytes.len());
                    self.bytes.extend_from_slice(&buffer[..count.min(room)]);
                    if count < buffer.len() {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => self.source = None,
            }
        }
    }
}

/// Writes the arguments to the process, reads what it writes, and waits until it exits; at the deadline it is killed.
/// `look` may take bytes out of those that have come from the socket, whenever there are more.
///
/// # Errors
/// If the system cannot wait.
pub(super) fn exchange(
    job: &mut Job<'_>,
    socket: UnixStream,
    arguments: &[u8],
    deadline: Instant,
    look: impl Fn(&mut Vec<u8>),
) -> io::Result<Exchanged> {
    let stderr: ChildStderr = job.stderr()?;
    socket.set_nonblocking(true)?;
    fcntl_setfl(&stderr, fcntl_getfl(&stderr)? | OFlags::NONBLOCK)?;
    let exit = job.exit();
    let (mut result, mut complaints) = (Kept::of(socket), Kept::of(stderr));
    // A process that exits early does not read them all, which its result shows.
    let mut left = Some(arguments);
    let (mut exited, mut late) = (None, false);
    loop {
        feed(result.source.as_mut(), &mut left);
        if exited.is_none() {
            exited = job.reap()?.map(|status| (status, Instant::now()));
        }
        let now = Instant::now();
        let is_open = result.source.is_some() || complaints.source.is_some();
        let until = match exited {
            Some((status, at)) => {
                let until = at + PIPE_TIMEOUT;
                if !is_open || now >= until {
                    return Ok(Exchanged {
                        status: Some(status).filter(|_| !late),
                        result: result.bytes,
                        complaints: complaints.bytes,
                    });
                }
                until
            }
            None if late => now + PIPE_TIMEOUT,
            None if now >= deadline => {
                late = true;
                job.kill()?;
                continue;
            }
            None if exit.is_some() => deadline,
            None => deadline.min(now + EXIT_INTERVAL),
        };
        let mut fds = Vec::with_capacity(3);
        if let Some(socket) = &result.source {
            let wanted = if left.is_some() {
                PollFlags::IN | PollFlags::OUT
            } else {
                PollFlags::IN
            };
            fds.push(PollFd::new(socket, wanted));
        }
        if let Some(stderr) = &complaints.source {
            fds.push(PollFd::new(stderr, PollFlags::IN));
        }
        if let Some(exit) = exit.as_ref().filter(|_| exited.is_none()) {
            fds.push(PollFd::new(exit, PollFlags::IN));
        }
        let time = Timespec::try_from(until - now).ok();
        match poll(&mut fds, time.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let before = result.bytes.len();
        result.drain();
        if result.bytes.len() > before {
            look(&mut result.bytes);
        }
        complaints.drain();
    }
}

/// Writes as much of the arguments as the socket takes, and then their end.
fn feed(socket: Option<&mut UnixStream>, left: &mut Option<&[u8]>) {
    let Some(socket) = socket else {
        return;
    };
    while let Some(bytes) = *left {
        if bytes.is_empty() {
            let _ = socket.shutdown(Shutdown::Write);
            *left = None;
            return;
        }
        match socket.write(bytes) {
            Ok(count) => *left = Some(&bytes[count..]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => *left = None,
        }
    }
}
