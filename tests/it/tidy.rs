//! The exact import table, and other rules that the compiler does not check.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::imports::Imports;

/// Each part of the library and the parts that it imports. A part imports only parts above it.
const TABLE: &[(&str, &[&str])] = &[
    ("clock", &[]),
    ("exhausted", &[]),
    ("file", &[]),
    ("id", &[]),
    ("jsonc", &[]),
    ("result", &[]),
    ("schema", &[]),
    ("format", &["schema"]),
    ("text", &[]),
    ("secret", &["text"]),
    ("outcome", &[]),
    ("wire", &["text"]),
    ("models", &["clock", "file", "id", "jsonc", "wire"]),
    ("mcp", &["jsonc", "text"]),
    ("input", &[]),
    ("prompt", &["input"]),
    ("stdin", &["input"]),
    ("http", &["exhausted", "secret"]),
    (
        "auth",
        &[
            "clock",
            "exhausted",
            "file",
            "http",
            "id",
            "secret",
            "text",
            "wire",
        ],
    ),
    ("api", &["auth", "clock", "http", "id", "secret", "wire"]),
    (
        "tools",
        &[
            "clock",
            "exhausted",
            "file",
            "jsonc",
            "mcp",
            "result",
            "schema",
            "text",
            "wire",
        ],
    ),
    (
        "remote",
        &[
            "exhausted",
            "http",
            "mcp",
            "secret",
            "text",
            "tools",
            "wire",
        ],
    ),
    ("session", &["clock", "file", "id", "text", "wire"]),
    (
        "failure",
        &[
            "api",
            "auth",
            "clock",
            "exhausted",
            "http",
            "models",
            "outcome",
            "prompt",
            "session",
            "stdin",
            "wire",
        ],
    ),
    (
        "output",
        &[
            "api", "clock", "failure", "outcome", "result", "text", "wire",
        ],
    ),
    ("chat", &["clock", "output", "result", "text"]),
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
        "conversation",
        &[
            "agent", "api", "auth", "clock", "failure", "http", "id", "mcp", "models", "outcome",
            "output", "remote", "result", "secret", "session", "tools",
        ],
    ),
    (
        "command",
        &[
            "agent",
            "api",
            "auth",
            "chat",
            "clock",
            "exhausted",
            "failure",
            "file",
            "format",
            "http",
            "id",
            "input",
            "mcp",
            "models",
            "outcome",
            "output",
            "prompt",
            "result",
            "secret",
            "session",
            "stdin",
            "text",
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
            "chat",
            "clock",
            "command",
            "exhausted",
            "failure",
            "file",
            "format",
            "http",
            "id",
            "input",
            "mcp",
            "models",
            "outcome",
            "output",
            "jsonc",
            "mcp",
            "prompt",
            "remote",
            "secret",
            "session",
            "stdin",
            "text",
            "tools",
            "wire",
        ],
    ),
];

/// Words, and the only parts that may use them.
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
        &[
            "agent", "auth", "cli", "command", "http", "input", "remote", "tools",
        ],
    ),
    ("SystemTime::now", &["auth", "clock"]),
    ("TcpStream", &["http"]),
    ("Command::new", &["auth", "command", "tools"]),
    (
        "thread::",
        &[
            "agent",
            "auth",
            "cli",
            "command",
            "exhausted",
            "http",
            "remote",
            "tools",
        ],
    ),
];

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn sources(folder: &Path) -> Vec<PathBuf> {
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

/// Every source file of the library with its part and its text, without comments and tests.
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
        if path.to_string_lossy().ends_with("tests.rs")
            || matches!(&*part, "main" | "lib" | "build")
        {
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

/// What the library imports.
fn imports() -> Imports {
    let src = root().join("src");
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).expect("a source file");
        let inner = path.strip_prefix(&src).expect("below src");
        (inner.to_string_lossy().into_owned(), text)
    };
    let files: Vec<(String, String)> = sources(&src).into_iter().map(read).collect();
    Imports::of(files.iter().map(|(path, text)| (&**path, &**text)))
}

#[test]
fn imports_match_the_table_and_none_points_back() {
    for (n, (part, uses)) in TABLE.iter().enumerate() {
        let before: BTreeSet<&str> = TABLE[..n].iter().map(|(part, _)| *part).collect();
        assert!(
            uses.iter().all(|used| before.contains(used)),
            "{part} points back"
        );
    }
    let found = imports().parts;
    let table: BTreeMap<&str, BTreeSet<&str>> = TABLE
        .iter()
        .map(|(part, uses)| (*part, uses.iter().copied().collect()))
        .collect();
    let parts: BTreeSet<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(parts, table.keys().copied().collect(), "the parts");
    let rows = found.iter().filter_map(|(part, uses)| {
        let uses: BTreeSet<&str> = uses.iter().map(String::as_str).collect();
        let table = &table[&**part];
        let (more, fewer) = (&uses - table, table - &uses);
        (more != fewer)
            .then(|| format!("{part} uses {more:?} and may not; may use {fewer:?} and does not"))
    });
    let rows: Vec<String> = rows.collect();
    assert!(rows.is_empty(), "{rows:#?}");
}

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    assert_eq!(imports().circles(), BTreeSet::new());
}

#[test]
fn words_are_used_only_in_their_parts() {
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
fn files_are_short_and_begin_with_a_paragraph() {
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
fn unsafe_code_is_only_in_two_files_and_the_changes_name_the_version() {
    for (_, path, code) in files() {
        let words = ["unsafe ", "unsafe(", "unsafe_code"];
        let times: usize = words.iter().map(|word| code.matches(word).count()).sum();
        let expected = if path.ends_with("command/stdout_at_start.rs") {
            3 // the one static that the loader reads: two spellings of its attribute, and the permission
        } else if path.ends_with("tools/sandbox/notify.rs") {
            10 // system calls that no crate has: nine blocks and the permission
        } else {
            0
        };
        assert_eq!(times, expected, "{}", path.display());
        let text = fs::read_to_string(&path).expect("a source file");
        let blocks = code.matches("unsafe {").count();
        let reasons = text.matches("// SAFETY:").count();
        assert!(reasons >= blocks, "{}", path.display());
    }
    let changes = fs::read_to_string(root().join("CHANGELOG.md")).expect("CHANGELOG.md");
    assert!(
        changes.contains(concat!("## Unreleased: ", env!("CARGO_PKG_VERSION")))
            || changes.contains(concat!("## ", env!("CARGO_PKG_VERSION"))),
        "the version is not in the changes"
    );
}
