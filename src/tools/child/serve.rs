//! Runs a server in the process of a tool: the server has the standard streams of this process, and is ended with
//! everything it started when the run that holds their other ends is gone or asks for it.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, WaitStatus};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};

use super::reaper;
use super::supervise::signal_stream;
use crate::exhausted::at_start;
use crate::tools::sandbox::confine::{self, Inner, Sockets};

/// Runs the program until it exits, or is no longer wanted: then the result is `None`. Nothing of it is left behind.
///
/// # Errors
/// If it cannot be started, or what it started cannot be ended.
pub(in crate::tools) fn serve(
    mut command: Command,
    inner: Inner<'_>,
) -> io::Result<Option<WaitStatus>> {
    let mut children = signal_stream(&[SIGCHLD])?;
    let mut stop_requests = signal_stream(&[SIGTERM, SIGINT])?;
    // A program that signals its own process group must not hit this process.
    command.process_group(0);
    let (child, mut sockets) = confine::start_inside(inner, || command.spawn().map_err(at_start))?;
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let pid = pid.ok_or(io::ErrorKind::InvalidData)?;
    let stdout = io::stdout();
    let status = loop {
        if let Some(status) = reaper::collect(pid) {
            break Some(status);
        }
        // The run holds the other end of standard output, so its exit is noticed there.
        let mut fds = vec![
            PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty()),
            PollFd::new(&stop_requests, PollFlags::IN),
            PollFd::new(&children, PollFlags::IN),
        ];
        let next_call = sockets.as_ref().and_then(Sockets::next_call);
        fds.extend(next_call.map(|listener| PollFd::from_borrowed_fd(listener, PollFlags::IN)));
        match rustix::event::poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let gone = fds[0].revents();
        let gone = gone.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
        let stop_requested = !fds[1].revents().is_empty();
        let called = fds.get(3).map_or(PollFlags::empty(), PollFd::revents);
        drop(fds);
        match &mut sockets {
            Some(sockets) if called.contains(PollFlags::IN) => sockets.answer_next(),
            Some(sockets) if !called.is_empty() => sockets.end(),
            _ => {}
        }
        if gone || stop_requested {
            // The first stop request starts the end; a second one shortens the grace period.
            let _ = stop_requested.then(|| stop_requests.read(&mut [0; 1]));
            break None;
        }
        let _ = children.read(&mut [0; 64]);
    };
    let hurried = || matches!(stop_requests.read(&mut [0]), Ok(1..));
    // What is left may make a socket call while it ends.
    if let Some(sockets) = &mut sockets
        && reaper::have_children()
    {
        sockets.serve();
    }
    let ended = reaper::end_all(inner.reach, hurried);
    if !ended {
        return Err(io::Error::other(
            "the processes that it started could not be ended",
        ));
    }
    Ok(status)
}
