//! A line on a terminal that shows what the run is waiting for and how long. It is given events and the time and
//! returns what to write; it does no I/O.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Interval at which the line is redrawn.
pub const PULSE_INTERVAL: Duration = Duration::from_millis(125);

/// How long a wait lasts before the line appears.
const SPINNER_DELAY: Duration = Duration::from_millis(300);

/// Returns to the start of the line and erases it (ECMA-48, 8.3.41).
pub const ERASE: &str = "\r\x1b[K";

/// Longest tool name that is shown, in characters, so that the line fits on any screen.
const MAX_NAME_CHARACTERS: usize = 24;

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
    /// The running tools, in the order they were started.
    running: Vec<String>,
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
}

impl Spinner {
    /// Creates a spinner with nothing drawn. It keeps `shown` up to date and checks `allowed` before each redraw.
    #[must_use]
    pub fn new(frames: Frames, shown: Arc<AtomicBool>, allowed: fn() -> bool) -> Self {
        Self {
            frames,
            running: Vec::new(),
            since: None,
            drawn: String::new(),
            shown,
            other: None,
            allowed,
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

    /// Records that a tool started.
    pub fn started(&mut self, tool: &str) {
        if self.running.is_empty() {
            self.since = None;
        }
        self.running.push(short(tool));
    }

    /// Records that a tool ended.
    pub fn ended(&mut self, tool: &str) {
        let tool = short(tool);
        if let Some(ended) = self.running.iter().position(|name| *name == tool) {
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
        let what = match &self.running[..] {
            [] => self.other.clone().unwrap_or_else(|| "waiting".to_owned()),
            [tool] => tool.clone(),
            [tool, others @ ..] => format!("{tool} and {} more", others.len()),
        };
        let line = format!("\r{frame} {what} {seconds} s\x1b[K");
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

/// Shortens a tool's name, which is arbitrary text: the model writes it.
fn short(tool: &str) -> String {
    let plain = tool.chars().filter(char::is_ascii_graphic);
    plain.take(MAX_NAME_CHARACTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spinner(frames: Frames) -> (Spinner, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        let spinner = Spinner::new(frames, Arc::default(), || true);
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
    fn running_tools_are_named() {
        let (mut spinner, at) = spinner(Frames::Bar);
        let beat = |spinner: &mut Spinner, millis| spinner.beat(at(millis)).map(str::to_owned);
        spinner.started("bash");
        spinner.started(&format!("\x1b{}", "x".repeat(99)));
        assert_eq!(beat(&mut spinner, 0), None);
        let line = beat(&mut spinner, 1000);
        assert_eq!(line.as_deref(), Some("\r- bash and 1 more 1 s\x1b[K"));
        spinner.ended("bash");
        let line = beat(&mut spinner, 2000);
        let expected = format!("\r- {} 2 s\x1b[K", "x".repeat(MAX_NAME_CHARACTERS));
        assert_eq!(line, Some(expected));
        spinner.ended(&format!("\x1b{}", "x".repeat(99)));
        assert_eq!(beat(&mut spinner, 3000), None);
        let line = beat(&mut spinner, 3400);
        assert_eq!(line.as_deref(), Some("\r/ waiting 0 s\x1b[K"));
    }
}
