//! Unix sockets inside the sandbox. The processes of a tool may connect to each other, as `forkserver`, `tsx` and
//! many test runners do, but to no others: not to Docker, D-Bus, tmux or a key agent. Landlock does not cover sockets
//! with a path (before its ninth version), and a seccomp filter does not see addresses. So each bind(2) and
//! connect(2) is handed to the tool's process, the broker, which makes the call itself.
//!
//! A socket that a program binds to a path is bound in a separate directory of the call, in which programs can
//! replace nothing and which other users cannot enter; at the path itself a placeholder socket is created, on which
//! nothing ever listens. Connecting to the path connects to the socket in that directory. A path that was not bound
//! inside the sandbox has no such socket, so no other program can ever be reached, even if the path is replaced
//! meanwhile; nor does any other program mistake the placeholder for its own server's socket. Abstract names, which
//! are visible to the whole machine, are mapped to names private to the call in the same way. getsockname(2) and
//! getpeername(2) return the address that the program has bound. The one visible difference is that the peer process
//! of a connection is the tool's own.

use std::io::{self, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, AtFlags, FileType, OFlags, accessat, fcntl_getfl, statat};
use rustix::io::Errno;
use rustix::net::sockopt::{Timeout, set_socket_timeout, socket_domain, socket_timeout};
use rustix::net::{AddressFamily, SocketAddrUnix, getpeername, getsockname};

use super::bindings::{Bindings, PATH_OFFSET, SocketDirectory};
use super::caller::{Caller, can_be_served, is_interrupted, truncated};
use super::notify::{self, Applied, Notification, errno};
use crate::exhausted::at_start;
use crate::tools::lock::lock;

/// Size of the largest socket address (`sockaddr_storage`).
const MAX_ADDRESS_BYTES: usize = 128;

/// Size of the largest Unix socket address (`unix(7)`).
const MAX_UNIX_BYTES: usize = 110;

/// How many blocking calls are made at the same time.
const MAX_WAITING: usize = 256;

/// How often a blocking call checks whether its caller is still there and not interrupted.
const TICK: Duration = Duration::from_millis(100);

/// Restarts a call after a signal handler with `SA_RESTART`, and otherwise fails it with `EINTR`. This is a
/// kernel-internal number (ERESTARTSYS) that programs never see.
const RESTART: i32 = 512;

/// What it takes to serve the socket calls of a program.
#[derive(Debug)]
pub struct Broker {
    /// Where sockets with a path are bound, if anywhere.
    place: Option<SocketDirectory>,
    /// The kernel keeps abstract names outside out of reach.
    scoped: bool,
}

/// The socket calls of a program. Each is answered by the thread that waits for the program, or by one that ends when this
/// is dropped.
#[derive(Debug)]
pub struct Sockets(SocketCalls);

#[derive(Debug)]
enum SocketCalls {
    /// They wait to be answered one by one.
    Here(Arc<Served>),
    /// They are answered until this is dropped.
    Thread { _end: PipeWriter },
    /// They fail, or no process is left that could make one.
    Over,
}

/// State shared by the broker's threads.
#[derive(Debug)]
struct Served {
    listener: OwnedFd,
    /// The kernel keeps abstract names outside out of reach.
    scoped: bool,
    /// Where sockets with a path are bound, if anywhere.
    place: Option<SocketDirectory>,
    bindings: Mutex<Bindings>,
    waiting: AtomicUsize,
}

impl Broker {
    /// Prepares to serve. `None` if this system does not support it.
    ///
    /// # Errors
    ///
    /// If the directory for sockets cannot be opened.
    pub(super) fn prepare(place: Option<&Path>, scoped: bool) -> io::Result<Option<Self>> {
        if !can_be_served() {
            return Ok(None);
        }
        let place = place.map(SocketDirectory::open).transpose()?;
        Ok(Some(Self { place, scoped }))
    }

    /// The calls that this listener receives.
    pub(super) fn of(self, listener: OwnedFd) -> Sockets {
        Sockets(SocketCalls::Here(Arc::new(Served {
            listener,
            scoped: self.scoped,
            place: self.place,
            bindings: Mutex::default(),
            waiting: AtomicUsize::new(0),
        })))
    }
}

impl Sockets {
    /// What is readable when a call waits to be answered, and hung up when no process is left that could make one.
    pub fn next_call(&self) -> Option<BorrowedFd<'_>> {
        match &self.0 {
            SocketCalls::Here(served) => Some(served.listener.as_fd()),
            SocketCalls::Thread { .. } | SocketCalls::Over => None,
        }
    }

    /// Answers the call that waits; one that may block is answered on a thread.
    pub fn answer_next(&mut self) {
        if let SocketCalls::Here(served) = &self.0
            && let Ok(asked) = notify::next(served.listener.as_fd())
        {
            take(served, asked);
        }
    }

    /// Answers all calls from now on, on a thread. If it cannot be started, they fail.
    pub fn serve(&mut self) {
        if let SocketCalls::Here(served) = std::mem::replace(&mut self.0, SocketCalls::Over)
            && let Ok(end) = start(served)
        {
            self.0 = SocketCalls::Thread { _end: end };
        }
    }

    /// No process is left that could make a call.
    pub fn end(&mut self) {
        self.0 = SocketCalls::Over;
    }
}

/// Starts the thread that serves, until the returned pipe is closed.
fn start(served: Arc<Served>) -> io::Result<PipeWriter> {
    let (ended, end) = io::pipe()?;
    let serving = thread::Builder::new().spawn(move || serve(&served, ended.as_fd()));
    serving.map(|_| end).map_err(at_start)
}

fn serve(served: &Arc<Served>, ended: BorrowedFd<'_>) {
    loop {
        let mut fds = [
            PollFd::from_borrowed_fd(ended, PollFlags::empty()),
            PollFd::new(&served.listener, PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(_) => return,
        }
        if !fds[0].revents().is_empty() {
            return;
        }
        if fds[1].revents().contains(PollFlags::IN) {
            // An interrupted call is gone before it could be received.
            if let Ok(asked) = notify::next(served.listener.as_fd()) {
                take(served, asked);
            }
        } else if !fds[1].revents().is_empty() {
            return; // no process is left that could make a call
        }
    }
}

/// Answers a call, on a separate thread if it may block.
fn take(served: &Arc<Served>, asked: Notification) {
    let applied = match asked.number() {
        libc::SYS_bind => Applied::Bind,
        libc::SYS_connect => Applied::Connect,
        number => return answer_name(served, &asked, number == libc::SYS_getpeername),
    };
    let call = match SocketCall::of(served, &asked, applied) {
        Ok(call) => call,
        Err(error) => return served.answer(&asked, Err(error)),
    };
    let quick = applied == Applied::Bind
        || fcntl_getfl(&call.caller.socket).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK));
    if quick {
        return served.answer(&asked, call.make(served, None));
    }
    if served.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
        served.waiting.fetch_sub(1, Ordering::Relaxed);
        return served.answer(&asked, Err(Errno::AGAIN));
    }
    let shared = Arc::clone(served);
    let waiting = thread::Builder::new().spawn(move || {
        let result = call.make(&shared, Some(&asked));
        shared.answer(&asked, result);
        shared.waiting.fetch_sub(1, Ordering::Relaxed);
    });
    if waiting.is_err() {
        served.waiting.fetch_sub(1, Ordering::Relaxed);
        served.answer(&asked, Err(Errno::AGAIN));
    }
}

/// Answers getsockname(2) and getpeername(2) with the address that a program has bound, not the actual one.
fn answer_name(served: &Served, asked: &Notification, of_peer: bool) {
    let known = known_name(served, asked, of_peer);
    match known {
        // This answer is not security relevant, so the kernel can give it.
        None => notify::let_through(served.listener.as_fd(), asked),
        Some(result) => served.answer(asked, result),
    }
}

fn known_name(served: &Served, asked: &Notification, of_peer: bool) -> Option<Result<(), Errno>> {
    if lock(&served.bindings).is_empty() {
        return None;
    }
    let caller = Caller::of(&served.listener, asked, false).ok()?;
    let name = if of_peer {
        getpeername(&caller.socket).ok()??
    } else {
        getsockname(&caller.socket).ok()?
    };
    let name = SocketAddrUnix::try_from(name).ok()?;
    let address = lock(&served.bindings).address(name.path_bytes()?)?;
    let [_, place, length, ..] = asked.arguments;
    let told = || {
        let room = caller.read(length, 4)?;
        let room = i32::from_ne_bytes([room[0], room[1], room[2], room[3]]);
        let room = usize::try_from(room).map_err(|_| Errno::INVAL)?;
        let all = i32::try_from(address.len()).map_err(|_| Errno::INVAL)?;
        let write = |place, bytes: &[u8]| {
            notify::write(served.listener.as_fd(), asked, place, bytes).map_err(errno)
        };
        if room > 0 {
            write(place, &address[..room.min(address.len())])?;
        }
        write(length, &all.to_ne_bytes())
    };
    Some(told())
}

/// A bind(2) or connect(2) with its arguments.
struct SocketCall {
    applied: Applied,
    caller: Caller,
    address: Vec<u8>,
}

impl SocketCall {
    fn of(served: &Served, asked: &Notification, applied: Applied) -> Result<Self, Errno> {
        let [_, place, length, ..] = asked.arguments;
        let length = usize::try_from(truncated(length)).map_err(|_| Errno::INVAL)?;
        if length > MAX_ADDRESS_BYTES {
            return Err(Errno::INVAL);
        }
        let caller = Caller::of(&served.listener, asked, applied == Applied::Bind)?;
        let address = caller.read(place, length)?;
        Ok(Self {
            applied,
            caller,
            address,
        })
    }

    /// Makes the call. `asked` is set if it may block.
    fn make(&self, served: &Served, asked: Option<&Notification>) -> Result<(), Errno> {
        if socket_domain(&self.caller.socket)? != AddressFamily::UNIX {
            return self.apply(&self.address, served, asked);
        }
        let is_unix = self.address.get(..PATH_OFFSET) == Some(&1u16.to_ne_bytes()[..]);
        let path = self.address.get(PATH_OFFSET..).filter(|_| is_unix);
        let path = path.filter(|_| self.address.len() <= MAX_UNIX_BYTES);
        let path = path.ok_or(Errno::INVAL)?;
        if path.first().is_none_or(|byte| *byte == 0) {
            return self.make_abstract(path, served, asked);
        }
        let end = path.iter().position(|byte| *byte == 0);
        let path = &path[..end.unwrap_or(path.len())];
        let place = served.place.as_ref().ok_or(Errno::PERM)?;
        match self.applied {
            Applied::Bind => lock(&served.bindings).bind(place, &self.caller, path),
            Applied::Connect => {
                let file = self.file(path)?;
                let bound = lock(&served.bindings).bound(file).ok_or(Errno::PERM)?;
                self.apply(&place.hold(&bound)?.address(), served, asked)
            }
        }
    }

    /// Makes the call with an abstract or empty name instead of a path.
    fn make_abstract(
        &self,
        name: &[u8],
        served: &Served,
        asked: Option<&Notification>,
    ) -> Result<(), Errno> {
        let socket = &self.caller.socket;
        match (self.applied, &served.place) {
            (Applied::Connect, _) if name.is_empty() => Err(Errno::INVAL),
            (Applied::Bind, Some(place)) => {
                lock(&served.bindings).bind_abstract(place, socket, name)
            }
            (Applied::Connect, Some(place)) => {
                let bound = lock(&served.bindings).bound_abstract(socket, name)?;
                let held = place.hold(&bound.ok_or(Errno::CONNREFUSED)?)?;
                self.apply(&held.address(), served, asked)
            }
            (Applied::Bind, None) => self.apply(&self.address, served, None),
            (Applied::Connect, None) if served.scoped => self.apply(&self.address, served, asked),
            (Applied::Connect, None) => Err(Errno::PERM),
        }
    }

    /// The socket file at this path, if the caller may connect to it.
    fn file(&self, path: &[u8]) -> Result<(u64, u64), Errno> {
        let directory = &self.caller.directory;
        let found = statat(directory, path, AtFlags::empty())?;
        if FileType::from_raw_mode(found.st_mode) != FileType::Socket {
            return Err(Errno::CONNREFUSED);
        }
        accessat(directory, path, Access::WRITE_OK, AtFlags::EACCESS)?;
        Ok((found.st_dev, found.st_ino))
    }

    /// Makes the call with this address. A blocking one ends when its caller does or has a signal to handle.
    fn apply(
        &self,
        address: &[u8],
        served: &Served,
        asked: Option<&Notification>,
    ) -> Result<(), Errno> {
        let socket = self.caller.socket.as_fd();
        let once = || notify::apply(self.applied, socket, address).map_err(errno);
        let Some(asked) = asked else {
            return once();
        };
        let is_unix = socket_domain(socket)? == AddressFamily::UNIX;
        let limit = socket_timeout(socket, Timeout::Send)?;
        let begun = Instant::now();
        loop {
            let tick = limit.map_or(TICK, |limit| limit.min(TICK));
            set_socket_timeout(socket, Timeout::Send, Some(tick))?;
            let result = once();
            set_socket_timeout(socket, Timeout::Send, limit)?;
            let error = match result {
                // The server's backlog is full.
                Err(Errno::AGAIN) if is_unix => Errno::AGAIN,
                Err(Errno::INPROGRESS | Errno::ALREADY) if !is_unix => Errno::INPROGRESS,
                result => return result,
            };
            loop {
                if limit.is_some_and(|limit| begun.elapsed() >= limit) {
                    return Err(error);
                }
                if !notify::waits(served.listener.as_fd(), asked) {
                    return Err(Errno::SRCH);
                }
                if is_interrupted(asked.thread) {
                    let restart = Errno::from_raw_os_error(RESTART);
                    return Err(if limit.is_some() {
                        Errno::INTR
                    } else {
                        restart
                    });
                }
                if is_unix || is_decided(socket)? {
                    break;
                }
            }
        }
    }
}

/// Waits briefly until the connection is established or has failed.
fn is_decided(socket: BorrowedFd<'_>) -> Result<bool, Errno> {
    let tick = Timespec::try_from(TICK).map_err(|_| Errno::INVAL)?;
    let mut fds = [PollFd::from_borrowed_fd(socket, PollFlags::OUT)];
    match poll(&mut fds, Some(&tick)) {
        Ok(count) => Ok(count > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error),
    }
}

impl Served {
    fn answer(&self, asked: &Notification, result: Result<(), Errno>) {
        notify::answer(
            self.listener.as_fd(),
            asked,
            result.map_err(Errno::raw_os_error),
        );
    }
}
