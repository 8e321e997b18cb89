//! The model of a run: reads everything that the choice depends on, once, and chooses.

mod choice;
mod destination;
mod error;
pub(crate) mod model_list;
pub(crate) mod models_json;
mod named;
mod scope;
#[cfg(test)]
mod tests;

use super::credentials::{self, Credentials};
use super::resumed_session::ResumedSettings;
use super::{endpoints, key_commands};
use crate::auth;
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::failure::{self, Failure};
use crate::models::cache::CacheFile;
use crate::models::custom::Provider;
pub(crate) use choice::ChosenModel;
use choice::{ChoiceInputs, KnownOfService, ModelAt, choose};
use destination::Destination;
pub(crate) use named::ModelOrigin;
use named::{NamedModel, named};
pub(crate) use scope::{ModelScope, ScopeInputs};

/// The model of a run, and the credential for it.
pub(crate) struct ModelSettings {
    pub(crate) chosen: ChosenModel,
    pub(crate) credentials: Credentials,
    /// The contents of `models.json`.
    pub(crate) providers: Vec<Provider>,
    /// The models among which the conversation can change.
    pub(crate) scope: ModelScope,
}

/// Reads what the choice depends on and chooses the model; a resumed conversation keeps its model unless another is named.
/// A server in `models.json` receives only its own key, so no other credential is read for it.
pub(super) fn find(
    args: &Args,
    environment: &Environment,
    resumed: Option<&ResumedSettings>,
    search: bool,
) -> Result<ModelSettings, Failure> {
    let providers = models_json::providers(environment)?;
    let named = named(args, environment, resumed)?;
    let kept = resumed.and_then(|resumed| resumed.provider.as_deref());
    let asked = ChoiceInputs {
        providers: &providers,
        is_new: resumed.is_none(),
        search,
        key_flag: args
            .api_key_file
            .is_some()
            .then(|| args.named("api-key-file")),
    };
    let destination = Destination::of(named, &providers, kept)?;
    let at = choose_at(destination, args, environment, &asked)?;
    Ok(ModelSettings { providers, ..at })
}

/// Finds a model that is used instead of the first one, with the credential for it if that is another one.
pub(super) fn find_substitute(
    name: &str,
    args: &Args,
    environment: &Environment,
    first: &ModelScope,
    inputs: &ScopeInputs,
) -> Result<(ChosenModel, Option<ModelSettings>), Failure> {
    let flag = || args.named("fallback-model");
    let id = name.parse().map_err(|error| {
        Failure::usage(format!(
            "cannot use the model id {name:?} of {}: {error}",
            flag()
        ))
        .hint("`codex models` lists the models")
    })?;
    let named = NamedModel {
        id,
        origin: ModelOrigin::Flag(args.origin("fallback-model")),
    };
    let providers = &inputs.providers;
    let destination = Destination::of(Some(named), providers, None)?;
    if first.serves(&destination) {
        return Ok((first.choose(name, inputs)?, None));
    }
    let asked = ChoiceInputs {
        providers,
        is_new: false,
        search: inputs.search,
        key_flag: None,
    };
    let at = choose_at(destination, args, environment, &asked)?;
    if !args.dry_run {
        auth::choose(&at.credentials.found).map_err(|error| {
            let missing = failure::of_credential(&error);
            let hint = missing.advice().unwrap_or("remove it there").to_owned();
            let what = format!(
                "cannot use the model {name} of {}: {}",
                flag(),
                missing.what()
            );
            Failure::usage(what).hint(hint)
        })?;
    }
    Ok((at.chosen.clone(), Some(at)))
}

/// Chooses the model at its destination.
fn choose_at(
    destination: Destination<'_>,
    args: &Args,
    environment: &Environment,
    asked: &ChoiceInputs<'_>,
) -> Result<ModelSettings, Failure> {
    let (chosen, credentials, scope) = match destination {
        Destination::Server(provider, named) => {
            let chosen = choose(ModelAt::Server(provider, named), asked)?;
            let found = vec![key_commands::found(provider, environment, args.dry_run)?];
            let credentials = Credentials {
                found,
                ..Credentials::default()
            };
            (
                chosen,
                credentials,
                ModelScope::Server(Box::new(provider.clone())),
            )
        }
        Destination::Service(named) => {
            let credentials = credentials::find(args, environment, false, !args.dry_run)?;
            let (endpoints, address_origin) =
                endpoints::of_run(&credentials.found, environment, args.base_url.as_deref())?;
            let file = CacheFile::hold(environment.home().as_deref());
            let scope = ModelScope::Service {
                endpoints: Box::new(endpoints.clone()),
                address_origin,
                file: file.clone(),
            };
            let known = KnownOfService {
                found: &credentials.found,
                endpoints,
                address_origin,
                lists: file.read(),
                file,
            };
            let chosen = choose(ModelAt::Service(named, Box::new(known)), asked)?;
            (chosen, credentials, scope)
        }
    };
    Ok(ModelSettings {
        chosen,
        credentials,
        providers: Vec::new(),
        scope,
    })
}
