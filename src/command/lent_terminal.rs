//! Whether the terminal of a command is lent to another program, to which Ctrl+C and Ctrl+\ are addressed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long after its end the keyboard's signals still count as the program's. Such a signal reaches the program and this
/// process at once, and may be read only after the program has ended because of it.
const AFTER_END: Duration = Duration::from_millis(100);

/// A terminal that may be lent.
#[derive(Debug, Default)]
pub(in crate::command) struct LentTerminal(Mutex<TerminalUse>);

#[derive(Clone, Copy, Debug, Default)]
enum TerminalUse {
    #[default]
    Own,
    Program,
    OwnSince(Instant),
}

impl LentTerminal {
    /// The terminal is lent.
    pub(in crate::command) fn lend(&self) {
        self.set(TerminalUse::Program);
    }

    /// The program has ended.
    pub(in crate::command) fn take_back(&self, now: Instant) {
        self.set(TerminalUse::OwnSince(now));
    }

    /// Whether a signal of the keyboard that is read now is addressed to the program.
    pub(in crate::command) fn has_signals(&self, now: Instant) -> bool {
        match *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            TerminalUse::Own => false,
            TerminalUse::Program => true,
            TerminalUse::OwnSince(then) => now.saturating_duration_since(then) < AFTER_END,
        }
    }

    fn set(&self, terminal_use: TerminalUse) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = terminal_use;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_is_read_late_belongs_to_the_program_that_has_ended() {
        let (lent, now) = (LentTerminal::default(), Instant::now());
        assert!(!lent.has_signals(now));
        lent.lend();
        assert!(lent.has_signals(now + Duration::from_secs(60)));
        lent.take_back(now);
        assert!(lent.has_signals(now + AFTER_END / 2));
        assert!(!lent.has_signals(now + AFTER_END));
    }
}
