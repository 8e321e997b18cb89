//! Unix sockets inside the sandbox. A tool's processes may talk to each other through them, as `forkserver`, `tsx` and
//! many test runners do, and to nobody else: not to Docker, D-Bus, tmux or an agent that holds keys. Landlock does not
//! know sockets with a path (before its ninth version), and a filter of system calls does not see addresses. So the
//! tool's own process is asked about each bind(2) and connect(2), and makes the call itself.
//!
//! A socket that a tool binds to a path is bound to an abstract name that nobody can guess, and the path gets a socket
//! of its own that nothing listens on. A connection to that path is made to that name. A path that was not bound inside
//! has no name, so no other program is ever reached, whatever the path is turned into meanwhile. Two things differ from
//! a socket of old: getsockname(2) shows the abstract name, and the peer's process is the tool's own.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, PipeWriter};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{
    Access, AtFlags, FileType, Mode, OFlags, accessat, fcntl_getfl, mknodat, open, statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};

use super::notify::{self, Asked};
use super::process::lock;
use crate::exhausted::at_start;

/// The length of the largest address (`unix(7)`: 110 bytes; `sockaddr_storage`: 128).
const MAX_ADDRESS_BYTES: usize = 128;

/// How many calls that may wait are made at the same time.
const MAX_WAITING: usize = 256;

/// Where the path begins in the address of a Unix socket.
const PATH: usize = 2;

/// A file, by its device and inode.
type Identity = (u64, u64);

/// Serves the bind(2) and connect(2) calls of a program until it is dropped.
#[derive(Debug)]
pub struct Broker {
    end: Option<PipeWriter>,
    thread: Option<JoinHandle<()>>,
}

/// What the broker's threads share.
struct Served {
    listener: OwnedFd,
    /// Abstract names outside cannot be reached, because the kernel sees to it.
    scoped: bool,
    /// The sockets that were bound inside, by what lies at their paths.
    bound: Mutex<HashMap<Identity, Vec<u8>>>,
    waiting: AtomicUsize,
}

impl Broker {
    /// Serves the calls that come through this listener.
    ///
    /// # Errors
    /// When there is no thread or pipe to be had.
    pub(super) fn serve(listener: OwnedFd, scoped: bool) -> io::Result<Self> {
        let (ended, end) = io::pipe()?;
        let served = Arc::new(Served {
            listener,
            scoped,
            bound: Mutex::default(),
            waiting: AtomicUsize::new(0),
        });
        let thread = thread::Builder::new()
            .spawn(move || serve(&served, ended.as_fd()))
            .map_err(at_start)?;
        Ok(Self {
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
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
            // A call that was interrupted is gone before it was taken.
            if let Ok(asked) = notify::next(served.listener.as_fd()) {
                take(served, asked);
            }
        } else if !fds[1].revents().is_empty() {
            return; // no process is left that could ask
        }
    }
}

/// Answers a call, on a thread of its own if that may take time.
fn take(served: &Arc<Served>, asked: Asked) {
    let call = match Call::of(served, &asked) {
        Ok(call) => call,
        Err(error) => return served.answer(&asked, Err(error)),
    };
    let quick = asked.call == libc::SYS_bind
        || fcntl_getfl(&call.socket).is_ok_and(|flags| flags.contains(OFlags::NONBLOCK));
    if quick {
        return served.answer(&asked, call.make(served));
    }
    if served.waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING {
        served.waiting.fetch_sub(1, Ordering::Relaxed);
        return served.answer(&asked, Err(Errno::AGAIN));
    }
    let shared = Arc::clone(served);
    // A connection may take minutes to fail. The process ends without it.
    let waiting = thread::Builder::new().spawn(move || {
        let result = call.make(&shared);
        shared.answer(&asked, result);
        shared.waiting.fetch_sub(1, Ordering::Relaxed);
    });
    if waiting.is_err() {
        served.waiting.fetch_sub(1, Ordering::Relaxed);
        served.answer(&asked, Err(Errno::AGAIN));
    }
}

/// A call with what it is about: taken once, so that its process can change nothing of it any more.
struct Call {
    number: i64,
    socket: OwnedFd,
    address: Vec<u8>,
    /// What relative paths begin at.
    directory: OwnedFd,
    umask: Mode,
}

impl Call {
    fn of(served: &Served, asked: &Asked) -> Result<Self, Errno> {
        let [socket, place, length, ..] = asked.arguments;
        let length = truncated(length);
        let length = usize::try_from(length).map_err(|_| Errno::INVAL)?;
        if length > MAX_ADDRESS_BYTES {
            return Err(Errno::INVAL);
        }
        let proc = Path::new("/proc").join(asked.thread.to_string());
        let refused = |_: io::Error| Errno::PERM;
        let memory = File::open(proc.join("mem")).map_err(refused)?;
        let status = fs::read_to_string(proc.join("status")).map_err(refused)?;
        let directory = open(
            proc.join("cwd"),
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let leader = field(&status, "Tgid:")
            .and_then(|number| number.parse().ok())
            .and_then(Pid::from_raw)
            .ok_or(Errno::SRCH)?;
        let process = pidfd_open(leader, PidfdFlags::empty())?;
        // From here on all of that is known to be the caller's, and none of it is looked up again.
        if !notify::waits(served.listener.as_fd(), asked) {
            return Err(Errno::SRCH);
        }
        let socket = pidfd_getfd(&process, truncated(socket), PidfdGetfdFlags::empty())?;
        let mut address = vec![0; length];
        memory
            .read_exact_at(&mut address, place)
            .map_err(|_| Errno::FAULT)?;
        let umask = field(&status, "Umask:").and_then(|mask| u32::from_str_radix(mask, 8).ok());
        Ok(Self {
            number: asked.call,
            socket,
            address,
            directory,
            umask: Mode::from_raw_mode(umask.unwrap_or(0o077)),
        })
    }

    fn make(&self, served: &Served) -> Result<(), Errno> {
        let family = notify::family(self.socket.as_fd()).map_err(errno)?;
        if family != libc::AF_UNIX {
            return self.apply(&self.address);
        }
        let is_unix = self.address.get(..PATH) == Some(&1u16.to_ne_bytes()[..]);
        let path = self.address.get(PATH..).filter(|_| is_unix);
        match (path.ok_or(Errno::INVAL)?, self.number) {
            // An abstract name, or one of the kernel's choice.
            ([] | [0, ..], libc::SYS_bind) => self.apply(&self.address),
            ([], _) => Err(Errno::INVAL),
            ([0, ..], _) if served.scoped => self.apply(&self.address),
            ([0, ..], _) => Err(Errno::PERM),
            (path, number) => {
                let end = path.iter().position(|byte| *byte == 0);
                let path = &path[..end.unwrap_or(path.len())];
                if number == libc::SYS_bind {
                    self.bind(served, path)
                } else {
                    self.connect(served, path)
                }
            }
        }
    }

    /// Makes the path, and gives the socket a name of its own.
    fn bind(&self, served: &Served, path: &[u8]) -> Result<(), Errno> {
        let name = name()?;
        let mode = Mode::from_raw_mode(0o777) - self.umask;
        mknodat(&self.directory, path, FileType::Socket, mode, 0).map_err(|error| match error {
            Errno::EXIST => Errno::ADDRINUSE,
            error => error,
        })?;
        let found = statat(&self.directory, path, AtFlags::SYMLINK_NOFOLLOW)?;
        // Before a listener can be there, so that nobody misses it.
        lock(&served.bound).insert((found.st_dev, found.st_ino), name.clone());
        self.apply(&address_of(&name)).inspect_err(|_| {
            let _ = unlinkat(&self.directory, path, AtFlags::empty());
        })
    }

    /// Connects to what was bound at this path.
    fn connect(&self, served: &Served, path: &[u8]) -> Result<(), Errno> {
        let found = statat(&self.directory, path, AtFlags::empty())?;
        if FileType::from_raw_mode(found.st_mode) != FileType::Socket {
            return Err(Errno::CONNREFUSED);
        }
        let flags = AtFlags::EACCESS;
        accessat(&self.directory, path, Access::WRITE_OK, flags)?;
        let name = lock(&served.bound)
            .get(&(found.st_dev, found.st_ino))
            .cloned();
        self.apply(&address_of(&name.ok_or(Errno::PERM)?))
    }

    fn apply(&self, address: &[u8]) -> Result<(), Errno> {
        notify::apply(self.number, self.socket.as_fd(), address).map_err(errno)
    }
}

impl Served {
    fn answer(&self, asked: &Asked, result: Result<(), Errno>) {
        notify::answer(
            self.listener.as_fd(),
            asked,
            result.map_err(Errno::raw_os_error),
        );
    }
}

/// An argument of a call that is 32 bits wide.
fn truncated(argument: u64) -> i32 {
    let bytes = argument.to_le_bytes();
    i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

fn errno(error: io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

/// The value of a line of `/proc/PID/status` (proc(5)).
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim())
}

/// An abstract name that nobody can guess.
fn name() -> Result<Vec<u8>, Errno> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(|_| Errno::AGAIN)?;
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("codex-run/{digits}").into_bytes())
}

/// The address of an abstract name (unix(7)).
fn address_of(name: &[u8]) -> Vec<u8> {
    let family = 1u16.to_ne_bytes();
    [&family[..], b"\0", name].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_process_is_asked_about_is_read_as_the_kernel_would() {
        assert_eq!(truncated(0xffff_ffff_0000_0007), 7);
        assert_eq!(truncated(0xffff_ffff), -1);
        let status = "Name:\tx Tgid: 9\nUmask:\t0022\nTgid:\t12\n";
        assert_eq!(field(status, "Tgid:"), Some("12"));
        assert_eq!(field(status, "Umask:"), Some("0022"));
        assert_eq!(field(status, "Gone:"), None);
        assert_eq!(address_of(b"n"), [&1u16.to_ne_bytes()[..], b"\0n"].concat());
        assert_ne!(name().expect("random"), name().expect("random"));
    }
}
