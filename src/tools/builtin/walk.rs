//! Walks a directory tree, sorted by name and without ignored files: for `ls`, and for `grep` and `find` without
//! `rg`.

use std::fs::{self, DirEntry, FileType};
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::ignore::{Patterns, above, is_ignored};
use crate::tools::sandbox::paths::real;

/// An entry found by a walk.
pub(super) struct WalkEntry {
    pub(super) path: PathBuf,
    pub(super) is_dir: bool,
    /// A regular file; links are not followed.
    pub(super) is_file: bool,
}

/// The entries of a directory that are not ignored, sorted by name, and the number of ignored ones.
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

/// Walks everything below a directory, depth first, without following links. `visit` returns whether to continue.
/// Returns whether the walk completed before the deadline.
pub(super) fn walk(
    top: &Path,
    deadline: Instant,
    visit: &mut dyn FnMut(&WalkEntry) -> bool,
) -> std::io::Result<bool> {
    let real_top = real(top);
    let mut patterns = above(&real_top);
    let mut walk = Walk {
        deadline,
        visit,
        in_time: true,
    };
    // Unreadable directories below the top are skipped, as `rg` does.
    fs::read_dir(top)?;
    walk.descend(top, &real_top, &mut patterns);
    Ok(walk.in_time)
}

struct Walk<'a> {
    deadline: Instant,
    visit: &'a mut dyn FnMut(&WalkEntry) -> bool,
    in_time: bool,
}

impl Walk<'_> {
    /// Returns whether to continue.
    fn descend(&mut self, directory: &Path, real: &Path, patterns: &mut Vec<Patterns>) -> bool {
        patterns.push(Patterns::of(real));
        let found = entries(directory, real, patterns).map(|found| found.0);
        let mut going = true;
        for entry in found.into_iter().flatten() {
            self.in_time &= Instant::now() < self.deadline;
            let name = entry.file_name();
            let kind = entry.file_type();
            let found = WalkEntry {
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

/// A path below a directory, relative if that is the working directory.
fn below(directory: &Path, name: &Path) -> PathBuf {
    if directory == Path::new(".") {
        name.to_owned()
    } else {
        directory.join(name)
    }
}
