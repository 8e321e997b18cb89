//! Connecting to a host with several addresses (RFC 8305, Happy Eyeballs): address families alternate, each attempt
//! starts 250 ms after the previous one or as soon as that fails, and the first connection wins. Needs no thread.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, sockopt};

/// Delay between the starts of two attempts.
const HEAD_START: Duration = Duration::from_millis(250);

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum ConnectError {
    /// Every address failed; the error of one of them.
    Failed(io::Error),
    /// No address answered in time.
    Late,
}

/// The addresses in the order of the attempts: families alternate, beginning with the first address's.
fn interleaved(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let Some(first) = addresses.first() else {
        return Vec::new();
    };
    let (mut one, mut other): (Vec<_>, Vec<_>) = addresses
        .iter()
        .copied()
        .partition(|address| address.is_ipv6() == first.is_ipv6());
    one.reverse();
    other.reverse();
    let mut ordered = Vec::new();
    while !one.is_empty() || !other.is_empty() {
        ordered.extend(one.pop());
        ordered.extend(other.pop());
    }
    ordered
}

/// Connects to the first of these addresses that answers within `time`.
pub(super) fn connect(
    addresses: &[SocketAddr],
    limit: Option<Duration>,
) -> Result<TcpStream, ConnectError> {
    let until = limit.map(|limit| Instant::now() + limit);
    let mut left = interleaved(addresses).into_iter();
    let mut open: Vec<OwnedFd> = Vec::new();
    let mut failed = None;
    let mut due = Instant::now();
    let mut more = left.len() > 0;
    loop {
        let now = Instant::now();
        while more && (open.is_empty() || now >= due) {
            let Some(address) = left.next() else {
                more = false;
                break;
            };
            due = now + HEAD_START;
            match begin(address) {
                Ok(socket) => open.push(socket),
                Err(error) => note(&mut failed, error),
            }
        }
        if open.is_empty() {
            let refused = || Errno::CONNREFUSED.into();
            return Err(ConnectError::Failed(failed.unwrap_or_else(refused)));
        }
        let ends = [until, more.then_some(due)].into_iter().flatten().min();
        let settled = wait(&open, ends)?;
        // If several have connected, the earliest attempt wins.
        for at in &settled {
            match sockopt::socket_error(&open[*at]) {
                Ok(Ok(())) => return finish(open.swap_remove(*at)).map_err(ConnectError::Failed),
                Ok(Err(error)) | Err(error) => note(&mut failed, error.into()),
            }
        }
        for at in settled.iter().rev() {
            open.remove(*at);
            due = Instant::now();
        }
        if settled.is_empty() && until.is_some_and(|until| Instant::now() >= until) {
            return Err(ConnectError::Late);
        }
    }
}

/// Keeps the more informative error: a machine without a route for one family fails immediately.
fn note(kept: &mut Option<io::Error>, error: io::Error) {
    let says_little = matches!(
        error.kind(),
        io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::Unsupported
    );
    if kept.is_none() || !says_little {
        *kept = Some(error);
    }
}

/// Starts connecting.
fn begin(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let socket = socket(family)?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

/// A non-blocking socket that child processes do not inherit.
#[cfg(target_os = "linux")]
fn socket(family: AddressFamily) -> io::Result<OwnedFd> {
    use rustix::net::{SocketFlags, socket_with};
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(family, SocketType::STREAM, flags, None)?)
}

#[cfg(not(target_os = "linux"))]
fn socket(family: AddressFamily) -> io::Result<OwnedFd> {
    use rustix::fs::{OFlags, fcntl_setfl};
    use rustix::io::{FdFlags, fcntl_setfd};
    let socket = rustix::net::socket(family, SocketType::STREAM, None)?;
    fcntl_setfd(&socket, FdFlags::CLOEXEC)?;
    fcntl_setfl(&socket, OFlags::NONBLOCK)?;
    Ok(socket)
}

/// Waits until some of these sockets have connected or failed, and returns their indices; empty if `until` comes first.
fn wait(open: &[OwnedFd], until: Option<Instant>) -> Result<Vec<usize>, ConnectError> {
    let mut polled: Vec<PollFd<'_>> = open
        .iter()
        .map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::OUT))
        .collect();
    let left = until.map(|until| until.saturating_duration_since(Instant::now()));
    let left = left.and_then(|left| Timespec::try_from(left).ok());
    match poll(&mut polled, left.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(error) => return Err(ConnectError::Failed(error.into())),
    }
    let ready = polled.iter().enumerate();
    Ok(ready
        .filter(|(_, socket)| !socket.revents().is_empty())
        .map(|(at, _)| at)
        .collect())
}

/// The connected socket as a blocking stream.
fn finish(socket: OwnedFd) -> io::Result<TcpStream> {
    let stream = TcpStream::from(socket);
    stream.set_nonblocking(false)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use rustix::net::{bind, listen};

    use super::*;

    const TRANSFER_TIMEOUT: Option<Duration> = Some(Duration::from_secs(20));

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    /// A listener on loopback.
    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        (listener, address)
    }

    /// An address that does not answer: the listener's backlog is full.
    fn silent() -> (Vec<OwnedFd>, SocketAddr) {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None);
        let socket = socket.expect("a socket");
        bind(&socket, &address("127.0.0.1:0")).expect("a free port");
        listen(&socket, 0).expect("it listens");
        let name = rustix::net::getsockname(&socket).expect("a name");
        let address = SocketAddr::try_from(name).expect("an address");
        let mut held = vec![socket];
        // Fills whatever backlog the system allows beyond zero.
        loop {
            let one = begin(address).expect("it begins");
            held.push(one);
            let last = &held[held.len() - 1..];
            let soon = Instant::now() + Duration::from_millis(50);
            if wait(last, Some(soon))
                .expect("it can be waited for")
                .is_empty()
            {
                return (held, address);
            }
        }
    }

    #[test]
    fn address_families_alternate_beginning_with_the_first() {
        let check = |addresses: &[&str], expected: &[&str]| {
            let addresses: Vec<SocketAddr> = addresses.iter().map(|text| address(text)).collect();
            let expected: Vec<SocketAddr> = expected.iter().map(|text| address(text)).collect();
            assert_eq!(interleaved(&addresses), expected);
        };
        check(&[], &[]);
        check(&["1.1.1.1:1"], &["1.1.1.1:1"]);
        check(
            &["[::1]:1", "[::2]:1", "1.1.1.1:1", "1.1.1.2:1"],
            &["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1"],
        );
        check(
            &["1.1.1.1:1", "1.1.1.2:1", "1.1.1.3:1", "[::1]:1"],
            &["1.1.1.1:1", "[::1]:1", "1.1.1.2:1", "1.1.1.3:1"],
        );
    }

    #[test]
    fn an_address_that_does_not_answer_delays_no_other() {
        let ((_held, dead), (_listener, alive)) = (silent(), listener());
        let begun = Instant::now();
        let stream = connect(&[dead, alive], TRANSFER_TIMEOUT).expect("a connection");
        assert_eq!(stream.peer_addr().ok(), Some(alive));
        assert!(
            begun.elapsed() >= HEAD_START,
            "the first had its head start"
        );
    }

    #[test]
    fn a_refusing_address_is_followed_by_the_next_at_once() {
        let (_listener, alive) = listener();
        let stream = connect(
            &[address("127.0.0.1:9"), address("127.0.0.1:10"), alive],
            TRANSFER_TIMEOUT,
        );
        assert_eq!(stream.expect("a connection").peer_addr().ok(), Some(alive));
    }

    #[test]
    fn a_failed_connection_reports_the_reason() {
        let refused = connect(&[address("127.0.0.1:9")], TRANSFER_TIMEOUT);
        let kind = |lost: Result<TcpStream, ConnectError>| match lost {
            Err(ConnectError::Failed(error)) => Some(error.kind()),
            _ => None,
        };
        assert_eq!(kind(refused), Some(io::ErrorKind::ConnectionRefused));
        // A multicast address, for which no machine has a source address: the refusal is more informative.
        let both = [address("127.0.0.1:9"), address("[ff0e::1]:9")];
        assert_eq!(
            kind(connect(&both, TRANSFER_TIMEOUT)),
            Some(io::ErrorKind::ConnectionRefused)
        );
        let (_held, dead) = silent();
        let late = connect(&[dead], Some(Duration::from_millis(60)));
        assert!(matches!(late, Err(ConnectError::Late)), "{late:?}");
        assert!(kind(connect(&[], TRANSFER_TIMEOUT)).is_some());
    }
}
