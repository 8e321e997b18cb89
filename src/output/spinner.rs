//! A line on a terminal that shows what the run is waiting for and how long. It is given events and the time and
//! returns what to write; it does no I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::columns::shorten;
use super::visible::line;
use super::width::width;
use crate::text::first_characters;

/// Interval at which the line is redrawn.
pub const PULSE_INTERVAL: Duration = Duration::from_millis(125);

/// How long a wait lasts before the line appears.
const SPINNER_DELAY: Duration = Duration::from_millis(300);

/// Returns to the start of the line and erases it (ECMA-48, 8.3.41).
pub const ERASE: &str = "\r\x1b[K";

/// How much of a call is looked at, in characters: more than fits on any terminal.
const MAX_CALL_CHARACTERS: usize = 500;

/// The frames of the animation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frames {
    /// Braille dots, for UTF-8 terminals.
    Dots,
    /// An ASCII bar.
    Bar,
}

impl Frames {
    fn at(self, beat: u128) -> &'static str {
        let frames: &[&str] = match self {
            Self::Dots => &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
            Self::Bar => &["-", "\\", "|", "/"],
        };
        let beat = usize::try_from(beat).unwrap_or_default();
        frames[beat % frames.len()]
    }
}

/// The waiting line.
#[derive(Debug)]
pub struct Spinner {
    frames: Frames,
    /// The running calls, in the order they were started: the id of each, and what it does.
    running: Vec<(String, String)>,
    /// When the wait began; unknown before its first beat.
    since: Option<Instant>,
    /// The text drawn last.
    drawn: String,
    /// Whether something is drawn. Shared with the thread that ends the process when the run is stuck.
    shown: Arc<AtomicBool>,
    /// What the run is waiting for, other than a response or a tool.
    other: Option<String>,
    /// Whether drawing is allowed right now.
    allowed: fn() -> bool,
    /// The columns of the terminal right now.
    columns: fn() -> usize,
}

impl Spinner {
    /// Creates a spinner with nothing drawn. It keeps `shown` up to date, and asks `allowed` and `columns` before each redraw.
    #[must_use]
    pub fn new(
        frames: Frames,
        shown: Arc<AtomicBool>,
        allowed: fn() -> bool,
        columns: fn() -> usize,
    ) -> Self {
        Self {
            frames,
            running: Vec::new(),
            since: None,
            drawn: String::new(),
            shown,
            other: None,
            allowed,
            columns,
        }
    }

    /// Ends the current wait, so that the next one starts at zero.
    pub fn restart_wait(&mut self) {
        self.since = None;
        self.other = None;
    }

    /// Sets what the run is waiting for, until that arrives.
    pub fn waits_for(&mut self, what: &str) {
        self.since = None;
        self.other = Some(what.to_owned());
    }

    /// Records that a call started, and what it does.
    pub fn started(&mut self, id: &str, what: &str) {
        if self.running.is_empty() {
            self.since = None;
        }
        let what = line(first_characters(what.trim(), MAX_CALL_CHARACTERS)).into_owned();
        self.running.push((id.to_owned(), what));
    }

    /// Records that a call ended.
    pub fn ended(&mut self, id: &str) {
        if let Some(ended) = self.running.iter().position(|(of, _)| of == id) {
            self.running.remove(ended);
        }
        if self.running.is_empty() {
            self.since = None;
        }
    }

    /// Returns what to write now, if anything, during a wait.
    pub fn beat(&mut self, now: Instant) -> Option<&str> {
        let waited = now.saturating_duration_since(*self.since.get_or_insert(now));
        if waited < SPINNER_DELAY || !(self.allowed)() {
            return None;
        }
        let frame = self
            .frames
            .at(waited.as_millis() / PULSE_INTERVAL.as_millis());
        let seconds = waited.as_secs();
        let (what, more) = match &self.running[..] {
            [] => (self.other.as_deref().unwrap_or("waiting"), String::new()),
            [(_, call)] => (&**call, String::new()),
            [(_, call), others @ ..] => (&**call, format!(" and {} more", others.len())),
        };
        let rest = format!("{more} {seconds} s");
        // The last column stays free: a terminal may go to the next line as soon as it is used.
        let left = (self.columns)().saturating_sub(width(&rest) + 3);
        let line = format!("\r{frame} {}{rest}\x1b[K", shorten(what, left));
        if self.shown.swap(true, Ordering::Relaxed) && line == self.drawn {
            return None;
        }
        self.drawn = line;
        Some(&self.drawn)
    }

    /// Returns what to write before other output, and at the end.
    #[must_use]
    pub fn erase(&mut self) -> Option<&'static str> {
        self.shown.swap(false, Ordering::Relaxed).then_some(ERASE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spinner(frames: Frames) -> (Spinner, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        let spinner = Spinner::new(frames, Arc::default(), || true, || 40);
        (spinner, move |millis| start + Duration::from_millis(millis))
    }

    #[test]
    fn the_line_appears_after_a_delay_animates_and_is_erased() {
        let (mut spinner, at) = spinner(Frames::Dots);
        assert_eq!(spinner.beat(at(0)), None);
        assert_eq!(spinner.beat(at(299)), None);
        assert_eq!(spinner.erase(), None);
        assert_eq!(spinner.beat(at(300)), Some("\r⠹ waiting 0 s\x1b[K"));
        assert_eq!(spinner.beat(at(301)), None, "it is there already");
        assert_eq!(spinner.beat(at(375)), Some("\r⠸ waiting 0 s\x1b[K"));
        assert_eq!(spinner.beat(at(3000)), Some("\r⠼ waiting 3 s\x1b[K"));
        assert_eq!(spinner.erase(), Some(ERASE));
        assert_eq!(spinner.erase(), None);
        assert_eq!(spinner.beat(at(3001)), Some("\r⠼ waiting 3 s\x1b[K"));
        spinner.restart_wait();
        assert_eq!(spinner.beat(at(3100)), None, "another wait");
    }

    #[test]
    fn other_waits_are_named_and_drawing_needs_permission() {
        let (mut spinner, at) = spinner(Frames::Bar);
        spinner.waits_for("trying again");
        assert_eq!(spinner.beat(at(0)), None);
        assert_eq!(spinner.beat(at(1000)), Some("\r- trying again 1 s\x1b[K"));
        spinner.allowed = || false;
        assert_eq!(spinner.beat(at(2000)), None);
        spinner.allowed = || true;
        spinner.restart_wait();
        assert_eq!(spinner.beat(at(2000)), None);
        assert_eq!(spinner.beat(at(3000)), Some("\r- waiting 1 s\x1b[K"));
    }

    #[test]
    fn running_calls_are_shown_on_one_line() {
        let (mut spinner, at) = spinner(Frames::Bar);
        let beat = |spinner: &mut Spinner, millis| spinner.beat(at(millis)).map(str::to_owned);
        spinner.started("a", "bash: cargo test\n  && \x1b[2Jgit status --short");
        spinner.started("b", "bash");
        assert_eq!(beat(&mut spinner, 0), None);
        let line = beat(&mut spinner, 1000);
        let expected = "\r- bash: cargo test^J  &… and 1 more 1 s\x1b[K";
        assert_eq!(line.as_deref(), Some(expected));
        spinner.ended("b");
        let line = beat(&mut spinner, 2000);
        let expected = "\r- bash: cargo test^J  && ^[[2Jgit… 2 s\x1b[K";
        assert_eq!(line.as_deref(), Some(expected));
        spinner.columns = || 3;
        assert_eq!(beat(&mut spinner, 2001).as_deref(), Some("\r-  2 s\x1b[K"));
        spinner.ended("a");
        assert_eq!(beat(&mut spinner, 3000), None);
        let line = beat(&mut spinner, 3400);
        assert_eq!(line.as_deref(), Some("\r/  0 s\x1b[K"));
    }
}
