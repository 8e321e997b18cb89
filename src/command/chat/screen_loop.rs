//! The loop of the screen: waits for keys, signals and reports, hands them to the state, carries out what the state asks for,
//! and draws. While nothing happens it sleeps without a time limit.

use std::io::{self, Read};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGWINCH};

use super::super::lent_terminal::LentTerminal;
use super::channel::{ChatReport, ReportReceiver, Reporter};
use super::device_sign_in::DeviceSignIn;
use super::engine_command::EngineCommand;
use super::error::Error;
use super::input_history::InputHistory;
use super::settings::UserPrograms;
use crate::agent::{Control, StopRequest};
use crate::auth::critical_section::Critical;
use crate::chat::decode::KeyDecoder;
use crate::chat::draw::draw;
use crate::chat::event::{ChatEvent, NoticeLevel};
use crate::chat::screen::Screen;
use crate::chat::state::ChatState;
use crate::chat::terminal::Terminal;
use crate::command::login::LoginSettings;
use crate::failure::Failure;

/// The least time between two frames that show streamed text.
const FRAME_INTERVAL: Duration = Duration::from_millis(34);

/// How much is read from the terminal at once, in bytes.
const READ_BYTES: usize = 16 << 10;

/// What the loop works with.
pub(super) struct LoopParts {
    pub(super) terminal: Terminal,
    pub(super) reports: ReportReceiver,
    pub(super) reporter: Reporter,
    /// Becomes readable when the chat is to stop.
    pub(super) stopped: UnixStream,
    /// The terminal is lent to another program.
    pub(super) lent: Arc<LentTerminal>,
    pub(super) engine: Sender<EngineCommand>,
    pub(super) control: Control,
    pub(super) critical: Critical,
    /// The home of codex-run, if there is one.
    pub(super) home: Option<PathBuf>,
    /// What was typed, if it is kept.
    pub(super) history: Option<InputHistory>,
    /// The sign-in; none while one runs that has taken it, or why there can be none.
    pub(super) login: Result<LoginSettings, Failure>,
    pub(super) programs: UserPrograms,
}

/// The loop.
pub(super) struct ScreenLoop {
    pub(super) parts: LoopParts,
    pub(super) state: ChatState,
    decoder: KeyDecoder,
    /// Receives a byte when the size of the terminal changes.
    resized: UnixStream,
    /// Receives a byte when the process continues after a stop.
    pub(super) resumed: UnixStream,
    /// What the terminal shows; nothing if that is not known.
    shown: Option<Screen>,
    colors: bool,
    begun: Instant,
    drawn: Instant,
    due: Due,
    turn_runs: bool,
    /// The last second that the state was told.
    second: u64,
    pub(super) sign_in: Option<DeviceSignIn>,
    pub(super) leaves: bool,
}

/// When to draw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// Nothing has changed.
    Never,
    /// With the next frame.
    Soon,
    Now,
}

/// What woke the loop.
#[allow(clippy::struct_excessive_bools)] // one for each source
struct Woken {
    stopped: bool,
    resumed: bool,
    resized: bool,
    typed: bool,
    reported: bool,
}

impl ScreenLoop {
    pub(super) fn new(parts: LoopParts, state: ChatState, colors: bool) -> Result<Self, Error> {
        let resized = signal_stream(SIGWINCH).map_err(Error::Thread)?;
        let resumed = signal_stream(SIGCONT).map_err(Error::Thread)?;
        let now = Instant::now();
        Ok(Self {
            parts,
            state,
            decoder: KeyDecoder::new(),
            resized,
            resumed,
            shown: None,
            colors,
            begun: now,
            drawn: now,
            due: Due::Now,
            turn_runs: false,
            second: 0,
            sign_in: None,
            leaves: false,
        })
    }

    /// Runs until the user leaves, after these events.
    pub(super) fn run(mut self, events: Vec<ChatEvent>) -> Result<(), Error> {
        self.step(ChatEvent::Resized(self.parts.terminal.size()))?;
        for event in events {
            self.step(event)?;
        }
        while !self.leaves {
            self.draw_if_due()?;
            let woken = self.wait()?;
            if woken.stopped {
                let request = self.parts.control.stopped();
                return Err(Error::Stopped(
                    request.unwrap_or(StopRequest::Signal(SIGHUP)),
                ));
            }
            if woken.resumed {
                drain(&self.resumed);
                self.parts.terminal.enter().map_err(Error::Terminal)?;
                self.redraw()?;
            }
            if woken.resized {
                drain(&self.resized);
                self.redraw()?;
            }
            if woken.typed {
                self.read()?;
            } else if self.decoder.deadline().is_some_and(|at| at <= self.now()) {
                for input in self.decoder.flush(self.now()) {
                    self.step_now(ChatEvent::Input(input))?;
                }
            }
            if woken.reported {
                self.take_reports()?;
            }
            self.tick()?;
        }
        Ok(())
    }

    fn now(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Waits until something happens.
    fn wait(&self) -> Result<Woken, Error> {
        let timeout = self.timeout();
        let timeout = timeout.map(|time| Timespec::try_from(time).unwrap_or_default());
        let parts = &self.parts;
        let mut fds = [
            PollFd::new(&parts.stopped, PollFlags::IN),
            PollFd::new(&self.resumed, PollFlags::IN),
            PollFd::new(&self.resized, PollFlags::IN),
            PollFd::new(&parts.terminal, PollFlags::IN),
            PollFd::new(&parts.reports.woken, PollFlags::IN),
        ];
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(Error::Terminal(error.into())),
        }
        let is_ready = |n: usize| !fds[n].revents().is_empty();
        Ok(Woken {
            stopped: is_ready(0),
            resumed: is_ready(1),
            resized: is_ready(2),
            typed: is_ready(3),
            reported: is_ready(4),
        })
    }

    /// How long to wait; without a limit if nothing is due.
    fn timeout(&self) -> Option<Duration> {
        let now = self.now();
        let frame = (self.due == Due::Soon).then(|| self.drawn - self.begun + FRAME_INTERVAL);
        let tick = self.turn_runs.then(|| Duration::from_secs(self.second + 1));
        let times = [self.decoder.deadline(), frame, tick];
        let first = times.into_iter().flatten().min();
        // Timers may be early by a fraction of this.
        first.map(|at| at.saturating_sub(now) + Duration::from_millis(1))
    }

    /// Reads what was typed.
    fn read(&mut self) -> Result<(), Error> {
        let mut buffer = vec![0; READ_BYTES];
        let count = match self.parts.terminal.read(&mut buffer) {
            Ok(0) => return Err(Error::Stopped(StopRequest::Signal(SIGHUP))),
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            // The terminal is gone, or the shell has it; a signal is on its way.
            Err(_) => return Err(Error::Stopped(StopRequest::Signal(SIGHUP))),
        };
        for input in self.decoder.feed(&buffer[..count], self.now()) {
            self.step_now(ChatEvent::Input(input))?;
        }
        Ok(())
    }

    /// Takes what the other threads report.
    pub(super) fn take_reports(&mut self) -> Result<(), Error> {
        for report in self.parts.reports.take() {
            match report {
                ChatReport::Event(event) => self.step(*event)?,
                ChatReport::Panicked => return Err(Error::Panicked),
            }
        }
        Ok(())
    }

    /// Tells the state the time while a turn runs.
    fn tick(&mut self) -> Result<(), Error> {
        let second = self.now().as_secs();
        if self.turn_runs && second > self.second {
            self.second = second;
            self.step(ChatEvent::Clock(second))?;
        }
        Ok(())
    }

    /// Hands an event to the state and carries out what it asks for. The change is shown with the next frame.
    pub(super) fn step(&mut self, event: ChatEvent) -> Result<(), Error> {
        if matches!(event, ChatEvent::TurnEnded(_)) {
            self.turn_runs = false;
        }
        self.due = self.due.max(Due::Soon);
        for effect in self.state.step(event) {
            self.carry_out(effect)?;
        }
        Ok(())
    }

    /// The same, and the change is shown at once.
    fn step_now(&mut self, event: ChatEvent) -> Result<(), Error> {
        self.due = Due::Now;
        self.step(event)
    }

    /// A notice for the user.
    pub(super) fn notice(&mut self, level: NoticeLevel, text: String) -> Result<(), Error> {
        self.step(ChatEvent::Notice(level, text))
    }

    /// A turn begins.
    pub(super) fn begin_turn(&mut self) {
        self.turn_runs = true;
        self.second = self.now().as_secs();
    }

    /// Draws everything anew, in the size that the terminal has now.
    pub(super) fn redraw(&mut self) -> Result<(), Error> {
        self.shown = None;
        self.due = Due::Now;
        let size = self.parts.terminal.size();
        self.step(ChatEvent::Resized(size))
    }

    fn draw_if_due(&mut self) -> Result<(), Error> {
        let is_due = match self.due {
            Due::Never => false,
            Due::Soon => self.drawn.elapsed() >= FRAME_INTERVAL,
            Due::Now => true,
        };
        if !is_due {
            return Ok(());
        }
        let screen = draw(&mut self.state);
        let bytes = screen.changes_from(self.shown.as_ref(), self.colors);
        self.parts.terminal.write(&bytes).map_err(Error::Terminal)?;
        self.shown = Some(screen);
        self.drawn = Instant::now();
        self.due = Due::Never;
        Ok(())
    }
}

/// A stream that receives a byte when this signal arrives.
fn signal_stream(signal: i32) -> io::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair()?;
    reader.set_nonblocking(true)?;
    signal_hook::low_level::pipe::register(signal, writer)?;
    Ok(reader)
}

/// Takes the bytes of signals that arrived.
pub(super) fn drain(mut stream: &UnixStream) {
    while matches!(stream.read(&mut [0; 64]), Ok(1..)) {}
}
