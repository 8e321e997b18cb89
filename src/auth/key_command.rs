//! An API key printed by a command, such as a password manager's. The output is never shown.

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

/// Timeout of the command.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(10);

/// Polling interval for the exit of the shell.
const POLL_INTERVAL: Duration = Duration::from_millis(10);

/// Output limit, in bytes: no key is longer.
const MAX_OUTPUT_BYTES: u64 = 64 << 10;

/// The reason a command gave no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No shell could be started.
    Start,
    /// A system resource ran out.
    Exhausted(Exhausted),
    /// The command timed out.
    Late,
    /// The exit status was not 0.
    Failed,
    /// The output was empty or too long for a key.
    Nothing,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start => f.write_str("cannot be started"),
            Self::Exhausted(exhausted) => write!(f, "cannot be started: {exhausted}"),
            Self::Late => write!(f, "did not finish within {} s", COMMAND_TIMEOUT.as_secs()),
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

/// Runs the command in a shell and returns its trimmed output. Its standard error goes to the user's. The variables
/// in `hidden` are removed from its environment.
///
/// # Errors
/// If it gives no key.
pub fn key(command: &str, hidden: &[&str]) -> Result<Secret, Error> {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", command])
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    for name in hidden {
        shell.env_remove(name);
    }
    // The shell and its descendants form a process group, which is killed as a whole.
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
        // The shell's output is in the pipe once the shell has exited. A background process may hold the pipe open,
        // so nothing waits for the end of file.
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
    // A background process would keep standard error open.
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

/// Makes reads from the pipe non-blocking.
fn set_nonblocking(output: &ChildStdout) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(output)?;
    rustix::fs::fcntl_setfl(output, flags | rustix::fs::OFlags::NONBLOCK)?;
    Ok(())
}

/// Waits for output, at most one polling interval.
fn await_output(output: &ChildStdout) {
    let mut fds = [PollFd::new(output, PollFlags::IN)];
    let time = Timespec::try_from(POLL_INTERVAL).ok();
    let polled = poll(&mut fds, time.as_ref());
    // A shell that closes its output keeps running, and its pipe would poll as ready immediately.
    if polled.is_err()
        || (fds[0].revents().contains(PollFlags::HUP) && !fds[0].revents().contains(PollFlags::IN))
    {
        thread::sleep(POLL_INTERVAL);
    }
}

/// Kills the shell's process group.
fn end(child: &mut Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}
