//! The sandbox as the kernel enforces it: Landlock for files and signals, seccomp for system calls, and capabilities that
//! are dropped. `confine` says when; here is how, on Linux.

use std::collections::HashSet;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
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
use super::{notify, seccomp};

/// The first version of Landlock that can keep a file from being truncated.
const LEAST: ABI = ABI::V3;

/// What root keeps, so that a build in a container still writes files of other owners.
const KEPT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETGID);

/// What root keeps besides in this process itself, to serve the sockets of programs that became another user. Landlock
/// keeps it from all processes outside.
const OWN: CapabilitySet = CapabilitySet::SYS_PTRACE;

/// The devices that can be read. The others give away disks, memory, and what is typed at other terminals.
const DEVICES: &[&str] = &["/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir | Execute});
const READ_FILE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | Execute});
const NULL: BitFlags<AccessFs> =
    make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate | IoctlDev});

/// Puts the sandbox around this thread, and every process that it starts.
///
/// # Errors
/// When the system has none, or refuses; then this thread must not do what needs it.
pub fn confine(policy: &SandboxPolicy) -> Result<SandboxScope, Error> {
    enter(policy, Extent::Whole)
}

/// The same around a thread that does nothing afterwards: everything that can fail, without the long list of what can be
/// read.
pub(super) fn try_out(policy: &SandboxPolicy) -> Result<(), Error> {
    enter(policy, Extent::Trial).map(drop)
}

/// How much of the sandbox is put up.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extent {
    Whole,
    /// Nothing can be read in it.
    Trial,
}

fn enter(policy: &SandboxPolicy, extent: Extent) -> Result<SandboxScope, Error> {
    set_no_new_privs(true).map_err(step("forbid new privileges"))?;
    drop_capabilities()?;
    let reach = fence(policy, extent)?;
    let filter = seccomp::filter(policy.write, policy.network, reach).map_err(no_filter)?;
    for filter in [seccomp::without_clone3().map_err(no_filter)?, filter] {
        apply(&filter)?;
    }
    Ok(reach)
}

/// Puts around this thread, and what it starts, what is around programs besides: `served` is asked about their sockets.
/// Where nobody can be asked, since the kernel knows nothing of that, or a container does so already, they are refused.
pub(super) fn step_inside(
    reach: SandboxScope,
    network: bool,
    served: Option<Sender<OwnedFd>>,
) -> Result<(), Error> {
    if reach.signals {
        shield()?;
    }
    keep_capabilities(KEPT)?;
    let listener = match &served {
        Some(_) => notify::listen(seccomp::asking().map_err(no_filter)?).ok(),
        None => None,
    };
    apply(&seccomp::refusing(network, listener.is_some()).map_err(no_filter)?)?;
    if let Some((served, listener)) = served.zip(listener) {
        apply(&seccomp::dumpable().map_err(no_filter)?)?;
        let gone = |_| Error::Step("serve sockets", "a thread ended".to_owned());
        served.send(listener).map_err(gone)?;
    }
    Ok(())
}

#[allow(clippy::needless_pass_by_value)] // as `map_err` hands it over
fn no_filter(error: seccompiler::Error) -> Error {
    Error::Step("make a filter", error.to_string())
}

fn apply(filter: &BpfProgram) -> Result<(), Error> {
    seccompiler::apply_filter(filter)
        .map_err(|error| Error::Step("filter system calls", error.to_string()))
}

/// A second sandbox around this thread, inside the first, which keeps signals from leaving it.
///
/// Every Landlock ruleset refuses to rename or link between directories unless it allows that
/// (`LANDLOCK_ACCESS_FS_REFER`, landlock(7)), one that handles nothing else too. So this one handles that right and
/// allows it everywhere; the first one decides.
fn shield() -> Result<(), Error> {
    let scoped = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::Refer)
        .and_then(|ruleset| ruleset.scope(Scope::Signal))
        .and_then(Ruleset::create)
        .map_err(step("fence signals"))?;
    let mut fence = Fence(scoped);
    fence.allow(Path::new("/"), AccessFs::Refer.into())?;
    let enforced = fence.0.restrict_self().map_err(step("fence signals"))?;
    if enforced.ruleset == RulesetStatus::FullyEnforced {
        Ok(())
    } else {
        Err(Error::Unavailable)
    }
}

fn step<E: ToString>(step: &'static str) -> impl Fn(E) -> Error {
    move |error| Error::Step(step, error.to_string())
}

/// Without new privileges, what is not permitted now never is; the bounding set says so twice, where it can be
/// changed at all.
fn drop_capabilities() -> Result<(), Error> {
    for bit in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        if !KEPT.contains(one) {
            // The first number that no capability has is refused, and so is everything to those who may not.
            let _ = remove_capability_from_bounding_set(one);
        }
    }
    let _ = clear_ambient_capability_set();
    keep_capabilities(KEPT.union(OWN))
}

/// Drops the other capabilities of this thread.
fn keep_capabilities(kept: CapabilitySet) -> Result<(), Error> {
    let mut sets = capabilities(None).map_err(step("tell its capabilities"))?;
    sets.effective &= kept;
    sets.permitted &= kept;
    sets.inheritable = CapabilitySet::empty();
    set_capabilities(None, sets).map_err(step("drop capabilities"))
}

/// Landlock: what is not named below cannot be touched.
fn fence(policy: &SandboxPolicy, extent: Extent) -> Result<SandboxScope, Error> {
    let all = AccessFs::from_all(LEAST) | AccessFs::IoctlDev;
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(LEAST))
        .map_err(|_| Error::Unavailable)?
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::IoctlDev)
        .and_then(|ruleset| ruleset.scope(Scope::AbstractUnixSocket | Scope::Signal))
        .map_err(step("fence files"))?;
    if !policy.network {
        ruleset = ruleset
            .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)
            .map_err(step("fence the network"))?;
    }
    let mut fence = Fence(ruleset.create().map_err(step("fence files"))?);
    // What is hidden has other names where it is mounted twice; and so have devices.
    let mounts = table().map_err(|error| Error::Place("/proc/self/mountinfo".into(), error))?;
    let mut policy = policy.clone();
    policy.hidden.extend(aliases(&mounts, &policy.hidden));
    let kept = ClosedPaths::of(&policy.hidden);
    let devices = devices(&mounts);
    let closed = kept.and(ClosedPaths::of(&devices));
    policy.hidden.extend(devices);
    let policy = &policy;
    // Names can be listed everywhere: rules reach down, so a home could not be listed otherwise.
    fence.allow(Path::new("/"), AccessFs::ReadDir.into())?;
    if extent == Extent::Whole {
        fence.read(Path::new("/"), policy, &closed)?;
    }
    for place in policy.readable.iter().filter(|place| place.exists()) {
        fence.allow(place, READ)?;
    }
    fence.allow_if_there(Path::new("/dev/null"), NULL);
    for device in DEVICES {
        fence.allow_if_there(Path::new(device), AccessFs::ReadFile.into());
    }
    for root in &policy.writable {
        let (opened, found) = opened(&root.path)?;
        if (found.st_dev, found.st_ino) != root.identity {
            let other = io::Error::other("it is not what it was when the run began");
            return Err(Error::Place(root.path.clone(), other));
        }
        if kept.hidden.contains(&root.identity) || kept.way.contains(&root.identity) {
            let other = io::Error::other("credentials are kept in it");
            return Err(Error::Place(root.path.clone(), other));
        }
        fence.add(opened, all & !(AccessFs::MakeChar | AccessFs::MakeBlock))?;
    }
    if let Some(root) = &policy.sockets {
        let (opened, found) = opened(&root.path)?;
        if (found.st_dev, found.st_ino) != root.identity {
            let other = io::Error::other("it is not what it was when the call began");
            return Err(Error::Place(root.path.clone(), other));
        }
        // Programs could make sockets there by the same right, but neither remove one nor put another in its place.
        fence.add(opened, AccessFs::MakeSock.into())?;
    }
    let status = fence.0.restrict_self().map_err(step("fence files"))?;
    if status.ruleset == RulesetStatus::NotEnforced {
        return Err(Error::Unavailable);
    }
    // Everything else rests on the kernel's word; but a signal to all that reached outside would be a disaster, so
    // it is seen that not even the process that started this one can be reached.
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

/// What must not be opened, whatever it is called: devices and inodes.
struct ClosedPaths {
    /// What is hidden.
    hidden: HashSet<(u64, u64)>,
    /// The directories on the way there.
    way: HashSet<(u64, u64)>,
}

impl ClosedPaths {
    fn of(places: &[PathBuf]) -> Self {
        let identity = |path: &Path| {
            let found = fs::symlink_metadata(path).ok()?;
            Some((found.dev(), found.ino()))
        };
        // They have most of them in common.
        let above: HashSet<&Path> = places
            .iter()
            .flat_map(|place| place.ancestors().skip(1))
            .collect();
        Self {
            hidden: places.iter().filter_map(|place| identity(place)).collect(),
            way: above.into_iter().filter_map(identity).collect(),
        }
    }

    /// What neither of them lets open.
    fn and(&self, other: Self) -> Self {
        Self {
            hidden: self.hidden.union(&other.hidden).copied().collect(),
            way: self.way.union(&other.way).copied().collect(),
        }
    }
}

/// What is open so far.
struct Fence(RulesetCreated);

impl Fence {
    /// Opens what can be read below a directory. Rules cannot take a part out of what others allow, so where
    /// something below is hidden, what is beside it is opened piece by piece.
    fn read(
        &mut self,
        directory: &Path,
        policy: &SandboxPolicy,
        closed: &ClosedPaths,
    ) -> Result<(), Error> {
        let mut seen = Vec::new();
        // A directory that cannot be listed can still be on the way to one that can.
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
            // What is gone meanwhile, or closed to this user, is closed to the tool.
            let Ok((opened, found)) = opened(&path) else {
                continue;
            };
            let identity = (found.st_dev, found.st_ino);
            // A rule is about what is there, whatever it is called: this may be a hidden place by another name, or
            // a directory on the way to one.
            if !closed.hidden.contains(&identity) && !closed.way.contains(&identity) {
                let _ = self.open(opened, &found, READ);
            }
        }
        Ok(())
    }

    /// Opens what is beneath this path.
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
            // Where a link leads is opened by its own name, or not at all.
            FileType::Symlink => Ok(()),
            _ => self.add(opened, access & (READ_FILE | NULL)),
        }
    }

    fn add(&mut self, opened: OwnedFd, access: BitFlags<AccessFs>) -> Result<(), Error> {
        (&mut self.0)
            .add_rule(PathBeneath::new(opened, access))
            .map(drop)
            .map_err(step("fence files"))
    }

    /// The same where it may be gone meanwhile, or nobody may look at it.
    fn allow_if_there(&mut self, path: &Path, access: BitFlags<AccessFs>) {
        let _ = self.allow(path, access);
    }
}

/// What is at this path, a link not followed.
fn opened(path: &Path) -> Result<(OwnedFd, Stat), Error> {
    let place = |error: Errno| Error::Place(path.to_owned(), error.into());
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = open(path, flags, Mode::empty()).map_err(place)?;
    let found = fstat(&opened).map_err(place)?;
    Ok((opened, found))
}
