//! The patterns of `.gitignore` (gitignore(5)). `rg` handles them itself; `ls` does not use it, and `grep` and `find`
//! do without it if it is not installed or cannot do what is asked.

use std::path::{Path, PathBuf};

use super::wild::matches;
use crate::tools::limited_file;

/// The pattern files, in increasing precedence.
const FILES: &[&str] = &[".git/info/exclude", ".gitignore", ".ignore"];

/// Largest pattern file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The patterns of one directory.
pub(super) struct Patterns {
    directory: PathBuf,
    files: Vec<IgnoreFile>,
}

impl Patterns {
    /// Reads the patterns of a directory.
    pub(super) fn of(directory: &Path) -> Self {
        let texts = FILES
            .iter()
            .filter_map(|name| limited_file::read(&directory.join(name), MAX_FILE_BYTES));
        Self {
            directory: directory.to_owned(),
            files: texts
                .map(|text| IgnoreFile::parse(String::from_utf8_lossy(&text).into_owned()))
                .collect(),
        }
    }

    /// Whether a path is ignored (`Some(true)`), un-ignored (`Some(false)`) or not mentioned.
    fn judge(&self, path: &Path, is_dir: bool) -> Option<bool> {
        let inner = path.strip_prefix(&self.directory).ok()?;
        let inner = inner.to_string_lossy();
        let mut files = self.files.iter().rev();
        files.find_map(|file| file.judge(&inner, is_dir))
    }
}

/// Whether a path is ignored; patterns of deeper directories take precedence.
pub(super) fn is_ignored(all: &[Patterns], path: &Path, is_dir: bool) -> bool {
    let mut verdicts = all
        .iter()
        .rev()
        .filter_map(|patterns| patterns.judge(path, is_dir));
    verdicts.next().unwrap_or(false)
}

/// The patterns that a directory inherits from its parents, up to the top of the repository.
pub(super) fn above(directory: &Path) -> Vec<Patterns> {
    let mut found = Vec::new();
    for place in directory.ancestors() {
        found.push(Patterns::of(place));
        if place.join(".git").exists() {
            break;
        }
    }
    // The directory itself is read when the walk begins.
    found.remove(0);
    found.reverse();
    found
}

/// A pattern file. It may hold half as many patterns as bytes, so a pattern is stored as its position in the text.
struct IgnoreFile {
    text: String,
    patterns: Vec<IgnorePattern>,
}

/// One line of a pattern file.
struct IgnorePattern {
    /// Position of its glob, in bytes.
    start: u32,
    end: u32,
    ignores: bool,
    only_directories: bool,
}

impl IgnoreFile {
    fn parse(text: String) -> Self {
        let mut patterns = Vec::new();
        let mut start = 0;
        for line in text.split_inclusive('\n') {
            patterns.extend(pattern(line, start));
            start += line.len();
        }
        Self { text, patterns }
    }

    /// The verdict of the last matching pattern.
    fn judge(&self, inner: &str, is_dir: bool) -> Option<bool> {
        let fits = |pattern: &&IgnorePattern| {
            let glob = &self.text[pattern.start as usize..pattern.end as usize];
            (is_dir || !pattern.only_directories) && matches(glob, inner)
        };
        let last = self.patterns.iter().rev().find(fits);
        last.map(|pattern| pattern.ignores)
    }
}

/// Parses the line that begins at this byte of the text.
fn pattern(line: &str, start: usize) -> Option<IgnorePattern> {
    let whole = line.strip_suffix('\n').unwrap_or(line);
    let line = whole.trim_start_matches('\u{feff}');
    let mut glob = line.trim_end_matches(['\r', ' ', '\t']);
    // An escaped trailing space belongs to the name.
    if glob.ends_with('\\') && line.len() > glob.len() {
        glob = &line[..=glob.len()];
    }
    if glob.is_empty() || glob.starts_with('#') {
        return None;
    }
    let mut start = start + whole.len() - line.len();
    let (ignores, glob) = match glob.strip_prefix('!') {
        Some(rest) => {
            start += 1;
            (false, rest)
        }
        None => (true, glob),
    };
    let (only_directories, glob) = match glob.strip_suffix('/') {
        Some(rest) => (true, rest),
        None => (false, glob),
    };
    Some(IgnorePattern {
        start: u32::try_from(start).ok()?,
        end: u32::try_from(start + glob.len()).ok()?,
        ignores,
        only_directories,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &str, path: &str, expected: bool) {
        let (path, is_dir) = match path.strip_suffix('/') {
            Some(path) => (path, true),
            None => (path, false),
        };
        let all = [Patterns {
            directory: "/r".into(),
            files: vec![IgnoreFile::parse(lines.to_owned())],
        }];
        let ignored = is_ignored(&all, &Path::new("/r").join(path), is_dir);
        assert_eq!(ignored, expected, "{lines:?} {path}");
    }

    /// The rules of gitignore(5), in the manual's order.
    #[test]
    fn patterns_follow_gitignore() {
        check("# a\n\n", "a", false);
        check("\\#a", "#a", true);
        check("a  ", "a", true);
        check("a\\ ", "a ", true);
        check("*.o\n!keep.o", "x.o", true);
        check("*.o\n!keep.o", "keep.o", false);
        check("!keep.o\n*.o", "keep.o", true);
        check("foo/", "foo/", true);
        check("foo/", "foo", false);
        check("foo/", "a/foo/", true);
        check("doc/frotz", "doc/frotz", true);
        check("doc/frotz", "a/doc/frotz", false);
        check("/foo", "foo", true);
        check("/foo", "a/foo", false);
        check("foo*", "a/foobar", true);
        check("a/*.c", "a/b.c", true);
        check("a/*.c", "a/b/c.c", false);
        check("?.c", "b.c", true);
        check("?.c", "bb.c", false);
        check("[ab].c", "b.c", true);
        check("[!ab].c", "b.c", false);
        check("[a-c].c", "b.c", true);
        check("**/foo", "a/b/foo", true);
        check("**/foo", "foo", true);
        check("**/foo/bar", "x/foo/bar", true);
        check("abc/**", "abc/x/y", true);
        check("abc/**", "abc/", false);
        check("a/**/b", "a/b", true);
        check("a/**/b", "a/x/y/b", true);
        check("a**b", "axxb", true);
        check("a.b", "axb", false);
        check("[", "[", true);
        check("{a,b}", "a", false);
        check("{a,b}", "{a,b}", true);
        check("\r", "x", false);
        check("\u{feff}a\n!b", "a", true);
        check("\u{feff}a\n!b", "b", false);
        check("*\n!b", "b", false);
        check("\u{e9}*\r\n  \nz", "\u{e9}t\u{e9}", true);
    }
}
