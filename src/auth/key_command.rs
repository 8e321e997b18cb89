//! A key that a command prints, such as one of a password manager. What it printed is never shown.

use std::fmt;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};

use crate::exhausted::{Exhausted, at_start};
use crate::secret::Secret;

/// How long a command may take.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// How often it is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// The most that a command may print, in bytes: no key is longer.
const MAX_OUTPUT_BYTES: u64 = 64 << 10;

/// Why a command gave no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no shell to run it.
    Start,
    /// The system has no more of what running it takes.
    Exhausted(Exhausted),
    /// It did not end in time.
    Late,
    /// It ended with a status that is not 0.
    Failed,
    /// It printed nothing, or more than a key.
    Nothing,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("cannot be started"),
            Self::Exhausted(exhausted) => write!(f, "cannot be started: {exhausted}"),
            Self::Late => write!(f, "did not end within {} s", COMMAND_TIMEOUT.as_secs()),
            Self::Failed => f.write_str("failed"),
            Self::Nothing => f.write_str("printed no key"),
        }
    }
}

impl std::error::Error for Error {}

impl Error {
    fn at_start(error: io::Error) -> Self {
        Exhausted::of(&at_start(error)).map_or(Self::Start, Self::Exhausted)
    }
}

/// What the shell prints for this command, without the white space around it. Its standard error is the user's to see.
/// The variables in `hidden` are not handed on.
///
/// # Errors
/// When it gives no key.
pub fn key(command: &str, hidden: &[&str]) -> Result<Secret, Error> {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    for name in hidden {
        shell.env_remove(name);
    }
    // With whatever it starts it is a group, which is ended as a whole.
    shell.process_group(0);
    let mut child = shell.spawn().map_err(Error::at_start)?;
    let output = child.stdout.take().ok_or(Error::Start)?;
    if let Err(error) = set_nonblocking(&output) {
        end(&mut child);
        return Err(Error::at_start(error));
    }
    let begun = Instant::now();
    let mut output = output.take(MAX_OUTPUT_BYTES + 1);
    let mut bytes = Vec::new();
    let status = loop {
        await_output(output.get_ref());
        // What the shell has printed is in the pipe once the shell has ended. A program that it leaves behind may hold the
        // pipe open, so its end is not waited for.
        let ended = child.try_wait().ok().flatten();
        let _ = output.read_to_end(&mut bytes);
        match ended {
            Some(status) => break Some(status),
            None if begun.elapsed() > COMMAND_TIMEOUT || bytes.len() as u64 > MAX_OUTPUT_BYTES => {
                break None;
            }
            None => {}
        }
    };
    // What it has left behind would hold our standard error open.
    end(&mut child);
    let Some(status) = status else {
        return Err(if bytes.len() as u64 > MAX_OUTPUT_BYTES {
            Error::Nothing
        } else {
            Error::Late
        });
    };
    if !status.success() {
        return Err(Error::Failed);
    }
    if bytes.len() as u64 > MAX_OUTPUT_BYTES {
        return Err(Error::Nothing);
    }
    match String::from_utf8(bytes).map(|key| key.trim().to_owned()) {
        Ok(key) if !key.is_empty() => Ok(Secret::new(key)),
        _ => Err(Error::Nothing),
    }
}

/// Has reading the pipe fail where it would wait.
fn set_nonblocking(output: &ChildStdout) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(output)?;
    rustix::fs::fcntl_setfl(output, flags | rustix::fs::OFlags::NONBLOCK)?;
    Ok(())
}

/// Waits for output, or for as long as the end of the shell may go unnoticed.
fn await_output(output: &ChildStdout) {
    let mut fds = [PollFd::new(output, PollFlags::IN)];
    let time = Timespec::try_from(POLL_INTERVAL).ok();
    let polled = poll(&mut fds, time.as_ref());
    // A shell that has closed its output goes on, and its pipe would be ready at once each time.
    if polled.is_err()
        || (fds[0].revents().contains(PollFlags::HUP) && !fds[0].revents().contains(PollFlags::IN))
    {
        thread::sleep(POLL_INTERVAL);
    }
}

/// Ends the shell and what it has started.
fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}
