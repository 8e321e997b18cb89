//! A secret typed or pasted on a terminal: it is not shown, ends with Enter, and may be longer than the 4095 bytes that a
//! terminal takes for a line. The terminal is as it was afterwards, however the command ends.

use std::io::{self, Write};
use std::mem;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr,
};
use signal_hook::consts::{SIGQUIT, SIGTSTP};
use signal_hook::flag;
use signal_hook::low_level::emulate_default_handler;

use crate::input::{self, IDLE_LIMIT, WaitEvent};
use crate::secret::Secret;

/// The longest secret, in bytes.
const MAX_SECRET_BYTES: usize = 64 << 10;

/// How often the signals and the modes of the terminal are looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// The state of the terminal. A signal ends the process on another thread, which restores it.
static STATE: Mutex<EchoState> = Mutex::new(EchoState::Shown);

enum EchoState {
    /// As it was.
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
    restore(EchoState::Over);
}

/// Restores the terminal if it is hidden. What was typed and not read is discarded: it may be the rest of a secret that the shell
/// would take for a command.
fn restore(next: EchoState) {
    if let EchoState::Hidden(modes) = mem::replace(&mut *state(), next)
        && is_in_foreground()
    {
        let _ = tcsetattr(io::stdin(), OptionalActions::Flush, &modes);
    }
}

/// Whether this process may set the modes. In the background, the terminal is the shell's.
fn is_in_foreground() -> bool {
    tcgetpgrp(io::stdin()).map_or(true, |foreground| foreground == getpgrp())
}

/// Asks for a secret on the terminal that is standard input.
///
/// # Errors
/// If it cannot be read, is too long, or nothing is typed for 5 minutes.
pub(super) fn read_hidden(prompt: &str) -> Result<Secret, input::Error> {
    let signals = [SIGQUIT, SIGTSTP].map(CaughtSignal::catch);
    let echo = HiddenEcho::begin().map_err(input::Error::Unreadable)?;
    show(prompt);
    let mut line = SecretLine::new(&echo.before);
    let mut buffer = [0; 4096];
    let mut since = Instant::now();
    loop {
        for signal in signals.iter().flatten() {
            if signal.came.swap(false, Ordering::Relaxed) {
                restore(EchoState::Shown);
                // For one of them this ends the process, for the other it stops it until the shell brings it back.
                let _ = emulate_default_handler(signal.number);
            }
        }
        // A shell may have changed the modes while the process was stopped.
        echo.hide_again(prompt).map_err(input::Error::Unreadable)?;
        if since.elapsed() >= IDLE_LIMIT {
            return Err(input::Error::Silent(IDLE_LIMIT));
        }
        let waited = input::wait(io::stdin().as_fd(), POLL_INTERVAL, None);
        if waited.map_err(input::Error::Unreadable)? != WaitEvent::Input {
            continue;
        }
        since = Instant::now();
        let count = match rustix::io::read(io::stdin(), &mut buffer) {
            Ok(count) => count,
            Err(Errno::INTR | Errno::AGAIN) => continue,
            // The terminal is gone.
            Err(Errno::IO) => 0,
            Err(error) => return Err(input::Error::Unreadable(error.into())),
        };
        let is_complete = line.add(&buffer[..count]) || count == 0;
        if line.bytes.len() > MAX_SECRET_BYTES {
            return Err(input::Error::TooLarge(MAX_SECRET_BYTES));
        }
        if is_complete {
            show("\n");
            return Ok(line.secret());
        }
    }
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
    fn catch(number: i32) -> Option<Self> {
        let (came, over) = (Arc::default(), Arc::default());
        flag::register_conditional_default(number, Arc::clone(&over)).ok()?;
        flag::register(number, Arc::clone(&came)).ok()?;
        Some(Self { number, came, over })
    }
}

impl Drop for CaughtSignal {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// The terminal without echo. Dropping it restores the terminal.
struct HiddenEcho {
    before: Termios,
    hidden: Termios,
}

impl HiddenEcho {
    fn begin() -> io::Result<Self> {
        let modes = tcgetattr(io::stdin())?;
        let mut hidden = modes.clone();
        let shown = LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON;
        hidden.local_modes.remove(shown);
        hidden.special_codes[SpecialCodeIndex::VMIN] = 1;
        hidden.special_codes[SpecialCodeIndex::VTIME] = 0;
        let echo = Self {
            before: modes,
            hidden,
        };
        echo.hide()?;
        Ok(echo)
    }

    fn hide(&self) -> io::Result<()> {
        let mut state = state();
        if matches!(*state, EchoState::Over) {
            return Ok(());
        }
        *state = EchoState::Hidden(Box::new(self.before.clone()));
        // In the background this stops the process, until the shell brings it back.
        rustix::io::retry_on_intr(|| tcsetattr(io::stdin(), OptionalActions::Now, &self.hidden))?;
        Ok(())
    }

    /// Hides what is typed again, and asks again, if it would be shown.
    fn hide_again(&self, prompt: &str) -> io::Result<()> {
        let is_shown = tcgetattr(io::stdin()).is_ok_and(|now| {
            now.local_modes
                .intersects(LocalModes::ECHO | LocalModes::ICANON)
        });
        if is_shown {
            self.hide()?;
            show(prompt);
        }
        Ok(())
    }
}

impl Drop for HiddenEcho {
    fn drop(&mut self) {
        restore(EchoState::Shown);
    }
}

/// The line that is being typed, with the keys that change it.
struct SecretLine {
    bytes: Vec<u8>,
    erase: u8,
    kill: u8,
    end: u8,
}

impl SecretLine {
    fn new(modes: &Termios) -> Self {
        let key = |index| modes.special_codes[index];
        Self {
            bytes: Vec::new(),
            erase: key(SpecialCodeIndex::VERASE),
            kill: key(SpecialCodeIndex::VKILL),
            end: key(SpecialCodeIndex::VEOF),
        }
    }

    /// Adds what was typed; returns whether the line is complete. What comes after its end is ignored.
    fn add(&mut self, typed: &[u8]) -> bool {
        for byte in typed {
            match *byte {
                b'\n' | b'\r' => return true,
                // A key without a meaning is 0.
                0 => {}
                byte if byte == self.end => return true,
                byte if byte == self.kill => self.bytes.clear(),
                byte if byte == self.erase || matches!(byte, 0x08 | 0x7f) => self.erase_one(),
                byte => self.bytes.push(byte),
            }
        }
        false
    }

    /// Removes the last character, all of its bytes.
    fn erase_one(&mut self) {
        while let Some(byte) = self.bytes.pop() {
            if byte & 0xc0 != 0x80 {
                return;
            }
        }
    }

    fn secret(self) -> Secret {
        Secret::new(String::from_utf8_lossy(&self.bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_with_enter_and_can_be_corrected() {
        let check = |typed: &[u8], expected: &str, ends: bool| {
            for pieces in 1..4 {
                let mut line = SecretLine {
                    bytes: Vec::new(),
                    erase: 0x7f,
                    kill: 0x15,
                    end: 0x04,
                };
                let ended = typed.chunks(pieces).any(|piece| line.add(piece));
                assert_eq!((line.secret().expose(), ended), (expected, ends));
            }
        };
        check(b"sk-1\n", "sk-1", true);
        check(b"sk-1\r\nls\n", "sk-1", true);
        check(b"sk-1", "sk-1", false);
        check(b"sk-1\x04", "sk-1", true);
        check("a\u{20ac}\x7f\x08\x08b\0\n".as_bytes(), "b", true);
        check(b"wrong\x15sk-1\n", "sk-1", true);
        check(b"\n", "", true);
    }
}
