//! The sandbox on Linux: Landlock for files and signals, seccomp for system calls, and dropped capabilities. When it
//! is applied is up to `confine`.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
    PathBeneath, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus, Scope,
    make_bitflags,
};
use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, open};
use rustix::io::Errno;
use rustix::process::{getppid, test_kill_process};
use rustix::thread::{
    CapabilitySet, capabilities, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities, set_no_new_privs,
};

use seccompiler::BpfProgram;

use super::error::Error;
use super::mounts::{aliases, devices, table};
use super::policy::SandboxPolicy;
use super::scope::SandboxScope;
use super::sockets::{Broker, Sockets};
use super::{notify, seccomp};

/// The first version of Landlock that can forbid truncation.
const MIN_ABI: ABI = ABI::V3;

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

/// Readable devices. The others would expose disks, memory, and input of other terminals.
const DEVICES: &[&str] = &["/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir | Execute});
const READ_FILE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | Execute});
const NULL: BitFlags<AccessFs> =
    make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate | IoctlDev});

/// Applies the sandbox to this thread and every process that it starts.
///
/// # Errors
/// If the system has no sandbox or a step fails; this thread must then not continue.
pub fn confine(policy: &SandboxPolicy) -> Result<SandboxScope, Error> {
    enter(policy, Extent::Whole)
}

/// Does the same on a thread that does nothing afterwards: everything that can fail, except the long list of readable
/// paths.
pub(super) fn try_out(policy: &SandboxPolicy) -> Result<(), Error> {
    enter(policy, Extent::Trial).map(drop)
}

/// How much of the sandbox is applied.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    /// Nothing is readable.
    Trial,
}

fn enter(policy: &SandboxPolicy, extent: Extent) -> Result<SandboxScope, Error> {
    set_no_new_privs(true).map_err(step("forbid new privileges"))?;
    drop_capabilities()?;
    let reach = restrict_files(policy, extent)?;
    let filter = seccomp::filter(policy.write, policy.network, reach).map_err(no_filter)?;
    for filter in [seccomp::without_clone3().map_err(no_filter)?, filter] {
        apply(&filter)?;
    }
    Ok(reach)
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
    let listener = match &broker {
        Some(_) => notify::listen(seccomp::asking().map_err(no_filter)?).ok(),
        None => None,
    };
    apply(&seccomp::refusing(network, listener.is_some()).map_err(no_filter)?)?;
    let Some((broker, listener)) = broker.zip(listener) else {
        return Ok(None);
    };
    apply(&seccomp::dumpable().map_err(no_filter)?)?;
    Ok(Some(broker.of(listener)))
}

#[allow(clippy::needless_pass_by_value)] // as `map_err` hands it over
fn no_filter(error: seccompiler::Error) -> Error {
    Error::Step("make a filter", error.to_string())
}

fn apply(filter: &BpfProgram) -> Result<(), Error> {
    seccompiler::apply_filter(filter)
        .map_err(|error| Error::Step("filter system calls", error.to_string()))
}

/// Applies a second Landlock domain to this thread, inside the first, which keeps signals from leaving it.
///
/// Every Landlock ruleset forbids renaming and linking between directories unless it allows them
/// (`LANDLOCK_ACCESS_FS_REFER`, landlock(7)), even a ruleset that handles nothing else. So this one handles that
/// right and allows it everywhere; the first one decides.
fn scope_signals() -> Result<(), Error> {
    let scoped = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::Refer)
        .and_then(|ruleset| ruleset.scope(Scope::Signal))
        .and_then(Ruleset::create)
        .map_err(step("restrict signals"))?;
    let mut rules = FileRules(scoped);
    rules.allow(Path::new("/"), AccessFs::Refer.into())?;
    let enforced = rules.0.restrict_self().map_err(step("restrict signals"))?;
    if enforced.ruleset == RulesetStatus::FullyEnforced {
        Ok(())
    } else {
        Err(Error::Unavailable)
    }
}

fn step<E: ToString>(step: &'static str) -> impl Fn(E) -> Error {
    move |error| Error::Step(step, error.to_string())
}

/// With `no_new_privs`, a privilege not held now can never be gained; emptying the bounding set makes doubly sure,
/// where it can be changed at all.
fn drop_capabilities() -> Result<(), Error> {
    for bit in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        if !ROOT_CAPABILITIES.contains(one) {
            // Numbers beyond the last capability are rejected, and so is everything from an unprivileged process.
            let _ = remove_capability_from_bounding_set(one);
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

/// Landlock: anything not allowed below is denied.
fn restrict_files(policy: &SandboxPolicy, extent: Extent) -> Result<SandboxScope, Error> {
    let all = AccessFs::from_all(MIN_ABI) | AccessFs::IoctlDev;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(MIN_ABI))
        .map_err(|_| Error::Unavailable)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::IoctlDev)
        .and_then(|ruleset| ruleset.scope(Scope::AbstractUnixSocket | Scope::Signal))
        .map_err(step("restrict files"))?;
    if !policy.network {
        ruleset = ruleset
            .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)
            .map_err(step("restrict the network"))?;
    }
    let mut rules = FileRules(ruleset.create().map_err(step("restrict files"))?);
    // Hidden files have other names if their file system is mounted twice; the same goes for devices.
    let mounts = table().map_err(|error| Error::Place("/proc/self/mountinfo".into(), error))?;
    let mut policy = policy.clone();
    policy.hidden.extend(aliases(&mounts, &policy.hidden));
    let kept = ClosedPaths::of(&policy.hidden);
    let devices = devices(&mounts);
    let closed = kept.and(ClosedPaths::of(&devices));
    policy.hidden.extend(devices);
    let policy = &policy;
    // Directories can be listed everywhere: Landlock rules apply downwards, so a home directory could not be listed
    // otherwise.
    rules.allow(Path::new("/"), AccessFs::ReadDir.into())?;
    if extent == Extent::Whole {
        rules.read(Path::new("/"), policy, &closed)?;
    }
    for place in policy.readable.iter().filter(|place| place.exists()) {
        rules.allow(place, READ)?;
    }
    rules.allow_if_there(Path::new("/dev/null"), NULL);
    for device in DEVICES {
        rules.allow_if_there(Path::new(device), AccessFs::ReadFile.into());
    }
    for root in &policy.writable {
        let (opened, found) = opened(&root.path)?;
        if (found.st_dev, found.st_ino) != root.identity {
            let other = io::Error::other("it has changed since the run began");
            return Err(Error::Place(root.path.clone(), other));
        }
        if kept.hidden.contains(&root.identity) || kept.above.contains(&root.identity) {
            let other = io::Error::other("it contains credentials");
            return Err(Error::Place(root.path.clone(), other));
        }
        rules.add(opened, all & !(AccessFs::MakeChar | AccessFs::MakeBlock))?;
    }
    if let Some(root) = &policy.sockets {
        let (opened, found) = opened(&root.path)?;
        if (found.st_dev, found.st_ino) != root.identity {
            let other = io::Error::other("it has changed since the call began");
            return Err(Error::Place(root.path.clone(), other));
        }
        // Programs could create sockets there with the same right, but neither remove nor replace one.
        rules.add(opened, AccessFs::MakeSock.into())?;
    }
    let status = rules.0.restrict_self().map_err(step("restrict files"))?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err(Error::Unavailable);
    }
    // Everything else relies on the kernel; but a broadcast signal that reached outside would be a disaster, so check
    // that not even the parent process can be signalled.
    let scoped = matches!(
        status.landlock,
        LandlockStatus::Available { effective_abi, .. } if effective_abi >= ABI::V6
    );
    let reachable = |pid| test_kill_process(pid) != Err(Errno::PERM);
    let signals = scoped && !getppid().is_none_or(reachable);
    Ok(SandboxScope {
        signals,
        network: Some(policy.network),
    })
}

/// Files that must not be opened under any name, by device and inode.
struct ClosedPaths {
    /// The hidden files.
    hidden: HashSet<(u64, u64)>,
    /// The directories above them.
    above: HashSet<(u64, u64)>,
}

impl ClosedPaths {
    fn of(places: &[PathBuf]) -> Self {
        let identity = |path: &Path| {
            let found = fs::symlink_metadata(path).ok()?;
            Some((found.dev(), found.ino()))
        };
        // Most of these are shared.
        let above: HashSet<&Path> = places
            .iter()
            .flat_map(|place| place.ancestors().skip(1))
            .collect();
        Self {
            hidden: places.iter().filter_map(|place| identity(place)).collect(),
            above: above.into_iter().filter_map(identity).collect(),
        }
    }

    /// What either of them forbids.
    fn and(&self, other: Self) -> Self {
        Self {
            hidden: self.hidden.union(&other.hidden).copied().collect(),
            above: self.above.union(&other.above).copied().collect(),
        }
    }
}

/// The ruleset so far.
struct FileRules(RulesetCreated);

impl FileRules {
    /// Allows reading below a directory. Landlock rules cannot exclude part of what another rule allows, so if
    /// something below is hidden, its siblings are allowed one by one.
    fn read(
        &mut self,
        directory: &Path,
        policy: &SandboxPolicy,
        closed: &ClosedPaths,
    ) -> Result<(), Error> {
        let mut seen = Vec::new();
        // A directory that cannot be listed may still contain one that can.
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            seen.push(entry.path());
        }
        let on_the_way = policy.hidden.iter().filter_map(|hidden| {
            let rest = hidden.strip_prefix(directory).ok()?;
            Some(directory.join(rest.components().next()?))
        });
        seen.extend(on_the_way);
        seen.sort_unstable();
        seen.dedup();
        for path in seen {
            if policy.hides(&path) {
                continue;
            }
            if policy.divides(&path) {
                self.read(&path, policy, closed)?;
                continue;
            }
            // What has disappeared, or is closed to this user, stays closed to the tool.
            let Ok((opened, found)) = opened(&path) else {
                continue;
            };
            let identity = (found.st_dev, found.st_ino);
            // A rule applies to the file itself, not to its name: this may be a hidden file, or a directory above
            // one, under another name.
            if !closed.hidden.contains(&identity) && !closed.above.contains(&identity) {
                let _ = self.open(opened, &found, READ);
            }
        }
        Ok(())
    }

    /// Allows access to this path and everything beneath it.
    fn allow(&mut self, path: &Path, access: BitFlags<AccessFs>) -> Result<(), Error> {
        let (opened, found) = opened(path)?;
        self.open(opened, &found, access)
    }

    fn open(
        &mut self,
        opened: OwnedFd,
        found: &Stat,
        access: BitFlags<AccessFs>,
    ) -> Result<(), Error> {
        match FileType::from_raw_mode(found.st_mode) {
            FileType::Directory => self.add(opened, access),
            // A link's target is allowed under its own path, or not at all.
            FileType::Symlink => Ok(()),
            _ => self.add(opened, access & (READ_FILE | NULL)),
        }
    }

    fn add(&mut self, opened: OwnedFd, access: BitFlags<AccessFs>) -> Result<(), Error> {
        (&mut self.0)
            .add_rule(PathBeneath::new(opened, access))
            .map(drop)
            .map_err(step("restrict files"))
    }

    /// Does the same, but ignores a path that has disappeared or is inaccessible.
    fn allow_if_there(&mut self, path: &Path, access: BitFlags<AccessFs>) {
        let _ = self.allow(path, access);
    }
}

/// Opens a path without following a link.
fn opened(path: &Path) -> Result<(OwnedFd, Stat), Error> {
    let place = |error: Errno| Error::Place(path.to_owned(), error.into());
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = open(path, flags, Mode::empty()).map_err(place)?;
    let found = fstat(&opened).map_err(place)?;
    Ok((opened, found))
}
