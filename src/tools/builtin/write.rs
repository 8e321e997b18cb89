//! `write`: writes a whole file atomically.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::context::{Context, file_error};
use super::replace::replace;
use crate::result::CallResult;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "one JSON object")]
pub(super) struct WriteArguments {
    path: PathBuf,
    content: String,
}

pub(super) fn run(arguments: &WriteArguments, context: &Context<'_>) -> CallResult {
    let path = &arguments.path;
    let parent = path.parent().filter(|parent| *parent != Path::new(""));
    if let Some(Err(error)) = parent.map(fs::create_dir_all) {
        return file_error("create the directory of", path, &error, true, context);
    }
    match replace(path, arguments.content.as_bytes()) {
        Ok(()) => CallResult::done(format!(
            "wrote {} bytes to {}",
            arguments.content.len(),
            path.display()
        )),
        Err(error) => file_error("write", path, &error, true, context),
    }
}
