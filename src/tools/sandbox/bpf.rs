//! The assembler of seccomp filters (seccomp(2)). A filter finds the rules of a system call by bisection, since the
//! kernel runs it once for every call when it is installed, and again for calls whose arguments it looks at.

use seccompiler::{BpfProgram, sock_filter};

// Classes, sizes, operations and sources of instructions (linux/bpf_common.h).
const LOAD_WORD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP: u16 = 0x05;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_GREATER_OR_EQUAL: u16 = 0x35;
const RETURN: u16 = 0x06;

// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// The architecture of this program (`AUDIT_ARCH_…`, linux/audit.h).
#[cfg(target_arch = "x86_64")]
const OWN_ARCHITECTURE: Option<u32> = Some(0xc000_003e);
#[cfg(target_arch = "aarch64")]
const OWN_ARCHITECTURE: Option<u32> = Some(0xc000_00b7);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const OWN_ARCHITECTURE: Option<u32> = None;

/// The bit that marks the second set of call numbers on x86-64, x32.
pub(super) const X32: u32 = 0x4000_0000;

/// What a value is compared with.
#[derive(Clone, Copy, Debug)]
pub(super) enum Comparison {
    Equal(u64),
    NotEqual(u64),
    /// The bits of the mask have this value.
    Masked {
        mask: u32,
        value: u32,
    },
}

/// A condition on an argument of a call, given by its index.
#[derive(Clone, Copy, Debug)]
pub(super) struct Condition {
    pub(super) argument: u8,
    /// All 64 bits are compared, not 32.
    pub(super) is_wide: bool,
    pub(super) comparison: Comparison,
}

/// What happens to a call if all conditions hold.
#[derive(Clone, Debug)]
pub(super) struct CallRule {
    /// The number of the call, of the first set.
    pub(super) call: u32,
    pub(super) when: Vec<Condition>,
    /// A `SECCOMP_RET_…` with its data.
    pub(super) action: u32,
}

/// Builds a filter that allows every call that none of these rules is about; of the rules of a call, the first one
/// applies whose conditions hold. Both sets of call numbers are recognised. `None` on an unknown architecture, or if a
/// jump would be too long.
pub(super) fn assemble(mut rules: Vec<CallRule>) -> Option<BpfProgram> {
    // A stable sort: the rules of a call keep their order.
    rules.sort_by_key(|rule| rule.call);
    let calls: Vec<&[CallRule]> = rules.chunk_by(|a, b| a.call == b.call).collect();
    let mut code = vec![
        step(LOAD_WORD, ARCHITECTURE),
        jump(JUMP_IF_EQUAL, OWN_ARCHITECTURE?, 1, 0),
        step(RETURN, libc::SECCOMP_RET_KILL_PROCESS),
        step(LOAD_WORD, NUMBER),
    ];
    if cfg!(target_arch = "x86_64") {
        code.push(step(AND, !X32));
    }
    bisect(&mut code, &calls)?;
    Some(code)
}

/// How many calls are compared one after the other.
const MAX_LINEAR: usize = 3;

/// Finds the call that is loaded among these. `None` if a jump would be too long.
fn bisect(code: &mut BpfProgram, calls: &[&[CallRule]]) -> Option<()> {
    if calls.len() <= MAX_LINEAR {
        for call in calls {
            let body = body(call);
            let length = u8::try_from(body.len()).ok()?;
            code.push(jump(JUMP_IF_EQUAL, call[0].call, 0, length));
            code.extend(body);
        }
        code.push(step(RETURN, libc::SECCOMP_RET_ALLOW));
        return Some(());
    }
    let (lower, upper) = calls.split_at(calls.len() / 2);
    let at = code.len();
    let first = upper.first()?[0].call;
    code.push(jump(JUMP_IF_GREATER_OR_EQUAL, first, 0, 1));
    code.push(step(JUMP, 0));
    bisect(code, lower)?;
    let distance = code.len() - at - 2;
    if let Ok(short) = u8::try_from(distance) {
        code.remove(at + 1);
        code[at] = jump(JUMP_IF_GREATER_OR_EQUAL, first, short, 0);
    } else {
        code[at + 1].k = u32::try_from(distance).ok()?;
    }
    bisect(code, upper)
}

/// Decides about a call.
fn body(rules: &[CallRule]) -> BpfProgram {
    let mut code = Vec::new();
    for rule in rules {
        let mut tests: Vec<sock_filter> = Vec::new();
        // Where to go on if a condition does not hold: a jump whose distance is known at the end.
        let mut failing = Vec::new();
        for condition in &rule.when {
            let low = ARGUMENTS + 8 * u32::from(condition.argument);
            let (low_half, high_half) = match condition.comparison {
                Comparison::Equal(value) | Comparison::NotEqual(value) => halves(value),
                Comparison::Masked { value, .. } => (value, 0),
            };
            match condition.comparison {
                // Either half differs.
                Comparison::NotEqual(_) if condition.is_wide => {
                    tests.push(step(LOAD_WORD, low + 4));
                    tests.push(jump(JUMP_IF_EQUAL, high_half, 0, 2));
                    tests.push(step(LOAD_WORD, low));
                    failing.push((tests.len(), true));
                    tests.push(jump(JUMP_IF_EQUAL, low_half, 0, 0));
                }
                Comparison::NotEqual(_) => {
                    tests.push(step(LOAD_WORD, low));
                    failing.push((tests.len(), true));
                    tests.push(jump(JUMP_IF_EQUAL, low_half, 0, 0));
                }
                Comparison::Equal(_) | Comparison::Masked { .. } => {
                    if condition.is_wide {
                        tests.push(step(LOAD_WORD, low + 4));
                        failing.push((tests.len(), false));
                        tests.push(jump(JUMP_IF_EQUAL, high_half, 0, 0));
                    }
                    tests.push(step(LOAD_WORD, low));
                    if let Comparison::Masked { mask, .. } = condition.comparison {
                        tests.push(step(AND, mask));
                    }
                    failing.push((tests.len(), false));
                    tests.push(jump(JUMP_IF_EQUAL, low_half, 0, 0));
                }
            }
        }
        for (at, if_equal) in failing {
            // To the instruction after the return.
            let distance = u8::try_from(tests.len() - at).unwrap_or(u8::MAX);
            if if_equal {
                tests[at].jt = distance;
            } else {
                tests[at].jf = distance;
            }
        }
        code.extend(tests);
        code.push(step(RETURN, rule.action));
        if rule.when.is_empty() {
            return code;
        }
    }
    code.push(step(RETURN, libc::SECCOMP_RET_ALLOW));
    code
}

fn halves(value: u64) -> (u32, u32) {
    let bytes = value.to_le_bytes();
    let half =
        |at: usize| u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
    (half(0), half(4))
}

fn step(code: u16, k: u32) -> sock_filter {
    jump(code, k, 0, 0)
}

fn jump(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A system call as a filter sees it.
    #[derive(Clone, Copy, Debug)]
    pub(in super::super) struct Made {
        pub(in super::super) architecture: u32,
        pub(in super::super) call: u32,
        pub(in super::super) arguments: [u64; 6],
    }

    impl Made {
        pub(in super::super) fn of(call: u32, arguments: [u64; 6]) -> Self {
            Self {
                architecture: OWN_ARCHITECTURE.expect("a known one"),
                call,
                arguments,
            }
        }
    }

    /// What a filter decides about a call: a `SECCOMP_RET_…` with its data.
    pub(in super::super) fn decide(filter: &[sock_filter], made: Made) -> u32 {
        let mut data = Vec::new();
        data.extend(made.call.to_le_bytes());
        data.extend(made.architecture.to_le_bytes());
        data.extend(0u64.to_le_bytes());
        data.extend(
            made.arguments
                .iter()
                .flat_map(|argument| argument.to_le_bytes()),
        );
        let (mut at, mut value) = (0, 0);
        loop {
            let sock_filter { code, jt, jf, k } = filter[at];
            at += 1;
            let branch = |holds: bool| usize::from(if holds { jt } else { jf });
            match code {
                LOAD_WORD => {
                    let from = k as usize;
                    let word = data[from..from + 4].try_into().expect("four bytes");
                    value = u32::from_le_bytes(word);
                }
                AND => value &= k,
                JUMP => at += k as usize,
                JUMP_IF_EQUAL => at += branch(value == k),
                JUMP_IF_GREATER_OR_EQUAL => at += branch(value >= k),
                RETURN => return k,
                other => panic!("unknown instruction {other:#x}"),
            }
        }
    }

    #[test]
    fn conditions_hold_as_they_are_written() {
        let check = |comparison, is_wide, value: u64, expected: bool| {
            let condition = Condition {
                argument: 2,
                is_wide,
                comparison,
            };
            let rule = |call| CallRule {
                call,
                when: vec![condition],
                action: 7,
            };
            let filter = assemble(vec![rule(9), rule(3), rule(200)]).expect("a filter");
            for call in [3, 9, 200] {
                let decided = decide(&filter, Made::of(call, [1, 1, value, 1, 1, 1]));
                let action = if expected { 7 } else { libc::SECCOMP_RET_ALLOW };
                assert_eq!(
                    decided, action,
                    "{call} {comparison:?} {is_wide} {value:#x}"
                );
            }
            let other = decide(&filter, Made::of(10, [0; 6]));
            assert_eq!(other, libc::SECCOMP_RET_ALLOW);
        };
        let high = 5 << 32;
        check(Comparison::Equal(5), false, 5, true);
        check(Comparison::Equal(5), false, high | 5, true);
        check(Comparison::Equal(5), true, high | 5, false);
        check(Comparison::Equal(high | 5), true, high | 5, true);
        check(Comparison::Equal(5), true, 6, false);
        check(Comparison::NotEqual(5), false, 6, true);
        check(Comparison::NotEqual(5), false, high | 5, false);
        check(Comparison::NotEqual(5), true, high | 5, true);
        check(Comparison::NotEqual(5), true, 6, true);
        check(Comparison::NotEqual(5), true, 5, false);
        let masked = Comparison::Masked {
            mask: 0xf0,
            value: 0x20,
        };
        check(masked, false, 0xf2f, true);
        check(masked, false, 0x30, false);
    }

    #[test]
    fn another_architecture_ends_the_process() {
        let filter = assemble(Vec::new()).expect("a filter");
        let foreign = Made {
            architecture: 0x4000_0003,
            ..Made::of(1, [0; 6])
        };
        assert_eq!(decide(&filter, foreign), libc::SECCOMP_RET_KILL_PROCESS);
        assert_eq!(
            decide(&filter, Made::of(1, [0; 6])),
            libc::SECCOMP_RET_ALLOW
        );
    }
}
