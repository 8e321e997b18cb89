//! The sockets that the programs of a call have bound: their actual locations and the addresses that the programs
//! use.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Mode, OFlags, fstat, mknodat, open, openat, statat, unlinkat};
use rustix::io::Errno;
use rustix::net::SocketType;
use rustix::net::sockopt::socket_type;

use super::caller::Caller;
use super::notify::{self, Applied, errno};

/// Offset of the path in a Unix socket address.
pub(super) const PATH_OFFSET: usize = 2;

/// Longest path of a Unix socket, in bytes, including the NUL (`unix(7)`).
const MAX_PATH_BYTES: usize = 108;

/// How many sockets a call may bind. Each is a file until the call ends, and the file system may be small.
const MAX_BOUND: usize = 1 << 16;

/// Device and inode of a file.
type InodeIdentity = (u64, u64);

/// The directory where sockets are actually bound. From inside the sandbox nothing in it can be removed or replaced.
#[derive(Debug)]
pub(super) struct SocketDirectory {
    path: PathBuf,
    directory: OwnedFd,
}

/// A bound socket.
#[derive(Clone, Debug)]
pub(super) struct BoundSocket {
    /// Its file name in that directory.
    name: String,
    identity: InodeIdentity,
}

/// A socket's file, held open so that no other file can take its place.
pub(super) struct Held(OwnedFd);

impl Held {
    /// The address that resolves to exactly this file.
    pub(super) fn address(&self) -> Vec<u8> {
        address(format!("/proc/self/fd/{}", self.0.as_raw_fd()).as_bytes())
    }
}

impl SocketDirectory {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self {
            path: path.to_owned(),
            directory: open(path, flags, Mode::empty())?,
        })
    }

    /// Opens and holds the file of a bound socket.
    pub(super) fn hold(&self, bound: &BoundSocket) -> Result<Held, Errno> {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let held = openat(&self.directory, &bound.name, flags, Mode::empty())?;
        let found = fstat(&held)?;
        let is_socket = FileType::from_raw_mode(found.st_mode) == FileType::Socket;
        if is_socket && (found.st_dev, found.st_ino) == bound.identity {
            Ok(Held(held))
        } else {
            Err(Errno::PERM)
        }
    }

    /// Binds a socket here, under an unguessable name. Returns it with its actual path.
    fn bind(&self, socket: impl AsFd) -> Result<(BoundSocket, Vec<u8>), Errno> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(|_| Errno::AGAIN)?;
        let name = format!("{:016x}", u64::from_ne_bytes(random));
        let mut path = self.path.join(&name);
        if path.as_os_str().len() >= MAX_PATH_BYTES {
            let directory = format!("/proc/self/fd/{}", self.directory.as_raw_fd());
            path = Path::new(&directory).join(&name);
        }
        let path = path.as_os_str().as_bytes().to_vec();
        notify::apply(Applied::Bind, socket.as_fd(), &address(&path)).map_err(errno)?;
        let made = statat(&self.directory, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        let identity = (made.st_dev, made.st_ino);
        Ok((BoundSocket { name, identity }, path))
    }
}

/// The bound sockets of a call.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    /// Sockets by file: both the ones at the paths that programs have bound and the actual ones.
    files: HashMap<InodeIdentity, BoundSocket>,
    /// Sockets by type and abstract name, with the actual path.
    names: HashMap<(SocketType, Vec<u8>), (BoundSocket, Vec<u8>)>,
    /// The addresses that programs have bound, by actual path.
    addresses: HashMap<Vec<u8>, Vec<u8>>,
}

impl Bindings {
    pub(super) fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    /// The socket behind a file.
    pub(super) fn bound(&self, file: InodeIdentity) -> Option<BoundSocket> {
        self.files.get(&file).cloned()
    }

    /// The address that a program has bound, given the actual path.
    pub(super) fn address(&self, path: &[u8]) -> Option<Vec<u8>> {
        self.addresses.get(path).cloned()
    }

    /// The socket with this abstract name.
    pub(super) fn bound_abstract(
        &self,
        socket: impl AsFd,
        name: &[u8],
    ) -> Result<Option<BoundSocket>, Errno> {
        let key = (socket_type(socket)?, name.to_vec());
        Ok(self.names.get(&key).map(|(bound, _)| bound.clone()))
    }

    /// Binds the socket to an abstract name; to a generated one if the name is empty.
    pub(super) fn bind_abstract(
        &mut self,
        place: &SocketDirectory,
        socket: impl AsFd,
        name: &[u8],
    ) -> Result<(), Errno> {
        if self.addresses.len() >= MAX_BOUND {
            return Err(Errno::NOMEM);
        }
        let mut name = name.to_vec();
        if name.is_empty() {
            let number = u32::try_from(self.addresses.len()).map_err(|_| Errno::NOMEM)?;
            name = format!("\0{number:05x}").into_bytes();
        }
        let key = (socket_type(&socket)?, name);
        if let Some((_, path)) = self.names.get(&key)
            && is_in_use(path)?
        {
            return Err(Errno::ADDRINUSE);
        }
        let (bound, real) = place.bind(socket)?;
        let family = 1u16.to_ne_bytes();
        let address = [&family[..], &key.1].concat();
        self.files.insert(bound.identity, bound.clone());
        self.names.insert(key, (bound, real.clone()));
        self.addresses.insert(real, address);
        Ok(())
    }

    /// Creates the path and binds the socket in the socket directory. Lookups wait meanwhile, so every visible
    /// path can be resolved.
    pub(super) fn bind(
        &mut self,
        place: &SocketDirectory,
        caller: &Caller,
        path: &[u8],
    ) -> Result<(), Errno> {
        if self.addresses.len() >= MAX_BOUND {
            return Err(Errno::NOMEM);
        }
        let directory = &caller.directory;
        let mode = Mode::from_raw_mode(0o777) - caller.umask;
        mknodat(directory, path, FileType::Socket, mode, 0).map_err(|error| match error {
            Errno::EXIST => Errno::ADDRINUSE,
            error => error,
        })?;
        let found = statat(directory, path, AtFlags::SYMLINK_NOFOLLOW);
        let both = found.and_then(|found| Ok((found, place.bind(&caller.socket)?)));
        let (found, (bound, real)) = both.inspect_err(|_| {
            let _ = unlinkat(directory, path, AtFlags::empty());
        })?;
        self.files.insert(bound.identity, bound.clone());
        self.files.insert((found.st_dev, found.st_ino), bound);
        self.addresses.insert(real, address(path));
        Ok(())
    }
}

/// Whether the socket bound to a path still exists; once it is gone, its abstract name is free.
fn is_in_use(path: &[u8]) -> Result<bool, Errno> {
    let sockets = fs::read("/proc/net/unix").map_err(errno)?;
    let mut lines = sockets.split(|byte| *byte == b'\n');
    Ok(lines.any(|line| line.ends_with(path) && is_bound(&String::from_utf8_lossy(line))))
}

/// Whether a line of `/proc/net/unix` (proc(5)) describes a listening or unconnected socket. Connections that a
/// server has accepted have the same path.
fn is_bound(line: &str) -> bool {
    let mut fields = line.split_ascii_whitespace().skip(3);
    let (flags, state) = (fields.next(), fields.nth(1));
    flags == Some("00010000") || state == Some("01")
}

/// The socket address of a path (`unix(7)`).
fn address(path: &[u8]) -> Vec<u8> {
    let family = 1u16.to_ne_bytes();
    debug_assert_eq!(family.len(), PATH_OFFSET);
    [&family[..], path, b"\0"].concat()
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixListener, UnixStream};

    use super::*;

    #[test]
    fn a_bound_socket_is_distinguished_from_accepted_ones() {
        let check = |line: &str, bound: bool| assert_eq!(is_bound(line), bound, "{line}");
        check("0: 00000002 00000000 00010000 0001 01 1519571 /s1/a", true);
        check("0: 00000002 00000000 00000000 0001 01 1519571 /s1/a", true);
        check("0: 00000003 00000000 00000000 0001 03 1519572 /s1/a", false);
        check("0: 00000002 00000000 00000000 0001 02     0 /s1/a", false);
        check("", false);
    }

    fn unix_socket() -> OwnedFd {
        use rustix::net::{AddressFamily, SocketType, socket};
        socket(AddressFamily::UNIX, SocketType::STREAM, None).expect("a socket")
    }

    /// Another socket's file in place of the bound one, as another run with write access there could put it.
    #[test]
    fn only_the_file_that_was_bound_is_held() {
        let path = std::env::temp_dir().join(format!("codex-run-bound-{}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory");
        let place = SocketDirectory::open(&path).expect("it was made");
        let socket = unix_socket();
        let (bound, real) = place.bind(&socket).expect("a name that is free");
        assert_eq!(real, path.join(&bound.name).as_os_str().as_bytes());
        rustix::net::listen(&socket, 1).expect("it is bound");
        let held = place.hold(&bound).expect("it is there");
        let leads = format!("/proc/self/fd/{}", held.0.as_raw_fd());
        UnixStream::connect(leads).expect("it listens");
        let file = path.join(&bound.name);
        fs::remove_file(&file).expect("it is ours");
        place.hold(&bound).err().expect("it is gone");
        let foreign = path.join("foreign");
        let _listening = UnixListener::bind(&foreign).expect("a socket");
        std::os::unix::fs::symlink(&foreign, &file).expect("a link");
        assert_eq!(place.hold(&bound).err(), Some(Errno::PERM));
        fs::rename(&foreign, &file).expect("it is ours");
        assert_eq!(place.hold(&bound).err(), Some(Errno::PERM));
        let _ = fs::remove_dir_all(path);
    }

    #[test]
    fn sockets_can_be_bound_in_a_directory_with_a_long_path() {
        let top = std::env::temp_dir().join(format!("codex-run-long-{}", std::process::id()));
        let path = top.join("x".repeat(120));
        fs::create_dir_all(&path).expect("a directory");
        let place = SocketDirectory::open(&path).expect("it was made");
        let socket = unix_socket();
        let (bound, real) = place.bind(&socket).expect("a name that is free");
        assert!(real.starts_with(b"/proc/self/fd/") && path.join(&bound.name).exists());
        let _ = fs::remove_dir_all(top);
    }
}
