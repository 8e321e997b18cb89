//! Who may import whom: the table of the architecture, exact. And other rules that no compiler keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each part of the library and the parts that it may use. The order is that of lib.rs; nothing points back.
const TABLE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("exhausted", &[]),
    ("file", &[]),
    ("id", &[]),
    ("placed", &[]),
    ("result", &[]),
    ("schema", &[]),
    ("format", &["schema"]),
    ("secret", &[]),
    ("outcome", &[]),
    ("wire", &[]),
    ("models", &["clock", "file", "id", "placed", "wire"]),
    ("input", &[]),
    ("prompt", &["input"]),
    ("stdin", &["input"]),
    ("http", &["exhausted", "secret"]),
    (
        "auth",
        &["clock", "exhausted", "file", "http", "id", "secret", "wire"],
    ),
    ("api", &["auth", "clock", "http", "id", "secret", "wire"]),
    (
        "tools",
        &["clock", "exhausted", "placed", "result", "schema", "wire"],
    ),
    ("session", &["clock", "file", "id", "wire"]),
    (
        "failure",
        &[
            "api",
            "auth",
            "clock",
            "exhausted",
            "http",
            "outcome",
            "prompt",
            "session",
            "stdin",
            "wire",
        ],
    ),
    (
        "output",
        &["api", "clock", "failure", "outcome", "result", "wire"],
    ),
    (
        "agent",
        &[
            "api",
            "auth",
            "clock",
            "exhausted",
            "failure",
            "format",
            "id",
            "models",
            "output",
            "session",
            "tools",
            "wire",
        ],
    ),
    (
        "talk",
        &[
            "agent", "api", "auth", "clock", "failure", "http", "id", "models", "outcome",
            "output", "secret", "session", "tools",
        ],
    ),
    (
        "command",
        &[
            "agent",
            "api",
            "auth",
            "clock",
            "exhausted",
            "failure",
            "file",
            "format",
            "http",
            "id",
            "input",
            "models",
            "outcome",
            "output",
            "prompt",
            "result",
            "secret",
            "session",
            "stdin",
            "tools",
            "wire",
        ],
    ),
    (
        "cli",
        &[
            "agent",
            "api",
            "auth",
            "clock",
            "command",
            "exhausted",
            "failure",
            "format",
            "http",
            "id",
            "input",
            "models",
            "outcome",
            "output",
            "placed",
            "prompt",
            "secret",
            "session",
            "stdin",
            "tools",
            "wire",
        ],
    ),
];

/// Words that a part must not use, and where they are at home.
const WORDS: &[(&str, &[&str])] = &[
    ("ureq", &["http"]),
    ("lexopt", &["cli"]),
    ("std::env::var", &["cli"]),
    (
        "std::fs",
        &[
            "auth",
            "cli",
            "command",
            "exhausted",
            "file",
            "http",
            "models",
            "session",
            "tools",
        ],
    ),
    ("tiny_http", &["auth"]),
    ("std::process::exit", &["cli"]),
    ("process::exit(", &["cli"]),
    ("io::stdout", &["cli", "command", "tools"]),
    ("io::stderr", &["command", "cli"]),
    ("io::stdin", &["command", "stdin"]),
    (
        "Instant::now",
        &["agent", "auth", "cli", "command", "http", "input", "tools"],
    ),
    ("SystemTime::now", &["auth", "clock"]),
    ("TcpStream", &["http"]),
    ("Command::new", &["auth", "command", "tools"]),
    (
        "thread::",
        &["agent", "auth", "command", "exhausted", "http", "tools"],
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every source file of the library with the part that it belongs to and its text, comments and tests left out.
fn files() -> Vec<(String, PathBuf, String)> {
    let src = root().join("src");
    let mut files = Vec::new();
    for path in sources(&src) {
        let inner = path.strip_prefix(&src).expect("below src");
        let part = inner
            .components()
            .next()
            .expect("a name")
            .as_os_str()
            .to_string_lossy()
            .into_owned();
        let part = part.trim_end_matches(".rs").to_owned();
        if path.to_string_lossy().ends_with("tests.rs") || matches!(&*part, "main" | "lib") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        let code = text
            .split("#[cfg(test)]\nmod tests")
            .next()
            .unwrap_or_default();
        let code: String = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
            .map(|l| format!("{l}\n"))
            .collect();
        files.push((part, path, code));
    }
    files
}

#[test]
fn imports_keep_to_the_table() {
    let table: BTreeMap<&str, BTreeSet<&str>> = TABLE
        .iter()
        .map(|(part, uses)| (*part, uses.iter().copied().collect()))
        .collect();
    for (n, (part, uses)) in TABLE.iter().enumerate() {
        let before: BTreeSet<&str> = TABLE[..n].iter().map(|(part, _)| *part).collect();
        assert!(
            uses.iter().all(|used| before.contains(used)),
            "{part} points back"
        );
    }
    for (part, path, code) in files() {
        let allowed = table
            .get(&*part)
            .unwrap_or_else(|| panic!("{part} is not in the table"));
        for used in names_behind(&code, "crate::") {
            assert!(
                used == part || allowed.contains(&*used),
                "{} uses {used}, and {part} may not",
                path.display()
            );
        }
    }
}

/// The first names behind a path's beginning, groups in braces included.
fn names_behind(code: &str, start: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in code.match_indices(start) {
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':') {
            continue;
        }
        let rest = &code[at + start.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    _ => {}
                }
                if depth == 0 && c == ',' {
                    names.extend(first_name(&name));
                    name.clear();
                } else {
                    name.push(c);
                }
            }
            names.extend(first_name(&name));
        } else {
            names.extend(first_name(rest));
        }
    }
    names
}

fn first_name(text: &str) -> Option<String> {
    let name: String = text
        .trim_start()
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    (!name.is_empty() && name != "self").then_some(name)
}

#[test]
fn words_stay_where_they_are_at_home() {
    for (part, path, code) in files() {
        for (word, homes) in WORDS {
            let used = code
                .match_indices(word)
                .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'));
            assert!(
                !used || homes.contains(&&*part),
                "{} says {word}, and {part} may not",
                path.display()
            );
        }
    }
}

#[test]
fn files_are_one_noun_each() {
    for folder in ["src", "tests"] {
        for path in sources(&root().join(folder)) {
            let text = fs::read_to_string(&path).expect("a source file");
            let lines = text.lines().count();
            assert!(
                lines <= 420,
                "{} has {lines} lines: it may be two nouns",
                path.display()
            );
            assert!(
                text.starts_with("//!"),
                "{} does not begin with a paragraph",
                path.display()
            );
        }
    }
}

#[test]
fn what_is_unsafe_stays_in_its_two_files_and_the_version_is_in_the_changes() {
    for (_, path, code) in files() {
        let words = ["unsafe ", "unsafe(", "unsafe_code"];
        let times: usize = words.iter().map(|word| code.matches(word).count()).sum();
        let expected = if path.ends_with("command/early.rs") {
            3 // the one static that the loader reads: two spellings of its attribute, and the permission
        } else if path.ends_with("tools/sandbox/notify.rs") {
            9 // system calls that no crate has: eight blocks and the permission
        } else {
            0
        };
        assert_eq!(times, expected, "{}", path.display());
        let text = fs::read_to_string(&path).expect("a source file");
        let blocks = code.matches("unsafe {").count();
        let reasons = text.matches("// SAFETY:").count();
        assert!(reasons >= blocks, "{}", path.display());
    }
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let changes = readme
        .split("## Changes")
        .nth(1)
        .expect("the README has changes");
    assert!(
        changes.contains(concat!("### ", env!("CARGO_PKG_VERSION"))),
        "the version is not in the changes"
    );
}
