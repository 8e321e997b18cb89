//! What tools can change: a path is within reach if a component of it, or its target, is in a writable directory.

use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::paths::steps;
use super::policy::SandboxPolicy;

/// Variables with directories that programs search for code. An empty entry is the working directory.
const SEARCH_PATHS: &[&str] = &[
    "CLASSPATH",
    "GEM_PATH",
    "LD_LIBRARY_PATH",
    "NODE_PATH",
    "PATH",
    "PERL5LIB",
    "PYTHONPATH",
    "RUBYLIB",
];

/// Variables that name code for programs to load, or settings that do.
const LOADED: &[&str] = &[
    "GIT_CONFIG_GLOBAL",
    "GIT_CONFIG_SYSTEM",
    "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS",
    "NODE_OPTIONS",
    "PERL5OPT",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "PYTHONHOME",
    "PYTHONUSERBASE",
    "RUBYOPT",
    "_JAVA_OPTIONS",
];

/// The writable directories, under all of their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WritableReach(Vec<PathBuf>);

impl WritableReach {
    /// The reach of tools under this policy.
    #[must_use]
    pub fn of(policy: &SandboxPolicy) -> Self {
        let mut roots: Vec<PathBuf> = policy
            .writable
            .iter()
            .map(|root| root.path.clone())
            .collect();
        roots.extend(seen_twice(&roots));
        Self(roots)
    }

    /// The writable directory through which tools can change a path's target, or create it.
    #[must_use]
    pub fn root_of(&self, path: &Path) -> Option<&Path> {
        if self.0.is_empty() {
            return None;
        }
        let steps = steps(path);
        let last = steps.len().saturating_sub(1);
        // A writable directory cannot itself be replaced, but its contents can.
        let within = |(n, place): (usize, &PathBuf), root: &PathBuf| {
            place.starts_with(root) && (place != root || n == last)
        };
        let mut places = steps.iter().map(|step| &step.place).enumerate();
        places.find_map(|step| {
            let root = self.0.iter().find(|root| within(step, root));
            root.map(PathBuf::as_path)
        })
    }

    /// Whether tools can change the file at this real path.
    #[must_use]
    pub fn holds(&self, real: &Path) -> bool {
        self.0.iter().any(|root| real.starts_with(root))
    }

    /// The first file within reach that these words name now.
    #[must_use]
    pub fn file_of(&self, words: &[OsString], directory: &Path) -> Option<PathBuf> {
        let mut named = words.iter().flat_map(|word| named_in(word, directory));
        named.find(|path| self.root_of(path).is_some())
    }

    /// Removes the directories within reach from a variable that lists directories; `None` if nothing is left, since
    /// an empty list would mean the working directory, or if the variable names code within reach. Relative paths
    /// start at `directory`, the tools' working directory.
    #[must_use]
    pub fn narrowed<'a>(
        &self,
        name: &OsStr,
        value: &'a OsStr,
        directory: &Path,
    ) -> Option<Cow<'a, OsStr>> {
        let is_loaded = LOADED.iter().any(|known| name == *known);
        if is_loaded && self.file_of(&[value.to_owned()], directory).is_some() {
            return None;
        }
        if !SEARCH_PATHS.iter().any(|known| name == *known) {
            return Some(value.into());
        }
        let listed: Vec<PathBuf> = std::env::split_paths(value).collect();
        let is_out = |place: &&PathBuf| self.root_of(&directory.join(place)).is_none();
        let kept: Vec<&PathBuf> = listed.iter().filter(is_out).collect();
        if kept.len() == listed.len() {
            return Some(value.into());
        }
        // Parts split at colons can be joined.
        let joined = std::env::join_paths(kept).unwrap_or_default();
        Some(joined).filter(|list| !list.is_empty()).map(Cow::Owned)
    }
}

/// The paths named by a word of a command. A word written as a path is one, and so is a word with a slash if the file
/// exists; any other word only if it names an existing regular file, since a word such as `test` may also happen to
/// be a directory's name. Paths are also found inside words, as in `--script=FILE` and in shell commands.
#[must_use]
pub fn named_in(word: &OsStr, directory: &Path) -> Vec<PathBuf> {
    let is_path = |text: &[u8]| {
        let starts = |start: &&str| text.starts_with(start.as_bytes());
        text == b"." || text == b".." || ["/", "./", "../"].iter().any(starts)
    };
    let bytes = word.as_bytes();
    let at = |text: &[u8]| directory.join(OsStr::from_bytes(text));
    let mut found = Vec::new();
    let is_there = bytes.contains(&b'/') && at(bytes).exists();
    if is_path(bytes) || is_there {
        found.push(at(bytes));
    }
    let parts = bytes.split(|byte| b" \t\n=:;,|&<>()\"'`@".contains(byte));
    let parts = parts.chain([bytes]).filter(|part| !part.is_empty());
    found.extend(parts.map(at).filter(|path| path.is_file()));
    found.dedup();
    found
}

/// Other names of these directories through further mounts. If the mounts cannot be read, there is no sandbox either.
#[cfg(target_os = "linux")]
#[must_use]
pub fn seen_twice(places: &[PathBuf]) -> Vec<PathBuf> {
    use super::mounts::{aliases, table};
    if places.is_empty() {
        return Vec::new();
    }
    table()
        .map(|table| aliases(&table, places))
        .unwrap_or_default()
}

/// Other names of these directories.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn seen_twice(_: &[PathBuf]) -> Vec<PathBuf> {
    Vec::new()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::tools::sandbox::paths::{Root, real};

    #[test]
    fn paths_through_a_writable_directory_are_within_reach() {
        let top = std::env::temp_dir().join(format!("codex-run-reach-{}", std::process::id()));
        let _ = fs::remove_dir_all(&top);
        fs::create_dir_all(top.join("w/sub")).expect("a directory");
        fs::create_dir_all(top.join("safe/sub")).expect("a directory");
        let top = real(&top);
        let link = |to: &str, at: &str| symlink(to, top.join(at)).expect("a link");
        link("../safe", "w/out");
        link("w/tool", "in");
        link("safe", "aside");
        link("in", "chain");
        let reach = WritableReach::of(&SandboxPolicy {
            writable: vec![Root::of(top.join("w")).expect("it was made")],
            ..SandboxPolicy::default()
        });
        let check = |path: &str, expected: bool| {
            let found = reach.root_of(&top.join(path));
            assert_eq!(found.is_some(), expected, "{path}");
            assert!(found.is_none_or(|root| root == top.join("w")), "{path}");
        };
        for path in [
            "w",
            "w/tool",
            "w/sub/tool",
            "w/gone/tool",
            // The link may be replaced, and so may a directory that is left again.
            "w/out/tool",
            "w/sub/../../safe/tool",
            "w/out/../x",
            // The link is out of reach, but its target is not.
            "in",
            "chain",
            "safe/../in",
        ] {
            check(path, true);
        }
        for path in [
            "safe/tool",
            "aside/tool",
            "w/../safe/tool",
            "gone/tool",
            "wide",
            "",
        ] {
            check(path, false);
        }
        let check = |name: &str, value: &str, expected: Option<&str>| {
            let of_top = |text: &str| text.replace("TOP", &top.display().to_string());
            let value = of_top(value);
            let found = reach.narrowed(name.as_ref(), value.as_ref(), &top.join("w"));
            let text = found.map(|found| found.to_string_lossy().into_owned());
            assert_eq!(text, expected.map(of_top), "{name}={value}");
        };
        check("PATH", "/bin:TOP/safe", Some("/bin:TOP/safe"));
        check("PATH", "TOP/w/bin:/bin:TOP/w", Some("/bin"));
        check("PATH", ":/bin:../safe", Some("/bin:../safe"));
        check("PYTHONPATH", "sub:", None);
        check("LANG", "TOP/w", Some("TOP/w"));
        fs::write(top.join("w/hook.js"), "").expect("a file");
        check("NODE_OPTIONS", "--require ./hook.js", None);
        check("JAVA_TOOL_OPTIONS", "-javaagent:TOP/w/hook.js=x", None);
        check("PYTHONUSERBASE", "TOP/w/gone", None);
        for value in ["--max-old-space-size=4096", "--require TOP/safe/hook.js"] {
            check("NODE_OPTIONS", value, Some(value));
        }
        let _ = fs::remove_dir_all(top);
    }

    #[test]
    fn words_name_explicit_paths_and_existing_files() {
        let top = std::env::temp_dir().join(format!("codex-run-words-{}", std::process::id()));
        fs::create_dir_all(top.join("test/deep")).expect("a directory");
        fs::write(top.join("look.py"), "").expect("a file");
        let check = |word: &str, expected: &[&str]| {
            let found = named_in(OsStr::new(word), &top);
            let expected: Vec<PathBuf> = expected.iter().map(|path| top.join(path)).collect();
            assert_eq!(found, expected, "{word}");
        };
        check("look.py", &["look.py"]);
        check("./look.py", &["./look.py"]);
        check("./gone.py", &["./gone.py"]);
        check("/gone", &["/gone"]);
        check(".", &["."]);
        check("../x", &["../x"]);
        check("test/deep", &["test/deep"]);
        check("--script=look.py", &["look.py"]);
        check("exec python3 './look.py' | cat", &["./look.py"]);
        check("@look.py", &["look.py"]);
        for word in [
            "",
            "test",
            "gone.py",
            "origin/main",
            "https://x/y",
            "--all",
            "s/a/b/",
        ] {
            check(word, &[]);
        }
        let _ = fs::remove_dir_all(top);
    }
}
