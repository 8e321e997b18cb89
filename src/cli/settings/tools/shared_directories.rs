//! Where tools may write besides the directories that the user names: the shared temporary directories that programs expect,
//! and the temporary directory of the run, which tools of other runs cannot reach.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::cli::environment::Environment;
use crate::tools::sandbox::paths::{links, real};
use crate::tools::sandbox::policy::ClosedDirectory;
use crate::tools::scratch::TemporaryParent;

/// Temporary directories that programs expect to exist.
const SHARED: &[&str] = &["/tmp", "/var/tmp", "/dev/shm"];

/// Variables that name a file that a shell or a CI system later runs or trusts, or that holds or gives access to credentials
/// of other programs.
const GUARDED_VARIABLES: &[&str] = &[
    "BASH_ENV",
    "ENV",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
    "PYTHONSTARTUP",
    "KRB5CCNAME",
    "XAUTHORITY",
    "SSH_AUTH_SOCK",
];

/// The subdirectory of codex-run where temporary directories are created.
const OWN: &str = "codex-run";

/// The shared directories, sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SharedDirectories {
    /// The directories that tools may write to.
    pub(super) open: Vec<PathBuf>,
    /// The directories that tools must not write to.
    pub(super) closed: Vec<ClosedDirectory>,
}

/// Something that tools must not replace.
pub(super) struct Guarded {
    /// Its path, and the paths of links to it.
    pub(super) places: Vec<PathBuf>,
    /// Why it is guarded, worded to follow "because".
    pub(super) what: String,
}

/// The files that these variables name.
pub(super) fn named_by_variables(environment: &Environment) -> Vec<Guarded> {
    let guarded = |name: &&str| {
        let value = environment.get(name)?;
        // Kerberos puts the type of the cache before its path, with a second colon for one of several caches.
        let path = value.to_str().and_then(|text| {
            let kinds = ["FILE:", "DIR::", "DIR:"];
            kinds.iter().find_map(|kind| text.strip_prefix(kind))
        });
        let path = Path::new(path.map_or(value, OsStr::new));
        let mut places = links(path);
        places.push(real(path));
        Some(Guarded {
            places,
            what: format!("{name} names a file there"),
        })
    };
    GUARDED_VARIABLES.iter().filter_map(guarded).collect()
}

/// Sorts the existing shared directories into open and closed ones.
pub(super) fn shared(guarded: &[Guarded]) -> SharedDirectories {
    let mut existing: Vec<PathBuf> = SHARED
        .iter()
        .filter_map(|place| fs::canonicalize(place).ok())
        .filter(|place| place.is_dir())
        .collect();
    existing.dedup();
    sorted(existing, guarded)
}

/// Whether this is one of the shared directories.
pub(super) fn is_shared(directory: &Path) -> bool {
    SHARED
        .iter()
        .any(|place| real(Path::new(place)) == directory)
}

/// Closes the directories that overlap a guarded place.
fn sorted(places: Vec<PathBuf>, guarded: &[Guarded]) -> SharedDirectories {
    let mut shared = SharedDirectories::default();
    for place in places {
        let reason = guarded.iter().find(|guarded| {
            let mut places = guarded.places.iter();
            places.any(|guarded| guarded.starts_with(&place) || place.starts_with(guarded))
        });
        match reason {
            Some(reason) => shared.closed.push(ClosedDirectory {
                place,
                reason: reason.what.clone(),
            }),
            None => shared.open.push(place),
        }
    }
    shared
}

/// The directories where the run's temporary directory may be created, best first. `reached` returns whether tools can reach
/// a place, and `hidden` whether credentials are kept there.
pub(super) fn temporary(
    environment: &Environment,
    reached: impl Fn(&Path) -> bool,
    hidden: impl Fn(&Path) -> bool,
) -> Vec<TemporaryParent> {
    let user = geteuid().as_raw();
    let runtime = [
        environment.get("XDG_RUNTIME_DIR").map(PathBuf::from),
        Some(format!("/run/user/{user}").into()),
    ];
    let mut parents: Vec<PathBuf> = runtime
        .into_iter()
        .flatten()
        .filter(|place| place.is_absolute() && is_private(place, user))
        .collect();
    let home = environment.get("HOME").map(PathBuf::from);
    // Under sudo this may be the home of another user, where root must not leave files.
    let own = |home: &PathBuf| {
        home.is_absolute()
            && fs::metadata(home).is_ok_and(|found| found.is_dir() && found.uid() == user)
    };
    parents.extend(home.filter(own).map(|home| home.join(".cache")));
    let mut parents: Vec<TemporaryParent> = parents
        .into_iter()
        .map(|place| TemporaryParent {
            path: real(&place.join(OWN)),
            private: true,
            apart: true,
        })
        .filter(|parent| !reached(&parent.path))
        .collect();
    parents.dedup();
    let last = real(&std::env::temp_dir());
    parents.push(TemporaryParent {
        apart: !reached(&last),
        path: last,
        private: false,
    });
    parents.retain(|parent| !hidden(&parent.path));
    parents
}

/// Whether only this user can change what is in this directory.
fn is_private(place: &Path, user: u32) -> bool {
    fs::metadata(place)
        .is_ok_and(|found| found.is_dir() && found.uid() == user && found.mode() & 0o022 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guarded(places: &[&str], what: &str) -> Guarded {
        Guarded {
            places: places.iter().map(PathBuf::from).collect(),
            what: what.to_owned(),
        }
    }

    #[test]
    fn only_the_affected_place_is_closed() {
        let places = || ["/tmp", "/var/tmp"].map(PathBuf::from).to_vec();
        let check = |guarded: &[Guarded], open: &[&str], expected: &[&str]| {
            let found = sorted(places(), guarded);
            let reasons: Vec<&str> = found.closed.iter().map(|c| &*c.reason).collect();
            assert_eq!(
                found.open,
                open.iter().map(PathBuf::from).collect::<Vec<_>>()
            );
            assert_eq!(reasons, expected);
        };
        check(&[], &["/tmp", "/var/tmp"], &[]);
        check(
            &[guarded(&["/home/u/.codex-run"], "a")],
            &["/tmp", "/var/tmp"],
            &[],
        );
        check(&[guarded(&["/tmpfile"], "a")], &["/tmp", "/var/tmp"], &[]);
        check(
            &[guarded(&["/tmp/x/auth.json"], "a")],
            &["/var/tmp"],
            &["a"],
        );
        check(&[guarded(&["/tmp"], "a")], &["/var/tmp"], &["a"]);
        check(
            &[
                guarded(&["/x", "/tmp/link"], "a"),
                guarded(&["/var/tmp/y"], "b"),
            ],
            &[],
            &["a", "b"],
        );
        check(&[guarded(&["/var"], "a")], &["/tmp"], &["a"]);
    }

    #[test]
    fn variables_name_files_in_several_forms() {
        let environment = Environment::new(
            [
                ("KRB5CCNAME", "FILE:/tmp/krb5cc_0"),
                ("BASH_ENV", "/nowhere/../tmp/env"),
                ("GITHUB_ENV", ""),
            ]
            .map(|(name, value)| (name.into(), value.into()))
            .to_vec(),
        );
        let found = named_by_variables(&environment);
        let names: Vec<&str> = found.iter().map(|guarded| &*guarded.what).collect();
        assert_eq!(
            names,
            [
                "BASH_ENV names a file there",
                "KRB5CCNAME names a file there"
            ]
        );
        let shared = sorted(vec![real(Path::new("/tmp"))], &found[1..]);
        assert_eq!(shared.closed.len(), 1);
        for value in ["/tmp/cc", "DIR:/tmp/cc", "DIR::/tmp/cc/tkt1"] {
            let environment = Environment::new(vec![("KRB5CCNAME".into(), value.into())]);
            let found = named_by_variables(&environment);
            let shared = sorted(vec![real(Path::new("/tmp"))], &found);
            assert_eq!(shared.closed.len(), 1, "{value}");
        }
    }
}
