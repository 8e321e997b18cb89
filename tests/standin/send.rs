//! Sends a reply: the head, then the body in pieces with pauses, up to its end or to the
//! requested fault.

use std::fmt::Write as _;
use std::io;

use super::reply::{Content, Framing, Reply};
use super::wire::Wire;

/// Default size of a write: 64 KiB.
const LARGE: usize = 64 * 1024;

/// How a reply went.
pub(super) struct Sent {
    /// Number of bytes of the body that were sent, and its length.
    pub(super) bytes: usize,
    pub(super) of: usize,
    /// What happened to it, in words for the log.
    pub(super) end: &'static str,
    /// Whether the connection may carry another request.
    pub(super) reusable: bool,
}

/// Sends a reply whose body has been made. `reusable` is the client's request.
pub(super) fn send(wire: &Wire<'_>, reply: &Reply, body: &[u8], reusable: bool) -> Sent {
    let mut sending = Sending {
        wire,
        reply,
        body,
        framing: framing(reply),
        sent: 0,
    };
    let outcome = sending.run(reusable);
    let end = match &outcome {
        Ok(end) => end.words(),
        Err(_) if wire.stopped() => "the server stopped",
        Err(_) => "the client left",
    };
    Sent {
        bytes: sending.sent,
        of: body.len(),
        end,
        reusable: matches!(outcome, Ok(End::Complete)),
    }
}

/// The framing of the body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Chunked,
    /// With a line end announced in addition to the body if the end of the body has to wait.
    Length {
        tail: bool,
    },
    Close,
    /// Neither a body nor its length: 304 and 204.
    Nothing,
    /// The head is in the body.
    Raw,
}

#[derive(Clone, Copy)]
enum End {
    Complete,
    Closed,
    Cut,
    Left,
}

impl End {
    fn words(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Closed => "complete, connection closed",
            Self::Cut => "cut as ordered",
            Self::Left => "silent as ordered, until the end",
        }
    }
}

fn framing(reply: &Reply) -> Frame {
    let pacing = &reply.pacing;
    match (&reply.content, reply.status, pacing.framing) {
        (Content::Raw(_), ..) => Frame::Raw,
        (_, 204 | 304, _) => Frame::Nothing,
        (_, _, Framing::Chunked) => Frame::Chunked,
        (_, _, Framing::Length) => Frame::Length {
            tail: pacing.hold_open || !pacing.tail_pause.is_zero(),
        },
        (_, _, Framing::Close) => Frame::Close,
    }
}

struct Sending<'a> {
    wire: &'a Wire<'a>,
    reply: &'a Reply,
    body: &'a [u8],
    framing: Frame,
    sent: usize,
}

impl Sending<'_> {
    fn run(&mut self, reusable: bool) -> io::Result<End> {
        let pacing = &self.reply.pacing;
        self.wire.wait(pacing.before_headers)?;
        let closes = matches!(self.framing, Frame::Close | Frame::Raw);
        let reusable = reusable && !closes;
        if self.framing != Frame::Raw {
            self.wire.write(&self.head(reusable))?;
        }
        let cut = pacing.cut_at.unwrap_or(usize::MAX);
        let stall = pacing.stall_at.unwrap_or(usize::MAX);
        if self.framing != Frame::Nothing {
            self.pieces(self.body.len().min(cut).min(stall))?;
        }
        if let Some(flood) = &self.reply.flood {
            let mut frame = Vec::new();
            for piece in flood.pieces() {
                self.piece(piece, &mut frame)?;
                self.sent += piece.len();
            }
        }
        if stall != usize::MAX && stall <= cut {
            self.wire.wait_for_the_end();
            return Ok(End::Left);
        }
        if cut != usize::MAX {
            return Ok(End::Cut);
        }
        if pacing.hold_open {
            self.wire.wait_for_the_end();
            return Ok(End::Left);
        }
        self.wire.wait(pacing.tail_pause)?;
        match self.framing {
            Frame::Chunked => self.wire.write(b"0\r\n\r\n")?,
            Frame::Length { tail: true } => self.wire.write(b"\n")?,
            _ => {}
        }
        Ok(if reusable { End::Complete } else { End::Closed })
    }

    fn head(&self, reusable: bool) -> Vec<u8> {
        let status = self.reply.status;
        let mut head = format!("HTTP/1.1 {status} {}\r\n", reason(status));
        let mut line = |name: &str, value: &str| {
            let _ = write!(head, "{name}: {value}\r\n");
        };
        for (name, value) in self.reply.all_headers() {
            line(&name, &value);
        }
        match self.framing {
            Frame::Chunked => line("transfer-encoding", "chunked"),
            Frame::Length { tail } => {
                let length = self.body.len() + usize::from(tail);
                line("content-length", &length.to_string());
            }
            Frame::Close | Frame::Nothing | Frame::Raw => {}
        }
        if !reusable {
            line("connection", "close");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }

    /// Sends the body up to `stop`, piece by piece and event by event.
    fn pieces(&mut self, stop: usize) -> io::Result<()> {
        let pacing = &self.reply.pacing;
        let size = pacing.piece.unwrap_or(LARGE);
        let by_event = pacing.by_event || !pacing.event_pause.is_zero();
        let mut frame = Vec::new();
        let mut event_end = 0;
        while self.sent < stop {
            if event_end <= self.sent {
                event_end = if by_event {
                    end_of_event(self.body, self.sent)
                } else {
                    usize::MAX
                };
            }
            let end = (self.sent + size).min(event_end).min(stop);
            self.piece(&self.body[self.sent..end], &mut frame)?;
            self.sent = end;
            if end < stop {
                self.wire.wait(if end == event_end {
                    pacing.event_pause
                } else {
                    pacing.pause
                })?;
            }
        }
        Ok(())
    }

    /// One write, which with chunked framing is one chunk; `frame` is a buffer for it.
    fn piece(&self, piece: &[u8], frame: &mut Vec<u8>) -> io::Result<()> {
        if self.framing != Frame::Chunked {
            return self.wire.write(piece);
        }
        frame.clear();
        frame.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        frame.extend_from_slice(piece);
        frame.extend_from_slice(b"\r\n");
        self.wire.write(frame)
    }
}

/// The end of the event that begins at `from`: after its empty line, or at the end of the stream.
fn end_of_event(stream: &[u8], from: usize) -> usize {
    let two: [&[u8]; 3] = [b"\r\n\r\n", b"\n\n", b"\r\r"];
    let mut at = from;
    while let Some(line_end) = stream[at..]
        .iter()
        .position(|byte| matches!(byte, b'\n' | b'\r'))
    {
        at += line_end;
        if let Some(end) = two.iter().find(|end| stream[at..].starts_with(end)) {
            return at + end.len();
        }
        at += 1;
    }
    stream.len()
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        204 => "No Content",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Answer",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_ends_after_its_empty_line() {
        for stream in [&b"a\nb\n\nc\n\n"[..], b"a\rb\r\rc\r\r", b"a\r\nb\r\n\r\nc"] {
            let end = end_of_event(stream, 0);
            assert_eq!(stream[end], b'c');
            assert_eq!(end_of_event(stream, end), stream.len());
        }
    }
}
