//! `codex tool NAME`: one built-in tool in a process of its own. `codex run` starts it, and a person can.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ChildStdout;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};

use crate::tools::{builtin, process, reaper};

use super::stdout::Stdout;

/// Runs the tool, which a person has asked for; whether it did what it was asked to. The tool gets a session of
/// its own, so it runs in a child: we stay where the person's terminal can interrupt us, and hold the child's
/// standard output, so it ends when we do. It finds no more in its environment than the tools of a run do.
///
/// # Errors
/// When the child cannot be started, or standard output cannot be written.
pub fn run(
    program: &Path,
    name: &str,
    timeout: Duration,
    environment: &[(OsString, OsString)],
    mut stdout: Stdout,
) -> io::Result<bool> {
    process::keep_descriptors();
    let temporary = std::env::temp_dir();
    let mut child = process::command(program, name, timeout, environment, &temporary).spawn()?;
    if let Some(result) = child.stdout.take() {
        relay(result, &mut stdout)?;
    }
    Ok(child.wait()?.success())
}

/// Hands on what comes, as long as somebody wants it. A terminal gets it at the end, when it can be read as text.
fn relay(mut from: ChildStdout, to: &mut Stdout) -> io::Result<()> {
    let mut buffer = vec![0; 64 << 10];
    let mut held = Vec::new();
    loop {
        let stdout = io::stdout();
        let mut fds = [
            PollFd::new(&from, PollFlags::IN),
            PollFd::new(&stdout, PollFlags::empty()),
        ];
        match poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if fds[1].revents().intersects(PollFlags::ERR | PollFlags::HUP) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        if !fds[0].revents().is_empty() {
            match from.read(&mut buffer)? {
                0 => return to.print(&String::from_utf8_lossy(&held)),
                count if to.is_terminal() => held.extend_from_slice(&buffer[..count]),
                count => to.write_all(&buffer[..count])?,
            }
        }
    }
}

/// Runs the tool in this very process, for whoever holds the other end of our standard output; whether it did
/// what it was asked to.
///
/// # Errors
/// When standard input cannot be read or standard output cannot be written, or this process cannot found a session.
pub fn run_held(name: &str, timeout: Duration, mut stdout: Stdout) -> io::Result<bool> {
    reaper::lead_session()?;
    let mut arguments = Vec::new();
    io::stdin().lock().read_to_end(&mut arguments)?;
    let Some(result) = builtin::run(name, &arguments, timeout) else {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("there is no tool {name}"),
        ));
    };
    let mut text = result.text;
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    stdout.write_all(text.as_bytes())?;
    Ok(result.ok)
}
