//! Reads a response body from its connection without copying it. ureq copies each byte, and each chunk costs it far more than the
//! bytes in it; a long answer may have a chunk for each event. The end of a body, and everything unusual, is left to ureq.

use std::io;
use std::time::Duration;

use ureq::Timeout;
use ureq::http::response::Parts;
use ureq::http::{StatusCode, Version, header};
use ureq::unversioned::transport::time::Duration as Limit;
use ureq::unversioned::transport::{NextTimeout, Transport};

/// Where a body has its data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// In chunks (RFC 9112, section 7.1). The next bytes are the size of one.
    Size,
    /// This many bytes of a chunk are left.
    Chunk(usize),
    /// The line end after a chunk comes next.
    ChunkEnd,
    /// Up to the end of the connection.
    Close,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FramingStep {
    /// Data of this length.
    Data(usize),
    /// Framing of this length, and what follows it.
    Skip(usize, Framing),
    /// Unknown before more bytes arrive.
    More,
    /// The end of the body, or something unusual.
    Leave,
    /// Not what has to follow a chunk.
    Wrong,
}

/// Maximum length of the line with the size of a chunk, as in ureq.
const MAX_SIZE_LINE_BYTES: usize = 20;

impl Framing {
    /// The framing of this response, if its data can be read directly.
    pub(super) fn of(head: &Parts) -> Option<Self> {
        let is_usual = head.status == StatusCode::OK && head.version == Version::HTTP_11;
        let length = head.headers.get(header::CONTENT_LENGTH);
        let mut codings = head.headers.get_all(header::TRANSFER_ENCODING).iter();
        match (codings.next(), codings.next(), length) {
            _ if !is_usual => None,
            (Some(coding), None, None) if coding.as_bytes().eq_ignore_ascii_case(b"chunked") => {
                Some(Self::Size)
            }
            (None, None, None) => Some(Self::Close),
            _ => None,
        }
    }

    /// What follows data of this length.
    fn after(self, length: usize) -> Self {
        match self {
            Self::Chunk(left) if left == length => Self::ChunkEnd,
            Self::Chunk(left) => Self::Chunk(left - length),
            other => other,
        }
    }

    fn step(self, input: &[u8]) -> FramingStep {
        match self {
            Self::Close if input.is_empty() => FramingStep::More,
            Self::Close => FramingStep::Data(input.len()),
            Self::Chunk(left) => match left.min(input.len()) {
                0 => FramingStep::More,
                length => FramingStep::Data(length),
            },
            Self::ChunkEnd => match input {
                [b'\r', b'\n', ..] => FramingStep::Skip(2, Self::Size),
                [] | [b'\r'] => FramingStep::More,
                _ => FramingStep::Wrong,
            },
            Self::Size => {
                let mut size = 0_usize;
                for (at, byte) in input.iter().take(MAX_SIZE_LINE_BYTES).enumerate() {
                    let digit = match byte {
                        b'0'..=b'9' => byte - b'0',
                        b'a'..=b'f' => byte - b'a' + 10,
                        b'A'..=b'F' => byte - b'A' + 10,
                        b'\r' if size > 0 => {
                            return match input.get(at + 1) {
                                Some(b'\n') => FramingStep::Skip(at + 2, Self::Chunk(size)),
                                Some(_) => FramingStep::Leave,
                                None => FramingStep::More,
                            };
                        }
                        _ => return FramingStep::Leave,
                    };
                    let Some(larger) = size.checked_mul(16) else {
                        return FramingStep::Leave;
                    };
                    size = larger + usize::from(digit);
                }
                match input.len() {
                    ..MAX_SIZE_LINE_BYTES => FramingStep::More,
                    _ => FramingStep::Leave,
                }
            }
        }
    }
}

/// A body that is read from its connection.
#[derive(Debug)]
pub(super) struct DirectBody {
    transport: Box<dyn Transport>,
    framing: Framing,
    /// Length of the data that was passed on last.
    passed: usize,
    silence: Duration,
}

/// What is next in a body.
#[derive(Debug)]
pub(super) enum Advance {
    /// Data that has arrived.
    Data,
    /// Nothing before more bytes arrive.
    Await,
    /// What ureq has to read.
    Leave,
    /// What no body has.
    Wrong(ureq::Error),
}

impl DirectBody {
    pub(super) fn new(transport: Box<dyn Transport>, framing: Framing, silence: Duration) -> Self {
        Self {
            transport,
            framing,
            passed: 0,
            silence,
        }
    }

    pub(super) fn into_transport(self) -> Box<dyn Transport> {
        self.transport
    }

    /// Goes on after the last data.
    pub(super) fn advance(&mut self) -> Advance {
        let mut used = std::mem::take(&mut self.passed);
        let buffers = self.transport.buffers();
        let step = loop {
            match self.framing.step(&buffers.input()[used..]) {
                FramingStep::Skip(length, next) => {
                    used += length;
                    self.framing = next;
                }
                step => break step,
            }
        };
        if used > 0 {
            buffers.input_consume(used);
        }
        match step {
            FramingStep::Data(length) => {
                self.framing = self.framing.after(length);
                self.passed = length;
                Advance::Data
            }
            FramingStep::More | FramingStep::Skip(..) => Advance::Await,
            FramingStep::Leave => Advance::Leave,
            FramingStep::Wrong => {
                let why = "a chunk is longer than its size";
                Advance::Wrong(ureq::Error::Other(why.into()))
            }
        }
    }

    /// The data.
    pub(super) fn data(&mut self) -> &[u8] {
        &self.transport.buffers().input()[..self.passed]
    }

    /// Waits for more bytes; false at the end of the connection.
    pub(super) fn await_more(&mut self) -> io::Result<bool> {
        let read = self.transport.await_input(NextTimeout {
            after: Limit::NotHappening,
            reason: Timeout::Global,
            per_read: Some(self.silence.into()),
            per_write: Some(self.silence.into()),
        });
        match read {
            // As for ureq, the body may be complete nevertheless.
            Err(ureq::Error::Io(error))
                if matches!(
                    error.kind(),
                    io::ErrorKind::UnexpectedEof
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                ) =>
            {
                Ok(false)
            }
            read => read.map_err(ureq::Error::into_io),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of a body that arrives in these pieces, and what is left for ureq.
    fn read(pieces: &[&[u8]]) -> (Vec<u8>, Vec<u8>) {
        let (mut framing, mut input, mut data) = (Framing::Size, Vec::new(), Vec::new());
        for piece in pieces {
            input.extend_from_slice(piece);
            loop {
                match framing.step(&input) {
                    FramingStep::Skip(length, next) => {
                        input.drain(..length);
                        framing = next;
                    }
                    FramingStep::Data(length) => {
                        data.extend(input.drain(..length));
                        framing = framing.after(length);
                    }
                    FramingStep::More | FramingStep::Leave | FramingStep::Wrong => break,
                }
            }
        }
        (data, input)
    }

    #[test]
    fn chunks_are_read_however_they_are_split() {
        let check = |body: &str, data: &str, left: &str| {
            let body = body.as_bytes();
            for i in 0..=body.len() {
                for j in i..=body.len() {
                    let (found, rest) = read(&[&body[..i], &body[i..j], &body[j..]]);
                    assert_eq!(String::from_utf8_lossy(&found), data, "{i} {j}");
                    assert_eq!(String::from_utf8_lossy(&rest), left, "{i} {j}");
                }
            }
        };
        check(
            "3\r\nabc\r\n0a\r\n0123456789\r\n0\r\n\r\n",
            "abc0123456789",
            "0\r\n\r\n",
        );
        check("3\r\nabc\r\n0\r\nx: y\r\n\r\n", "abc", "0\r\nx: y\r\n\r\n");
        check("B\r\nhello\r\n0\r\nx\r\n", "hello\r\n0\r\nx", "");
        // ureq reads, or refuses, these.
        for odd in [
            "3;a=b\r\nabc\r\n",
            "3 \r\nabc",
            "x\r\n",
            "3\nabc",
            "\r\n",
            "ffffffffffffffffffff\r\n",
        ] {
            check(odd, "", odd);
        }
        check("1\r\nab\r\n", "a", "b\r\n");
    }
}
