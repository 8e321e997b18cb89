//! Resolves paths, and identifies directories by more than their path.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

use rustix::fs::{Mode, OFlags, open, openat};

/// A writable directory. A tool may replace it, but the replacement cannot have the same identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Its path.
    pub path: PathBuf,
    /// Its device and inode when the run began.
    pub identity: (u64, u64),
}

impl Root {
    /// Opens and holds the directory, so that no other one can get the same inode meanwhile.
    ///
    /// # Errors
    ///
    /// If the directory is no longer there.
    #[cfg(target_os = "linux")]
    pub fn hold(&self) -> io::Result<OwnedFd> {
        let held = opened(&self.path)?;
        if identity(&held)? != self.identity {
            return Err(io::Error::other("it was replaced by a different directory"));
        }
        Ok(held)
    }

    /// Opens and holds the directory, so that no other one can get the same inode meanwhile.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    #[cfg(not(target_os = "linux"))]
    pub fn hold(&self) -> io::Result<OwnedFd> {
        fs::File::open(&self.path).map(Into::into)
    }

    /// Identifies the directory at this real path.
    ///
    /// # Errors
    ///
    /// If it cannot be inspected, or the resolved path now contains a link: the target is not what was checked.
    #[cfg(target_os = "linux")]
    pub fn of(path: PathBuf) -> io::Result<Self> {
        let identity = identity(&opened(&path)?)?;
        Ok(Self { path, identity })
    }

    /// Identifies the directory at this real path.
    ///
    /// # Errors
    ///
    /// If it cannot be inspected.
    #[cfg(not(target_os = "linux"))]
    pub fn of(path: PathBuf) -> io::Result<Self> {
        let found = fs::metadata(&path)?;
        Ok(Self {
            path,
            identity: (found.dev(), found.ino()),
        })
    }
}

/// The metadata of a real path; no link is followed.
#[cfg(target_os = "linux")]
fn opened(path: &Path) -> io::Result<OwnedFd> {
    use std::os::fd::AsRawFd;
    let opened = open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?;
    let target = fs::read_link(format!("/proc/self/fd/{}", opened.as_raw_fd()))?;
    if target != path {
        return Err(io::Error::other("it was replaced by a link"));
    }
    Ok(opened)
}

/// Opens a real path. Fails if the path, which was resolved before, now contains a link.
///
/// # Errors
///
/// If it cannot be opened.
pub fn open_real(path: &Path, flags: OFlags) -> io::Result<OwnedFd> {
    // The path may contain directories that can be entered but not listed.
    #[cfg(target_os = "linux")]
    const ENTERED: OFlags = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    const ENTERED: OFlags = OFlags::RDONLY;
    let always = OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let way = ENTERED | OFlags::DIRECTORY | always;
    let mut at = open("/", way, Mode::empty())?;
    let mut names: Vec<&OsStr> = path.iter().skip(1).collect();
    let last = names.pop().ok_or(io::ErrorKind::InvalidFilename)?;
    for name in names {
        at = openat(&at, name, way, Mode::empty())?;
    }
    openat(&at, last, flags | always, Mode::empty()).map_err(Into::into)
}

/// The device and the inode of an open file.
///
/// # Errors
/// If the file cannot be looked at.
#[cfg(target_os = "linux")]
pub fn identity(opened: &OwnedFd) -> io::Result<(u64, u64)> {
    let found = rustix::fs::fstat(opened)?;
    Ok((found.st_dev, found.st_ino))
}

/// The device and the inode of an open file, as the standard library numbers them: elsewhere a device has another type.
///
/// # Errors
/// If the file cannot be looked at.
#[cfg(not(target_os = "linux"))]
pub fn identity(opened: &OwnedFd) -> io::Result<(u64, u64)> {
    let found = fs::File::from(opened.try_clone()?).metadata()?;
    Ok((found.dev(), found.ino()))
}

/// Resolves a path: the existing part without links, the rest unchanged. A dangling link resolves to its target.
#[must_use]
pub fn real(path: &Path) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| walk(path).1)
}

/// A step in resolving a path, with its real location.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathStep {
    /// The place.
    pub place: PathBuf,
    /// Whether it is a link, whose target is the next step.
    pub is_link: bool,
}

/// The steps in resolving a path: directories, links and the target. Write access to the directory that contains any
/// of them is control over where the path leads.
#[must_use]
pub fn steps(path: &Path) -> Vec<PathStep> {
    walk(path).0
}

/// The real locations of the links on a path. Write access to one of their directories is control over where the path
/// leads.
#[must_use]
pub fn links(path: &Path) -> Vec<PathBuf> {
    let links = steps(path).into_iter().filter(|step| step.is_link);
    links.map(|step| step.place).collect()
}

/// Walks a path as the system does (`path_resolution(7)`). Returns the steps and the target.
fn walk(path: &Path) -> (Vec<PathStep>, PathBuf) {
    let (mut steps, mut links) = (Vec::new(), 0);
    let mut done = PathBuf::new();
    let mut left: Vec<OsString> = names(&std::path::absolute(path).unwrap_or_default());
    while let Some(name) = left.pop() {
        if name == ".." {
            done.pop();
            continue;
        }
        let next = done.join(&name);
        let target = fs::read_link(&next);
        let is_link = target.is_ok();
        steps.push(PathStep {
            place: next.clone(),
            is_link,
        });
        match target {
            // The system's limit on links.
            Ok(target) if links < 40 => {
                links += 1;
                if target.is_absolute() {
                    done = PathBuf::new();
                }
                left.extend(names(&target));
            }
            _ => done = next,
        }
    }
    (steps, done)
}

/// The components of a path, last one first.
fn names(path: &Path) -> Vec<OsString> {
    let names = path.components().filter(|part| *part != Component::CurDir);
    let mut names: Vec<OsString> = names.map(|part| part.as_os_str().to_owned()).collect();
    names.reverse();
    names
}

/// Whether there is a program at this path.
#[must_use]
pub fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.mode() & 0o111 != 0)
}

/// Finds the program that a shell with this `PATH` would run.
#[must_use]
pub fn program_on(path: &OsStr, name: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path)
        .map(|directory| directory.join(name))
        .find(|program| is_program(program))
}

/// Resolves paths and removes duplicates.
#[must_use]
pub fn real_once(paths: impl IntoIterator<Item = PathBuf>) -> Vec<PathBuf> {
    let all: BTreeSet<PathBuf> = paths.into_iter().map(|path| real(&path)).collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn a_directory_reached_through_a_link_is_refused() {
        let top = std::env::temp_dir().join(format!("codex-run-root-{}", std::process::id()));
        for path in ["way/place", "victim/place"] {
            fs::create_dir_all(top.join(path)).expect("a directory");
        }
        let top = real(&top);
        let place = top.join("way/place");
        let root = Root::of(place.clone()).expect("it is there");
        root.hold().expect("it is there");
        // What a program of another run could do between two checks.
        fs::rename(top.join("way"), top.join("moved")).expect("it is ours");
        std::os::unix::fs::symlink("victim", top.join("way")).expect("a link");
        Root::of(place).expect_err("it is the victim");
        root.hold().expect_err("it is the victim");
        let real = top.join("victim/place");
        open_real(&real, OFlags::RDONLY).expect("no link leads there");
        open_real(&top.join("way/place"), OFlags::RDONLY).expect_err("a link leads there");
        open_real(&top.join("way"), OFlags::RDONLY).expect_err("it is a link");
        let _ = fs::remove_dir_all(top);
    }

    #[test]
    fn links_are_listed_by_their_real_locations() {
        let top = std::env::temp_dir().join(format!("codex-run-links-{}", std::process::id()));
        fs::create_dir_all(top.join("a/b")).expect("a directory");
        let top = real(&top);
        let link =
            |to: &str, at: &str| std::os::unix::fs::symlink(to, top.join(at)).expect("a link");
        link("../c", "a/one");
        link("a/b", "c");
        link("loop", "loop");
        assert_eq!(
            links(&top.join("a/one/x")),
            [top.join("a/one"), top.join("c")]
        );
        assert_eq!(
            links(&top.join("a/b/../one")),
            [top.join("a/one"), top.join("c")]
        );
        assert_eq!(links(&top.join("a/b/x")), Vec::<PathBuf>::new());
        // One more link is recorded, but not followed.
        assert_eq!(links(&top.join("loop")).len(), 41);
        assert_eq!(real(&top.join("loop/x")), top.join("loop/x"));
        // A missing target is where the links lead.
        link("../d/gone", "a/dangling");
        assert_eq!(real(&top.join("a/dangling/x")), top.join("d/gone/x"));
        assert_eq!(real(&top.join("a/one/new")), top.join("a/b/new"));
        let places: Vec<PathBuf> = steps(&top.join("a/one/../x"))
            .into_iter()
            .map(|step| step.place)
            .filter(|place| place.starts_with(&top) && *place != top)
            .collect();
        assert_eq!(
            places,
            ["a", "a/one", "c", "a", "a/b", "a/x"].map(|place| top.join(place))
        );
        let _ = fs::remove_dir_all(top);
    }
}
