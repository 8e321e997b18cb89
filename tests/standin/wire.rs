//! The socket of one connection: buffered reads, immediate writes, and waits that end as soon as
//! the client leaves or the server stops.

use std::io::{self, BufReader, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Waits up to this long use sleep, because a socket's timeout is only as fine as the kernel's
/// tick; longer ones watch the socket.
const SHORT: Duration = Duration::from_millis(20);

/// A connection, on the server's side.
pub(super) struct Wire<'a> {
    reader: BufReader<TcpStream>,
    stopping: &'a AtomicBool,
}

impl<'a> Wire<'a> {
    /// Takes over a socket. Small writes are sent one by one, as the pacing of replies requires.
    pub(super) fn new(stream: TcpStream, stopping: &'a AtomicBool) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let reader = BufReader::new(stream);
        Ok(Self { reader, stopping })
    }

    pub(super) fn reader(&mut self) -> &mut BufReader<TcpStream> {
        &mut self.reader
    }

    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let mut socket = self.socket();
        socket.write_all(bytes)
    }

    /// Closes the connection in both directions, even if other handles of the socket exist.
    pub(super) fn close(&self) {
        let _ = self.socket().shutdown(Shutdown::Both);
    }

    /// Whether the server is stopping.
    pub(super) fn stopped(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Waits. An error means that the client has left, or that the server is stopping.
    pub(super) fn wait(&self, time: Duration) -> io::Result<()> {
        self.watch(Some(Instant::now() + time))
    }

    /// Waits until the client leaves or the server stops.
    pub(super) fn wait_for_the_end(&self) {
        let _ = self.watch(None);
    }

    fn watch(&self, until: Option<Instant>) -> io::Result<()> {
        loop {
            if self.stopped() {
                return Err(io::ErrorKind::Interrupted.into());
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            match left {
                Some(Duration::ZERO) => return Ok(()),
                Some(left) if left <= SHORT => thread::sleep(left),
                _ => self.look(left)?,
            }
        }
    }

    /// Checks for the client's end of the connection, for at most `time`. Dropping the server ends
    /// this too, since that shuts the socket down.
    fn look(&self, time: Option<Duration>) -> io::Result<()> {
        let socket = self.socket();
        socket.set_read_timeout(time)?;
        let seen = socket.peek(&mut [0]);
        socket.set_read_timeout(None)?;
        match seen {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => {
                // The next request has already arrived, so the end cannot be seen behind it.
                thread::sleep(SHORT);
                Ok(())
            }
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock
                | io::ErrorKind::TimedOut
                | io::ErrorKind::Interrupted => Ok(()),
                _ => Err(error),
            },
        }
    }

    fn socket(&self) -> &TcpStream {
        self.reader.get_ref()
    }
}
