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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The lower 32 bits are this value.
    Equal(u32),
    /// They are not.
    NotEqual(u32),
    /// Those of the mask are this value.
    Masked { mask: u32, value: u32 },
    /// One of all 64 bits is set: a pointer or a length.
    NotZero,
}

/// Conditions that must all hold: the index of an argument, and a comparison.
pub(super) type Conditions = &'static [(u8, Comparison)];

/// What happens to a call if all conditions hold.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallRule {
    /// The number of the call, of the first set.
    pub(super) call: u32,
    pub(super) when: Conditions,
    /// A `SECCOMP_RET_…` with its data.
    pub(super) action: u32,
}

/// How many calls are compared one after the other.
const MAX_LINEAR: usize = 6;

/// Builds a filter that allows every call that none of these rules is about; of the rules of a call, the first one
/// applies whose conditions hold. Both sets of call numbers are recognised. `None` on an unknown architecture, or if a
/// jump would be too long.
pub(super) fn assemble(mut rules: Vec<CallRule>) -> Option<BpfProgram> {
    // The rules of a call keep their order.
    rules.sort_by_key(|rule| rule.call);
    let calls: Vec<&[CallRule]> = rules.chunk_by(|a, b| a.call == b.call).collect();
    let mut code = Vec::with_capacity(512);
    code.extend([
        step(LOAD_WORD, ARCHITECTURE),
        jump(JUMP_IF_EQUAL, OWN_ARCHITECTURE?, 1, 0),
        step(RETURN, libc::SECCOMP_RET_KILL_PROCESS),
        step(LOAD_WORD, NUMBER),
    ]);
    if cfg!(target_arch = "x86_64") {
        code.push(step(AND, !X32));
    }
    let mut jumps = Vec::with_capacity(32);
    bisect(&mut code, &calls, &mut jumps)?;
    // What is decided about a call follows, once for all calls with the same rules.
    while let Some((at, rules)) = jumps.pop() {
        let here = code.len();
        add_decision(&mut code, rules)?;
        aim(&mut code, at, here)?;
        let same = |other: &[CallRule]| {
            let pairs = other.iter().zip(rules);
            let mut pairs = pairs.map(|(a, b)| a.when == b.when && a.action == b.action);
            other.len() == rules.len() && pairs.all(|same| same)
        };
        for (at, _) in jumps.extract_if(.., |(_, other)| same(other)) {
            aim(&mut code, at, here)?;
        }
    }
    Some(code)
}

/// Finds the call that is loaded among these. `jumps` are those to what is decided about a call.
fn bisect<'a>(
    code: &mut BpfProgram,
    calls: &[&'a [CallRule]],
    jumps: &mut Vec<(usize, &'a [CallRule])>,
) -> Option<()> {
    if calls.len() > MAX_LINEAR {
        let (lower, upper) = calls.split_at(calls.len() / 2);
        let at = code.len();
        code.push(jump(JUMP_IF_GREATER_OR_EQUAL, upper.first()?[0].call, 0, 0));
        bisect(code, lower, jumps)?;
        code[at].jt = u8::try_from(code.len() - at - 1).ok()?;
        return bisect(code, upper, jumps);
    }
    for rules in calls {
        code.push(jump(JUMP_IF_EQUAL, rules[0].call, 0, 1));
        match rules {
            [CallRule { when, action, .. }] if when.is_empty() => code.push(step(RETURN, *action)),
            _ => {
                jumps.push((code.len(), rules));
                code.push(step(JUMP, 0));
            }
        }
    }
    code.push(step(RETURN, libc::SECCOMP_RET_ALLOW));
    Some(())
}

/// Decides about a call.
fn add_decision(code: &mut BpfProgram, rules: &[CallRule]) -> Option<()> {
    for rule in rules {
        // Jumps to the next rule, and whether they are taken if the comparison holds.
        let mut failing = Vec::new();
        let mut loaded = None;
        for (argument, comparison) in rule.when {
            let low = ARGUMENTS + 8 * u32::from(*argument);
            if *comparison == Comparison::NotZero {
                code.push(step(LOAD_WORD, low + 4));
                code.push(jump(JUMP_IF_EQUAL, 0, 0, 2));
                loaded = None;
            }
            if loaded != Some(low) {
                code.push(step(LOAD_WORD, low));
            }
            loaded = Some(low);
            let (value, if_equal) = match *comparison {
                Comparison::Equal(value) => (value, false),
                Comparison::NotEqual(value) => (value, true),
                Comparison::NotZero => {
                    // If a higher bit is set, the lower half is not loaded.
                    loaded = None;
                    (0, true)
                }
                Comparison::Masked { mask, value } => {
                    code.push(step(AND, mask));
                    loaded = None;
                    (value, false)
                }
            };
            failing.push((code.len(), if_equal));
            code.push(jump(JUMP_IF_EQUAL, value, 0, 0));
        }
        code.push(step(RETURN, rule.action));
        for (at, if_equal) in failing {
            let distance = u8::try_from(code.len() - at - 1).ok()?;
            if if_equal {
                code[at].jt = distance;
            } else {
                code[at].jf = distance;
            }
        }
    }
    code.push(step(RETURN, libc::SECCOMP_RET_ALLOW));
    Some(())
}

/// Makes the jump at this place lead there.
fn aim(code: &mut BpfProgram, at: usize, there: usize) -> Option<()> {
    code[at].k = u32::try_from(there - at - 1).ok()?;
    Some(())
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
        const HIGH: u64 = 5 << 32;
        let check = |when: Conditions, value: u64, expected: bool| {
            let rule = |call| CallRule {
                call,
                when,
                action: 7,
            };
            let filter = assemble([9, 3, 200, 4, 5, 6, 7, 8].map(rule).to_vec()).expect("a filter");
            for call in [3, 8, 9, 200] {
                let decided = decide(&filter, Made::of(call, [1, 1, value, 1, 1, 1]));
                let action = if expected { 7 } else { libc::SECCOMP_RET_ALLOW };
                assert_eq!(decided, action, "{call} {when:?} {value:#x}");
            }
            let other = decide(&filter, Made::of(10, [0; 6]));
            assert_eq!(other, libc::SECCOMP_RET_ALLOW);
        };
        check(&[], 5, true);
        check(&[(2, Comparison::Equal(5))], 5, true);
        check(&[(2, Comparison::Equal(5))], HIGH | 5, true);
        check(&[(2, Comparison::Equal(5))], 6, false);
        check(&[(2, Comparison::NotEqual(5))], 6, true);
        check(&[(2, Comparison::NotEqual(5))], HIGH | 5, false);
        check(&[(2, Comparison::NotZero)], 0, false);
        check(&[(2, Comparison::NotZero)], 1, true);
        check(&[(2, Comparison::NotZero)], HIGH, true);
        const MASKED: Comparison = Comparison::Masked {
            mask: 0xf0,
            value: 0x20,
        };
        check(&[(2, MASKED)], 0xf2f, true);
        check(&[(2, MASKED)], 0x30, false);
        // Several, on one argument and on others.
        const SEVERAL: Conditions = &[
            (2, MASKED),
            (2, Comparison::NotEqual(0x21)),
            (2, Comparison::NotEqual(0x22)),
            (2, Comparison::NotZero),
            (2, Comparison::NotEqual(0x23)),
            (1, Comparison::Equal(1)),
        ];
        for value in 0x1f..0x32 {
            check(
                SEVERAL,
                value,
                value == 0x20 || (0x24..0x30).contains(&value),
            );
            check(
                SEVERAL,
                HIGH | value,
                value == 0x20 || (0x24..0x30).contains(&value),
            );
        }
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
