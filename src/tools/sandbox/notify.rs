//! System calls that are handed to another process (`seccomp_unotify(2)`): the filter, its listener, and the few
//! calls that answering takes; and Landlock rules that another process has made. No crate covers this, so this is the
//! only module that makes system calls with `unsafe`.

#![allow(unsafe_code)]

use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Errno;
use seccompiler::BpfProgram;

/// A system call that waits for a reply.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notification {
    /// Its id in the kernel.
    id: u64,
    /// The calling thread.
    pub(super) thread: u32,
    /// The system call number.
    call: i64,
    /// Its arguments.
    pub(super) arguments: [u64; 6],
}

impl Notification {
    /// The system call number, normalised across the two sets of numbers.
    pub(super) fn number(&self) -> i64 {
        super::seccomp::plain(self.call)
    }
}

/// What to do with a socket and an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    Bind,
    Connect,
}

/// Installs a filter on this thread for good. Calls that it hands over go to the returned listener.
///
/// # Errors
/// If the kernel is too old, or there already is a listener, as in some containers.
pub(super) fn listen(program: &BpfProgram) -> io::Result<OwnedFd> {
    let listener = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // If the kernel supports it (5.19), signals do not interrupt a call that is being answered.
    let killable = listener | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    install(program, killable).or_else(|_| install(program, listener))
}

fn install(program: &BpfProgram, flags: libc::c_ulong) -> io::Result<OwnedFd> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let filter = libc::sock_fprog {
        len: length,
        // The kernel only reads it; the interface's type is not const.
        filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut(),
    };
    // SAFETY: `filter` describes `length` instructions, which stay in place during the call; `seccompiler`'s
    // `sock_filter` has the kernel's layout.
    let fd = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            flags,
            &raw const filter,
        )
    };
    let fd = i32::try_from(fd).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just created this descriptor, and nothing else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Applies these rules (landlock(7)) to this thread for good.
///
/// # Errors
/// If the kernel has no Landlock, or this is no descriptor of rules.
pub(super) fn restrict_self(rules: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the call reads nothing but its arguments.
    let result = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Receives the next system call.
///
/// # Errors
/// If the call is gone, or no process is left that could make one.
pub(super) fn next(listener: BorrowedFd<'_>) -> io::Result<Notification> {
    // SAFETY: all of its fields are integers, for which zero is valid; the kernel requires it to be zeroed.
    let mut asked: libc::seccomp_notif = unsafe { zeroed() };
    // SAFETY: the request writes a `seccomp_notif` to the given address.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_RECV,
            &raw mut asked,
        )
    };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(Notification {
        id: asked.id,
        thread: asked.pid,
        call: asked.data.nr.into(),
        arguments: asked.data.args,
    })
}

/// Whether the call is still pending, so that its thread id is still valid.
pub(super) fn waits(listener: BorrowedFd<'_>, asked: &Notification) -> bool {
    // SAFETY: the request reads a number from the given address.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_ID_VALID,
            &raw const asked.id,
        )
    };
    result == 0
}

/// Answers a call: it returns 0 or fails with this error.
pub(super) fn answer(listener: BorrowedFd<'_>, asked: &Notification, result: Result<(), i32>) {
    respond(listener, asked, result.err().map_or(0, |error| -error), 0);
}

/// Lets the kernel run a call as if there were no listener. Its arguments may change meanwhile, so this is only for
/// calls that can do no harm.
pub(super) fn let_through(listener: BorrowedFd<'_>, asked: &Notification) {
    // The constant in libc has a different type.
    const CONTINUE: u32 = 1;
    debug_assert_eq!(u64::from(CONTINUE), libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE);
    respond(listener, asked, 0, CONTINUE);
}

fn respond(listener: BorrowedFd<'_>, asked: &Notification, error: i32, flags: u32) {
    let response = libc::seccomp_notif_resp {
        id: asked.id,
        val: 0,
        error,
        flags,
    };
    // SAFETY: the request reads a `seccomp_notif_resp` from the given address. If the call is gone, it fails, and
    // nothing needs to be done.
    let _ = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_SEND,
            &raw const response,
        )
    };
}

/// Writes to the memory of the thread that made a call.
///
/// # Errors
/// If the call is gone, or the memory is not mapped.
pub(super) fn write(
    listener: BorrowedFd<'_>,
    asked: &Notification,
    place: u64,
    bytes: &[u8],
) -> io::Result<()> {
    let thread = i32::try_from(asked.thread).map_err(io::Error::other)?;
    let place = usize::try_from(place).map_err(io::Error::other)?;
    let from = libc::iovec {
        // The kernel only reads it; the interface's type is not const.
        iov_base: bytes.as_ptr().cast_mut().cast(),
        iov_len: bytes.len(),
    };
    let to = libc::iovec {
        iov_base: std::ptr::without_provenance_mut(place),
        iov_len: bytes.len(),
    };
    if !waits(listener, asked) {
        return Err(io::ErrorKind::NotFound.into());
    }
    // SAFETY: `from` describes `bytes`, which the call reads; the addresses in `to` belong to the other process and
    // are checked by the kernel. If the thread id now belongs to another thread, that thread is in the same sandbox:
    // Landlock keeps this process from reaching any other.
    let written =
        unsafe { libc::process_vm_writev(thread, &raw const from, 1, &raw const to, 1, 0) };
    if usize::try_from(written) == Ok(bytes.len()) {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::EFAULT))
    }
}

/// Connects or binds a socket to an address, given as the bytes that a program passed.
///
/// # Errors
/// As for connect(2) and bind(2).
pub(super) fn apply(to: Applied, socket: BorrowedFd<'_>, address: &[u8]) -> io::Result<()> {
    let length = libc::socklen_t::try_from(address.len()).map_err(io::Error::other)?;
    let apply = match to {
        Applied::Connect => libc::connect,
        Applied::Bind => libc::bind,
    };
    // SAFETY: both calls read `length` bytes from the address and the kernel validates them.
    let result = unsafe { apply(socket.as_raw_fd(), address.as_ptr().cast(), length) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The errno of an error.
#[allow(clippy::needless_pass_by_value)] // as `map_err` hands it over
pub(super) fn errno(error: io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}
