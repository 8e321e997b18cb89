//! The settings of `codex models`.

use super::credentials::{self, Credentials};
use super::listing::{place, plan};
use super::models_file::providers;
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::cli::network;
use crate::command::models::Settings;
use crate::failure::{self, Failure};

/// What the command is to do.
pub(crate) fn models(args: &Args, environment: &Environment) -> Result<Settings, Failure> {
    let providers = providers(environment)?;
    let Credentials {
        found,
        keeper,
        warnings,
    } = credentials::find(args, environment, false, true)?;
    let endpoints = credentials::endpoints(&found, environment)?;
    let (backend, cache) = place(&found, &endpoints, environment);
    Ok(Settings {
        plan: plan(&found),
        found,
        keeper,
        warnings,
        endpoints,
        backend,
        cache,
        providers,
        all: args.all,
        json: args.json,
        setup: network::setup(environment),
        words: failure::of_list,
    })
}
