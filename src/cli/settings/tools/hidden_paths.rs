//! Where credentials are kept, and how they are kept from tools.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::super::credentials;
use super::credential_homes::Homes;
use super::shared_directories::Guarded;
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::failure::Failure;
use crate::tools::sandbox::paths::{links, real, real_once};
use crate::tools::sandbox::policy::{Conflict, SandboxPolicy};
use crate::tools::sandbox::writable_reach::seen_twice;

/// The home of codex-run within the user's home.
const RUN_HOME: &str = ".codex-run";

/// The directories in the user's home of other programs whose credentials can be used.
const OTHERS: &[&str] = &[".codex", ".pi", ".pi/agent"];

/// The entries of such a directory that tools may read, even if they are links that point elsewhere.
const FOR_TOOLS: &[&str] = &[
    "AGENTS.md",
    "AGENTS.override.md",
    "SYSTEM.md",
    "agents",
    "extensions",
    "prompts",
    "rules",
    "skills",
    "themes",
    "tools",
    "worktrees",
];

/// Large directories of world-readable files.
const STORES: &[&str] = &["/nix/store", "/gnu/store"];

/// Where the credentials of codex-run, and of other programs whose files it can use, are kept.
pub(super) struct Hidden {
    /// The home of codex-run in this run.
    own: Option<PathBuf>,
    /// The homes of codex-run in runs with a different environment.
    others: Vec<PathBuf>,
    /// All places, as real paths.
    pub(super) places: Vec<PathBuf>,
    /// The links that resolve to them. A process that changes one changes what the next run trusts.
    links: Vec<PathBuf>,
    /// Warnings about credentials files with several hard links, which cannot all be hidden.
    pub(super) warnings: Vec<String>,
    homes: Homes,
    protected: ProtectedPaths,
}

/// The guarded places that no writable directory may overlap. Most missing places are not among them: they hold nothing.
#[derive(Debug, Default)]
struct ProtectedPaths {
    /// The home of this run, the directories that contain it, and links to it.
    own: Vec<PathBuf>,
    /// Other existing places, and the targets of links in a home of codex-run, even missing ones: tools could create there
    /// what the next run trusts.
    others: Vec<PathBuf>,
}

impl ProtectedPaths {
    /// Inspects these places.
    fn find(guarded: &[PathBuf], own: Option<&Path>, targets: &[PathBuf]) -> Self {
        let is_own =
            |place: &&PathBuf| own.is_some_and(|own| own.starts_with(place) || real(place) == *own);
        let (own, others): (Vec<&PathBuf>, Vec<&PathBuf>) = guarded.iter().partition(is_own);
        let matters =
            |place: &&&PathBuf| place.symlink_metadata().is_ok() || targets.contains(place);
        Self {
            own: own.into_iter().cloned().collect(),
            others: others.iter().filter(matters).copied().cloned().collect(),
        }
    }

    /// Fails with the first relevant conflict; a conflict with the home of this run takes precedence.
    fn refuse(&self, conflicts: impl Iterator<Item = Conflict>) -> Result<(), Failure> {
        let conflicts: Vec<Conflict> = conflicts.collect();
        let in_list = |places: &[PathBuf]| {
            let mut found = conflicts.iter();
            found.find(|conflict| places.contains(&conflict.hidden))
        };
        let (conflict, hint) = match (in_list(&self.own), in_list(&self.others)) {
            (Some(own), _) => (
                own,
                "use a project directory instead (-C, --add-dir), or move CODEX_RUN_HOME",
            ),
            (None, Some(other)) => (other, "use a project directory instead (-C, --add-dir)"),
            (None, None) => return Ok(()),
        };
        Err(Failure::usage(format!(
            "cannot let tools write to {}: {} contains credentials",
            conflict.root.display(),
            conflict.hidden.display()
        ))
        .hint(hint))
    }
}

impl Hidden {
    pub(super) fn find(args: &Args, environment: &Environment) -> Self {
        let homes = Homes::find(environment);
        let in_homes =
            |name: &str| -> Vec<PathBuf> { homes.all.iter().map(|home| home.join(name)).collect() };
        let variable = |name: &str| environment.get(name).map(|path| environment.expand(path));
        let own = environment.home();
        let mut of_run: Vec<PathBuf> = own.iter().cloned().collect();
        of_run.extend(in_homes(RUN_HOME));
        let mut of_others: Vec<PathBuf> = OTHERS.iter().flat_map(|name| in_homes(name)).collect();
        of_others.extend(variable("CODEX_HOME"));
        of_others.extend(variable("PI_CODING_AGENT_DIR"));

        let working = real(args.directory.as_deref().map_or(Path::new("."), Path::new));
        // A link to a directory that contains everything else does not resolve to credentials.
        let is_above = |link: &PathBuf| {
            let target = real(link);
            let mut inside = homes.all.iter().map(|home| real(home));
            working.starts_with(&target) || inside.any(|home| home.starts_with(&target))
        };
        let of_run_links: Vec<PathBuf> = of_run.iter().flat_map(|path| links_in(path)).collect();
        let of_others_links = of_others.iter().flat_map(|path| links_in(path));

        let directories = of_run.iter().chain(&of_others);
        let mut files: Vec<PathBuf> = directories
            .clone()
            .map(|directory| directory.join("auth.json"))
            .collect();
        files.extend(credentials::foreign(args, environment));
        files.extend(variable("CODEX_RUN_AUTH_FILE"));
        let key = args.api_key_file.as_ref().map(PathBuf::from);
        let further = args.credential_files.iter().cloned().chain(key);
        // A shell's pipe is not a file that could be hidden.
        files.extend(further.filter(|path| !path.exists() || path.is_file()));
        let warnings = files.iter().filter_map(|file| linked_twice(file)).collect();

        let mut named: Vec<PathBuf> = directories.cloned().collect();
        named.extend(files);
        named.extend(of_run_links.iter().cloned());
        named.extend(of_others_links.filter(|link| !is_above(link)));
        let links = named.iter().flat_map(|path| links(path)).collect();
        // Everything inside a place is hidden with it.
        let mut places: Vec<PathBuf> = Vec::new();
        let mut all = real_once(named);
        all.extend(seen_twice(&all));
        for place in all {
            if !places.iter().any(|known| place.starts_with(known)) {
                places.push(place);
            }
        }
        let own = own.map(|own| real(&own));
        let mut others = real_once(of_run);
        others.retain(|other| Some(other) != own.as_ref());
        let mut found = Self {
            own,
            others,
            places,
            links,
            warnings,
            homes,
            protected: ProtectedPaths::default(),
        };
        let (guarded, targets) = (found.guarded_places(), real_once(of_run_links));
        found.protected = ProtectedPaths::find(&guarded, found.own.as_deref(), &targets);
        found
    }

    /// Fails if it is unknown where this user's credentials would be.
    pub(super) fn known(&self) -> Result<(), Failure> {
        self.homes.known()
    }

    /// The homes of codex-run: that of this run, and those of runs with a different environment.
    pub(super) fn run_homes(&self) -> impl Iterator<Item = &PathBuf> {
        self.own.iter().chain(&self.others)
    }

    /// Warnings about homes for runs with a different environment that tools could create.
    pub(super) fn creatable_homes(&self, policy: &SandboxPolicy) -> Vec<String> {
        let others = SandboxPolicy {
            hidden: self.others.clone(),
            ..policy.clone()
        };
        let warning = |home: PathBuf| {
            format!(
                "tools can create {}, which a run without CODEX_RUN_HOME would use as its home",
                home.display()
            )
        };
        others
            .conflicts()
            .map(|conflict| warning(conflict.hidden))
            .collect()
    }

    /// Rejects a run whose tools could write where credentials are kept.
    pub(super) fn check(&self, policy: &SandboxPolicy) -> Result<(), Failure> {
        let with_links = SandboxPolicy {
            hidden: self.guarded_places(),
            ..policy.clone()
        };
        self.protected.refuse(with_links.conflicts())
    }

    /// The places, and the links that resolve to them.
    pub(super) fn guarded_places(&self) -> Vec<PathBuf> {
        [&self.places[..], &self.links].concat()
    }

    /// The same, as places that tools must not replace.
    pub(super) fn guarded(&self) -> Vec<Guarded> {
        let places = self.guarded_places();
        let guarded = |place: &PathBuf| Guarded {
            places: vec![place.clone()],
            what: format!("credentials are kept in {}", place.display()),
        };
        places.iter().map(guarded).collect()
    }

    /// The policy without hidden paths that do not exist and that tools could create, because the links to them would be
    /// made by tools as well.
    pub(super) fn there(policy: SandboxPolicy) -> SandboxPolicy {
        let made_by_tools: Vec<PathBuf> =
            policy.conflicts().map(|conflict| conflict.hidden).collect();
        let kept = |place: &PathBuf| !made_by_tools.contains(place);
        SandboxPolicy {
            hidden: policy
                .hidden
                .iter()
                .filter(|place| kept(place))
                .cloned()
                .collect(),
            ..policy
        }
    }
}

/// The links directly in this directory of a program, except those to files that tools may read.
fn links_in(directory: &Path) -> Vec<PathBuf> {
    let found = fs::read_dir(directory).into_iter().flatten().flatten();
    let is_link = |entry: &fs::DirEntry| entry.file_type().is_ok_and(|kind| kind.is_symlink());
    let is_own = |entry: &fs::DirEntry| {
        let name = entry.file_name();
        !FOR_TOOLS.iter().any(|known| name == *known)
    };
    let links = found.filter(|entry| is_link(entry) && is_own(entry));
    let paths = links.map(|entry| entry.path());
    paths
        .filter(|path| {
            let target = real(path);
            !STORES.iter().any(|store| target.starts_with(store))
        })
        .collect()
}

/// A warning about a file with several hard links, through which tools can read it.
fn linked_twice(file: &Path) -> Option<String> {
    let found = fs::metadata(file).ok()?;
    (found.is_file() && found.nlink() > 1).then(|| {
        format!(
            "{} has {} hard links, and tools can read it through the others",
            file.display(),
            found.nlink()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conflict_with_the_home_of_the_run_is_reported_first() {
        let protected = ProtectedPaths {
            own: vec!["/h/.codex-run".into()],
            others: vec!["/h/.codex".into(), "/k/key".into()],
        };
        let check = |conflicts: &[(&str, &str)], expected: Result<(), (&str, &str)>| {
            let conflicts = conflicts.iter().map(|(root, hidden)| Conflict {
                root: root.into(),
                hidden: hidden.into(),
            });
            let refused = protected
                .refuse(conflicts)
                .map_err(|failure| failure.words());
            match (&refused, expected) {
                (Ok(()), Ok(())) => {}
                (Err(words), Err((hidden, hint))) => {
                    let what = format!("{hidden} contains credentials");
                    assert!(words.contains(&what) && words.contains(hint), "{words}");
                }
                _ => panic!("{refused:?} is not {expected:?}"),
            }
        };
        let (own, other) = (("/h", "/h/.codex-run"), ("/h", "/h/.codex"));
        check(&[], Ok(()));
        check(&[("/h", "/h/.pi")], Ok(()));
        check(
            &[other],
            Err(("/h/.codex", "use a project directory instead")),
        );
        check(
            &[other, own],
            Err(("/h/.codex-run", "or move CODEX_RUN_HOME")),
        );
        let key = ("/k", "/k/key");
        check(
            &[("/h", "/h/.pi"), key, other],
            Err(("/k/key", "use a project directory instead")),
        );
    }
}
