//! A program that a tool's own process starts: watched to its end, with both of its outputs taken as they come. It
//! is ended, with all it has started, when its time is over or nobody wants the result any more.

use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, WaitStatus};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};

use super::confine::{self, Reach};
use super::reaper;

/// How watching ended.
pub(super) enum End {
    /// The program ended.
    Exited(WaitStatus),
    /// Its time was over.
    Timeout,
    /// Nobody wants the result any more.
    Unwanted,
    /// Whoever takes the output has enough of it.
    Enough,
}

/// Takes a piece of output; whether more is wanted.
pub(super) type Take<'a> = &'a mut dyn FnMut(&[u8]) -> bool;

/// Runs the first of these commands whose program exists. With one taker both outputs go through one pipe, so that
/// they keep their order; a second one takes what goes to standard error. Nothing of the program is left behind.
pub(super) fn watch(
    commands: Vec<Command>,
    mut takers: Vec<Take<'_>>,
    deadline: Instant,
    reach: Reach,
) -> io::Result<End> {
    let (ended, orders) = (signals(&[SIGCHLD])?, signals(&[SIGTERM, SIGINT])?);
    let apart = takers.len() > 1;
    let ((child, pipes), sockets) = confine::start_inside(reach, || start(commands, apart))?;
    let mut outputs: Vec<Output<'_, '_>> = pipes
        .into_iter()
        .zip(&mut takers)
        .map(|(pipe, take)| Output {
            pipe,
            take,
            open: true,
        })
        .collect();
    let end = wait(child, &mut outputs, &ended, &orders, deadline);
    // What the program left behind may hold the pipes open for ever, so only what is there is taken.
    drain_all(&mut outputs);
    let ended = reaper::end_all(reach, || matches!((&orders).read(&mut [0]), Ok(1..)));
    drop(sockets);
    drain_all(&mut outputs);
    if !ended {
        return Err(io::Error::other("what it has started could not be ended"));
    }
    end
}

fn drain_all(outputs: &mut [Output<'_, '_>]) {
    for output in outputs {
        output.drain();
    }
}

/// A pipe, and whoever takes what comes through it.
struct Output<'a, 'b> {
    pipe: PipeReader,
    take: &'a mut Take<'b>,
    open: bool,
}

impl Output<'_, '_> {
    /// Takes what is there now, though no more than a good part of it at once; whether more is wanted.
    fn drain(&mut self) -> bool {
        let mut buffer = [0; 16 << 10];
        for _ in 0..256 {
            match self.pipe.read(&mut buffer) {
                Ok(0) => {
                    self.open = false;
                    return true;
                }
                Ok(count) => {
                    if !(self.take)(&buffer[..count]) {
                        return false;
                    }
                }
                Err(error) => {
                    self.open = error.kind() == io::ErrorKind::WouldBlock;
                    return true;
                }
            }
        }
        true
    }
}

/// A stream that gets a byte for each of these signals, and never blocks its reader.
fn signals(signals: &[i32]) -> io::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    for signal in signals {
        signal_hook::low_level::pipe::register(*signal, writer.try_clone()?)?;
    }
    Ok(reader)
}

/// Starts the first command that there is; the process and its one output, or both.
fn start(commands: Vec<Command>, apart: bool) -> io::Result<(Pid, Vec<PipeReader>)> {
    let (reader, writer) = io::pipe()?;
    let mut pipes = vec![reader];
    let beside = if apart {
        let (reader, writer) = io::pipe()?;
        pipes.push(reader);
        writer
    } else {
        writer.try_clone()?
    };
    for pipe in &pipes {
        let flags = rustix::fs::fcntl_getfl(pipe)?;
        rustix::fs::fcntl_setfl(pipe, flags | rustix::fs::OFlags::NONBLOCK)?;
    }
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for mut command in commands {
        command
            // A program that signals its own group shall not hit us.
            .process_group(0)
            .stdout(writer.try_clone()?)
            .stderr(beside.try_clone()?);
        match command.spawn() {
            Ok(child) => {
                let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
                return Ok((pid.ok_or(io::ErrorKind::InvalidData)?, pipes));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => failed = error,
            Err(error) => return Err(error),
        }
    }
    Err(failed)
}

/// Waits until the program ends, its time is over, or nobody wants the result any more: `codex run` holds the
/// other end of our standard output, so a run that is gone shows there.
fn wait(
    child: Pid,
    outputs: &mut [Output<'_, '_>],
    ended: &UnixStream,
    orders: &UnixStream,
    deadline: Instant,
) -> io::Result<End> {
    let stdout = io::stdout();
    loop {
        if let Some(status) = reaper::collect(child) {
            return Ok(End::Exited(status));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(End::Timeout);
        }
        let mut fds = vec![
            PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty()),
            PollFd::new(orders, PollFlags::IN),
            PollFd::new(ended, PollFlags::IN),
        ];
        for output in outputs.iter().filter(|output| output.open) {
            fds.push(PollFd::new(&output.pipe, PollFlags::IN));
        }
        let time = Timespec::try_from(left).unwrap_or(Timespec {
            tv_sec: 3600,
            tv_nsec: 0,
        });
        match rustix::event::poll(&mut fds, Some(&time)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let gone = fds[0]
            .revents()
            .intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL);
        let ordered = !fds[1].revents().is_empty();
        if gone || ordered {
            // The first order starts the end; one that comes after it shortens the grace.
            let _ = ordered.then(|| (&*orders).read(&mut [0; 1]));
            return Ok(End::Unwanted);
        }
        drop(fds);
        let _ = (&*ended).read(&mut [0; 64]);
        for output in outputs.iter_mut().filter(|output| output.open) {
            if !output.drain() {
                return Ok(End::Enough);
            }
        }
    }
}
