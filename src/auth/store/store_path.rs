//! Where things really are, whose they are, and what stands beside them.

use std::fs;
use std::path::{Path, PathBuf};

/// Whether a sign-in was kept in this directory, and nothing is in it but what a home of ours may hold.
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

/// Where a path leads, also if nothing is there.
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

/// The path with this behind its name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}
