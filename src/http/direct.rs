//! Reads a response body from its connection without copying it. ureq copies each byte, and each chunk costs it far more than the
//! bytes in it; a long answer may have a chunk for each event. So a stream borrows the connection from ureq for as long as the
//! data lasts, and gives it back for its end, and for everything unusual, which ureq then reports.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Duration;

use ureq::Timeout;
use ureq::http::response::Parts;
use ureq::http::{StatusCode, Version, header};
use ureq::unversioned::transport::time::Duration as Limit;
use ureq::unversioned::transport::{Buffers, NextTimeout, Transport};

use super::buffers::ConnectionBuffers;

/// How a connection gets from ureq to the reader of a response and back: the reader asks, and reads a byte through ureq, which
/// makes ureq use that connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Loan(Arc<Mutex<LoanState>>);

#[derive(Debug, Default)]
enum LoanState {
    #[default]
    Nothing,
    /// By this thread: others may use other connections.
    Requested(ThreadId),
    /// On its way to the reader.
    Lent(Box<dyn Transport>),
    /// On its way back.
    Returned(Box<dyn Transport>),
}

impl Loan {
    fn state(&self) -> MutexGuard<'_, LoanState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Borrows the connection that `read` uses, which tries to read from it.
    pub(super) fn borrow(
        &self,
        read: impl FnOnce() -> io::Result<usize>,
    ) -> Option<Box<dyn Transport>> {
        *self.state() = LoanState::Requested(thread::current().id());
        let _ = read();
        match std::mem::take(&mut *self.state()) {
            LoanState::Lent(transport) => Some(transport),
            _ => None,
        }
    }

    /// Gives the connection back, to be used in the next read.
    pub(super) fn give_back(&self, transport: Box<dyn Transport>) {
        *self.state() = LoanState::Returned(transport);
    }
}

/// A connection that ureq can lend.
#[derive(Debug)]
pub(super) struct Lendable {
    /// Nothing while it is lent.
    transport: Option<Box<dyn Transport>>,
    loan: Loan,
    /// What ureq sees meanwhile.
    nothing: ConnectionBuffers,
}

impl Lendable {
    pub(super) fn new(transport: Box<dyn Transport>, loan: Loan) -> Self {
        Self {
            transport: Some(transport),
            loan,
            nothing: ConnectionBuffers::default(),
        }
    }

    /// Lends the connection, or takes it back.
    fn settle(&mut self) {
        let mut state = self.loan.state();
        match (&mut *state, self.transport.take()) {
            (LoanState::Requested(by), Some(transport)) if *by == thread::current().id() => {
                *state = LoanState::Lent(transport);
            }
            (LoanState::Returned(_), None) => {
                if let LoanState::Returned(transport) = std::mem::take(&mut *state) {
                    self.transport = Some(transport);
                }
            }
            (_, transport) => self.transport = transport,
        }
    }

    fn held(&mut self) -> Result<&mut Box<dyn Transport>, ureq::Error> {
        self.transport
            .as_mut()
            .ok_or_else(|| ureq::Error::Io(io::Error::other(IsLent)))
    }
}

impl Transport for Lendable {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.settle();
        match &mut self.transport {
            Some(transport) => transport.buffers(),
            None => &mut self.nothing,
        }
    }

    fn transmit_output(&mut self, amount: usize, limit: NextTimeout) -> Result<(), ureq::Error> {
        self.held()?.transmit_output(amount, limit)
    }

    fn await_input(&mut self, limit: NextTimeout) -> Result<bool, ureq::Error> {
        self.held()?.await_input(limit)
    }

    fn is_open(&mut self) -> bool {
        self.held().is_ok_and(|transport| transport.is_open())
    }

    fn is_tls(&self) -> bool {
        let transport = self.transport.as_ref();
        transport.is_some_and(|transport| transport.is_tls())
    }
}

/// The error of a read from a connection that is lent.
#[derive(Debug)]
struct IsLent;

impl fmt::Display for IsLent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is lent")
    }
}

impl StdError for IsLent {}

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
enum Step {
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

    fn step(self, input: &[u8]) -> Step {
        match self {
            Self::Close if input.is_empty() => Step::More,
            Self::Close => Step::Data(input.len()),
            Self::Chunk(left) => match left.min(input.len()) {
                0 => Step::More,
                length => Step::Data(length),
            },
            Self::ChunkEnd => match input {
                [b'\r', b'\n', ..] => Step::Skip(2, Self::Size),
                [] | [b'\r'] => Step::More,
                _ => Step::Wrong,
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
                                Some(b'\n') => Step::Skip(at + 2, Self::Chunk(size)),
                                Some(_) => Step::Leave,
                                None => Step::More,
                            };
                        }
                        _ => return Step::Leave,
                    };
                    let Some(larger) = size.checked_mul(16) else {
                        return Step::Leave;
                    };
                    size = larger + usize::from(digit);
                }
                match input.len() {
                    ..MAX_SIZE_LINE_BYTES => Step::More,
                    _ => Step::Leave,
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
                Step::Skip(length, next) => {
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
            Step::Data(length) => {
                self.framing = self.framing.after(length);
                self.passed = length;
                Advance::Data
            }
            Step::More | Step::Skip(..) => Advance::Await,
            Step::Leave => Advance::Leave,
            Step::Wrong => {
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
                    Step::Skip(length, next) => {
                        input.drain(..length);
                        framing = next;
                    }
                    Step::Data(length) => {
                        data.extend(input.drain(..length));
                        framing = framing.after(length);
                    }
                    Step::More | Step::Leave | Step::Wrong => break,
                }
            }
        }
        (data, input)
    }

    /// A connection that has nothing to read.
    #[derive(Debug, Default)]
    struct Quiet(ConnectionBuffers);

    impl Transport for Quiet {
        fn buffers(&mut self) -> &mut dyn Buffers {
            &mut self.0
        }

        fn transmit_output(&mut self, _: usize, _: NextTimeout) -> Result<(), ureq::Error> {
            Ok(())
        }

        fn await_input(&mut self, _: NextTimeout) -> Result<bool, ureq::Error> {
            Ok(false)
        }

        fn is_open(&mut self) -> bool {
            true
        }
    }

    #[test]
    fn a_connection_is_lent_during_a_read_and_comes_back_in_another() {
        let loan = Loan::default();
        let mut connection = Lendable::new(Box::<Quiet>::default(), loan.clone());
        let read = |connection: &mut Lendable| {
            // As ureq does.
            let _ = connection.buffers().can_use_input();
            connection.maybe_await_input(NextTimeout::default())
        };
        assert!(matches!(read(&mut connection), Ok(false)));
        let lent = loan.borrow(|| {
            read(&mut connection)
                .map(usize::from)
                .map_err(ureq::Error::into_io)
        });
        let lent = lent.expect("it is lent");
        assert!(read(&mut connection).is_err() && !connection.is_open());
        loan.give_back(lent);
        assert!(matches!(read(&mut connection), Ok(false)));
        assert!(connection.is_open());
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
