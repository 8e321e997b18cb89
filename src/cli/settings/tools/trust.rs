//! Which users' files are trusted without being named explicitly: instructions of a project, its repository, and
//! manifests of tools. Another user who can write to a parent directory could have put them there.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::tools::sandbox::paths::{links, real};

/// The users whose files are trusted.
pub(crate) struct Trust {
    /// The user that this process acts for.
    user: u32,
    /// The owner of the working directory.
    owner: u32,
}

impl Trust {
    /// In this working directory.
    pub(crate) fn of(directory: &Path) -> Self {
        let user = rustix::process::geteuid().as_raw();
        let owner = fs::metadata(directory).map_or(user, |found| found.uid());
        Self { user, owner }
    }

    /// The user whose repositories tools may change. In a container, root works on files of another user.
    pub(crate) fn acts_for(&self) -> u32 {
        if self.user == 0 {
            self.owner
        } else {
            self.user
        }
    }

    /// Whether instructions of this owner are trusted: those of the user and of root. For root in a container, also those
    /// of the owner of the working directory.
    pub(crate) fn trusts_instructions(&self, owner: u32) -> bool {
        owner == 0 || owner == self.user || (self.user == 0 && owner == self.owner)
    }

    /// Whether a repository or a manifest of this owner is trusted. For a user other than root it always is, because it is
    /// limited to that user's rights.
    pub(crate) fn trusts(&self, owner: u32) -> bool {
        self.user != 0 || self.trusts_instructions(owner)
    }
}

/// Whether this directory is world-writable. The sticky bit (inode(7)) does not keep other users from creating a file there
/// first.
pub(crate) fn is_world_writable(directory: &Path) -> bool {
    fs::metadata(directory).is_ok_and(|found| found.mode() & 0o002 != 0)
}

/// The world-writable directory that contains this file, or a link in its path.
pub(crate) fn world_writable_parent(file: &Path) -> Option<PathBuf> {
    let mut places = links(file);
    places.push(real(file));
    let mut above = places.iter().filter_map(|place| place.parent());
    above
        .find(|above| is_world_writable(above))
        .map(Path::to_owned)
}

/// The part of a project whose instructions apply.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Project {
    /// The root of its repository, or the working directory.
    pub(crate) root: PathBuf,
    /// The directories from the root down to the working directory.
    pub(crate) folders: Vec<PathBuf>,
    /// Warnings about what is ignored.
    pub(crate) warnings: Vec<String>,
}

impl Project {
    /// Finds the repository that contains this directory, a real path. World-writable directories and everything above them
    /// are skipped.
    pub(crate) fn around(directory: &Path, trust: &Trust) -> Self {
        let mut project = Self {
            root: directory.to_owned(),
            folders: vec![directory.to_owned()],
            warnings: Vec::new(),
        };
        for folder in directory.ancestors() {
            if is_world_writable(folder) {
                project.warnings.extend(ignored_in(folder, directory));
                if folder == directory {
                    project.folders.clear();
                }
                break;
            }
            let git = folder.join(".git");
            if !git.exists() {
                continue;
            }
            if fs::symlink_metadata(&git).is_ok_and(|found| trust.trusts(found.uid())) {
                let below = directory.ancestors();
                let folders = below.take_while(|below| below.starts_with(folder));
                project.folders = folders.map(Path::to_owned).collect();
                project.folders.reverse();
                folder.clone_into(&mut project.root);
            } else {
                project.warnings.push(format!(
                    "{} belongs to another user and is not treated as a repository",
                    git.display()
                ));
            }
            break;
        }
        project
    }
}

/// Warnings about what is ignored because `open`, the working directory or one above it, is world-writable.
fn ignored_in(open: &Path, directory: &Path) -> Vec<String> {
    let repository = open.ancestors().map(|folder| folder.join(".git"));
    let git = repository.into_iter().find(|git| git.exists());
    let words = open.join("AGENTS.md");
    let words = Some(words).filter(|words| (open == directory || git.is_some()) && words.exists());
    let warning = |path: PathBuf| {
        format!(
            "{} is ignored: {} is world-writable",
            path.display(),
            open.display()
        )
    };
    git.into_iter().chain(words).map(warning).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_trusts_itself_and_the_owner_of_the_working_directory() {
        let check = |user, owner, file, words: bool, other: bool| {
            let trust = Trust { user, owner };
            let found = (trust.trusts_instructions(file), trust.trusts(file));
            assert_eq!(
                found,
                (words, other),
                "{user} in a directory of {owner}: {file}"
            );
        };
        for owner in [0, 7, 8] {
            check(0, owner, 0, true, true);
            check(7, owner, 0, true, true);
            check(7, owner, 7, true, true);
            check(7, owner, 8, false, true);
        }
        check(0, 0, 7, false, false);
        check(0, 7, 7, true, true);
        check(0, 7, 8, false, false);
    }
}
