//! What a call prints while it runs, for a reader that follows it: the process of the call reports the last part of its program's
//! output, at most some times a second. The reports are lines before its result, each a JSON string; the result has no line end.
//! Memory and the number of reports are bounded on both sides.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::child::capture::clean;

/// The time between two reports.
const REPORT_INTERVAL: Duration = Duration::from_millis(200);

/// How much of the end of the output is reported, in bytes.
const MAX_TAIL_BYTES: usize = 2 << 10;

/// Takes the last part of what a running call has printed.
pub type OutputFollower = Arc<dyn Fn(String) + Send + Sync>;

/// The end of a running program's output, and when to report it. The caller passes the time.
#[derive(Debug)]
struct OutputTail {
    bytes: Vec<u8>,
    /// The beginning of the output, or of a line, is no longer there.
    is_cut: bool,
    changed: bool,
    reported: Instant,
}

impl OutputTail {
    /// The tail of a program that starts now. A short run is not reported.
    fn new(now: Instant) -> Self {
        Self {
            bytes: Vec::new(),
            is_cut: false,
            changed: false,
            reported: now,
        }
    }

    /// Adds output.
    fn add(&mut self, bytes: &[u8]) {
        self.changed |= !bytes.is_empty();
        let end = &bytes[bytes.len().saturating_sub(MAX_TAIL_BYTES)..];
        let excess = (self.bytes.len() + end.len()).saturating_sub(MAX_TAIL_BYTES);
        self.is_cut |= excess > 0 || end.len() < bytes.len();
        self.bytes.drain(..excess);
        self.bytes.extend_from_slice(end);
    }

    /// The time until the next report, if one is due.
    fn until_report(&self, now: Instant) -> Option<Duration> {
        let due = self.reported + REPORT_INTERVAL;
        self.changed.then(|| due.saturating_duration_since(now))
    }

    /// The end of the output, if it is due. It begins with a whole line if there is one.
    fn take_report(&mut self, now: Instant) -> Option<String> {
        self.until_report(now).filter(Duration::is_zero)?;
        (self.changed, self.reported) = (false, now);
        let mut bytes = &self.bytes[..];
        if self.is_cut {
            let line = memchr::memchr(b'\n', bytes).map_or(0, |end| end + 1);
            let character = bytes
                .iter()
                .take_while(|byte| **byte & 0xc0 == 0x80)
                .count();
            let begin = if line < bytes.len() { line } else { 0 };
            bytes = &bytes[begin.max(character)..];
        }
        Some(clean(bytes))
    }
}

/// The output of a running program that is reported.
pub(super) struct LiveOutput<'a> {
    tail: OutputTail,
    report: &'a dyn Fn(&str),
}

impl<'a> LiveOutput<'a> {
    /// The output of a program that starts now.
    pub(super) fn new(report: &'a dyn Fn(&str)) -> Self {
        let tail = OutputTail::new(Instant::now());
        Self { tail, report }
    }

    /// Adds output.
    pub(super) fn add(&mut self, bytes: &[u8]) {
        self.tail.add(bytes);
    }

    /// Reports the end of the output if that is due. Returns the time until the next report.
    pub(super) fn report_if_due(&mut self) -> Option<Duration> {
        let now = Instant::now();
        if let Some(text) = self.tail.take_report(now) {
            (self.report)(&text);
        }
        self.tail.until_report(now)
    }
}

/// A report as it is written.
#[must_use]
pub fn line_of(report: &str) -> String {
    format!("{}\n", serde_json::Value::from(report))
}

/// Removes the whole lines at the beginning of these bytes, and returns the last one that is a report.
pub(super) fn take_lines(bytes: &mut Vec<u8>) -> Option<String> {
    let end = memchr::memrchr(b'\n', bytes)? + 1;
    let lines = bytes[..end].split(|byte| *byte == b'\n');
    let last = lines
        .rev()
        .find_map(|line| serde_json::from_slice(line).ok());
    bytes.drain(..end);
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_output_is_reported_at_most_five_times_a_second() {
        let begun = Instant::now();
        let at = |millis| begun + Duration::from_millis(millis);
        let mut tail = OutputTail::new(begun);
        assert_eq!(tail.until_report(at(900)), None);
        tail.add(b"one\ntw");
        assert_eq!(tail.until_report(at(50)), Some(Duration::from_millis(150)));
        assert_eq!(tail.take_report(at(199)), None);
        assert_eq!(tail.take_report(at(200)).as_deref(), Some("one\ntw"));
        assert_eq!(tail.take_report(at(900)), None, "nothing is new");
        tail.add(b"o\xff\n");
        assert_eq!(tail.take_report(at(300)), None);
        assert_eq!(
            tail.take_report(at(400)).as_deref(),
            Some("one\ntwo\u{fffd}\n")
        );
    }

    #[test]
    fn a_long_output_is_reported_from_a_line_or_a_character_on() {
        let begun = Instant::now();
        let check = |output: String, expected: &str| {
            let mut tail = OutputTail::new(begun);
            for piece in output.as_bytes().chunks(7) {
                tail.add(piece);
            }
            let report = tail.take_report(begun + REPORT_INTERVAL).expect("a report");
            assert!(report.len() <= MAX_TAIL_BYTES);
            assert!(report.starts_with(expected), "{report}");
            assert!(output.ends_with(&report));
        };
        check("日本\n".repeat(1000), "日本\n");
        check("日本".repeat(1000), "");
        check(format!("{}\nend", "x".repeat(3000)), "end");
        check(format!("{}\n", "x".repeat(3000)), "x");
    }

    #[test]
    fn reports_are_taken_out_of_what_a_process_writes() {
        let mut bytes = Vec::new();
        assert_eq!(take_lines(&mut bytes), None);
        bytes.extend((line_of("a") + &line_of("b\n") + "\"c").bytes());
        assert_eq!(take_lines(&mut bytes).as_deref(), Some("b\n"));
        assert_eq!(take_lines(&mut bytes), None);
        bytes.extend(b"\"\n{\"status\":\"done\"");
        assert_eq!(take_lines(&mut bytes).as_deref(), Some("c"));
        assert_eq!(bytes, b"{\"status\":\"done\"");
    }
}
