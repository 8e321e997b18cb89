//! System calls that another process is asked about (`seccomp_unotify(2)`): the filter, its listener, and the few calls that
//! the answers need. There is no crate for them, so this is the one module that makes system calls with `unsafe`.

#![allow(unsafe_code)]

use std::io;
use std::mem::zeroed;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Errno;
use seccompiler::BpfProgram;

/// What a filter returns to have its listener asked, in place of what `seccompiler` can spell.
const TRACE: u32 = libc::SECCOMP_RET_TRACE;

/// A call that waits for its answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Notification {
    /// What names it to the kernel.
    id: u64,
    /// The thread that made it.
    pub(super) thread: u32,
    /// The number of the call, as the kernel has it.
    call: i64,
    /// Its arguments.
    pub(super) arguments: [u64; 6],
}

impl Notification {
    /// The number of the call, whichever set of numbers its program uses.
    pub(super) fn number(&self) -> i64 {
        super::seccomp::plain(self.call)
    }
}

/// What is done to a socket with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Applied {
    Bind,
    Connect,
}

/// Puts a filter around this thread, for good, whose traced calls the listener is asked about.
///
/// # Errors
/// When the kernel is too old, or another listener is there already, as in some containers.
pub(super) fn listen(mut program: BpfProgram) -> io::Result<OwnedFd> {
    let is_return = |code: u16| u32::from(code) == libc::BPF_RET | libc::BPF_K;
    for step in &mut program {
        if is_return(step.code) && step.k & libc::SECCOMP_RET_ACTION_FULL == TRACE {
            step.k = libc::SECCOMP_RET_USER_NOTIF;
        }
    }
    let listener = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // Where the kernel can (5.19), a signal does not interrupt a call that is being answered.
    install(
        &program,
        listener | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
    )
    .or_else(|_| install(&program, listener))
}

fn install(program: &BpfProgram, flags: libc::c_ulong) -> io::Result<OwnedFd> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let filter = libc::sock_fprog {
        len: length,
        // The kernel reads it only; the type of the interface says otherwise.
        filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut(),
    };
    // SAFETY: `filter` describes `length` instructions, which stay where they are during the call; `seccompiler`'s
    // `sock_filter` has the layout of the kernel's.
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
    // SAFETY: the kernel has just made this descriptor, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Takes the next call.
///
/// # Errors
/// When the call is gone again, or no process is left that could make one.
pub(super) fn next(listener: BorrowedFd<'_>) -> io::Result<Notification> {
    // SAFETY: all of its fields are numbers, for which zero is a value; the kernel wants it zeroed.
    let mut asked: libc::seccomp_notif = unsafe { zeroed() };
    // SAFETY: the request writes a `seccomp_notif` to the place that it is given.
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

/// Whether the call still waits, so that its thread's number is still that thread's.
pub(super) fn waits(listener: BorrowedFd<'_>, asked: &Notification) -> bool {
    // SAFETY: the request reads a number from the place that it is given.
    let result = unsafe {
        libc::ioctl(
            listener.as_raw_fd(),
            libc::SECCOMP_IOCTL_NOTIF_ID_VALID,
            &raw const asked.id,
        )
    };
    result == 0
}

/// Answers a call, which returns 0 or fails with this error.
pub(super) fn answer(listener: BorrowedFd<'_>, asked: &Notification, result: Result<(), i32>) {
    respond(listener, asked, result.err().map_or(0, |error| -error), 0);
}

/// Has the kernel make a call as if nobody had been asked. What it is about may change meanwhile, so this is for calls
/// that can do no harm.
pub(super) fn let_through(listener: BorrowedFd<'_>, asked: &Notification) {
    // The constant of libc has another type.
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
    // SAFETY: the request reads a `seccomp_notif_resp` from the place that it is given. If the call is gone meanwhile,
    // it fails, and there is nothing to do about that.
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
/// When the call is gone, or there is no such memory.
pub(super) fn write(
    listener: BorrowedFd<'_>,
    asked: &Notification,
    place: u64,
    bytes: &[u8],
) -> io::Result<()> {
    let thread = i32::try_from(asked.thread).map_err(io::Error::other)?;
    let place = usize::try_from(place).map_err(io::Error::other)?;
    let from = libc::iovec {
        // The kernel reads it only; the type of the interface says otherwise.
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
    // SAFETY: `from` describes `bytes`, which the call reads; the addresses in `to` are the other process's, and the
    // kernel checks them. If the number is another thread's by now, that one is in the same sandbox: Landlock lets this
    // process reach no other.
    let written =
        unsafe { libc::process_vm_writev(thread, &raw const from, 1, &raw const to, 1, 0) };
    if usize::try_from(written) == Ok(bytes.len()) {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::EFAULT))
    }
}

/// Connects a socket to an address, or binds it to one, as the bytes that a program wrote.
///
/// # Errors
/// As connect(2) and bind(2).
pub(super) fn apply(to: Applied, socket: BorrowedFd<'_>, address: &[u8]) -> io::Result<()> {
    let length = libc::socklen_t::try_from(address.len()).map_err(io::Error::other)?;
    let apply = match to {
        Applied::Connect => libc::connect,
        Applied::Bind => libc::bind,
    };
    // SAFETY: both calls read `length` bytes from the address; whatever these are, the kernel checks them.
    let result = unsafe { apply(socket.as_raw_fd(), address.as_ptr().cast(), length) };
    if result < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// The number of an error, as the kernel has it.
#[allow(clippy::needless_pass_by_value)] // as `map_err` hands it over
pub(super) fn errno(error: io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}
