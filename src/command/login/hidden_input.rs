//! A secret typed or pasted on a terminal: it is not shown, ends with Enter, and may be longer than the 4095 bytes that a
//! terminal takes for a line. The terminal is restored however the command ends. Nothing is read and no mode is set
//! in the background, where the terminal and its keys are the shell's; back in the foreground, the question is asked again.

use std::io::{self, Write};
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::process::{Signal, getpgrp, kill_current_process_group};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGTTIN};
use signal_hook::flag;
use signal_hook::low_level::{emulate_default_handler, raise};

use super::super::stop_requests::ignored;
use super::secret_line::SecretLine;
use crate::input::{self, IDLE_LIMIT, WaitEvent};
use crate::secret::Secret;

/// The longest secret, in bytes.
const MAX_SECRET_BYTES: usize = 64 << 10;

/// How often the signals and the modes of the terminal are looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The silence that ends a paste. What it holds after Enter is discarded.
const PASTE_SILENCE: Duration = Duration::from_millis(100);

/// How long the rest of a paste is discarded at most.
const PASTE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the end of the process waits for the modes that are being set.
const MODES_TIMEOUT: Duration = Duration::from_millis(200);

/// The state of the terminal. A signal ends the process on another thread, which restores it. It is locked while modes are set,
/// so that none are set after that.
static STATE: Mutex<EchoState> = Mutex::new(EchoState::Shown);

enum EchoState {
    /// As it was, or the shell's.
    Shown,
    /// Without echo; with the modes to be restored.
    Hidden(Box<Termios>),
    /// As it was, for good: the process ends.
    Over,
}

fn state() -> MutexGuard<'static, EchoState> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Restores the terminal if a secret is being typed, before the process ends.
pub fn restore_terminal() {
    // The terminal may never take them: the process ends all the same. A panic may be about the clock, which is not read.
    for _ in 0..40 {
        match STATE.try_lock() {
            Ok(state) => return restore(state, EchoState::Over),
            Err(TryLockError::Poisoned(state)) => {
                return restore(state.into_inner(), EchoState::Over);
            }
            Err(TryLockError::WouldBlock) => thread::sleep(MODES_TIMEOUT / 40),
        }
    }
}

/// Restores the terminal if it is hidden. What was typed and not read is discarded: it may be the rest of a secret that the shell
/// would take for a command.
fn restore(mut state: MutexGuard<'_, EchoState>, next: EchoState) {
    if matches!(*state, EchoState::Over) {
        return;
    }
    if let EchoState::Hidden(modes) = mem::replace(&mut *state, next)
        && is_in_foreground()
    {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &modes);
    }
}

/// Whether this process may read and set the modes. In the background, the terminal is the shell's: setting a mode there stops
/// the process, and stops it again each time it is continued.
fn is_in_foreground() -> bool {
    tcgetpgrp(io::stdin()).map_or(true, |foreground| foreground == getpgrp())
}

/// Asks for a secret on the terminal that is standard input.
///
/// # Errors
/// If it cannot be read, is too long, the terminal hangs up, or nothing is typed for 5 minutes.
pub(super) fn read_hidden(prompt: &str) -> Result<Secret, input::Error> {
    let terminal = HiddenTerminal::open();
    let typed = terminal.read_line(prompt);
    terminal.discard_rest();
    restore(state(), EchoState::Shown);
    terminal.obey_signals();
    typed
}

fn show(words: &str) {
    let _ = io::stderr().write_all(words.as_bytes());
}

/// A signal that is noted while a secret is being typed, and otherwise does what it does by default.
struct CaughtSignal {
    number: i32,
    came: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl CaughtSignal {
    /// Nothing for a signal that this process ignores.
    fn catch(number: i32) -> Option<Self> {
        if is_ignored(number) {
            return None;
        }
        let (came, over) = (Arc::default(), Arc::default());
        flag::register_conditional_default(number, Arc::clone(&over)).ok()?;
        flag::register(number, Arc::clone(&came)).ok()?;
        Some(Self { number, came, over })
    }

    fn is_noted(&self) -> bool {
        self.came.load(Ordering::Relaxed)
    }
}

impl Drop for CaughtSignal {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn is_ignored(signal: i32) -> bool {
    ignored() & (1 << (signal - 1)) != 0
}

/// The terminal while a secret is typed. Dropping it restores the terminal.
struct HiddenTerminal {
    signals: [Option<CaughtSignal>; 2],
    /// Another thread ends this process.
    is_ending: Arc<AtomicBool>,
    /// The terminal once more, where no read blocks. A read of standard input that is stopped in the background would go on in
    /// the foreground, with whatever modes the terminal has then. Missing if this user may not open it.
    keys: Option<OwnedFd>,
}

/// What hiding the terminal has done.
enum Hiding {
    /// Nothing: it is hidden.
    Kept,
    /// It was not hidden, and is now. With the modes to be restored.
    Begun(Termios),
    /// Nothing: the process ends.
    Over,
}

impl HiddenTerminal {
    fn open() -> Self {
        let is_ending = Arc::default();
        for signal in [SIGHUP, SIGINT, SIGTERM] {
            if !is_ignored(signal) {
                let _ = flag::register(signal, Arc::clone(&is_ending));
            }
        }
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Self {
            signals: [SIGQUIT, SIGTSTP].map(CaughtSignal::catch),
            is_ending,
            keys: rustix::fs::open("/proc/self/fd/0", flags, Mode::empty()).ok(),
        }
    }

    fn read_line(&self, prompt: &str) -> Result<Secret, input::Error> {
        let mut before = None;
        let mut line = None;
        let mut buffer = [0; 4096];
        let mut since = Instant::now();
        loop {
            self.obey_signals();
            if is_in_foreground() {
                match hide(&mut before).map_err(input::Error::Unreadable)? {
                    Hiding::Kept => {}
                    Hiding::Begun(modes) => {
                        show(prompt);
                        // What was typed before is discarded.
                        line = Some(SecretLine::new(&modes));
                        since = Instant::now();
                    }
                    Hiding::Over => thread::sleep(POLL_INTERVAL),
                }
            } else {
                restore(state(), EchoState::Shown);
                // The time for which it is stopped does not count.
                since += self.stop_in_background();
            }
            if since.elapsed() >= IDLE_LIMIT {
                return Err(input::Error::Silent(IDLE_LIMIT));
            }
            let Some(line) = line.as_mut().filter(|_| is_hidden()) else {
                continue;
            };
            let waited = input::wait(io::stdin().as_fd(), POLL_INTERVAL, None);
            // The shell may have taken the terminal back during the wait: then the keys are its own.
            if waited.map_err(input::Error::Unreadable)? != WaitEvent::Input || !is_hidden() {
                continue;
            }
            let count = match self.read(&mut buffer) {
                Ok(count) => count,
                Err(Errno::INTR | Errno::AGAIN) => continue,
                Err(Errno::IO) => 0,
                Err(error) => return Err(input::Error::Unreadable(error.into())),
            };
            if count == 0 && is_hidden() {
                // The terminal is gone, and what was typed may be a part of the secret.
                return Err(input::Error::Unreadable(Errno::IO.into()));
            }
            since = Instant::now();
            let is_complete = line.add(&buffer[..count]);
            if line.len() > MAX_SECRET_BYTES {
                show("\n");
                return Err(input::Error::TooLarge(MAX_SECRET_BYTES));
            }
            if is_complete {
                show("\n");
                return Ok(line.secret());
            }
        }
    }

    /// Discards what comes after the end of the line: further lines of a paste, which the shell would show and execute.
    fn discard_rest(&self) {
        let begun = Instant::now();
        let has_signal = || self.signals.iter().flatten().any(CaughtSignal::is_noted);
        while begun.elapsed() < PASTE_TIMEOUT && !has_signal() && is_hidden() {
            let waited = input::wait(io::stdin().as_fd(), PASTE_SILENCE, None);
            if !waited.is_ok_and(|event| event == WaitEvent::Input) {
                return;
            }
            match self.read(&mut [0; 4096]) {
                Ok(1..) | Err(Errno::INTR | Errno::AGAIN) => {}
                Ok(0) | Err(_) => return,
            }
        }
    }

    fn read(&self, buffer: &mut [u8]) -> rustix::io::Result<usize> {
        match &self.keys {
            Some(keys) => rustix::io::read(keys, buffer),
            None => rustix::io::read(io::stdin(), buffer),
        }
    }

    /// Does what the noted signals do by default.
    fn obey_signals(&self) {
        for signal in self.signals.iter().flatten() {
            if signal.came.swap(false, Ordering::Relaxed) {
                restore(state(), EchoState::Shown);
                let _ = match signal.number {
                    // Not SIGSTOP, which would stop it even where no shell can continue it.
                    SIGTSTP => raise(SIGTTIN),
                    ends => emulate_default_handler(ends),
                };
            }
        }
    }

    /// Stops the process group as a read in the background does, until the shell continues it. Returns how long that took.
    fn stop_in_background(&self) -> Duration {
        let begun = Instant::now();
        // Once a signal ends this process, the other thread must not be stopped again.
        if !self.is_ending.load(Ordering::Relaxed) && !is_ignored(SIGTTIN) {
            let _ = kill_current_process_group(Signal::TTIN);
        }
        let stopped = begun.elapsed();
        // Continued in the background, or not stopped at all. That thread gets its time before the next stop.
        if !is_in_foreground() {
            thread::sleep(POLL_INTERVAL);
        }
        stopped
    }
}

impl Drop for HiddenTerminal {
    fn drop(&mut self) {
        restore(state(), EchoState::Shown);
    }
}

/// Hides what is typed, unless it is hidden already. `before` has the modes to be restored, and is set.
fn hide(before: &mut Option<Termios>) -> io::Result<Hiding> {
    let mut state = state();
    let now = tcgetattr(io::stdin())?;
    match *state {
        EchoState::Over => return Ok(Hiding::Over),
        EchoState::Hidden(_) if !shows_keys(&now) => return Ok(Hiding::Kept),
        EchoState::Hidden(_) | EchoState::Shown => {}
    }
    if shows_keys(&now) {
        *before = Some(now.clone());
    }
    let modes = before.get_or_insert(now).clone();
    let mut hidden = modes.clone();
    let shown = LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON;
    hidden.local_modes.remove(shown);
    hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
    hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
    *state = EchoState::Hidden(Box::new(modes.clone()));
    match tcsetattr(io::stdin(), OptionalActions::Now, &hidden) {
        Ok(()) => Ok(Hiding::Begun(modes)),
        // Signals come first; the next look hides it.
        Err(Errno::INTR) => Ok(Hiding::Kept),
        Err(error) => Err(error.into()),
    }
}

/// Whether the terminal is hidden, and its keys are for this process.
fn is_hidden() -> bool {
    matches!(*state(), EchoState::Hidden(_))
        && is_in_foreground()
        && tcgetattr(io::stdin()).is_ok_and(|now| !shows_keys(&now))
}

fn shows_keys(modes: &Termios) -> bool {
    let shown = LocalModes::ECHO | LocalModes::ICANON;
    modes.local_modes.intersects(shown)
}
