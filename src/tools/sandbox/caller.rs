//! The thread behind a system call that the broker in `sockets` handles: its socket, its memory, and the directories
//! its paths start from. Everything is captured once, so that other threads cannot change it meanwhile.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};

use super::notify::{self, Notification};

/// `pidfd_open(2)` for a single thread, since Linux 6.9. A thread may have its own descriptor table, and the first
/// thread of its process may have exited.
const PIDFD_THREAD: PidfdFlags = PidfdFlags::from_bits_retain(0x80);

/// More than `/proc/PID/status` has: a user can be in 65,536 groups.
const MAX_STATUS_BYTES: u64 = 1 << 20;

/// The umask that lets only the owner in, where it is unknown.
const ALL: Mode = Mode::RWXG.union(Mode::RWXO);

/// From this value on, Yama forbids tracing even one's own children (ptrace(2)).
const NO_ATTACH: u32 = 2;

/// Whether sockets can be taken from child processes. Docker's default seccomp filter forbids it, for example; then
/// no call may be handed to a broker that could not answer it.
pub(super) fn can_be_served() -> bool {
    let yama = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope");
    let scope = yama.ok().and_then(|text| text.trim().parse().ok());
    if scope.is_some_and(|scope: u32| scope >= NO_ATTACH) {
        return false;
    }
    let own = pidfd_open(getpid(), PidfdFlags::empty());
    own.and_then(|own| {
        let number = std::os::fd::AsRawFd::as_raw_fd(&own);
        pidfd_getfd(&own, number, PidfdGetfdFlags::empty())
    })
    .is_ok()
}

/// A captured file descriptor of the calling thread, and what else a call needs.
pub(super) struct Caller {
    pub(super) socket: OwnedFd,
    memory: File,
    /// Where relative paths start.
    pub(super) directory: OwnedFd,
    /// If it was asked for.
    pub(super) umask: Mode,
}

impl Caller {
    /// Captures the file descriptor that the call names, and the rest; the umask only on request.
    ///
    /// # Errors
    /// If the caller cannot be inspected or is gone.
    pub(super) fn of(
        listener: impl AsFd,
        asked: &Notification,
        with_umask: bool,
    ) -> Result<Self, Errno> {
        let refused = |_: io::Error| Errno::PERM;
        let memory = File::open(proc(asked.thread).join("mem")).map_err(refused)?;
        let umask = if with_umask {
            umask(&status(asked.thread).map_err(refused)?)
        } else {
            ALL
        };
        let directory = open(
            proc(asked.thread).join("cwd"),
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        let process = process(asked.thread)?;
        // The call is still pending, so all of the above belongs to the caller, and none of it is looked up again.
        if !notify::waits(listener.as_fd(), asked) {
            return Err(Errno::SRCH);
        }
        let number = truncated(asked.arguments[0]);
        // `rustix` treats a negative number as a bug of its caller.
        if number < 0 {
            return Err(Errno::BADF);
        }
        let socket = pidfd_getfd(&process, number, PidfdGetfdFlags::empty())?;
        Ok(Self {
            socket,
            memory,
            directory,
            umask,
        })
    }

    /// Reads bytes from the caller's memory.
    pub(super) fn read(&self, place: u64, length: usize) -> Result<Vec<u8>, Errno> {
        let mut bytes = vec![0; length];
        let read = self.memory.read_exact_at(&mut bytes, place);
        read.map(|()| bytes).map_err(|_| Errno::FAULT)
    }
}

/// A pidfd of the thread, or of its process if the kernel has no thread pidfds.
fn process(thread: u32) -> Result<OwnedFd, Errno> {
    let pid = |number: Option<i32>| number.and_then(Pid::from_raw).ok_or(Errno::SRCH);
    match pidfd_open(pid(i32::try_from(thread).ok())?, PIDFD_THREAD) {
        Err(Errno::INVAL) => {
            let status = status(thread).map_err(|_| Errno::PERM)?;
            let leader = field(&status, "Tgid:").and_then(|number| number.parse().ok());
            pidfd_open(pid(leader)?, PidfdFlags::empty())
        }
        opened => opened,
    }
}

/// The umask in a thread's status.
fn umask(status: &str) -> Mode {
    let mask = field(status, "Umask:").and_then(|mask| u32::from_str_radix(mask, 8).ok());
    mask.map_or(ALL, Mode::from_raw_mode)
}

/// Whether a signal with a handler is pending for the caller. `connect(2)` is interrupted then.
pub(super) fn is_interrupted(thread: u32) -> bool {
    status(thread).is_ok_and(|status| interrupted(&status))
}

fn interrupted(status: &str) -> bool {
    let set = |name| field(status, name).and_then(|set| u64::from_str_radix(set, 16).ok());
    let of_thread = set("SigPnd:").unwrap_or(0);
    // A signal to the process is usually handled by its first thread (signal(7)).
    let is_first = field(status, "Pid:") == field(status, "Tgid:");
    let of_process = set("ShdPnd:").filter(|_| is_first).unwrap_or(0);
    let taken = !set("SigBlk:").unwrap_or(u64::MAX) & set("SigCgt:").unwrap_or(0);
    (of_thread | of_process) & taken != 0
}

fn proc(thread: u32) -> PathBuf {
    Path::new("/proc").join(thread.to_string())
}

fn status(thread: u32) -> io::Result<String> {
    // The kernel does not report its length, and generates it anew for each read.
    let mut status = Vec::with_capacity(8 << 10);
    let file = File::open(proc(thread).join("status"))?;
    file.take(MAX_STATUS_BYTES).read_to_end(&mut status)?;
    // The first line contains the program's name, which may hold any bytes.
    Ok(String::from_utf8_lossy(&status).into_owned())
}

/// The value of a line of `/proc/PID/status` (proc(5)).
fn field<'a>(status: &'a str, name: &str) -> Option<&'a str> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    Some(line.trim())
}

/// A 32-bit argument of a system call.
pub(super) fn truncated(argument: u64) -> i32 {
    let bytes = argument.to_le_bytes();
    i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_truncated_as_the_kernel_does() {
        assert_eq!(truncated(0xffff_ffff_0000_0007), 7);
        assert_eq!(truncated(0xffff_ffff), -1);
        let status = "Name:\tx Tgid: 9\nUmask:\t0022\nTgid:\t12\n";
        assert_eq!(field(status, "Tgid:"), Some("12"));
        assert_eq!(field(status, "Umask:"), Some("0022"));
        assert_eq!(field(status, "Gone:"), None);
    }

    #[test]
    fn a_pending_signal_with_a_handler_interrupts() {
        let check = |pid: u32, own: &str, shared: &str, blocked: &str, expected: bool| {
            let status = format!(
                "Tgid:\t7\nPid:\t{pid}\nSigPnd:\t{own}\nShdPnd:\t{shared}\nSigBlk:\t{blocked}\nSigCgt:\t0000000000002000\n"
            );
            assert_eq!(interrupted(&status), expected, "{status}");
        };
        let (alarm, none, other) = ("0000000000002000", "0000000000000000", "0000000000000001");
        check(7, none, none, none, false);
        check(7, none, alarm, none, true);
        check(7, none, alarm, alarm, false);
        check(7, none, other, none, false);
        check(8, none, alarm, none, false);
        check(8, alarm, none, none, true);
    }
}
