//! The seccomp filters: system calls that are refused inside the sandbox. Landlock handles files; this covers what it
//! does not: sockets, modes and owners, other processes, the kernel's key rings.

use seccompiler::BpfProgram;

use super::bpf::Comparison::{self, Equal, Masked, NotEqual, NotZero};
use super::bpf::{CallRule, Conditions, X32, assemble};
use super::scope::SandboxScope;

/// Refuses a call as not permitted.
const REFUSE: u32 = errno(libc::EPERM);

/// Calls that are always refused inside the sandbox: access to other processes (which Landlock forbids too),
/// `io_uring` (which would bypass this filter), key rings (shared within a session), and calls that only widen the
/// attack surface of the kernel.
const REFUSED_CALLS: &[i64] = &[
    libc::SYS_process_vm_readv,
    libc::SYS_kcmp,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_open_by_handle_at,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_setns,
    FILE_SETATTR,
];

/// System V IPC and message queues: they would expose the shared memory and messages of the user's other programs.
const SYSTEM_V: &[i64] = &[
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
];

/// Calls that change a file's attributes without writing to it; Landlock does not cover them.
const ATTRIBUTES: &[i64] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    REMOVEXATTRAT,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
];

// Newer than libc's tables; the same number on every architecture.
const FCHMODAT2: i64 = 452;
const SETXATTRAT: i64 = 463;
const REMOVEXATTRAT: i64 = 466;
const FILE_SETATTR: i64 = 469;

// setpriority(2), ioprio_set(2): all processes of a user; 0 means this user.
const PRIO_USER: u32 = 2;
const IOPRIO_WHO_USER: u32 = 3;

// PR_SET_DUMPABLE(2const)
const SET_DUMPABLE: u32 = 4;

// sched(7)
const SCHED_OTHER: u32 = 0;
const SCHED_BATCH: u32 = 3;

// socket(2), socketpair(2)
const UNIX: u32 = 1;
const INET: u32 = 2;
const INET6: u32 = 10;
const NETLINK: u32 = 16;
const DATAGRAM: Comparison = Masked {
    mask: 0xf,
    value: 2,
};
const RAW: Comparison = Masked {
    mask: 0xf,
    value: 3,
};

/// ioctl(2) requests that change file attributes or type into a terminal.
const REQUESTS: &[Conditions] = &[
    &[(1, Equal(0x4008_7602))], // FS_IOC_SETVERSION
    &[(1, Equal(0x4004_7602))], // FS_IOC32_SETVERSION
    &[(1, Equal(0x401c_5820))], // FS_IOC_FSSETXATTR
    &[(1, Equal(0x5412))],      // TIOCSTI
    &[(1, Equal(0x541c))],      // TIOCLINUX
];

/// Requests about file attributes, except those that only read.
const FILES: Conditions = &[
    (
        1,
        Masked {
            mask: 0xff00,
            value: 0x6600,
        },
    ),
    (1, NotEqual(0x8008_6601)), // FS_IOC_GETFLAGS
    (1, NotEqual(0x8004_6601)), // FS_IOC32_GETFLAGS
    (1, NotEqual(0xc020_660b)), // FS_IOC_FIEMAP
    (1, NotEqual(0xc009_6616)), // FS_IOC_GET_ENCRYPTION_POLICY_EX
    (1, NotEqual(0xc004_6686)), // FS_IOC_MEASURE_VERITY
];

/// The creator of a user namespace is root inside it, which exposes much of the kernel.
const USER_NAMESPACE: Conditions = &[(
    0,
    Masked {
        mask: 0x1000_0000,
        value: 0x1000_0000,
    },
)];

/// btrfs requests that create and remove whole trees, bypassing Landlock. The requests that copy a file are in the
/// same number range.
const BTRFS: Conditions = &[
    (
        1,
        Masked {
            mask: 0xff00,
            value: 0x9400,
        },
    ),
    (1, NotEqual(0x4004_9409)), // FICLONE
    (1, NotEqual(0x4020_940d)), // FICLONERANGE
    (1, NotEqual(0xc018_9436)), // FIDEDUPERANGE
];

/// Builds the main filter. Refused calls fail with `EPERM`. `None` on an unknown architecture.
pub(super) fn filter(write: bool, network: bool, reach: SandboxScope) -> Option<BpfProgram> {
    let mut rules = Vec::with_capacity(128);
    let mut refuse = |call: i64, when: Conditions| add(&mut rules, call, when, REFUSE);
    for call in REFUSED_CALLS.iter().chain(SYSTEM_V) {
        refuse(*call, &[]);
    }
    refuse(libc::SYS_unshare, USER_NAMESPACE);
    refuse(libc::SYS_clone, USER_NAMESPACE);
    if !write {
        for call in ATTRIBUTES {
            refuse(*call, &[]);
        }
    }
    if network {
        refuse(
            libc::SYS_socket,
            &[
                (0, NotEqual(UNIX)),
                (0, NotEqual(INET)),
                (0, NotEqual(INET6)),
                (0, NotEqual(NETLINK)),
            ],
        );
    } else {
        refuse(libc::SYS_socket, &[(0, NotEqual(UNIX))]);
        refuse(libc::SYS_sendto, &[(4, NotZero)]);
    }
    // A datagram socket could send to an address in the structure of sendmsg(2), which no filter sees.
    refuse(libc::SYS_socket, &[(0, Equal(UNIX)), (1, DATAGRAM)]);
    refuse(libc::SYS_socket, &[(0, Equal(UNIX)), (1, RAW)]);
    refuse(libc::SYS_socketpair, &[(0, NotEqual(UNIX))]);
    refuse(libc::SYS_socketpair, &[(1, DATAGRAM)]);
    refuse(libc::SYS_socketpair, &[(1, RAW)]);
    for request in REQUESTS {
        refuse(libc::SYS_ioctl, request);
    }
    refuse(libc::SYS_ioctl, FILES);
    refuse(libc::SYS_ioctl, BTRFS);
    // The priority of other processes, above all the supervising one. A process that passes its own id is refused
    // too.
    refuse(libc::SYS_setpriority, &[(1, NotEqual(0))]);
    refuse(libc::SYS_setpriority, &[(0, Equal(PRIO_USER))]);
    refuse(libc::SYS_ioprio_set, &[(1, NotEqual(0))]);
    refuse(libc::SYS_ioprio_set, &[(0, Equal(IOPRIO_WHO_USER))]);
    refuse(libc::SYS_sched_setattr, &[(0, NotEqual(0))]);
    // Threads are created with the ordinary scheduling policies, by number.
    refuse(
        libc::SYS_sched_setscheduler,
        &[
            (0, NotEqual(0)),
            (1, NotEqual(SCHED_OTHER)),
            (1, NotEqual(SCHED_BATCH)),
        ],
    );
    // Resource limits of other processes.
    refuse(libc::SYS_prlimit64, &[(0, NotEqual(0)), (2, NotZero)]);
    if !reach.signals {
        // A signal to all processes of this user.
        refuse(libc::SYS_kill, &[(0, Equal(0xffff_ffff))]);
        // The tool's process is in the same Landlock domain then, so Landlock would let it be traced.
        refuse(libc::SYS_ptrace, &[]);
    }
    // It passes its flags in memory that no filter sees. It fails as if it did not exist, and programs fall back to
    // clone(2).
    add(&mut rules, libc::SYS_clone3, &[], errno(libc::ENOSYS));
    assemble(rules)
}

/// Calls reserved to the tool's process, which uses them to answer socket calls.
const BROKER_CALLS: &[i64] = &[libc::SYS_pidfd_getfd, libc::SYS_process_vm_writev];

/// Calls with socket addresses, which the tool's process answers.
const ASKING_CALLS: &[i64] = &[
    libc::SYS_bind,
    libc::SYS_connect,
    libc::SYS_getsockname,
    libc::SYS_getpeername,
];

/// Builds the filter for programs whose socket address calls are handed to the tool's process. `None` on an unknown
/// architecture.
///
/// It keeps their memory readable, since the tool's process must read the addresses they pass to the kernel: an attempt
/// to forbid that, as key agents make it, does nothing and reports success. No other process in the sandbox gains
/// anything by this that it could not have by starting the program itself.
pub(super) fn asking() -> Option<BpfProgram> {
    let mut rules = broker_calls();
    for call in ASKING_CALLS {
        add(&mut rules, *call, &[], libc::SECCOMP_RET_USER_NOTIF);
    }
    let closing: Conditions = &[(0, Equal(SET_DUMPABLE)), (1, Equal(0))];
    add(&mut rules, libc::SYS_prctl, closing, errno(0));
    assemble(rules)
}

/// Builds the filter for programs if there is no broker: it refuses their Unix sockets. `None` on an unknown
/// architecture.
pub(super) fn refusing(network: bool) -> Option<BpfProgram> {
    let mut rules = broker_calls();
    if network {
        let unix: Conditions = &[(0, Equal(UNIX))];
        add(&mut rules, libc::SYS_socket, unix, REFUSE);
    } else {
        add(&mut rules, libc::SYS_connect, &[], REFUSE);
    }
    assemble(rules)
}

/// Refuses the calls reserved to the tool's process.
fn broker_calls() -> Vec<CallRule> {
    let mut rules = Vec::new();
    for call in BROKER_CALLS {
        add(&mut rules, *call, &[], REFUSE);
    }
    rules
}

/// The action that makes a call fail with this error.
const fn errno(error: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | error.unsigned_abs()
}

/// Adds a rule for a call, under both of its numbers where they differ in more than the bit that a filter ignores.
fn add(rules: &mut Vec<CallRule>, call: i64, when: Conditions, action: u32) {
    for number in [Some(call), second_number(call)].into_iter().flatten() {
        rules.extend(u32::try_from(number).map(|call| CallRule { call, when, action }));
    }
}

/// Converts a call number of either set to the first one. Calls that differ altogether are returned unchanged.
pub(super) fn plain(number: i64) -> i64 {
    if cfg!(target_arch = "x86_64") {
        number & !i64::from(X32)
    } else {
        number
    }
}

/// The number of a call in the second set of x86-64, x32, without its bit, if it is another one altogether.
fn second_number(call: i64) -> Option<i64> {
    if !cfg!(target_arch = "x86_64") {
        return None;
    }
    match call {
        libc::SYS_ioctl => Some(514),
        libc::SYS_ptrace => Some(521),
        libc::SYS_process_vm_readv => Some(539),
        libc::SYS_process_vm_writev => Some(540),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::sandbox::bpf::tests::{Made, decide};

    fn decided(filter: &BpfProgram, call: i64, arguments: [u64; 6]) -> u32 {
        decide(
            filter,
            Made::of(u32::try_from(call).expect("a number"), arguments),
        )
    }

    #[test]
    fn every_filter_can_be_built_and_is_small() {
        for (write, network) in [(false, false), (false, true), (true, false), (true, true)] {
            let filter = filter(write, network, SandboxScope::default()).expect("a filter");
            // BPF_MAXINSNS is 4096; and each instruction slows down every call.
            assert!((50..500).contains(&filter.len()), "{}", filter.len());
            // A call without conditions is refused whatever its arguments are.
            for call in REFUSED_CALLS.iter().chain(SYSTEM_V) {
                assert_eq!(decided(&filter, *call, [7; 6]), REFUSE, "{call}");
            }
            for call in ATTRIBUTES {
                let expected = if write {
                    libc::SECCOMP_RET_ALLOW
                } else {
                    REFUSE
                };
                assert_eq!(decided(&filter, *call, [7; 6]), expected, "{call}");
            }
        }
    }

    #[test]
    fn calls_are_recognised_by_both_of_their_numbers() {
        let filter = asking().expect("a filter");
        for call in ASKING_CALLS {
            let both = [*call, *call | i64::from(X32)];
            for number in both
                .iter()
                .take(if cfg!(target_arch = "x86_64") { 2 } else { 1 })
            {
                assert_eq!(plain(*number), *call);
                assert_eq!(
                    decided(&filter, *number, [0; 6]),
                    libc::SECCOMP_RET_USER_NOTIF
                );
            }
        }
        if let Some(second) = second_number(libc::SYS_process_vm_writev) {
            assert_eq!(decided(&filter, second | i64::from(X32), [0; 6]), REFUSE);
        }
        assert_eq!(
            decided(&filter, libc::SYS_prctl, [4, 0, 0, 0, 0, 0]),
            errno(0)
        );
        assert_eq!(
            decided(&filter, libc::SYS_prctl, [4, 1, 0, 0, 0, 0]),
            libc::SECCOMP_RET_ALLOW
        );
    }
}
