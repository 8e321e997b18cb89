//! Which users' files are trusted without being named explicitly: instructions of a project, its repository, and
//! manifests of tools. Another user who may write in a directory above could have put them there.

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

    /// The user whose repositories tools may change. Root, in a container, works on files of another user.
    pub(crate) fn acts_for(&self) -> u32 {
        if self.user == 0 {
            self.owner
        } else {
            self.user
        }
    }

    /// Whether instructions of this owner are taken: the user's own, and those of root. Root, in a container, works on
    /// files of others, but on those of one user only.
    pub(crate) fn takes_words(&self, owner: u32) -> bool {
        owner == 0 || owner == self.user || (self.user == 0 && owner == self.owner)
    }

    /// Whether a repository or a manifest of this owner is taken. What others share with a user who is not root is
    /// confined to that user's rights.
    pub(crate) fn takes(&self, owner: u32) -> bool {
        self.user != 0 || self.takes_words(owner)
    }
}

/// Whether everybody may write in this directory. Where that holds for it as a whole, the sticky bit (inode(7)) does
/// not keep anybody from making a file there first.
pub(crate) fn is_open_to_all(directory: &Path) -> bool {
    fs::metadata(directory).is_ok_and(|found| found.mode() & 0o002 != 0)
}

/// The directory, open to everybody, in which this file or a link on the way to it lies.
pub(crate) fn open_directory(file: &Path) -> Option<PathBuf> {
    let mut places = links(file);
    places.push(real(file));
    let mut above = places.iter().filter_map(|place| place.parent());
    above
        .find(|above| is_open_to_all(above))
        .map(Path::to_owned)
}

/// The part of a project whose instructions count.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Project {
    /// The root of its repository, or the working directory.
    pub(crate) root: PathBuf,
    /// The directories from the root down to the working directory.
    pub(crate) folders: Vec<PathBuf>,
    /// What is not believed, to be reported.
    pub(crate) warnings: Vec<String>,
}

impl Project {
    /// Looks for the repository around this directory, a real path. Nothing is taken from a directory in which
    /// everybody may write, and nothing above one is looked for.
    pub(crate) fn around(directory: &Path, trust: &Trust) -> Self {
        let mut project = Self {
            root: directory.to_owned(),
            folders: vec![directory.to_owned()],
            warnings: Vec::new(),
        };
        for folder in directory.ancestors() {
            if is_open_to_all(folder) {
                project.warnings.extend(not_taken(folder, directory));
                if folder == directory {
                    project.folders.clear();
                }
                break;
            }
            let git = folder.join(".git");
            if !git.exists() {
                continue;
            }
            if fs::symlink_metadata(&git).is_ok_and(|found| trust.takes(found.uid())) {
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

/// What would be taken if not everybody could write in `open`, which is the working directory or lies above it.
fn not_taken(open: &Path, directory: &Path) -> Vec<String> {
    let repository = open.ancestors().map(|folder| folder.join(".git"));
    let git = repository.into_iter().find(|git| git.exists());
    let words = open.join("AGENTS.md");
    let words = Some(words).filter(|words| (open == directory || git.is_some()) && words.exists());
    let warning = |path: PathBuf| {
        format!(
            "{} is ignored: everybody may write in {}",
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
    fn root_believes_itself_and_the_owner_of_the_working_directory() {
        let check = |user, owner, file, words: bool, other: bool| {
            let trust = Trust { user, owner };
            let found = (trust.takes_words(file), trust.takes(file));
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
