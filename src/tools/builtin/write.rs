//! `write`: a whole file, in one step.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::Result;
use super::replace::replace;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "one JSON object")]
pub(super) struct Arguments {
    path: PathBuf,
    content: String,
}

pub(super) fn run(arguments: &Arguments) -> Result {
    let path = arguments.path.display();
    let parent = arguments
        .path
        .parent()
        .filter(|parent| *parent != Path::new(""));
    if let Some(Err(error)) = parent.map(fs::create_dir_all) {
        return Result::failed(format!("cannot make the directory of {path}: {error}"));
    }
    match replace(&arguments.path, arguments.content.as_bytes()) {
        Ok(()) => Result::ok(format!("wrote {} bytes to {path}", arguments.content.len())),
        Err(error) => Result::failed(format!("cannot write {path}: {error}")),
    }
}
