//! The connector for plain TCP, which races the addresses of a host. It also records the authentication schemes that a
//! refusing proxy offers, which ureq does not pass on.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, recv};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, ShutdownHandle, Transport,
};
use ureq::{Error, Timeout};

use super::buffers::ConnectionBuffers;
use super::interrupt::{BodyWait, CurrentWait, WaitEnded};
use super::race::{self, ConnectError};

/// How a response begins when a proxy requires authentication.
const WANTS_SIGN_IN: &[&[u8]] = &[b"HTTP/1.1 407", b"HTTP/1.0 407"];

/// Bytes of such a response that are inspected.
const MAX_HEAD_BYTES: usize = 16 << 10;

/// The authentication schemes that a proxy offered last.
#[derive(Clone, Debug, Default)]
pub(super) struct Offers(Arc<Mutex<Vec<String>>>);

impl Offers {
    /// Removes and returns the recorded schemes.
    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn set(&self, kinds: Vec<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kinds;
    }
}

/// Opens the connection, unless a proxy connector has already done so.
#[derive(Debug)]
pub(super) struct DirectConnector {
    pub(super) offers: Offers,
    pub(super) waits: CurrentWait,
}

impl<In: Transport> Connector<In> for DirectConnector {
    type Out = Either<In, Socket>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let limit = details.timeout.not_zero().map(|limit| *limit);
        let stream = race::connect(&details.addrs, limit).map_err(|lost| match lost {
            ConnectError::Failed(error) => Error::Io(error),
            ConnectError::Late => Error::Timeout(details.timeout.reason),
        })?;
        stream.set_nodelay(details.config.no_delay())?;
        let socket = Socket {
            stream: Arc::new(stream),
            buffers: ConnectionBuffers::default(),
            limits: [None; 2],
            offers: (!details.needs_tls()).then(|| self.offers.clone()),
            waits: self.waits.clone(),
            silent_since: None,
            filled: false,
        };
        let handle = Arc::downgrade(&socket.stream);
        (details.register_shutdown)(handle as Weak<dyn ShutdownHandle>)?;
        Ok(Some(Either::B(socket)))
    }
}

/// A TCP connection.
pub(super) struct Socket {
    stream: Arc<TcpStream>,
    buffers: ConnectionBuffers,
    /// The read and write timeouts set on the socket.
    limits: [Option<Duration>; 2],
    /// Where a proxy's schemes are recorded, until its first response has been inspected.
    offers: Option<Offers>,
    /// What may end a wait.
    waits: CurrentWait,
    /// When the wait began that was ended, until bytes arrive.
    silent_since: Option<Instant>,
    /// The last read took all there was room for, so that there may be more.
    filled: bool,
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket(..)")
    }
}

/// The time left, or an error if it has expired.
fn left(limit: NextTimeout) -> Result<Option<Duration>, Error> {
    if limit.after.is_not_happening() {
        return Ok(None);
    }
    match *limit.after {
        Duration::ZERO => Err(Error::Timeout(limit.reason)),
        left => Ok(Some(left)),
    }
}

/// The error of a read or write, which may be a timeout.
fn failed(error: io::Error, reason: Timeout) -> Error {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => Error::Timeout(reason),
        _ => Error::Io(error),
    }
}

impl Socket {
    /// Sets the read timeout, if it changed.
    fn limit_read(&mut self, time: Option<Duration>) -> io::Result<()> {
        if self.limits[0] != time {
            self.stream.set_read_timeout(time)?;
            self.limits[0] = time;
        }
        Ok(())
    }

    /// Sets the write timeout, if it changed.
    fn limit_write(&mut self, time: Option<Duration>) -> io::Result<()> {
        if self.limits[1] != time {
            self.stream.set_write_timeout(time)?;
            self.limits[1] = time;
        }
        Ok(())
    }

    /// Reads; after a signal, retries with the time that is left.
    fn read(&mut self, time: Option<Duration>) -> io::Result<usize> {
        let until = time.map(|time| Instant::now() + time);
        let mut left = time;
        loop {
            self.limit_read(left)?;
            match (&*self.stream).read(self.buffers.input_append_buf()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                    left = until.map(|until| until.saturating_duration_since(Instant::now()));
                    if left == Some(Duration::ZERO) {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                other => return other,
            }
        }
    }

    /// Reads, with a wait that may be ended. The limit on silence applies to all waits since the last byte together.
    fn read_until(&mut self, time: Option<Duration>, wait: &BodyWait) -> io::Result<usize> {
        let since = *self.silent_since.get_or_insert_with(Instant::now);
        let end = time.map(|time| since + time);
        loop {
            if !self.filled {
                self.await_bytes(end, wait)?;
            }
            let room = self.buffers.input_append_buf();
            match recv(&*self.stream, &mut *room, RecvFlags::DONTWAIT) {
                Ok((count, _)) => {
                    self.filled = count == room.len();
                    self.silent_since = None;
                    return Ok(count);
                }
                Err(Errno::AGAIN | Errno::INTR) => self.filled = false,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Waits for bytes until `end`, which is an error, as is a wait that is ended.
    fn await_bytes(&self, end: Option<Instant>, wait: &BodyWait) -> io::Result<()> {
        let first = end.into_iter().chain(wait.until).min();
        loop {
            let mut polled = vec![PollFd::new(&*self.stream, PollFlags::IN)];
            polled.extend(
                wait.interrupt
                    .readable()
                    .map(|end| PollFd::new(end, PollFlags::IN)),
            );
            let left = first.map(|first| first.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            match poll(&mut polled, left.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if polled.iter().skip(1).any(|end| !end.revents().is_empty()) {
                wait.interrupt.clear();
                return Err(io::Error::other(WaitEnded));
            }
            if !polled[0].revents().is_empty() {
                return Ok(());
            }
            let now = Instant::now();
            if end.is_some_and(|end| now >= end) {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if wait.until.is_some_and(|until| now >= until) {
                return Err(io::Error::other(WaitEnded));
            }
        }
    }

    /// Records a proxy's schemes once the head of its response is complete.
    fn record_offers(&mut self) {
        let Some(offers) = &self.offers else {
            return;
        };
        let input = self.buffers.input();
        let begins = |start: &&[u8]| {
            let both = start.len().min(input.len());
            start[..both] == input[..both]
        };
        if !WANTS_SIGN_IN.iter().any(begins) || input.len() > MAX_HEAD_BYTES {
            self.offers = None;
            return;
        }
        if let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") {
            offers.set(authentication_schemes(&String::from_utf8_lossy(
                &input[..end],
            )));
            self.offers = None;
        }
    }
}

/// The authentication schemes in a response head.
fn authentication_schemes(head: &str) -> Vec<String> {
    let fields = head.lines().filter_map(|line| line.split_once(':'));
    let challenges = fields.filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authenticate"));
    let kinds = challenges.filter_map(|(_, value)| value.split_whitespace().next());
    let is_word = |kind: &&str| kind.bytes().all(|byte| byte.is_ascii_alphanumeric());
    kinds
        .map(|kind| kind.trim_end_matches(','))
        .filter(is_word)
        .map(str::to_owned)
        .collect()
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, limit: NextTimeout) -> Result<(), Error> {
        let limit = limit.for_write();
        let time = left(limit)?;
        self.limit_write(time)
            .and_then(|()| (&*self.stream).write_all(&self.buffers.output()[..amount]))
            .map_err(|error| failed(error, limit.reason))
    }

    fn await_input(&mut self, limit: NextTimeout) -> Result<bool, Error> {
        let limit = limit.for_read();
        let time = left(limit)?;
        let read = match self.waits.get() {
            Some(wait) => self.read_until(time, &wait),
            None => self.read(time),
        };
        let count = read.map_err(|error| failed(error, limit.reason))?;
        self.buffers.input_appended(count);
        self.record_offers();
        Ok(count > 0)
    }

    fn is_open(&mut self) -> bool {
        let probe = || {
            self.stream.set_nonblocking(true)?;
            let read = (&*self.stream).read(&mut [0]);
            self.stream.set_nonblocking(false)?;
            Ok::<_, io::Error>(read)
        };
        // On an idle connection nothing should arrive.
        matches!(probe(), Ok(Err(error)) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn authentication_schemes_are_read_from_the_head() {
        let check = |fields: &str, expected: &[&str]| {
            let head = format!("HTTP/1.1 407 No\r\nServer: x\r\n{fields}");
            assert_eq!(authentication_schemes(&head), expected, "{fields}");
        };
        check("", &[]);
        check("Proxy-Authenticate: NTLM", &["NTLM"]);
        check(
            "proxy-authenticate: Negotiate\r\nProxy-Authenticate: NTLM TlRM\r\n",
            &["Negotiate", "NTLM"],
        );
        check("Proxy-Authenticate: Basic realm=\"a, b\"", &["Basic"]);
        check("Proxy-Authenticate:\r\nProxy-Authenticate: \u{1b}[2J", &[]);
    }
}
