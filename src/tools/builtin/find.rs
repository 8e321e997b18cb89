//! `find`: files that match a glob, except ignored ones.

use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Deserialize;

use super::arguments::place;
use super::context::{Context, file_error};
use super::glob::glob;
use super::lines::LimitedLines;
use super::rg;
use super::walk::walk;
use crate::result::{CallResult, Status};

/// Maximum number of results by default.
const DEFAULT_LIMIT: usize = 1000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "one JSON object")]
pub(super) struct FindArguments {
    pattern: String,
    path: Option<PathBuf>,
    limit: Option<usize>,
}

pub(super) fn run(arguments: &FindArguments, context: &Context<'_>) -> CallResult {
    let Some(wanted) = glob(&arguments.pattern).filter(|_| !arguments.pattern.starts_with('!'))
    else {
        let words = format!("{:?} is not a glob", arguments.pattern);
        return CallResult::new(Status::BadArguments, words);
    };
    let path = &place(arguments.path.as_deref().unwrap_or(Path::new(".")));
    let limit = arguments.limit.unwrap_or(DEFAULT_LIMIT).max(1);
    if path.is_file() {
        return CallResult::failed(format!(
            "{} is a file, not a directory to search",
            path.display()
        ));
    }
    if let Err(error) = std::fs::read_dir(path) {
        return file_error("search", path, &error, false, context);
    }
    if let Some(kind) = rg::kind(&arguments.pattern)
        && let Some(answer) = rg::run(&["--files", &kind, rg::OF_KIND], path, limit, context)
    {
        return answer;
    }
    let mut lines = LimitedLines::new(limit);
    let deadline = Instant::now() + context.timeout;
    let walked = walk(path, deadline, &mut |found| {
        let inner = found.path.strip_prefix(path).unwrap_or(&found.path);
        !found.is_file
            || !wanted.is_match(&inner.to_string_lossy())
            || lines.add(format!("{}\n", found.path.display()).as_bytes())
    });
    match walked {
        Ok(true) => lines.answer(),
        Ok(false) => lines.timed_out(context.timeout),
        Err(error) => file_error("search", path, &error, false, context),
    }
}
