//! The seccomp filters: system calls that are refused inside the sandbox. Landlock handles files; this covers what it
//! does not: sockets, modes and owners, other processes, the kernel's key rings.

use std::collections::BTreeMap;

use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{self, Eq, MaskedEq, Ne};
use seccompiler::{BpfProgram, SeccompAction, SeccompCondition, SeccompFilter, SeccompRule};

use super::scope::SandboxScope;

/// Conditions that must all hold: argument, comparison, value.
type Conditions<'a> = &'a [(u8, SeccompCmpOp, u64)];

/// Arguments that are pointers or lengths, compared with all 64 bits.
const WIDE: &[(i64, u8)] = &[(libc::SYS_sendto, 4), (libc::SYS_prlimit64, 2)];

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
const PRIO_USER: u64 = 2;
const IOPRIO_WHO_USER: u64 = 3;

// PR_SET_DUMPABLE(2const)
const SET_DUMPABLE: u64 = 4;

// sched(7)
const SCHED_OTHER: u64 = 0;
const SCHED_BATCH: u64 = 3;

// socket(2), socketpair(2)
const UNIX: u64 = 1;
const INET: u64 = 2;
const INET6: u64 = 10;
const NETLINK: u64 = 16;
const TYPE: SeccompCmpOp = MaskedEq(0xf);
const DATAGRAM: u64 = 2;
const RAW: u64 = 3;

/// ioctl(2) requests that change file attributes or type into a terminal.
const REQUESTS: &[u64] = &[
    0x4008_7602, // FS_IOC_SETVERSION
    0x4004_7602, // FS_IOC32_SETVERSION
    0x401c_5820, // FS_IOC_FSSETXATTR
    0x5412,      // TIOCSTI
    0x541c,      // TIOCLINUX
];

/// Requests about file attributes, except those that only read.
const FILES: Conditions<'static> = &[
    (1, MaskedEq(0xff00), 0x6600),
    (1, Ne, 0x8008_6601), // FS_IOC_GETFLAGS
    (1, Ne, 0x8004_6601), // FS_IOC32_GETFLAGS
    (1, Ne, 0xc020_660b), // FS_IOC_FIEMAP
    (1, Ne, 0xc009_6616), // FS_IOC_GET_ENCRYPTION_POLICY_EX
    (1, Ne, 0xc004_6686), // FS_IOC_MEASURE_VERITY
];

/// The creator of a user namespace is root inside it, which exposes much of the kernel.
const USER_NAMESPACE: Conditions<'static> = &[(0, MaskedEq(0x1000_0000), 0x1000_0000)];

/// btrfs requests that create and remove whole trees, bypassing Landlock. The requests that copy a file are in the
/// same number range.
const BTRFS: Conditions<'static> = &[
    (1, MaskedEq(0xff00), 0x9400),
    (1, Ne, 0x4004_9409), // FICLONE
    (1, Ne, 0x4020_940d), // FICLONERANGE
    (1, Ne, 0xc018_9436), // FIDEDUPERANGE
];

/// Builds the main filter. Refused calls fail with `EPERM`.
///
/// # Errors
///
/// If the filter cannot be built, for example on an unknown architecture.
pub(super) fn filter(
    write: bool,
    network: bool,
    reach: SandboxScope,
) -> Result<BpfProgram, seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let mut refuse = |call: i64, when: Conditions<'_>| -> Result<(), seccompiler::Error> {
        for number in numbers(call) {
            let known = rules.contains_key(&number);
            let chain = rules.entry(number).or_default();
            // An empty condition always holds, and other conditions would weaken it.
            assert!(
                !known || !chain.is_empty() && !when.is_empty(),
                "call {call} is refused twice"
            );
            if !when.is_empty() {
                chain.push(rule(call, when)?);
            }
        }
        Ok(())
    };
    for call in REFUSED_CALLS.iter().chain(SYSTEM_V) {
        refuse(*call, &[])?;
    }
    refuse(libc::SYS_unshare, USER_NAMESPACE)?;
    refuse(libc::SYS_clone, USER_NAMESPACE)?;
    if !write {
        for call in ATTRIBUTES {
            refuse(*call, &[])?;
        }
    }
    if network {
        refuse(
            libc::SYS_socket,
            &[
                (0, Ne, UNIX),
                (0, Ne, INET),
                (0, Ne, INET6),
                (0, Ne, NETLINK),
            ],
        )?;
    } else {
        refuse(libc::SYS_socket, &[(0, Ne, UNIX)])?;
        refuse(libc::SYS_sendto, &[(4, Ne, 0)])?;
    }
    // A datagram socket could send to an address in the structure of sendmsg(2), which no filter sees.
    refuse(libc::SYS_socket, &[(0, Eq, UNIX), (1, TYPE, DATAGRAM)])?;
    refuse(libc::SYS_socket, &[(0, Eq, UNIX), (1, TYPE, RAW)])?;
    refuse(libc::SYS_socketpair, &[(0, Ne, UNIX)])?;
    refuse(libc::SYS_socketpair, &[(1, TYPE, DATAGRAM)])?;
    refuse(libc::SYS_socketpair, &[(1, TYPE, RAW)])?;
    for request in REQUESTS {
        refuse(libc::SYS_ioctl, &[(1, Eq, *request)])?;
    }
    refuse(libc::SYS_ioctl, FILES)?;
    refuse(libc::SYS_ioctl, BTRFS)?;
    // The priority of other processes, above all the supervising one. A process that passes its own id is refused
    // too.
    refuse(libc::SYS_setpriority, &[(1, Ne, 0)])?;
    refuse(libc::SYS_setpriority, &[(0, Eq, PRIO_USER)])?;
    refuse(libc::SYS_ioprio_set, &[(1, Ne, 0)])?;
    refuse(libc::SYS_ioprio_set, &[(0, Eq, IOPRIO_WHO_USER)])?;
    refuse(libc::SYS_sched_setattr, &[(0, Ne, 0)])?;
    // Threads are created with the ordinary scheduling policies, by number.
    refuse(
        libc::SYS_sched_setscheduler,
        &[(0, Ne, 0), (1, Ne, SCHED_OTHER), (1, Ne, SCHED_BATCH)],
    )?;
    // Resource limits of other processes.
    refuse(libc::SYS_prlimit64, &[(0, Ne, 0), (2, Ne, 0)])?;
    if !reach.signals {
        // A signal to all processes of this user.
        refuse(libc::SYS_kill, &[(0, Eq, 0xffff_ffff)])?;
        // The tool's process is in the same Landlock domain then, so Landlock would let it be traced.
        refuse(libc::SYS_ptrace, &[])?;
    }
    program(rules, libc::EPERM)
}

/// Calls reserved to the tool's process, which uses them to answer socket calls.
const BROKER_CALLS: &[i64] = &[libc::SYS_pidfd_getfd, libc::SYS_process_vm_writev];

/// Builds a filter for programs that hands their socket address calls to the tool's process.
///
/// # Errors
///
/// If the filter cannot be built.
pub(super) fn asking() -> Result<BpfProgram, seccompiler::Error> {
    let calls = [
        libc::SYS_bind,
        libc::SYS_connect,
        libc::SYS_getsockname,
        libc::SYS_getpeername,
    ];
    let rules = calls.iter().flat_map(|call| numbers(*call));
    let rules = rules.map(|number| (number, Vec::new())).collect();
    filtered(rules, SeccompAction::Trace(0))
}

/// Builds a filter for programs: refuses the calls reserved to the tool's process and, if there is no broker, their
/// Unix sockets.
///
/// # Errors
///
/// If the filter cannot be built.
pub(super) fn refusing(network: bool, asked: bool) -> Result<BpfProgram, seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = BTreeMap::new();
    let mut refuse = |call: i64, rule: Vec<SeccompRule>| {
        for number in numbers(call) {
            rules.insert(number, rule.clone());
        }
    };
    for call in BROKER_CALLS {
        refuse(*call, Vec::new());
    }
    match (asked, network) {
        (true, _) => {}
        (false, false) => refuse(libc::SYS_connect, Vec::new()),
        (false, true) => refuse(
            libc::SYS_socket,
            vec![rule(libc::SYS_socket, &[(0, Eq, UNIX)])?],
        ),
    }
    program(rules, libc::EPERM)
}

/// Builds a filter for programs that keeps their memory readable, since the tool's process must read the addresses
/// they pass to the kernel: an attempt to forbid that, as key agents make it, does nothing and reports success. No
/// other process in the sandbox gains anything by this that it could not have by starting the program itself.
///
/// # Errors
///
/// If the filter cannot be built.
pub(super) fn dumpable() -> Result<BpfProgram, seccompiler::Error> {
    let closing = rule(libc::SYS_prctl, &[(0, Eq, SET_DUMPABLE), (1, Eq, 0)])?;
    let numbers = numbers(libc::SYS_prctl).into_iter();
    program(
        numbers
            .map(|number| (number, vec![closing.clone()]))
            .collect(),
        0,
    )
}

/// Builds a second filter: clone3(2) passes its flags in memory that no filter sees. It fails as if it did not exist,
/// and programs fall back to clone(2).
///
/// # Errors
///
/// If the filter cannot be built.
pub(super) fn without_clone3() -> Result<BpfProgram, seccompiler::Error> {
    let numbers = numbers(libc::SYS_clone3).into_iter();
    program(
        numbers.map(|number| (number, Vec::new())).collect(),
        libc::ENOSYS,
    )
}

fn program(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    errno: i32,
) -> Result<BpfProgram, seccompiler::Error> {
    filtered(rules, SeccompAction::Errno(errno.unsigned_abs()))
}

fn filtered(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    action: SeccompAction,
) -> Result<BpfProgram, seccompiler::Error> {
    let arch = std::env::consts::ARCH.try_into()?;
    let program = SeccompFilter::new(rules, SeccompAction::Allow, action, arch)?.try_into();
    program.map_err(Into::into)
}

fn rule(call: i64, when: Conditions<'_>) -> Result<SeccompRule, seccompiler::Error> {
    let condition = |(argument, operator, value): &(u8, SeccompCmpOp, u64)| {
        let length = if WIDE.contains(&(call, *argument)) {
            Qword
        } else {
            Dword
        };
        SeccompCondition::new(*argument, length, operator.clone(), *value)
    };
    let conditions: Result<Vec<_>, _> = when.iter().map(condition).collect();
    Ok(SeccompRule::new(conditions?)?)
}

/// The bit that marks x32 call numbers.
const X32: i64 = 0x4000_0000;

/// Converts a call number of either set to the first one. Calls that differ altogether are returned unchanged.
pub(super) fn plain(number: i64) -> i64 {
    if cfg!(target_arch = "x86_64") {
        number & !X32
    } else {
        number
    }
}

/// The numbers of a call. On x86-64 a kernel may support a second set, x32, which differs in one bit, and for some
/// calls altogether.
fn numbers(call: i64) -> Vec<i64> {
    if !cfg!(target_arch = "x86_64") {
        return vec![call];
    }
    let special = match call {
        libc::SYS_ioctl => Some(514),
        libc::SYS_ptrace => Some(521),
        libc::SYS_process_vm_readv => Some(539),
        libc::SYS_process_vm_writev => Some(540),
        _ => None,
    };
    let mut numbers = vec![call, call | X32];
    numbers.extend(special.map(|number| number | X32));
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_can_be_built_and_is_small() {
        for (write, network) in [(false, false), (false, true), (true, false), (true, true)] {
            let filter = filter(write, network, SandboxScope::default()).expect("a filter");
            // BPF_MAXINSNS is 4096; and each instruction slows down every call.
            assert!((50..1000).contains(&filter.len()), "{}", filter.len());
        }
    }

    #[test]
    fn calls_are_recognised_by_both_of_their_numbers() {
        for number in numbers(libc::SYS_connect) {
            assert_eq!(plain(number), libc::SYS_connect);
        }
        assert!(numbers(libc::SYS_process_vm_writev).contains(&libc::SYS_process_vm_writev));
    }
}
