//! The position in an event stream from which a server continues it, if it closes the connection early: the `id` and
//! `retry` fields, which the decoder of `wire` has no use for.

use std::time::Duration;

/// Maximum length of a line that is looked at, in bytes.
const MAX_LINE_BYTES: usize = 1024;

/// How long to wait before the stream is continued, unless the server says so.
const DEFAULT_PAUSE: Duration = Duration::from_secs(1);

/// The position.
#[derive(Debug)]
pub(super) struct EventPosition {
    /// The id of the last event.
    id: String,
    pause: Duration,
    /// The beginning of the current line.
    line: Vec<u8>,
}

impl Default for EventPosition {
    fn default() -> Self {
        Self {
            id: String::new(),
            pause: DEFAULT_PAUSE,
            line: Vec::new(),
        }
    }
}

impl EventPosition {
    /// Takes the next piece of the stream.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        for (index, part) in piece
            .split(|byte| matches!(byte, b'\n' | b'\r'))
            .enumerate()
        {
            if index > 0 {
                self.take();
            }
            let room = MAX_LINE_BYTES - self.line.len();
            self.line.extend_from_slice(&part[..part.len().min(room)]);
        }
    }

    /// Ends a connection: its last line is not complete.
    pub(super) fn end(&mut self) {
        self.line.clear();
    }

    fn take(&mut self) {
        let line = std::mem::take(&mut self.line);
        let field = |name: &str| {
            let value = line.strip_prefix(name.as_bytes())?.strip_prefix(b":")?;
            let value = value.strip_prefix(b" ").unwrap_or(value);
            let value = str::from_utf8(value).ok()?;
            let is_whole = line.len() < MAX_LINE_BYTES;
            (is_whole && value.bytes().all(|byte| byte.is_ascii_graphic())).then_some(value)
        };
        if let Some(id) = field("id") {
            id.clone_into(&mut self.id);
        } else if let Some(pause) = field("retry").and_then(|text| text.parse().ok()) {
            self.pause = Duration::from_millis(pause);
        }
    }

    /// The id to continue after, and how long to wait before. `None` if the stream cannot be continued.
    pub(super) fn next(&self) -> Option<(&str, Duration)> {
        (!self.id.is_empty()).then_some((&self.id, self.pause))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_id_and_pause_are_the_same_for_every_cut() {
        let check = |stream: &str, expected: Option<(&str, u64)>| {
            for cut in 0..=stream.len() {
                let mut position = EventPosition::default();
                position.feed(&stream.as_bytes()[..cut]);
                position.feed(&stream.as_bytes()[cut..]);
                let next = position.next().map(|(id, pause)| (id, pause.as_millis()));
                assert_eq!(
                    next,
                    expected.map(|(id, pause)| (id, pause.into())),
                    "{stream} cut at {cut}"
                );
            }
        };
        check("data: {}\n\n", None);
        check("id: a\nretry: 500\ndata:\n\n", Some(("a", 500)));
        check("id: a\r\ndata: id: b\r\n\r\nid:c\r\n", Some(("c", 1000)));
        check("id: a\n\nid: b", Some(("a", 1000)));
        check(
            "id: a\n\nid: b c\nretry: soon\nidle: d\n",
            Some(("a", 1000)),
        );
        check(&format!("id: {}\n", "x".repeat(5000)), None);
    }
}
