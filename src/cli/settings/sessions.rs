//! The settings of `codex sessions`.

use std::path::PathBuf;

use crate::cli::environment::{environment, own};
use crate::cli::flags::Args;
use crate::cli::values::count_of;
use crate::command::sessions::ListSettings;
use crate::failure::Failure;

/// The settings of the list.
pub(crate) fn sessions(args: &Args) -> Result<ListSettings, Failure> {
    let directory = args.here.then(std::env::current_dir).transpose();
    Ok(ListSettings {
        limit: count_of(args, "limit", args.limit.as_deref(), 1)?,
        directory: directory.map_err(|error| {
            Failure::usage(format!("cannot find the working directory: {error}"))
                .hint("change to a directory that exists")
        })?,
        home: own()?,
        user: environment().get("HOME").map(PathBuf::from),
        json: args.json,
    })
}
