//! Resolved paths, ownership of a home directory, and names derived from a path.

use std::fs;
use std::path::{Path, PathBuf};

/// Returns whether this directory once held a sign-in and contains only files that codex-run stores in its home.
pub(super) fn holds_ours_alone(home: &Path) -> bool {
    const OURS: &[&str] = &[
        "auth.json",
        "config.json",
        "models.json",
        "models_cache.json",
        "sessions",
        "tools",
    ];
    let kept = home.join("auth.json.lock").exists() || home.join("auth.json").exists();
    kept && fs::read_dir(home).is_ok_and(|mut entries| {
        entries.all(|entry| {
            entry.is_ok_and(|entry| {
                let name = entry.file_name().to_string_lossy().into_owned();
                OURS.contains(&&*name) || name.starts_with("auth.json.")
            })
        })
    })
}

/// Resolves a path, even if nothing exists there.
pub(super) fn followed(path: &Path) -> PathBuf {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for _ in 0..16 {
        match fs::read_link(&path) {
            Ok(target) => path = path.parent().unwrap_or(Path::new("/")).join(target),
            Err(_) => break,
        }
    }
    match (path.parent().map(Path::canonicalize), path.file_name()) {
        (Some(Ok(parent)), Some(name)) => parent.join(name),
        _ => path,
    }
}

/// Appends a suffix to the file name.
pub(super) fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}
