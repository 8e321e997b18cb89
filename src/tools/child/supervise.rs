//! A program that a tool's own process starts: watched to its end, with both of its outputs taken as they come. It
//! is ended, with all it has started, when its time is over or nobody wants the result any more.

use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, WaitStatus};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};

use super::reaper;
use crate::exhausted::at_start;
use crate::tools::sandbox::confine::{self, Inner};

/// How long the pipes of a program that has ended must stay silent before nothing more is expected of what it left
/// running: a `tee` behind it has the last lines still to write.
const SILENCE_TIMEOUT: Duration = Duration::from_millis(200);

/// How long they are read at most, if what is left running does not fall silent.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// How watching ended.
pub(in crate::tools) enum End {
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
pub(in crate::tools) type OutputReader<'a> = &'a mut dyn FnMut(&[u8]) -> bool;

/// Runs the first of these commands whose program exists. With one taker both outputs go through one pipe, so that
/// they keep their order; a second one takes what goes to standard error. Nothing of the program is left behind.
pub(in crate::tools) fn watch(
    commands: Vec<Command>,
    mut takers: Vec<OutputReader<'_>>,
    deadline: Instant,
    inner: Inner<'_>,
) -> io::Result<End> {
    let mut signals = Signals {
        ended: stream_of(&[SIGCHLD])?,
        orders: stream_of(&[SIGTERM, SIGINT])?,
    };
    let apart = takers.len() > 1;
    let ((child, pipes), sockets) = confine::start_inside(inner, || start(commands, apart))?;
    let mut outputs: Vec<OutputPipe<'_, '_>> = pipes
        .into_iter()
        .zip(&mut takers)
        .map(|(pipe, take)| OutputPipe {
            pipe,
            take,
            open: true,
            taken: 0,
        })
        .collect();
    let mut end = wait(child, &mut outputs, &mut signals, deadline);
    if let Ok(End::Exited(_)) = end
        && let Err(error) = linger(&mut outputs, &mut signals, deadline)
    {
        end = Err(error);
    }
    drain_all(&mut outputs);
    let hurried = || matches!(signals.orders.read(&mut [0]), Ok(1..));
    let ended = reaper::end_all(inner.reach, hurried);
    drop(sockets);
    drain_all(&mut outputs);
    if !ended {
        return Err(io::Error::other("what it has started could not be ended"));
    }
    end
}

fn drain_all(outputs: &mut [OutputPipe<'_, '_>]) {
    for output in outputs {
        output.drain();
    }
}

/// A pipe, and whoever takes what comes through it.
struct OutputPipe<'a, 'b> {
    pipe: PipeReader,
    take: &'a mut OutputReader<'b>,
    open: bool,
    /// How many bytes came.
    taken: u64,
}

impl OutputPipe<'_, '_> {
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
                    self.taken += count as u64;
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
fn stream_of(signals: &[i32]) -> io::Result<UnixStream> {
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
            Err(error) => return Err(at_start(error)),
        }
    }
    Err(failed)
}

/// What wakes the one who waits, beside output.
struct Signals {
    /// A child has ended.
    ended: UnixStream,
    /// Nobody wants the result any more.
    orders: UnixStream,
}

/// Waits until the program ends, its time is over, or nobody wants the result any more.
fn wait(
    child: Pid,
    outputs: &mut [OutputPipe<'_, '_>],
    signals: &mut Signals,
    deadline: Instant,
) -> io::Result<End> {
    loop {
        if let Some(status) = reaper::collect(child) {
            return Ok(End::Exited(status));
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(End::Timeout);
        }
        if let Some(end) = listen(outputs, signals, left)? {
            return Ok(end);
        }
    }
}

/// Reads on after the program has ended: until every pipe has come to its end, what is left running has fallen silent,
/// or the time is over.
fn linger(
    outputs: &mut [OutputPipe<'_, '_>],
    signals: &mut Signals,
    deadline: Instant,
) -> io::Result<()> {
    let begun = Instant::now();
    let until = deadline.min(begun + LINGER_TIMEOUT);
    let taken = |outputs: &[OutputPipe<'_, '_>]| outputs.iter().map(|o| o.taken).sum::<u64>();
    let (mut before, mut silent_since) = (taken(outputs), begun);
    while outputs.iter().any(|output| output.open) {
        let left = until
            .min(silent_since + SILENCE_TIMEOUT)
            .saturating_duration_since(Instant::now());
        if left.is_zero() || listen(outputs, signals, left)?.is_some() {
            break;
        }
        let now = taken(outputs);
        if now != before {
            (before, silent_since) = (now, Instant::now());
        }
    }
    Ok(())
}

/// Waits for no longer than this until something happens, and takes the output that has come; the end, if it is one.
/// `codex run` holds the other end of our standard output, so a run that is gone shows there.
fn listen(
    outputs: &mut [OutputPipe<'_, '_>],
    signals: &mut Signals,
    time: Duration,
) -> io::Result<Option<End>> {
    let stdout = io::stdout();
    let mut fds = vec![
        PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty()),
        PollFd::new(&signals.orders, PollFlags::IN),
        PollFd::new(&signals.ended, PollFlags::IN),
    ];
    for output in outputs.iter().filter(|output| output.open) {
        fds.push(PollFd::new(&output.pipe, PollFlags::IN));
    }
    let time = Timespec::try_from(time).unwrap_or(Timespec {
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
    drop(fds);
    if gone || ordered {
        // The first order starts the end; one that comes after it shortens the grace.
        let _ = ordered.then(|| signals.orders.read(&mut [0; 1]));
        return Ok(Some(End::Unwanted));
    }
    let _ = signals.ended.read(&mut [0; 64]);
    for output in outputs.iter_mut().filter(|output| output.open) {
        if !output.drain() {
            return Ok(Some(End::Enough));
        }
    }
    Ok(None)
}
