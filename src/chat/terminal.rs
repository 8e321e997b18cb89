//! The terminal of this process: in raw mode, on its alternate screen. It is opened by itself, so it need not be standard input
//! or output, and that nothing blocks on it changes nothing for others who have it open.
//!
//! What the terminal was is restored once: when the value is dropped, or before by a `TerminalHandle` in another thread, such as
//! the one that is about to end the process for a signal. Nothing is written to it afterwards.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, open};
use rustix::io::Errno;
use rustix::process::getpgrp;
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcgetwinsize,
    tcsetattr,
};

use super::event::Size;

/// How often a blocked write looks whether the terminal was restored meanwhile.
const WRITE_POLL: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};
/// How many times that the terminal may take to accept the bytes that enter or leave it: for a second.
const MAX_POLLS: usize = 10;

/// The size of a terminal that does not know it, such as a serial line.
const UNKNOWN_SIZE: Size = Size {
    columns: 80,
    rows: 24,
};

/// Alternate screen; bracketed paste; no wrapping at the right edge, so that a character that is wider than expected cannot
/// scroll the screen; Ctrl+Shift with letters told apart, where the terminal can (xterm's `modifyOtherKeys`, kitty's protocol).
/// The last one undoes what a terminal without `modifyOtherKeys` may take it for.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[?2004h\x1b[?7l\x1b[>4;1m\x1b[>1u\x1b[m";
/// Undoes `ENTER`, in the midst of a frame too. The screen is cleared for terminals that have only one.
const LEAVE: &[u8] =
    b"\x1b[?2026l\x1b[>4m\x1b[<u\x1b[m\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[H\x1b[J\x1b[?1049l";

/// Why a terminal cannot be used.
#[derive(Debug)]
pub enum TerminalError {
    /// This process has no terminal.
    None(io::Error),
    /// It has one, which cannot be set up.
    Unusable(io::Error),
}

impl fmt::Display for TerminalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None(_) => f.write_str("there is no terminal"),
            Self::Unusable(_) => f.write_str("cannot set up the terminal"),
        }
    }
}

impl std::error::Error for TerminalError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::None(error) | Self::Unusable(error) => Some(error),
        }
    }
}

/// The terminal. Dropping it restores it.
#[derive(Debug)]
pub struct Terminal(Arc<Shared>);

/// The terminal for other threads.
#[derive(Clone, Debug)]
pub struct TerminalHandle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    device: OwnedFd,
    /// Held for single calls that do not block, and while the terminal is entered or left.
    state: Mutex<TerminalState>,
}

#[derive(Debug)]
struct TerminalState {
    /// The modes to be restored.
    before: Termios,
    place: TerminalPlace,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TerminalPlace {
    /// On the alternate screen.
    Entered,
    /// Left to another program for a while.
    Left,
    /// Left, and a single key is awaited.
    AwaitsKey,
    /// Left for good.
    Restored,
}

impl Terminal {
    /// Opens the controlling terminal and enters it.
    ///
    /// # Errors
    /// When this process has no terminal, or one that cannot be set up.
    pub fn open() -> Result<Self, TerminalError> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let device = open(device(), flags, Mode::empty())
            .map_err(|error| TerminalError::None(error.into()))?;
        Self::on(device).map_err(TerminalError::Unusable)
    }

    /// Enters the terminal behind this descriptor, which nobody else uses.
    fn on(device: OwnedFd) -> io::Result<Self> {
        let before = tcgetattr(&device)?;
        fcntl_setfl(&device, fcntl_getfl(&device)? | OFlags::NONBLOCK)?;
        let place = TerminalPlace::Left;
        let state = Mutex::new(TerminalState { before, place });
        let terminal = Self(Arc::new(Shared { device, state }));
        terminal.enter()?;
        Ok(terminal)
    }

    /// The same terminal, for another thread.
    #[must_use]
    pub fn handle(&self) -> TerminalHandle {
        TerminalHandle(Arc::clone(&self.0))
    }

    /// The size, or 80 × 24 if it is not known.
    #[must_use]
    pub fn size(&self) -> Size {
        match tcgetwinsize(&self.0.device) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size {
                columns: size.ws_col,
                rows: size.ws_row,
            },
            _ => UNKNOWN_SIZE,
        }
    }

    /// Reads what was typed; 0 bytes if the terminal is gone.
    ///
    /// # Errors
    /// `WouldBlock` if nothing was typed. Another error if the terminal is gone or this process is not in its foreground.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::retry_on_intr(|| {
            rustix::io::read(&self.0.device, &mut *buffer)
        })?)
    }

    /// Writes all of these bytes, however long the terminal takes. While it is left, and once it is restored, they are dropped.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let state = self.0.lock();
            if state.place != TerminalPlace::Entered {
                return Ok(());
            }
            let written = rustix::io::write(&self.0.device, rest);
            drop(state);
            match written {
                Ok(count) => rest = &rest[count..],
                Err(Errno::AGAIN) => self.0.wait_until_writable()?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Leaves the terminal to another program, as it was before.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn leave(&self) -> io::Result<()> {
        self.0.leave(TerminalPlace::Left)
    }

    /// After `leave`, takes keys one by one and without showing them, until it is entered.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn await_key(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.place != TerminalPlace::Left {
            return Ok(());
        }
        self.0.set_raw(&state)?;
        state.place = TerminalPlace::AwaitsKey;
        Ok(())
    }

    /// Enters the terminal after `leave`, or again after a shell may have changed it without that: after SIGCONT that followed a
    /// SIGSTOP. What is restored at the end remains the same. The screen has to be drawn anew.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn enter(&self) -> io::Result<()> {
        self.0.enter(&mut self.0.lock())
    }

    /// Enters the terminal after `leave` and a suspension: what the shell made of it meanwhile is what is restored at the end.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resume(&self) -> io::Result<()> {
        let mut state = self.0.lock();
        if state.place == TerminalPlace::Left {
            state.before = tcgetattr(&self.0.device)?;
        }
        self.0.enter(&mut state)
    }
}

impl AsFd for Terminal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.device.as_fd()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.0.leave(TerminalPlace::Restored);
    }
}

impl TerminalHandle {
    /// Restores the terminal for good, unless that was done.
    pub fn restore(&self) {
        let _ = self.0.leave(TerminalPlace::Restored);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, TerminalState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn enter(&self, state: &mut TerminalState) -> io::Result<()> {
        if state.place == TerminalPlace::Restored {
            return Ok(());
        }
        self.set_raw(state)?;
        state.place = TerminalPlace::Entered;
        self.write_soon(ENTER)
    }

    fn set_raw(&self, state: &TerminalState) -> io::Result<()> {
        let mut raw = state.before.clone();
        raw.make_raw();
        raw.special_codes[SpecialCodeIndex::VMIN] = 1;
        raw.special_codes[SpecialCodeIndex::VTIME] = 0;
        // In the background this stops the process, until the shell brings it back.
        rustix::io::retry_on_intr(|| tcsetattr(&self.device, OptionalActions::Now, &raw))?;
        Ok(())
    }

    fn leave(&self, to: TerminalPlace) -> io::Result<()> {
        let mut state = self.lock();
        let from = state.place;
        if from == TerminalPlace::Restored {
            return Ok(());
        }
        state.place = to;
        if from == TerminalPlace::Left {
            return Ok(());
        }
        if from == TerminalPlace::AwaitsKey && !self.is_in_foreground() {
            return Ok(());
        }
        if self.is_in_foreground() {
            let written = match from {
                TerminalPlace::AwaitsKey => Ok(()),
                _ => self.write_soon(LEAVE),
            };
            tcsetattr(&self.device, OptionalActions::Now, &state.before)?;
            return written;
        }
        // The shell has set its own modes; to set others would stop this process, and so would a write if they forbid it.
        let forbidden =
            tcgetattr(&self.device).is_ok_and(|now| now.local_modes.contains(LocalModes::TOSTOP));
        if forbidden {
            Ok(())
        } else {
            self.write_soon(LEAVE)
        }
    }

    /// Whether this process may set the modes. In the background, the terminal is the shell's.
    fn is_in_foreground(&self) -> bool {
        tcgetpgrp(&self.device).map_or(true, |foreground| foreground == getpgrp())
    }

    /// Writes a few bytes, unless the terminal does not take them.
    fn write_soon(&self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        for _ in 0..MAX_POLLS {
            match rustix::io::write(&self.device, rest) {
                Ok(count) => rest = &rest[count..],
                Err(Errno::AGAIN) => self.wait_until_writable()?,
                Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if rest.is_empty() {
                return Ok(());
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    fn wait_until_writable(&self) -> io::Result<()> {
        let mut fds = [PollFd::new(&self.device, PollFlags::OUT)];
        match poll(&mut fds, Some(&WRITE_POLL)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The path of the controlling terminal. On macOS, `/dev/tty` cannot be polled, but the device that it stands for can.
fn device() -> PathBuf {
    #[cfg(target_os = "macos")]
    {
        use std::os::unix::ffi::OsStringExt;
        let known = [rustix::stdio::stdin(), rustix::stdio::stderr()];
        let names = known.map(|known| rustix::termios::ttyname(known, Vec::new()));
        if let Some(name) = names.into_iter().find_map(Result::ok) {
            return PathBuf::from(std::ffi::OsString::from_vec(name.into_bytes()));
        }
    }
    PathBuf::from("/dev/tty")
}

#[cfg(test)]
mod tests;
