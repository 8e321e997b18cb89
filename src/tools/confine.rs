//! Puts the walls up around this process, for good: it, and whatever it starts, can never take them down. Called by
//! a tool's own process before anything else; and by a thread of the run, which then ends, to find out whether this
//! system can.

use std::error::Error as StdError;
use std::path::PathBuf;
use std::{fmt, io, thread};

use super::walls::Walls;
use crate::exhausted::{Exhausted, at_start};

/// Why there are no walls.
#[derive(Debug)]
pub enum Error {
    /// The system has nothing that could hide files, or an older form of it.
    Unavailable,
    /// A place that is to be open cannot be opened.
    Place(PathBuf, io::Error),
    /// The system gave no thread to try it on.
    Thread(io::Error),
    /// The system refused a step.
    Step(&'static str, String),
}

impl Error {
    /// What the system has no more of, if that is the reason.
    #[must_use]
    pub fn exhausted(&self) -> Option<Exhausted> {
        match self {
            Self::Place(_, error) | Self::Thread(error) => Exhausted::of(error),
            Self::Unavailable | Self::Step(..) => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable => {
                f.write_str("this system has no Landlock, or one from before Linux 6.2")
            }
            Self::Place(path, error) => write!(f, "cannot open {}: {error}", path.display()),
            Self::Thread(error) => write!(f, "no thread can be started: {error}"),
            Self::Step(step, why) => write!(f, "the system refused to {step}: {why}"),
        }
    }
}

impl StdError for Error {}

/// How far the walls reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Signals reach no process outside, so that one to all processes ends just those inside.
    pub signals: bool,
}

/// Whether the walls can be put up here, tried on a thread that ends.
///
/// # Errors
/// When they cannot.
pub fn check(walls: &Walls) -> Result<(), Error> {
    let walls = walls.clone();
    let tried = thread::Builder::new()
        .spawn(move || confine(&walls).map(drop))
        .map_err(|error| Error::Thread(at_start(error)))?;
    tried
        .join()
        .unwrap_or_else(|_| Err(Error::Step("try the walls", "a defect".to_owned())))
}

/// Does something, such as starting a program, in a way that what comes of it can send this process no signal.
///
/// # Errors
/// When that cannot be had, or what is done fails.
pub fn out_of_reach<T: Send>(
    reach: Reach,
    work: impl FnOnce() -> io::Result<T> + Send,
) -> io::Result<T> {
    if !reach.signals {
        return work();
    }
    // Walls are put up around a thread and whatever it starts; this one ends with what it has done.
    thread::scope(|scope| {
        let inner = thread::Builder::new().spawn_scoped(scope, || {
            shield().map_err(io::Error::other)?;
            work()
        });
        let inner = inner.map_err(at_start)?;
        inner
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
    })
}

/// Keeps other processes from looking into this one's memory, environment and descriptors through `/proc`.
pub fn shut() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}

/// Has this process end when the one that started it does.
pub fn end_with_parent() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::TERM));
}

#[cfg(not(target_os = "linux"))]
pub use elsewhere::confine;
#[cfg(not(target_os = "linux"))]
use elsewhere::shield;

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use super::{Error, Reach, Walls};

    /// There are no walls here yet.
    ///
    /// # Errors
    /// Always.
    pub fn confine(_: &Walls) -> Result<Reach, Error> {
        Err(Error::Unavailable)
    }

    pub(super) fn shield() -> Result<(), Error> {
        Err(Error::Unavailable)
    }
}

#[cfg(target_os = "linux")]
pub use linux::confine;
#[cfg(target_os = "linux")]
use linux::shield;

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::HashSet;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;
    use std::{fs, io};

    use landlock::{
        ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus,
        PathBeneath, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetStatus,
        Scope, make_bitflags,
    };
    use rustix::fs::{FileType, Mode, OFlags, Stat, fstat, open};
    use rustix::io::Errno;
    use rustix::process::{getppid, test_kill_process};
    use rustix::thread::{
        CapabilitySet, capabilities, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
    };

    use super::{Error, Reach, Walls};
    use crate::tools::mounts::{aliases, devices, table};
    use crate::tools::syscalls;

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

    /// The devices that can be read. The others give away disks, memory, and what is typed at other terminals.
    const DEVICES: &[&str] = &["/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

    const READ: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | ReadDir | Execute});
    const READ_FILE: BitFlags<AccessFs> = make_bitflags!(AccessFs::{ReadFile | Execute});
    const NULL: BitFlags<AccessFs> =
        make_bitflags!(AccessFs::{ReadFile | WriteFile | Truncate | IoctlDev});

    /// Puts the walls up around this thread, and every process that it starts.
    ///
    /// # Errors
    /// When the system has none, or refuses; then this thread must not do what needs them.
    pub fn confine(walls: &Walls) -> Result<Reach, Error> {
        set_no_new_privs(true).map_err(step("forbid new privileges"))?;
        drop_capabilities()?;
        let reach = fence(walls)?;
        let filter = syscalls::filter(walls.write, walls.network, reach)
            .map_err(|error| Error::Step("make a filter", error.to_string()))?;
        let without_clone3 = syscalls::without_clone3()
            .map_err(|error| Error::Step("make a filter", error.to_string()))?;
        for filter in [without_clone3, filter] {
            seccompiler::apply_filter(&filter)
                .map_err(|error| Error::Step("filter system calls", error.to_string()))?;
        }
        Ok(reach)
    }

    /// Further walls around this thread, which hold back signals to whoever is outside them.
    pub(super) fn shield() -> Result<(), Error> {
        let ruleset = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .scope(Scope::Signal)
            .map_err(step("fence signals"))?;
        let created = ruleset.create().map_err(step("fence signals"))?;
        created
            .restrict_self()
            .map(drop)
            .map_err(step("fence signals"))
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
        let mut sets = capabilities(None).map_err(step("tell its capabilities"))?;
        sets.effective &= KEPT;
        sets.permitted &= KEPT;
        sets.inheritable = CapabilitySet::empty();
        set_capabilities(None, sets).map_err(step("drop capabilities"))
    }

    /// Landlock: what is not named below cannot be touched.
    fn fence(walls: &Walls) -> Result<Reach, Error> {
        let all = AccessFs::from_all(LEAST) | AccessFs::IoctlDev;
        let mut ruleset = Ruleset::default()
            .set_compatibility(CompatLevel::HardRequirement)
            .handle_access(AccessFs::from_all(LEAST))
            .map_err(|_| Error::Unavailable)?
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::IoctlDev)
            .and_then(|ruleset| ruleset.scope(Scope::AbstractUnixSocket | Scope::Signal))
            .map_err(step("fence files"))?;
        if !walls.network {
            ruleset = ruleset
                .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)
                .map_err(step("fence the network"))?;
        }
        let mut fence = Fence(ruleset.create().map_err(step("fence files"))?);
        // What is hidden has other names where it is mounted twice; and so have devices.
        let mounts = table().map_err(|error| Error::Place("/proc/self/mountinfo".into(), error))?;
        let mut walls = walls.clone();
        walls.hidden.extend(aliases(&mounts, &walls.hidden));
        let kept = Closed::of(&walls);
        walls.hidden.extend(devices(&mounts));
        let walls = &walls;
        let closed = Closed::of(walls);
        // Names can be listed everywhere: rules reach down, so a home could not be listed otherwise.
        fence.allow(Path::new("/"), AccessFs::ReadDir.into())?;
        fence.read(Path::new("/"), walls, &closed)?;
        for place in walls.readable.iter().filter(|place| place.exists()) {
            fence.allow(place, READ)?;
        }
        fence.allow_if_there(Path::new("/dev/null"), NULL);
        for device in DEVICES {
            fence.allow_if_there(Path::new(device), AccessFs::ReadFile.into());
        }
        for root in &walls.writable {
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
        Ok(Reach { signals })
    }

    /// What must not be opened, whatever it is called: devices and inodes.
    struct Closed {
        /// What is hidden.
        hidden: HashSet<(u64, u64)>,
        /// The directories on the way there.
        way: HashSet<(u64, u64)>,
    }

    impl Closed {
        fn of(walls: &Walls) -> Self {
            let identity = |path: &Path| {
                let found = fs::symlink_metadata(path).ok()?;
                Some((found.dev(), found.ino()))
            };
            let above = walls
                .hidden
                .iter()
                .flat_map(|place| place.ancestors().skip(1));
            Self {
                hidden: walls
                    .hidden
                    .iter()
                    .filter_map(|place| identity(place))
                    .collect(),
                way: above.filter_map(identity).collect(),
            }
        }
    }

    /// What is open so far.
    struct Fence(RulesetCreated);

    impl Fence {
        /// Opens what can be read below a directory. Rules cannot take a part out of what others allow, so where
        /// something below is hidden, what is beside it is opened piece by piece.
        fn read(&mut self, directory: &Path, walls: &Walls, closed: &Closed) -> Result<(), Error> {
            let mut seen = Vec::new();
            // A directory that cannot be listed can still be on the way to one that can.
            for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
                seen.push(entry.path());
            }
            let on_the_way = walls.hidden.iter().filter_map(|hidden| {
                let rest = hidden.strip_prefix(directory).ok()?;
                Some(directory.join(rest.components().next()?))
            });
            seen.extend(on_the_way);
            seen.sort_unstable();
            seen.dedup();
            for path in seen {
                if walls.hides(&path) {
                    continue;
                }
                if walls.divides(&path) {
                    self.read(&path, walls, closed)?;
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
}
