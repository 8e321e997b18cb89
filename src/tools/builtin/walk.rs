//! A walk through a directory, by name and without what is ignored: for `ls`, and for `grep` and `find` where they do
//! without `rg`.

use std::fs::{self, DirEntry, FileType};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::ignore::{Patterns, above, is_ignored};
use crate::tools::sandbox::paths::real;

/// What a walk found.
pub(super) struct WalkOutcome {
    pub(super) path: PathBuf,
    pub(super) is_dir: bool,
    /// A regular one; links are not followed.
    pub(super) is_file: bool,
}

/// What is in one directory and not ignored, by name; and how much is.
pub(super) fn list(directory: &Path) -> std::io::Result<(Vec<DirEntry>, usize)> {
    let real_directory = real(directory);
    let mut patterns = above(&real_directory);
    patterns.push(Patterns::of(&real_directory));
    entries(directory, &real_directory, &patterns)
}

fn entries(
    directory: &Path,
    real: &Path,
    patterns: &[Patterns],
) -> std::io::Result<(Vec<DirEntry>, usize)> {
    let mut kept: Vec<DirEntry> = fs::read_dir(directory)?.flatten().collect();
    let all = kept.len();
    kept.retain(|entry| {
        let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let name = entry.file_name();
        name != ".git" && !is_ignored(patterns, &real.join(&name), is_dir)
    });
    kept.sort_by_key(DirEntry::file_name);
    let ignored = all - kept.len();
    Ok((kept, ignored))
}

/// Goes through everything below a directory, depth first; links are not followed. `visit` says whether to go on.
/// Whether all was seen before the deadline.
pub(super) fn walk(
    top: &Path,
    deadline: Instant,
    visit: &mut dyn FnMut(&WalkOutcome) -> bool,
) -> std::io::Result<bool> {
    let real_top = real(top);
    let mut patterns = above(&real_top);
    let mut walk = Walk {
        deadline,
        visit,
        in_time: true,
    };
    // What cannot be listed below the top is left out, as `rg` does.
    fs::read_dir(top)?;
    walk.descend(top, &real_top, &mut patterns);
    Ok(walk.in_time)
}

struct Walk<'a> {
    deadline: Instant,
    visit: &'a mut dyn FnMut(&WalkOutcome) -> bool,
    in_time: bool,
}

impl Walk<'_> {
    /// Whether to go on.
    fn descend(&mut self, directory: &Path, real: &Path, patterns: &mut Vec<Patterns>) -> bool {
        patterns.push(Patterns::of(real));
        let found = entries(directory, real, patterns).map(|found| found.0);
        let mut going = true;
        for entry in found.into_iter().flatten() {
            self.in_time &= Instant::now() < self.deadline;
            let name = entry.file_name();
            let kind = entry.file_type();
            let found = WalkOutcome {
                path: below(directory, Path::new(&name)),
                is_dir: kind.as_ref().is_ok_and(FileType::is_dir),
                is_file: kind.as_ref().is_ok_and(FileType::is_file),
            };
            going = self.in_time
                && (self.visit)(&found)
                && (!found.is_dir || self.descend(&found.path, &real.join(&name), patterns));
            if !going {
                break;
            }
        }
        patterns.pop();
        going
    }
}

/// A path below a directory, which is left out where it is the working directory.
fn below(directory: &Path, name: &Path) -> PathBuf {
    if directory == Path::new(".") {
        name.to_owned()
    } else {
        directory.join(name)
    }
}
