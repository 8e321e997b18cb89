//! The settings of `codex models`.

use super::credentials::{self, Credentials};
use super::endpoints;
use super::model::model_list::plan;
use super::model::models_json::providers;
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::cli::network;
use crate::command::models::ModelsSettings;
use crate::failure::Failure;
use crate::models::cache::{Cache, CacheFile};

/// The settings of the command.
pub(crate) fn models(args: &Args, environment: &Environment) -> Result<ModelsSettings, Failure> {
    let providers = providers(environment)?;
    let Credentials {
        found,
        sign_in_source,
        warnings,
        ..
    } = credentials::find(args, environment, false, true)?;
    let endpoints = endpoints::endpoints(&found, environment)?;
    let backend = endpoints::backend(&found, &endpoints);
    let address = endpoints::address(backend, &endpoints);
    let file = CacheFile::hold(environment.home().as_deref());
    let cache = Cache::of(file, &endpoints::account(&found), address.as_str());
    Ok(ModelsSettings {
        plan: plan(&found),
        found,
        sign_in_source,
        warnings,
        endpoints,
        backend,
        cache,
        providers,
        all: args.all,
        json: args.json,
        setup: network::setup(environment),
    })
}
