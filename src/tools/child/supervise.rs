//! Supervises a program that a tool's process starts: reads its output as it arrives, and ends it with everything it
//! started when the time limit expires or the result is no longer wanted.

use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, WaitStatus};
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};

use super::reaper;
use crate::exhausted::at_start;
use crate::tools::live_output::LiveOutput;
use crate::tools::sandbox::confine::{self, Inner, Sockets};

/// How long the pipes must stay silent after the program exited before we stop reading from what it left running: in
/// `program | tee`, `tee` may still have the last lines to write.
const SILENCE_TIMEOUT: Duration = Duration::from_millis(200);

/// Maximum time to read the pipes after the program exited.
const LINGER_TIMEOUT: Duration = Duration::from_secs(2);

/// Why supervision ended.
pub(in crate::tools) enum End {
    /// The program exited.
    Exited(WaitStatus),
    /// The time limit expired.
    Timeout,
    /// The result is no longer wanted.
    Unwanted,
    /// The reader has enough output.
    Enough,
}

/// Takes output. Returns whether to continue.
pub(in crate::tools) type OutputReader<'a> = &'a mut dyn FnMut(&[u8]) -> bool;

/// Runs the first command whose program exists. With one reader, both outputs share a pipe and so keep their order; a
/// second reader takes standard error. `live` is reported while the program runs. No process of the program is left behind.
pub(in crate::tools) fn watch(
    commands: Vec<Command>,
    mut takers: Vec<OutputReader<'_>>,
    deadline: Instant,
    inner: Inner<'_>,
    live: Option<LiveOutput<'_>>,
) -> io::Result<End> {
    let children = signal_stream(&[SIGCHLD])?;
    let stop_requests = signal_stream(&[SIGTERM, SIGINT])?;
    let separate = takers.len() > 1;
    let ((child, pipes), sockets) = confine::start_inside(inner, || start(commands, separate))?;
    let mut wakers = Wakers {
        children,
        stop_requests,
        sockets,
    };
    let pipes = pipes
        .into_iter()
        .zip(&mut takers)
        .map(|(pipe, take)| OutputPipe {
            pipe,
            take,
            open: true,
            taken: 0,
        })
        .collect();
    let mut outputs = Outputs { pipes, live };
    let mut end = wait(child, &mut outputs, &mut wakers, deadline);
    if let Ok(End::Exited(_)) = end
        && let Err(error) = linger(&mut outputs, &mut wakers, deadline)
    {
        end = Err(error);
    }
    // The result follows, so nothing is reported any more.
    outputs.live = None;
    outputs.drain();
    let Wakers {
        stop_requests,
        sockets,
        ..
    } = &mut wakers;
    let hurried = || matches!(stop_requests.read(&mut [0]), Ok(1..));
    // What is left may make a socket call while it ends.
    if let Some(sockets) = sockets
        && reaper::have_children()
    {
        sockets.serve();
    }
    let ended = reaper::end_all(inner.reach, hurried);
    outputs.drain();
    if !ended {
        return Err(io::Error::other(
            "the processes that it started could not be ended",
        ));
    }
    end
}

/// The pipes of a program.
struct Outputs<'a, 'b> {
    pipes: Vec<OutputPipe<'a, 'b>>,
    /// What they bring, if it is to be reported.
    live: Option<LiveOutput<'a>>,
}

impl Outputs<'_, '_> {
    /// Reads what is available. Returns whether to continue.
    fn drain(&mut self) -> bool {
        let mut goes_on = true;
        for pipe in self.pipes.iter_mut().filter(|pipe| pipe.open) {
            goes_on &= pipe.drain(&mut self.live);
        }
        goes_on
    }
}

/// A pipe and the reader of its output.
struct OutputPipe<'a, 'b> {
    pipe: PipeReader,
    take: &'a mut OutputReader<'b>,
    open: bool,
    /// Number of bytes read.
    taken: u64,
}

impl OutputPipe<'_, '_> {
    /// Reads what is available, though only up to a limit at a time. Returns whether to continue.
    fn drain(&mut self, live: &mut Option<LiveOutput<'_>>) -> bool {
        let mut buffer = [0; 16 << 10];
        for _ in 0..256 {
            match self.pipe.read(&mut buffer) {
                Ok(0) => {
                    self.open = false;
                    return true;
                }
                Ok(count) => {
                    self.taken += count as u64;
                    if let Some(live) = live {
                        live.add(&buffer[..count]);
                    }
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

/// A stream that receives a byte for each of these signals, and never blocks its reader.
pub(super) fn signal_stream(signals: &[i32]) -> io::Result<PipeReader> {
    let (reader, writer) = io::pipe()?;
    set_nonblocking(&reader)?;
    for signal in signals {
        signal_hook::low_level::pipe::register(*signal, writer.try_clone()?)?;
    }
    Ok(reader)
}

fn set_nonblocking(pipe: &PipeReader) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(pipe)?;
    rustix::fs::fcntl_setfl(pipe, flags | rustix::fs::OFlags::NONBLOCK).map_err(Into::into)
}

/// Starts the first command that exists. Returns the process and the pipe of both outputs, or one for each.
fn start(commands: Vec<Command>, separate: bool) -> io::Result<(Pid, Vec<PipeReader>)> {
    let (reader, writer) = io::pipe()?;
    let mut pipes = vec![reader];
    let stderr = if separate {
        let (reader, writer) = io::pipe()?;
        pipes.push(reader);
        writer
    } else {
        writer.try_clone()?
    };
    for pipe in &pipes {
        set_nonblocking(pipe)?;
    }
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for mut command in commands {
        command
            // A program that signals its own process group must not hit this process.
            .process_group(0)
            .stdout(writer.try_clone()?)
            .stderr(stderr.try_clone()?);
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

/// What wakes the waiting thread, besides output.
struct Wakers {
    /// SIGCHLD: a child exited.
    children: PipeReader,
    /// SIGINT or SIGTERM: the result is no longer wanted.
    stop_requests: PipeReader,
    /// A socket call of the program is to be answered.
    sockets: Option<Sockets>,
}

/// Waits until the program exits, the deadline passes, or the result is no longer wanted.
fn wait(
    child: Pid,
    outputs: &mut Outputs<'_, '_>,
    wakers: &mut Wakers,
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
        if let Some(end) = listen(outputs, wakers, left)? {
            return Ok(end);
        }
    }
}

/// Keeps reading after the program exited: until all pipes are closed, the remaining processes fall silent, or the
/// time is up.
fn linger(outputs: &mut Outputs<'_, '_>, wakers: &mut Wakers, deadline: Instant) -> io::Result<()> {
    let begun = Instant::now();
    let until = deadline.min(begun + LINGER_TIMEOUT);
    let taken = |outputs: &Outputs<'_, '_>| outputs.pipes.iter().map(|o| o.taken).sum::<u64>();
    let (mut before, mut silent_since) = (taken(outputs), begun);
    while outputs.pipes.iter().any(|output| output.open) {
        let left = until
            .min(silent_since + SILENCE_TIMEOUT)
            .saturating_duration_since(Instant::now());
        if left.is_zero() || listen(outputs, wakers, left)?.is_some() {
            break;
        }
        let now = taken(outputs);
        if now != before {
            (before, silent_since) = (now, Instant::now());
        }
    }
    Ok(())
}

/// Waits up to `time` for an event and reads the output that has arrived. Returns the end, if this is it. `codex
/// run` holds the other end of our standard output, so its exit is noticed there.
fn listen(
    outputs: &mut Outputs<'_, '_>,
    wakers: &mut Wakers,
    mut time: Duration,
) -> io::Result<Option<End>> {
    let live = outputs.live.as_mut();
    if let Some(until_report) = live.and_then(LiveOutput::report_if_due) {
        time = time.min(until_report);
    }
    let stdout = io::stdout();
    let mut fds = vec![
        PollFd::from_borrowed_fd(stdout.as_fd(), PollFlags::empty()),
        PollFd::new(&wakers.stop_requests, PollFlags::IN),
        PollFd::new(&wakers.children, PollFlags::IN),
    ];
    let next_call = wakers.sockets.as_ref().and_then(Sockets::next_call);
    let at_next_call = next_call.map(|listener| {
        fds.push(PollFd::from_borrowed_fd(listener, PollFlags::IN));
        fds.len() - 1
    });
    for output in outputs.pipes.iter().filter(|output| output.open) {
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
    let stop_requested = !fds[1].revents().is_empty();
    let called = at_next_call.map_or(PollFlags::empty(), |at| fds[at].revents());
    drop(fds);
    if let Some(sockets) = wakers.sockets.as_mut().filter(|_| !called.is_empty()) {
        if called.contains(PollFlags::IN) {
            sockets.answer_next();
        } else {
            sockets.end();
        }
    }
    if gone || stop_requested {
        // The first stop request starts the end; a second one shortens the grace period.
        let _ = stop_requested.then(|| wakers.stop_requests.read(&mut [0; 1]));
        return Ok(Some(End::Unwanted));
    }
    let _ = wakers.children.read(&mut [0; 64]);
    Ok((!outputs.drain()).then_some(End::Enough))
}
