//! The build script: `codex --version` names the commit that the program was built from, and its target; the list of models
//! becomes source code. A package of crates.io carries its commit, a checkout is asked with git; elsewhere the commit is unknown.
//! The script runs again only if its result may change: after a commit, or when a source file has changed, which rebuilds the
//! crate anyway.

#![allow(
    clippy::print_stdout,
    reason = "standard output is how a build script speaks to Cargo"
)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The hexadecimal digits of a commit that are shown: enough for one commit, whatever the size of the repository.
const SHOWN_DIGITS: usize = 10;

/// The paths that the program is built from, relative to the root of the package, as git spells them.
const SOURCES: [&str; 5] = [
    "src",
    "Cargo.toml",
    "Cargo.lock",
    ":!src/dist",
    ":!src/README.md",
];

/// Where Cargo writes the commit of a package that it makes.
const PACKAGED: &str = ".cargo_vcs_info.json";

fn main() {
    let root = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let root = root.expect("Cargo names the package");
    let target = env::var("TARGET").expect("Cargo names the target");
    let commit = packaged(&root).or_else(|| checked_out(&root));
    let commit = commit.unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=CODEX_RUN_BUILT_FROM={commit}");
    println!("cargo::rustc-env=CODEX_RUN_BUILT_FOR={target}");
    // The list of models as a macro call, so that it is not parsed at run time.
    let models = fs::read_to_string(root.join("src/models/catalogue.json")).expect("a list");
    let place = env::var_os("OUT_DIR").map(PathBuf::from);
    let place = place.expect("Cargo names a folder").join("catalogue.rs");
    fs::write(place, format!("entries! {{{models}}}")).expect("the folder can be written to");
    depend_on(&root.join("Cargo.toml"));
    depend_on(&root.join("Cargo.lock"));
    for entry in fs::read_dir(root.join("src"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name();
        if name != "dist" && name != "README.md" {
            depend_on(&entry.path());
        }
    }
}

/// The commit that the package names.
fn packaged(root: &Path) -> Option<String> {
    let file = root.join(PACKAGED);
    let text = fs::read_to_string(&file).ok()?;
    depend_on(&file);
    let commit = text.split("\"sha1\"").nth(1)?.split('"').nth(1)?;
    Some(shown(commit, text.contains("\"dirty\": true")))
}

/// The commit of this checkout. Nothing if the package lies within the repository of another project.
fn checked_out(root: &Path) -> Option<String> {
    if !root.join(".git").exists() {
        return None;
    }
    let commit = git(root, &["rev-parse", "--verify", "HEAD"])?;
    let mut changed = vec!["status", "--porcelain", "--untracked-files=no", "--"];
    changed.extend(SOURCES);
    let has_changes = !git(root, &changed)?.is_empty();
    // The log of HEAD gets a line with every commit and checkout. Where none is kept, the branch says it.
    let branch = git(root, &["rev-parse", "--symbolic-full-name", "HEAD"])?;
    for name in ["HEAD", "logs/HEAD", "packed-refs", &branch] {
        if let Some(path) = git(root, &["rev-parse", "--git-path", name]) {
            depend_on(&root.join(path));
        }
    }
    Some(shown(&commit, has_changes))
}

fn shown(commit: &str, has_changes: bool) -> String {
    let commit = commit.get(..SHOWN_DIGITS).unwrap_or(commit);
    let changes = if has_changes { " with changes" } else { "" };
    format!("{commit}{changes}")
}

/// What git prints, without the end of its last line. Nothing if there is no git, or it fails.
fn git(root: &Path, args: &[&str]) -> Option<String> {
    let mut command = Command::new("git");
    // `sudo make install` builds in a checkout of another user, whose code this script already is.
    command.args(["-c", "safe.directory=*"]);
    command.arg("-C").arg(root).args(args);
    // A hook of git has these set, perhaps for another repository.
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    let output = command.output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim_end().to_owned())
}

/// Makes Cargo run this script again when the file changes. A missing file would make it run every time.
fn depend_on(file: &Path) {
    if file.exists() {
        println!("cargo::rerun-if-changed={}", file.display());
    }
}
