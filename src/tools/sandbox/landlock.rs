//! The sandbox on Linux: Landlock for files and signals, seccomp for system calls, and dropped capabilities. When it
//! is applied is up to `confine`.

use std::sync::atomic::AtomicBool;

use landlock::{RestrictionStatus, RulesetCreated, RulesetStatus};
use rustix::fs::{Mode, OFlags, open};
use rustix::io::Errno;
use rustix::process::{getppid, test_kill_process};
use rustix::stdio::{dup2_stdin, stdin};
use rustix::thread::{
    CapabilitySet, capabilities, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities, set_no_new_privs,
};

use seccompiler::BpfProgram;

use super::error::Error;
use super::file_rules::{Extent, FileRules, scopes_signals, signal_scope, step};
use super::policy::SandboxPolicy;
use super::scope::SandboxScope;
use super::sockets::{Broker, Sockets};
use super::{notify, seccomp};

/// The capabilities that root keeps, so that a build in a container can still write files of other owners.
const ROOT_CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETGID);

/// Additional capabilities of root in this process, to serve the sockets of programs that changed their user.
/// Landlock keeps them from reaching processes outside.
const BROKER_CAPABILITIES: CapabilitySet = CapabilitySet::SYS_PTRACE;

/// Applies the sandbox to this thread and every process that it starts.
///
/// # Errors
/// If the system has no sandbox or a step fails; this thread must then not continue.
pub fn confine(policy: &SandboxPolicy) -> Result<SandboxScope, Error> {
    enter(policy, || make_rules(policy, Extent::Whole))
}

/// Does the same with rules that the run has made: standard input is their descriptor. It is closed before anything
/// else, since with it rules could be added for the calls that follow.
///
/// # Errors
/// If a step fails, or these are not rules; this process must then end.
pub fn confine_by_stdin(policy: &SandboxPolicy) -> Result<SandboxScope, Error> {
    enter(policy, || {
        let flags = OFlags::RDWR | OFlags::CLOEXEC;
        let null = open("/dev/null", flags, Mode::empty()).map_err(step("open /dev/null"))?;
        notify::restrict_self(stdin()).map_err(step("restrict files"))?;
        dup2_stdin(&null).map_err(step("close the rules"))
    })
}

/// Does the same on a thread that does nothing afterwards: everything that can fail, except the long list of readable
/// paths.
pub(super) fn try_out(policy: &SandboxPolicy) -> Result<(), Error> {
    enter(policy, || make_rules(policy, Extent::Trial)).map(drop)
}

fn enter(
    policy: &SandboxPolicy,
    restrict_files: impl FnOnce() -> Result<(), Error>,
) -> Result<SandboxScope, Error> {
    set_no_new_privs(true).map_err(step("forbid new privileges"))?;
    drop_capabilities()?;
    restrict_files()?;
    // Everything else relies on the kernel; but a broadcast signal that reached outside would be a disaster, so check
    // that not even the parent process can be signalled.
    let reachable = |pid| test_kill_process(pid) != Err(Errno::PERM);
    let reach = SandboxScope {
        signals: scopes_signals() && !getppid().is_none_or(reachable),
        network: Some(policy.network),
    };
    apply(seccomp::filter(policy.write, policy.network, reach))?;
    Ok(reach)
}

/// Makes the rules of this policy and applies them to this thread.
fn make_rules(policy: &SandboxPolicy, extent: Extent) -> Result<(), Error> {
    let given_up = AtomicBool::new(false);
    let rules = FileRules::of(policy, extent, &given_up)?;
    let status = restrict(rules.ruleset, "restrict files")?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err(Error::Unavailable);
    }
    Ok(())
}

fn restrict(ruleset: RulesetCreated, what: &'static str) -> Result<RestrictionStatus, Error> {
    ruleset.restrict_self().map_err(step(what))
}

/// Applies the further confinement of programs to this thread and what it starts: their socket calls go to the
/// broker. If there can be none, because the kernel does not support it or a container already has one, these calls
/// fail.
pub(super) fn step_inside(
    reach: SandboxScope,
    network: bool,
    broker: Option<Broker>,
) -> Result<Option<Sockets>, Error> {
    if reach.signals {
        scope_signals()?;
    }
    keep_capabilities(ROOT_CAPABILITIES)?;
    let asking = broker.and_then(|broker| Some((broker, seccomp::asking()?)));
    let served = asking.and_then(|(broker, filter)| Some(broker.of(notify::listen(&filter).ok()?)));
    if served.is_none() {
        apply(seccomp::refusing(network))?;
    }
    Ok(served)
}

fn apply(filter: Option<BpfProgram>) -> Result<(), Error> {
    let unknown = || Error::Step("make a filter", "this architecture is unknown".to_owned());
    seccompiler::apply_filter(&filter.ok_or_else(unknown)?)
        .map_err(|error| Error::Step("filter system calls", error.to_string()))
}

/// Applies a second Landlock domain to this thread, inside the first, which keeps signals from leaving it.
fn scope_signals() -> Result<(), Error> {
    let enforced = restrict(signal_scope()?, "restrict signals")?;
    if enforced.ruleset == RulesetStatus::FullyEnforced {
        Ok(())
    } else {
        Err(Error::Unavailable)
    }
}

/// With `no_new_privs`, a privilege not held now can never be gained; emptying the bounding set makes doubly sure,
/// where it can be changed at all.
fn drop_capabilities() -> Result<(), Error> {
    for bit in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        // Everything is rejected from an unprivileged process, and so are numbers beyond the last capability.
        if !ROOT_CAPABILITIES.contains(one) && remove_capability_from_bounding_set(one).is_err() {
            break;
        }
    }
    let _ = clear_ambient_capability_set();
    keep_capabilities(ROOT_CAPABILITIES.union(BROKER_CAPABILITIES))
}

/// Drops all other capabilities of this thread.
fn keep_capabilities(kept: CapabilitySet) -> Result<(), Error> {
    let mut sets = capabilities(None).map_err(step("read its capabilities"))?;
    sets.effective &= kept;
    sets.permitted &= kept;
    sets.inheritable = CapabilitySet::empty();
    set_capabilities(None, sets).map_err(step("drop capabilities"))
}
