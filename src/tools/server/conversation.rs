//! The thread of a server's program: it starts the process, writes and reads its pipes, and ends it. It lives as long
//! as the process, which ends with it.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, Signal, kill_process};

use super::last_words::LastWords;
use super::speaker::{Order, Speaker};
use super::start_error::StartError;
use crate::exhausted::at_start;
use crate::tools::lock::lock;

/// How long a server has to end by itself once its standard input is closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the process has after SIGTERM: it gives the server 2 s, and then kills what is left.
const TERM_TIMEOUT: Duration = Duration::from_secs(8);

/// How often to look for the exit of a process where no descriptor reports it.
const EXIT_INTERVAL: Duration = Duration::from_millis(50);

/// Orders for a server's thread, and what it leaves for other threads.
#[derive(Debug)]
pub(super) struct Mailbox {
    orders: Mutex<Vec<Order>>,
    /// A byte wakes the thread.
    wake: UnixStream,
    /// The thread follows orders.
    is_open: AtomicBool,
    /// The server can answer.
    is_usable: AtomicBool,
    pub(super) words: Mutex<LastWords>,
}

impl Mailbox {
    /// Creates it, with the stream that wakes its thread.
    pub(super) fn new() -> io::Result<(Arc<Self>, UnixStream)> {
        let (wake, woken) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        woken.set_nonblocking(true)?;
        let mailbox = Self {
            orders: Mutex::default(),
            wake,
            is_open: AtomicBool::new(true),
            is_usable: AtomicBool::new(true),
            words: Mutex::default(),
        };
        Ok((Arc::new(mailbox), woken))
    }

    /// Gives an order. Returns whether the thread still follows it.
    pub(super) fn give(&self, order: Order) -> bool {
        let mut orders = lock(&self.orders);
        // Under the lock, so that none is given after the thread has looked for the last time.
        if !self.is_open.load(Ordering::SeqCst) {
            return false;
        }
        orders.push(order);
        drop(orders);
        // A full stream has woken it already.
        let _ = (&self.wake).write(&[0]);
        true
    }

    /// Whether the server can answer.
    pub(super) fn is_usable(&self) -> bool {
        self.is_usable.load(Ordering::SeqCst)
    }

    /// Takes the orders.
    fn take(&self) -> Vec<Order> {
        std::mem::take(&mut *lock(&self.orders))
    }

    /// Closes it. Returns the orders that are left.
    fn close(&self) -> Vec<Order> {
        let mut orders = lock(&self.orders);
        self.is_open.store(false, Ordering::SeqCst);
        self.is_usable.store(false, Ordering::SeqCst);
        std::mem::take(&mut *orders)
    }
}

/// How far the end has come.
enum EndStage {
    /// It has not begun.
    Open,
    /// Standard input is closed; until then, the process may end by itself.
    Closing(Instant),
    /// The process got SIGTERM; it is killed then.
    Terminating(Instant),
    /// The process got SIGKILL.
    Killed,
}

/// The process and its pipes.
struct HeldProcess {
    child: Child,
    pid: Option<Pid>,
    /// Readable once the process has exited, where the system has such a descriptor.
    exit: Option<OwnedFd>,
    stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
    stage: EndStage,
    speaker: Speaker,
}

/// Starts the process and holds the conversation until the process has ended.
pub(super) fn hold(
    command: io::Result<Command>,
    mailbox: &Mailbox,
    woken: &UnixStream,
    mut speaker: Speaker,
) {
    let started = command.and_then(start);
    let (child, stdin, stdout, stderr) = match started {
        Ok(started) => started,
        Err(error) => {
            speaker.end(StartError::NotStarted(error));
            return end_orders(mailbox, &mut speaker);
        }
    };
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let mut process = HeldProcess {
        exit: pid.and_then(exit_descriptor),
        child,
        pid,
        stdin: Some(stdin),
        stdout: Some(stdout),
        stderr: Some(stderr),
        stage: EndStage::Open,
        speaker,
    };
    while !process.has_exited() {
        process.follow_orders(mailbox);
        process.go_on_ending();
        process.wait(woken);
        process.exchange(mailbox);
    }
    process.exchange(mailbox);
    process.speaker.end(StartError::Ended);
    end_orders(mailbox, &mut process.speaker);
}

/// Answers the orders that came too late.
fn end_orders(mailbox: &Mailbox, speaker: &mut Speaker) {
    for order in mailbox.close() {
        speaker.order(order);
    }
    speaker.end(StartError::Ended);
}

fn start(mut command: Command) -> io::Result<(Child, ChildStdin, ChildStdout, ChildStderr)> {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().map_err(at_start)?;
    let (Some(stdin), Some(stdout), Some(stderr)) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return Err(ErrorKind::BrokenPipe.into());
    };
    for pipe in [stdin.as_fd(), stdout.as_fd(), stderr.as_fd()] {
        fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
    }
    Ok((child, stdin, stdout, stderr))
}

#[cfg(target_os = "linux")]
fn exit_descriptor(pid: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn exit_descriptor(_: Pid) -> Option<OwnedFd> {
    None
}

impl HeldProcess {
    /// Reaps the process if it has exited. One that cannot be waited for has.
    fn has_exited(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    fn follow_orders(&mut self, mailbox: &Mailbox) {
        for order in mailbox.take() {
            match order {
                Order::Close { hurry } => self.close(hurry),
                order => self.speaker.order(order),
            }
        }
    }

    /// Begins the end: standard input is closed.
    fn close(&mut self, hurry: bool) {
        self.speaker.end(StartError::Stopped);
        self.stdin = None;
        match self.stage {
            _ if hurry => self.terminate(),
            EndStage::Open => self.stage = EndStage::Closing(Instant::now() + CLOSE_TIMEOUT),
            _ => {}
        }
    }

    /// Begins the end because the server cannot be reached any more.
    fn break_off(&mut self, error: StartError) {
        self.speaker.end(error);
        self.stdin = None;
        self.stdout = None;
        if matches!(self.stage, EndStage::Open | EndStage::Closing(_)) {
            self.terminate();
        }
    }

    /// Sends SIGTERM to the process, which ends everything below it. A second one shortens the time until SIGKILL.
    fn terminate(&mut self) {
        for signal in [Signal::TERM, Signal::CONT] {
            let _ = self.pid.map(|pid| kill_process(pid, signal));
        }
        if matches!(self.stage, EndStage::Open | EndStage::Closing(_)) {
            self.stage = EndStage::Terminating(Instant::now() + TERM_TIMEOUT);
        }
    }

    fn go_on_ending(&mut self) {
        let now = Instant::now();
        match self.stage {
            EndStage::Closing(until) if now >= until => self.terminate(),
            EndStage::Terminating(until) if now >= until => {
                let _ = self.child.kill();
                self.stage = EndStage::Killed;
            }
            _ => {}
        }
    }

    /// Waits for an event.
    fn wait(&self, woken: &UnixStream) {
        let now = Instant::now();
        let mut time = match self.stage {
            EndStage::Closing(until) | EndStage::Terminating(until) => {
                Some(until.saturating_duration_since(now))
            }
            EndStage::Open | EndStage::Killed => None,
        };
        if self.exit.is_none() {
            time = Some(time.unwrap_or(EXIT_INTERVAL).min(EXIT_INTERVAL));
        }
        let mut fds = vec![PollFd::new(woken, PollFlags::IN)];
        let stdin = self.stdin.as_ref().filter(|_| !self.speaker.out.is_empty());
        fds.extend(stdin.map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        let stdout = self.stdout.as_ref();
        fds.extend(stdout.map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        let stderr = self.stderr.as_ref();
        fds.extend(stderr.map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(
            self.exit
                .iter()
                .map(|exit| PollFd::new(exit, PollFlags::IN)),
        );
        let time = time.and_then(|time| Timespec::try_from(time).ok());
        let _ = poll(&mut fds, time.as_ref());
        drop(fds);
        let _ = { woken }.read(&mut [0; 64]);
    }

    /// Reads and writes what the pipes take and have, up to a limit at a time.
    fn exchange(&mut self, mailbox: &Mailbox) {
        let mut buffer = [0; 16 << 10];
        if let Some(pipe) = &mut self.stderr {
            match pipe.read(&mut buffer) {
                Ok(0) => self.stderr = None,
                Ok(count) => lock(&mailbox.words).add(&buffer[..count]),
                Err(error) => retain(&mut self.stderr, &error),
            }
        }
        for _ in 0..64 {
            let Some(pipe) = &mut self.stdout else { break };
            match pipe.read(&mut buffer) {
                Ok(0) => {
                    self.stdout = None;
                    // A server that has closed its output cannot answer.
                    if matches!(self.stage, EndStage::Open) {
                        mailbox.is_usable.store(false, Ordering::SeqCst);
                        self.speaker.end(StartError::Ended);
                        self.close(false);
                    }
                }
                Ok(count) => {
                    if let Err(error) = self.speaker.hear(&buffer[..count]) {
                        mailbox.is_usable.store(false, Ordering::SeqCst);
                        self.break_off(error);
                    }
                }
                Err(error) => {
                    retain(&mut self.stdout, &error);
                    break;
                }
            }
        }
        while let Some(pipe) = &mut self.stdin
            && !self.speaker.out.is_empty()
        {
            match pipe.write(&self.speaker.out) {
                Ok(count) => drop(self.speaker.out.drain(..count)),
                Err(error) => {
                    retain(&mut self.stdin, &error);
                    break;
                }
            }
        }
    }
}

/// Drops a pipe with an error, other than one that passes.
fn retain<P>(pipe: &mut Option<P>, error: &io::Error) {
    if !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) {
        *pipe = None;
    }
}
