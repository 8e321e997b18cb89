//! `ls`: the contents of a directory, except ignored files.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::arguments::place;
use super::context::{Context, file_error};
use super::lines::LimitedLines;
use super::walk::list;
use crate::result::CallResult;

/// Maximum number of names by default.
const DEFAULT_LIMIT: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "one JSON object")]
pub(super) struct LsArguments {
    path: Option<PathBuf>,
    limit: Option<usize>,
}

pub(super) fn run(arguments: &LsArguments, context: &Context<'_>) -> CallResult {
    let path = &place(arguments.path.as_deref().unwrap_or(Path::new(".")));
    if path.is_file() {
        return CallResult::done(format!("{} is a file", path.display()));
    }
    let (entries, ignored) = match list(path) {
        Ok(found) => found,
        Err(error) => return file_error("list", path, &error, false, context),
    };
    let mut lines = LimitedLines::new(arguments.limit.unwrap_or(DEFAULT_LIMIT).max(1));
    for entry in entries {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let line = match entry.file_type() {
            Ok(kind) if kind.is_dir() => format!("{name}/\n"),
            Ok(kind) if kind.is_symlink() => {
                let target = std::fs::read_link(entry.path()).unwrap_or_default();
                format!("{name} -> {}\n", target.display())
            }
            _ => format!("{name}\n"),
        };
        if !lines.add(line.as_bytes()) {
            break;
        }
    }
    let mut result = lines.answer();
    if lines.is_empty() {
        "[empty]".clone_into(&mut result.output);
    }
    if ignored > 0 {
        result.output.push_str(&format!(
            "{}[{ignored} more: .git, or ignored by .gitignore; bash shows them]",
            if result.output.ends_with('\n') {
                ""
            } else {
                "\n"
            }
        ));
    }
    result
}
