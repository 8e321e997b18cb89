//! A response, and its body as it arrives.

use std::io::{self, Read};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::direct::{Advance, DirectBody, Framing};
use super::error::Error;
use super::interrupt::{BodyWait, CurrentWait, Interrupt, WaitEnded};
use super::limit::{ERROR_BODY_TIMEOUT, FIRST_READ_BYTES, KEEP_ALIVE, READ_BYTES, TimeLimit};
use super::loan::Loan;
use crate::exhausted::at_start;

/// Where the next bytes of a body are.
enum Found {
    /// In the buffer of the connection.
    Direct,
    /// In the buffer of the response, this many.
    Copied(usize),
}

/// A response whose head has arrived.
pub struct HttpResponse {
    host: String,
    proxy: Option<String>,
    head: ureq::http::response::Parts,
    body: Box<dyn Read + Send>,
    /// The framing of the body, if it can be read directly and nothing of it was read.
    framing: Option<Framing>,
    direct: Option<DirectBody>,
    /// When the last bytes arrived.
    last_read: Instant,
    buffer: Vec<u8>,
    /// The last read filled the buffer.
    filled: bool,
    shared: ReadState,
    silence: Duration,
}

/// What the reads of a client's responses share with its connections.
#[derive(Clone, Debug, Default)]
pub(super) struct ReadState {
    pub(super) waits: CurrentWait,
    pub(super) loan: Loan,
}

impl HttpResponse {
    /// The response to a request to this host, through this proxy, with this limit and idle timeout.
    pub(super) fn new(
        response: ureq::http::Response<ureq::Body>,
        (host, proxy): (String, Option<String>),
        limit: TimeLimit,
        silence: Duration,
        shared: ReadState,
    ) -> Self {
        let (head, body) = response.into_parts();
        let framing = match limit {
            TimeLimit::Stream => Framing::of(&head),
            // ureq knows how much time is left.
            TimeLimit::Whole(_) => None,
        };
        Self {
            host,
            proxy,
            head,
            body: Box::new(body.into_reader()),
            framing,
            direct: None,
            last_read: Instant::now(),
            buffer: Vec::new(),
            filled: false,
            shared,
            silence,
        }
    }

    /// The host of the request, with its port if the URL names one.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Host and port of the proxy that the request went through, if any.
    #[must_use]
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// The status code.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.head.status.as_u16()
    }

    /// A header's value, if it is plain text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.headers.get(name)?.to_str().ok()
    }

    /// Reads the next bytes of the body; an empty slice at its end.
    ///
    /// # Errors
    /// When the connection is lost or stays silent.
    pub fn read(&mut self) -> Result<&[u8], Error> {
        match self.fill() {
            Ok(count) => Ok(&self.buffer[..count]),
            Err(error) => Err(Error::of_io(error, true, self.silence)),
        }
    }

    /// The same, but returns nothing if `interrupt` or `until` ends the wait. The time of silence goes on meanwhile.
    ///
    /// # Errors
    /// As for [`HttpResponse::read`].
    pub fn read_until(
        &mut self,
        interrupt: &Interrupt,
        until: Option<Instant>,
    ) -> Result<Option<&[u8]>, Error> {
        if let Some(framing) = self.framing.take() {
            let transport = self.shared.loan.borrow(|| self.body.read(&mut [0]));
            let direct = |transport| DirectBody::new(transport, framing, self.silence);
            self.direct = transport.map(direct);
        }
        self.shared.waits.set(Some(BodyWait {
            interrupt: interrupt.clone(),
            until,
        }));
        let found = self.find_bytes();
        self.shared.waits.set(None);
        if found.is_ok() {
            self.last_read = Instant::now();
        }
        match found {
            Ok(Found::Direct) => Ok(self.direct.as_mut().map(DirectBody::data)),
            Ok(Found::Copied(count)) => Ok(Some(&self.buffer[..count])),
            Err(error) if WaitEnded::is(&error) => Ok(None),
            Err(error) => Err(Error::of_io(error, true, self.silence)),
        }
    }

    /// Further bytes that arrived with those of the last `read_until`, if there are any.
    pub fn buffered(&mut self) -> Option<&[u8]> {
        let direct = self.direct.as_mut()?;
        matches!(direct.advance(), Advance::Data).then(|| direct.data())
    }

    fn find_bytes(&mut self) -> io::Result<Found> {
        while let Some(direct) = &mut self.direct {
            let is_over = match direct.advance() {
                Advance::Data => return Ok(Found::Direct),
                Advance::Await => !direct.await_more()?,
                Advance::Leave => true,
                Advance::Wrong(why) => return Err(why.into_io()),
            };
            if is_over && let Some(direct) = self.direct.take() {
                self.shared.loan.give_back(direct.into_transport());
            }
        }
        self.fill().map(Found::Copied)
    }

    /// Fills the buffer, which grows while reads fill it.
    fn fill(&mut self) -> io::Result<usize> {
        let room = self.buffer.len();
        if room == 0 || self.filled && room < READ_BYTES {
            self.buffer.resize((2 * room).max(FIRST_READ_BYTES), 0);
        }
        let count = self.body.read(&mut self.buffer)?;
        self.filled = count == self.buffer.len();
        Ok(count)
    }

    /// Reads to the end of the body, so that the connection can serve the next request. `interrupt` and `until` end the wait.
    /// Returns whether the body has ended, or the connection is lost.
    pub fn drain(&mut self, interrupt: &Interrupt, until: Instant) -> bool {
        loop {
            match self.read_until(interrupt, Some(until)) {
                Ok(None) => return false,
                Ok(Some([])) | Err(_) => return true,
                // A body that never ends.
                Ok(Some(_)) if Instant::now() >= until => return false,
                Ok(Some(_)) => {}
            }
        }
    }

    /// Whether nothing was read for so long that the connection should not be used again.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        self.last_read.elapsed() >= KEEP_ALIVE
    }

    /// Reads the whole body, at most `most` bytes.
    ///
    /// # Errors
    /// When the connection is lost or stays silent, or the body is larger.
    pub fn whole(self, most: usize) -> Result<Vec<u8>, Error> {
        match self.read_up_to(most) {
            (body, None) => Ok(body),
            (_, Some(error)) => Err(error),
        }
    }

    /// The bytes of the body that arrived, and the error that ended it early, if any.
    #[must_use]
    pub fn read_up_to(mut self, most: usize) -> (Vec<u8>, Option<Error>) {
        let mut body = Vec::new();
        loop {
            match self.read() {
                Ok([]) => return (body, None),
                Ok(piece) => body.extend_from_slice(piece),
                Err(error) => return (body, Some(error)),
            }
            if body.len() > most {
                let error = Error::Protocol(format!("more than {most} bytes"));
                return (body, Some(error));
            }
        }
    }

    /// The body up to `most` bytes, or the part that arrives within a short time. For error responses, which are not
    /// worth a long wait.
    ///
    /// # Errors
    /// When the system cannot start a thread for the read.
    pub fn body(mut self, most: usize) -> Result<Vec<u8>, Error> {
        let (sender, pieces) = mpsc::channel();
        // A read cannot be cancelled. The thread ends with the body, at the idle timeout for the connection, or when the
        // connection is shut down.
        let reader = thread::Builder::new().spawn(move || {
            while let Ok(piece @ [_, ..]) = self.read()
                && sender.send(piece.to_vec()).is_ok()
            {}
        });
        reader.map_err(|error| Error::Exhausted(at_start(error)))?;
        let begun = Instant::now();
        let mut body = Vec::new();
        while body.len() < most {
            match pieces.recv_timeout(ERROR_BODY_TIMEOUT.saturating_sub(begun.elapsed())) {
                Ok(piece) => body.extend_from_slice(&piece),
                Err(_) => break,
            }
        }
        body.truncate(most);
        Ok(body)
    }
}
