//! `bash`: runs a command and answers with what it printed, in order, and how it ended.

use std::fmt::Write as _;
use std::fs;
use std::io::{self, PipeReader, Read};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, WaitStatus};
use serde::Deserialize;
use signal_hook::consts::{SIGCHLD, SIGINT, SIGTERM};

use super::Result;
use crate::tools::capture::Capture;
use crate::tools::reaper;

/// The longest command that is handed over as an argument, in bytes; Linux takes 128 KiB. A longer one becomes a file.
const ARGUMENT: usize = 100 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "one JSON object")]
pub(super) struct Arguments {
    command: String,
    workdir: Option<PathBuf>,
    timeout: Option<f64>,
}

/// How waiting for a command ended.
enum End {
    Exited(WaitStatus),
    Timeout,
    /// Nobody wants the result any more.
    Unwanted,
}

pub(super) fn run(arguments: &Arguments, most: Duration) -> Result {
    let limit = match arguments.timeout {
        Some(seconds) => match Duration::try_from_secs_f64(seconds) {
            Ok(asked) if !asked.is_zero() => asked.min(most),
            _ => return Result::failed("timeout must be a number of seconds above 0"),
        },
        None => most,
    };
    let begun = Instant::now();
    let output = std::env::temp_dir().join(format!("output-{}.txt", std::process::id()));
    let mut capture = Capture::new(output);
    let end = match watched(arguments, begun + limit, &mut capture) {
        Ok(end) => end,
        Err(error) => return Result::failed(format!("the command could not be started: {error}")),
    };
    let mut text = capture.text();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    let took = begun.elapsed().as_secs_f64();
    let ok = matches!(&end, End::Exited(status) if status.exit_status() == Some(0));
    let _ = match end {
        End::Exited(status) => match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => write!(text, "[exit code {code}, {took:.1} s]"),
            (None, signal) => write!(
                text,
                "[killed by signal {}, {took:.1} s]",
                signal.unwrap_or_default()
            ),
        },
        End::Timeout => write!(
            text,
            "[ended after {} s, its time limit, with all it had started]",
            limit.as_secs_f64()
        ),
        End::Unwanted => write!(text, "[ended from outside after {took:.1} s]"),
    };
    Result { text, ok }
}

/// Starts the command, takes what it prints, and leaves nothing of it behind.
fn watched(arguments: &Arguments, deadline: Instant, capture: &mut Capture) -> io::Result<End> {
    let (ended, orders) = (signals(&[SIGCHLD])?, signals(&[SIGTERM, SIGINT])?);
    let (mut output, child) = start(arguments)?;
    let end = wait(child, &mut output, &ended, &orders, deadline, capture);
    // What the command left behind may hold the pipe open for ever, so only what is there is taken.
    drain(&mut output, capture);
    reaper::end_all(|| matches!((&orders).read(&mut [0]), Ok(1..)));
    drain(&mut output, capture);
    end
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

/// Starts bash, or sh where there is no bash, with both of its streams in one pipe so that they keep their order.
fn start(arguments: &Arguments) -> io::Result<(PipeReader, Pid)> {
    let (reader, writer) = io::pipe()?;
    let flags = rustix::fs::fcntl_getfl(&reader)?;
    rustix::fs::fcntl_setfl(&reader, flags | rustix::fs::OFlags::NONBLOCK)?;
    let script = if arguments.command.len() > ARGUMENT {
        let path = std::env::temp_dir().join(format!("command-{}.sh", std::process::id()));
        fs::write(&path, &arguments.command)?;
        Some(path)
    } else {
        None
    };
    let spawn = |shell: &str| {
        let mut command = Command::new(shell);
        match &script {
            Some(path) => command.arg(path),
            None => command.arg("-c").arg(&arguments.command),
        };
        command
            .stdin(Stdio::null())
            // A command that signals its own group shall not hit us.
            .process_group(0);
        command
            .stdout(writer.try_clone()?)
            .stderr(writer.try_clone()?);
        if let Some(workdir) = &arguments.workdir {
            command.current_dir(workdir);
        }
        command.spawn()
    };
    if let Some(workdir) = arguments.workdir.as_ref().filter(|dir| !dir.is_dir()) {
        let words = format!("workdir {} is no directory", workdir.display());
        return Err(io::Error::new(io::ErrorKind::NotADirectory, words));
    }
    let child = match spawn("bash") {
        Err(error) if error.kind() == io::ErrorKind::NotFound => spawn("sh")?,
        other => other?,
    };
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    Ok((reader, pid.ok_or(io::ErrorKind::InvalidData)?))
}

/// Waits until the command ends, its time is over, or nobody wants the result any more: `codex run` holds the
/// other end of our standard output, so a run that is gone shows there.
fn wait(
    child: Pid,
    output: &mut PipeReader,
    ended: &UnixStream,
    orders: &UnixStream,
    deadline: Instant,
    capture: &mut Capture,
) -> io::Result<End> {
    let stdout = io::stdout();
    let mut open = true;
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
        if open {
            fds.push(PollFd::new(&*output, PollFlags::IN));
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
        if open {
            open = drain(output, capture);
        }
    }
}

/// Takes what is there now, though no more than a good part of it at once; whether more may come.
fn drain(output: &mut PipeReader, capture: &mut Capture) -> bool {
    let mut buffer = [0; 16 << 10];
    for _ in 0..256 {
        match output.read(&mut buffer) {
            Ok(0) => return false,
            Ok(count) => capture.add(&buffer[..count]),
            Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
        }
    }
    true
}
