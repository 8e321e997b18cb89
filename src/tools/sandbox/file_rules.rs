//! The Landlock rules of a policy: which files may be opened, and how. Landlock can only allow, and what it allows holds
//! for everything below; so a directory with something hidden below it is divided: its entries are allowed one by one.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, PathBeneath, Ruleset,
    RulesetAttr, RulesetCreated, RulesetCreatedAttr, Scope, make_bitflags,
};
use rustix::fs::{CWD, FileType, Mode, OFlags, Stat, fstat, open, openat};
use rustix::io::Errno;

use super::error::Error;
use super::mounts::{aliases, devices, table};
use super::observed::{DirectoryState, Observed, list};
use super::paths::Root;
use super::policy::SandboxPolicy;

/// The first version of Landlock that can forbid truncation.
const MIN_ABI: ABI = ABI::V3;

/// Readable devices. The others would expose disks, memory, and input of other terminals.
const DEVICES: &[&str] = &["/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir | Execute});
const READ_FILE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | Execute});
const NULL: BitFlags<AccessFs> =
    make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate | IoctlDev});

/// How a directory is opened whose entries are listed: as itself, through no link.
const LISTED: OFlags = OFlags::DIRECTORY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// How much of the rules is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Whole,
    /// Nothing is readable.
    Trial,
}

/// The rules so far, and what they were derived from.
pub(super) struct FileRules<'a> {
    pub(super) ruleset: RulesetCreated,
    pub(super) observed: Observed,
    closed: ClosedPaths,
    /// Set when the rules are no longer needed.
    given_up: &'a AtomicBool,
}

impl<'a> FileRules<'a> {
    /// The rules of this policy. What no rule allows is denied.
    ///
    /// # Errors
    /// If the system has no Landlock, or something that must be accessible is not what it was.
    pub(super) fn of(
        policy: &SandboxPolicy,
        extent: Extent,
        given_up: &'a AtomicBool,
    ) -> Result<Self, Error> {
        let ruleset = ruleset(policy)?;
        // Hidden files have other names if their file system is mounted twice; the same goes for devices.
        let unreadable = |error| Error::Place("/proc/self/mountinfo".into(), error);
        let mut observed = Observed::new().map_err(unreadable)?;
        let mounts = table().map_err(unreadable)?;
        let mut hidden = policy.hidden.clone();
        hidden.extend(aliases(&mounts, &hidden));
        let kept = ClosedPaths::of(&hidden, &mut observed);
        let devices = devices(&mounts);
        let closed = kept.and(ClosedPaths::of(&devices, &mut observed));
        hidden.extend(devices);
        observed.mounts = mounts;
        let mut rules = Self {
            ruleset,
            observed,
            closed,
            given_up,
        };
        // Directories can be listed everywhere: rules apply downwards, so a home directory could not be listed
        // otherwise.
        rules.allow(Path::new("/"), AccessFs::ReadDir.into())?;
        if extent == Extent::Whole {
            let root = open("/", LISTED, Mode::empty()).map_err(place(Path::new("/")))?;
            rules.divide(Path::new("/"), &root, &hidden)?;
        }
        for path in &policy.readable {
            rules.observed.see(path);
            if path.exists() {
                rules.allow(path, READ)?;
            }
        }
        rules.allow_if_there(Path::new("/dev/null"), NULL);
        for device in DEVICES {
            rules.allow_if_there(Path::new(device), AccessFs::ReadFile.into());
        }
        let all = AccessFs::from_all(MIN_ABI) | AccessFs::IoctlDev;
        for root in &policy.writable {
            let opened = rules.unchanged(root, "it has changed since the run began")?;
            if kept.hidden.contains(&root.identity) || kept.above.contains(&root.identity) {
                let other = io::Error::other("it contains credentials");
                return Err(Error::Place(root.path.clone(), other));
            }
            rules.add(opened, all & !(AccessFs::MakeChar | AccessFs::MakeBlock))?;
        }
        if let Some(root) = &policy.sockets {
            let opened = rules.unchanged(root, "it has changed since the call began")?;
            // Programs could create sockets there with the same right, but neither remove nor replace one.
            rules.add(opened, AccessFs::MakeSock.into())?;
        }
        Ok(rules)
    }

    /// Allows reading what is in a directory, except what is hidden.
    fn divide(
        &mut self,
        path: &Path,
        directory: &OwnedFd,
        hidden: &[PathBuf],
    ) -> Result<(), Error> {
        // What is looked at first may change meanwhile, which is then seen later.
        let mut state = DirectoryState::of(path, directory);
        let names = DividedNames::of(path, hidden);
        list(directory, |name, number, kind| {
            state.add(name.to_bytes(), number, kind);
        });
        let mut failed = false;
        for name in state.names() {
            if self.given_up.load(Ordering::Relaxed) {
                return Err(Error::Step(
                    "make the rules",
                    "they are not needed".to_owned(),
                ));
            }
            if names.hide(name) || names.lead_on(name) {
                continue;
            }
            // What has disappeared, or is closed to this user, stays closed to the tool.
            let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = openat(directory, name, flags, Mode::empty())
                .and_then(|opened| fstat(&opened).map(|found| (opened, found)));
            let Ok((opened, found)) = opened else {
                failed = true;
                continue;
            };
            let identity = (found.st_dev, found.st_ino);
            // A rule applies to the file itself, not to its name: this may be a hidden file, or a directory above
            // one, under another name.
            if !self.closed.hidden.contains(&identity) && !self.closed.above.contains(&identity) {
                let _ = self.open(opened, &found, READ);
            }
        }
        state.failed = failed;
        self.observed.directories.push(state);
        // A directory that cannot be listed may still contain one that can.
        for name in &names.on_the_way {
            if names.hide(name.as_bytes()) {
                continue;
            }
            let path = path.join(name);
            let opened = openat(directory, &**name, LISTED, Mode::empty())
                .or_else(|_| openat(directory, &**name, LISTED | OFlags::PATH, Mode::empty()));
            match opened {
                Ok(below) => self.divide(&path, &below, hidden)?,
                // It may be there later.
                Err(_) => drop(self.observed.see(&path)),
            }
        }
        Ok(())
    }

    /// Opens a directory of which nothing but the identity is relied on.
    fn unchanged(&mut self, root: &Root, otherwise: &'static str) -> Result<OwnedFd, Error> {
        let (opened, found) = opened(&root.path)?;
        if (found.st_dev, found.st_ino) != root.identity {
            return Err(Error::Place(root.path.clone(), io::Error::other(otherwise)));
        }
        self.observed.saw(&root.path, Some(root.identity));
        Ok(opened)
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
        add(&mut self.ruleset, opened, access)
    }

    /// Does the same, but ignores a path that has disappeared or is inaccessible.
    fn allow_if_there(&mut self, path: &Path, access: BitFlags<AccessFs>) {
        self.observed.see(path);
        let _ = self.allow(path, access);
    }
}

/// A ruleset without rules.
fn ruleset(policy: &SandboxPolicy) -> Result<RulesetCreated, Error> {
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
    ruleset.create().map_err(step("restrict files"))
}

/// A ruleset that keeps signals from leaving it.
///
/// Every Landlock ruleset forbids renaming and linking between directories unless it allows them
/// (`LANDLOCK_ACCESS_FS_REFER`, landlock(7)), even a ruleset that handles nothing else. So this one handles that
/// right and allows it everywhere; the first one decides.
pub(super) fn signal_scope() -> Result<RulesetCreated, Error> {
    let mut scoped = Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::Refer)
        .and_then(|ruleset| ruleset.scope(Scope::Signal))
        .and_then(Ruleset::create)
        .map_err(step("restrict signals"))?;
    let (root, _) = opened(Path::new("/"))?;
    add(&mut scoped, root, AccessFs::Refer.into())?;
    Ok(scoped)
}

/// Whether the kernel can keep signals from leaving a sandbox.
pub(super) fn scopes_signals() -> bool {
    Ruleset::default()
        .set_compatibility(CompatLevel::HardRequirement)
        .scope(Scope::Signal)
        .is_ok()
}

fn add(
    ruleset: &mut RulesetCreated,
    opened: OwnedFd,
    access: BitFlags<AccessFs>,
) -> Result<(), Error> {
    ruleset
        .add_rule(PathBeneath::new(opened, access))
        .map(drop)
        .map_err(step("restrict files"))
}

pub(super) fn step<E: ToString>(step: &'static str) -> impl Fn(E) -> Error {
    move |error| Error::Step(step, error.to_string())
}

fn place(path: &Path) -> impl Fn(Errno) -> Error {
    move |error| Error::Place(path.to_owned(), error.into())
}

/// Opens a path without following a link.
fn opened(path: &Path) -> Result<(OwnedFd, Stat), Error> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = openat(CWD, path, flags, Mode::empty()).map_err(place(path))?;
    let found = fstat(&opened).map_err(place(path))?;
    Ok((opened, found))
}

/// Names in a divided directory, by what hidden paths make of them.
struct DividedNames<'a> {
    /// Names of hidden entries. Their copies and locks are hidden too, as `SandboxPolicy::hides` says.
    hidden: Vec<&'a [u8]>,
    /// Names of entries with something hidden below, as `SandboxPolicy::divides` says.
    on_the_way: Vec<&'a OsStr>,
}

impl<'a> DividedNames<'a> {
    fn of(directory: &Path, hidden: &'a [PathBuf]) -> Self {
        let mut names = Self {
            hidden: Vec::new(),
            on_the_way: Vec::new(),
        };
        for path in hidden {
            let Ok(rest) = path.strip_prefix(directory) else {
                continue;
            };
            let mut rest = rest.iter();
            match (rest.next(), rest.next()) {
                (Some(name), None) => names.hidden.push(name.as_bytes()),
                (Some(name), Some(_)) => names.on_the_way.push(name),
                (None, _) => {}
            }
        }
        names.on_the_way.sort_unstable();
        names.on_the_way.dedup();
        names
    }

    fn hide(&self, name: &[u8]) -> bool {
        let is_copy = |rest: &[u8]| rest.is_empty() || rest.starts_with(b".");
        let mut hidden = self.hidden.iter();
        hidden.any(|hidden| name.strip_prefix(*hidden).is_some_and(is_copy))
    }

    fn lead_on(&self, name: &[u8]) -> bool {
        let mut names = self.on_the_way.iter();
        names.any(|known| known.as_bytes() == name)
    }
}

/// Files that must not be opened under any name, by device and inode.
struct ClosedPaths {
    /// The hidden files.
    hidden: HashSet<(u64, u64)>,
    /// The directories above them.
    above: HashSet<(u64, u64)>,
}

impl ClosedPaths {
    fn of(places: &[PathBuf], observed: &mut Observed) -> Self {
        // Most of these are shared.
        let above: HashSet<&Path> = places
            .iter()
            .flat_map(|place| place.ancestors().skip(1))
            .collect();
        let mut see = |path: &Path| observed.see(path);
        Self {
            hidden: places.iter().filter_map(|place| see(place)).collect(),
            above: above.into_iter().filter_map(see).collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hidden_and_divided_as_the_policy_says() {
        let hidden = [
            "/h/u/.codex",
            "/h/u/.cache/run",
            "/h/u/.cache/x",
            "/h",
            "/w/a.b",
        ];
        let policy = SandboxPolicy {
            hidden: hidden.iter().map(PathBuf::from).collect(),
            ..SandboxPolicy::default()
        };
        for directory in ["/", "/h", "/h/u", "/h/u/.cache", "/w"] {
            let names = DividedNames::of(Path::new(directory), &policy.hidden);
            for name in [
                ".codex", ".codex.1", ".codexx", ".cache", ".cache.x", "run", "run.lock", "h",
                "h.x", "hh", "u", "w", "a.b", "a", "a.bc", "a.b.c",
            ] {
                let path = Path::new(directory).join(name);
                assert_eq!(names.hide(name.as_bytes()), policy.hides(&path), "{path:?}");
                assert_eq!(
                    names.lead_on(name.as_bytes()),
                    policy.divides(&path),
                    "{path:?}"
                );
            }
        }
    }
}
