//! One answer to one request: its status and headers, its body, and how the body is sent.
//! A reply is only a description; `stream` makes the bytes and `send` sends them.

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::bulk::Flood;
use super::check::Refusal;
use super::stream::{Answer, Ends, FinalOutput, Item, Split};

/// A line end of the event stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Newline {
    Lf,
    Crlf,
    Cr,
}

/// How the end of the body is marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Framing {
    #[default]
    Chunked,
    Length,
    /// By the end of the connection.
    Close,
}

/// The content of the body.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Bytes(Arc<[u8]>),
    /// Events that are made for the request that gets them.
    Answer(Answer),
    /// All bytes that are sent, including the head.
    Raw(Arc<[u8]>),
}

/// How the body is sent, and what goes wrong meanwhile. Offsets count bytes of the body.
#[derive(Debug, Clone, Default)]
pub(super) struct Pacing {
    pub(super) before_headers: Duration,
    pub(super) piece: Option<usize>,
    pub(super) pause: Duration,
    pub(super) event_pause: Duration,
    pub(super) by_event: bool,
    pub(super) cut_at: Option<usize>,
    pub(super) stall_at: Option<usize>,
    pub(super) hold_open: bool,
    pub(super) tail_pause: Duration,
    pub(super) framing: Framing,
}

/// The answer to one request.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) content: Content,
    pub(super) newline: Option<Newline>,
    pub(super) pacing: Pacing,
    /// What follows the body, in chunks or up to the end of the connection.
    pub(super) flood: Option<Flood>,
    content_type: Option<&'static str>,
}

/// The content of the reply.
impl Reply {
    /// A recorded stream, sent unchanged.
    pub(crate) fn sse(bytes: impl Into<Vec<u8>>) -> Self {
        Self::stream(Content::Bytes(bytes.into().into()))
    }

    /// A complete answer of these items.
    pub(crate) fn items(items: impl IntoIterator<Item = Item>) -> Self {
        let items = items.into_iter().collect();
        Self::stream(Content::Answer(Answer {
            items,
            ..Answer::default()
        }))
    }

    /// A complete answer of one message.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::items([Item::text(text)])
    }

    /// A complete answer of one message in `count` deltas of about 290 bytes each on the wire. The
    /// bytes are made for the first request and kept, so 200,000 of them cost later requests nothing.
    pub(crate) fn deltas(count: usize, each: impl Into<String>) -> Self {
        let each = each.into();
        Self::items([Item::Deltas { count, each }])
    }

    /// A stream of any length: the start, this many repetitions, and the end.
    pub(crate) fn flood(start: &str, again: &str, times: usize, end: &str) -> Self {
        Self {
            flood: Some(Flood::new(again.as_bytes(), times, end.as_bytes())),
            ..Self::sse(start)
        }
    }

    /// An HTTP response without a stream. Its content type is guessed from the body, unless given.
    pub(crate) fn status(status: u16, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Self {
        let body: Vec<u8> = body.into();
        let content_type = match body.first() {
            None => None,
            Some(b'{' | b'[') => Some("application/json"),
            Some(b'<') => Some("text/html; charset=utf-8"),
            Some(_) => Some("text/plain; charset=utf-8"),
        };
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Self {
            status,
            headers: headers.iter().map(owned).collect(),
            content_type,
            ..Self::stream(Content::Bytes(body.into()))
        }
        .framing(Framing::Length)
    }

    /// An HTTP response with JSON.
    pub(crate) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::status(status, &[], body.to_string())
    }

    /// These bytes and the end of the connection: they include the head, if there is one.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self::stream(Content::Raw(bytes.into().into()))
    }

    fn stream(content: Content) -> Self {
        Self {
            status: 200,
            headers: Vec::new(),
            content,
            newline: None,
            pacing: Pacing::default(),
            flood: None,
            content_type: Some("text/event-stream; charset=utf-8"),
        }
    }
}

/// The content of the events, if the stand-in makes them.
impl Reply {
    /// The ending of the stream, instead of `response.completed`.
    pub(crate) fn ends(self, ends: Ends) -> Self {
        self.change(|answer| answer.ends = ends)
    }

    /// How texts are split into deltas.
    pub(crate) fn split(self, split: Split) -> Self {
        self.change(|answer| answer.split = split)
    }

    /// Whether the last event repeats the items, instead of the backend's default.
    pub(crate) fn final_output(self, output: FinalOutput) -> Self {
        self.change(|answer| answer.output = Some(output))
    }

    fn change(mut self, change: impl FnOnce(&mut Answer)) -> Self {
        match &mut self.content {
            Content::Answer(answer) => change(answer),
            other => panic!("only events that are still to be made can be changed, not {other:?}"),
        }
        self
    }
}

/// The head.
impl Reply {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without_content_type(mut self) -> Self {
        self.content_type = None;
        self
    }

    /// Adds a header unless the reply already has one of that name.
    pub(super) fn or_header(self, name: &str, value: &str) -> Self {
        let given = |(key, _): &(String, String)| key.eq_ignore_ascii_case(name);
        if self.headers.iter().any(given) {
            return self;
        }
        self.header(name, value)
    }

    /// All headers except those for framing.
    pub(super) fn all_headers(&self) -> Vec<(String, String)> {
        let with_type = match self.content_type {
            Some(content_type) => self.clone().or_header("content-type", content_type),
            None => self.clone(),
        };
        with_type.headers
    }
}

/// How the body is sent.
impl Reply {
    /// Replaces every line end of the stream with this one.
    pub(crate) fn newline(mut self, newline: Newline) -> Self {
        self.newline = Some(newline);
        self
    }

    /// Limits each write to this many bytes.
    pub(crate) fn pieces(mut self, bytes: usize) -> Self {
        self.pacing.piece = Some(bytes.max(1));
        self
    }

    /// Waits after every piece but the last.
    pub(crate) fn pause(mut self, time: Duration) -> Self {
        self.pacing.pause = time;
        self
    }

    /// Waits after every event but the last; each event is sent in a separate write.
    pub(crate) fn event_pause(mut self, time: Duration) -> Self {
        self.pacing.event_pause = time;
        self
    }

    /// Sends each event in a separate write, without a pause.
    pub(crate) fn by_event(mut self) -> Self {
        self.pacing.by_event = true;
        self
    }

    pub(crate) fn pause_before_headers(mut self, time: Duration) -> Self {
        self.pacing.before_headers = time;
        self
    }

    /// Closes the connection after this many bytes, whatever was announced.
    pub(crate) fn cut_at(mut self, offset: usize) -> Self {
        self.pacing.cut_at = Some(offset);
        self
    }

    /// Falls silent after this many bytes, until the client leaves.
    pub(crate) fn stall_at(mut self, offset: usize) -> Self {
        self.pacing.stall_at = Some(offset);
        self
    }

    /// Sends the whole body but never its end, until the client leaves.
    pub(crate) fn hold_open(mut self) -> Self {
        self.pacing.hold_open = true;
        self
    }

    /// Waits between the last byte of the body and its end.
    pub(crate) fn tail_pause(mut self, time: Duration) -> Self {
        self.pacing.tail_pause = time;
        self
    }

    pub(crate) fn framing(mut self, framing: Framing) -> Self {
        self.pacing.framing = framing;
        self
    }
}

impl From<Refusal> for Reply {
    fn from(refusal: Refusal) -> Self {
        Self::status(refusal.status, &[], refusal.body)
    }
}

impl Newline {
    /// The same lines, all with this line end.
    pub(super) fn reframe(self, bytes: &[u8]) -> Vec<u8> {
        let end: &[u8] = match self {
            Self::Lf => b"\n",
            Self::Crlf => b"\r\n",
            Self::Cr => b"\r",
        };
        let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 64);
        let mut after_cr = false;
        for &byte in bytes {
            match byte {
                b'\n' if after_cr => {} // the second half of a CRLF
                b'\n' | b'\r' => out.extend_from_slice(end),
                _ => out.push(byte),
            }
            after_cr = byte == b'\r';
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_becomes_the_requested_one() {
        let mixed = b"a\r\nb\nc\r\r\n";
        assert_eq!(Newline::Lf.reframe(mixed), b"a\nb\nc\n\n");
        assert_eq!(Newline::Cr.reframe(mixed), b"a\rb\rc\r\r");
        assert_eq!(Newline::Crlf.reframe(mixed), b"a\r\nb\r\nc\r\n\r\n");
    }
}
