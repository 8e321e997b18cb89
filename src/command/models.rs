//! `codex models`: the models available to the current credential, as the service lists them, and those of
//! `models.json`.

use std::io;

use super::model_list_refresh::{ListStore, ModelLister, Unlisted};
use super::model_table::{ListOrigin, ModelLine, json, table};
use super::stdout::Stdout;
use super::{SignInSource, authority, warn};
use crate::api::models::{LIST_TIMEOUT, Listing, fetch};
use crate::api::{self, Endpoints};
use crate::auth::critical_section::Critical;
use crate::auth::{self, Authority, FoundCredential, choose};
use crate::clock::seconds;
use crate::failure::{self, Failure, Used};
use crate::http::{self, Http, HttpSetup, IDLE_TIMEOUT};
use crate::models::cache::Cache;
use crate::models::catalogue::{Availability, Known};
use crate::models::custom::{CustomModel, Provider};
use crate::models::custom_ids::listed_models;
use crate::models::overlay::apply_overrides;
use crate::models::{Backend, Model, catalogue, defaults, find_or_unknown, remote};
use crate::wire::fault::FaultKind;

/// The settings of the command.
#[derive(Debug)]
pub struct ModelsSettings {
    /// The credentials found, in order of precedence.
    pub found: Vec<FoundCredential>,
    /// Where the sign-in is stored.
    pub sign_in_source: Option<SignInSource>,
    /// Warnings about the credentials file.
    pub warnings: Vec<String>,
    /// The endpoints of the two backends.
    pub endpoints: Endpoints,
    /// The backend of this credential.
    pub backend: Backend,
    /// The plan of the account, if the credential names it.
    pub plan: Option<String>,
    /// The cache of its list.
    pub cache: Cache,
    /// The user's own models and servers.
    pub providers: Vec<Provider>,
    /// List every known model.
    pub all: bool,
    /// Print JSON.
    pub json: bool,
    /// The user agent and the network settings.
    pub setup: HttpSetup,
}

/// Why there is no list.
#[derive(Debug)]
pub enum Error {
    /// There is no usable credential.
    Credential(auth::Error),
    /// The service does not allow it, or a setting prevents it.
    Refused(api::Error),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl Error {
    /// The failure of a command that used this credential.
    pub(crate) fn failure(self, used: Option<&Used>) -> Failure {
        match self {
            Error::Credential(error) => failure::of_credential(&error),
            Error::Refused(error) => failure::of_api(&error, used),
            Error::Output(error) => failure::of_output(&error),
        }
    }
}

/// Lists the models.
///
/// # Errors
/// If there is no credential and `models.json` has no models.
pub fn run(settings: ModelsSettings, critical: &Critical) -> Result<(), Error> {
    let mut stdout = Stdout::open().map_err(Error::Output)?;
    for warning in &settings.warnings {
        warn(warning);
    }
    let mut lines = of_servers(&settings.providers);
    let mut origin = ListOrigin::BuiltIn;
    match choose(&settings.found) {
        Ok(chosen) => {
            let sign_in_source = settings.sign_in_source.clone();
            let authority = authority(chosen, sign_in_source, &settings.setup, critical)
                .ok_or(Error::Credential(auth::Error::Missing))?;
            let (mut models, from) = usable(&settings, &authority)?;
            apply_overrides(&mut models, settings.backend, &settings.providers);
            origin = from;
            let mut usable = of_list(&models, settings.plan.as_deref(), settings.all);
            usable.append(&mut lines);
            lines = usable;
        }
        Err(error) if error.is_missing() && settings.all => {}
        Err(error) if error.is_missing() && !lines.is_empty() => {
            warn("you are not signed in: only the models in models.json are listed");
        }
        Err(error) => return Err(Error::Credential(error)),
    }
    if settings.all {
        for Known {
            model,
            chatgpt,
            api,
        } in catalogue::all()
        {
            match lines.iter_mut().find(|line| line.id == model.id) {
                Some(line) => {
                    // A model that the service lists is not retired, even if the catalogue says so.
                    let (chatgpt, api) = match (line.usable, settings.backend) {
                        (false, _) => (chatgpt, api),
                        (true, Backend::Subscription) => (Availability::Current, api),
                        (true, Backend::Api | Backend::Other) => (chatgpt, Availability::Current),
                    };
                    line.standing = Some((chatgpt, api));
                }
                None => lines.push(ModelLine {
                    standing: Some((chatgpt, api)),
                    ..ModelLine::new(model)
                }),
            }
        }
    }
    let text = if settings.json {
        json(&lines, origin)
    } else {
        table(&lines, settings.all, stdout.columns())
    };
    stdout.print(&text).map_err(Error::Output)
}

/// The models of the servers in `models.json`.
fn of_servers(providers: &[Provider]) -> Vec<ModelLine> {
    let line = |(id, listed): (String, &CustomModel)| ModelLine {
        id,
        usable: true,
        ..ModelLine::new(listed.model.clone())
    };
    listed_models(providers).map(line).collect()
}

/// The models of a list, with the default one marked.
fn of_list(models: &[Model], plan: Option<&str>, all: bool) -> Vec<ModelLine> {
    let shown: Vec<&str> = defaults(models, plan)
        .iter()
        .map(|model| &*model.id)
        .collect();
    let line = |model: &Model| {
        let is_shown = shown.contains(&&*model.id);
        let other_plan = !is_shown && !model.is_on(plan);
        (all || is_shown).then(|| ModelLine {
            usable: !model.older && !other_plan,
            other_plan,
            preferred: shown.first() == Some(&&*model.id),
            ..ModelLine::new(model.clone())
        })
    };
    models.iter().filter_map(line).collect()
}

/// The models available to this credential, and the origin of the list.
fn usable(
    settings: &ModelsSettings,
    authority: &Authority,
) -> Result<(Vec<Model>, ListOrigin), Error> {
    let built_in = catalogue::of(settings.backend);
    let lister = ModelLister {
        http: Http::new(&settings.setup, IDLE_TIMEOUT),
        endpoints: settings.endpoints.clone(),
        authority: authority.clone(),
        cache: settings.cache.clone(),
        timeout: LIST_TIMEOUT,
    };
    let asked = if settings.backend == Backend::Subscription {
        let kept = settings.cache.list().filter(|list| !list.models.is_empty());
        if let Some(list) = kept.as_ref().filter(|list| list.is_fresh(seconds())) {
            return Ok((list.models.clone(), ListOrigin::Kept(list.fetched_at)));
        }
        lister
            .fetch(&ListStore::default())
            .map_err(|unlisted| (unlisted, kept))
    } else {
        by_key(settings, &lister, &built_in).map_err(|unlisted| (unlisted, None))
    };
    for warning in authority.warnings() {
        warn(&warning.to_string());
    }
    match asked {
        Ok(models) => Ok((models, ListOrigin::Service(seconds()))),
        // Any other list would be wrong.
        Err((Unlisted::Api(error), _)) if is_final(&error) => Err(Error::Refused(error)),
        Err((unlisted, kept)) => {
            let why = match unlisted {
                Unlisted::Api(error) => failure::of_api(&error, None).what().to_owned(),
                Unlisted::Malformed => "the service's response is not a list of models".to_owned(),
            };
            if let Some(list) = kept {
                warn(&format!("{why}; showing the last list that was received"));
                Ok((list.models, ListOrigin::Kept(list.fetched_at)))
            } else {
                warn(&format!("{why}; showing the built-in list"));
                Ok((built_in, ListOrigin::BuiltIn))
            }
        }
    }
}

/// Whether the service refused the credential, or no request can be sent at all.
fn is_final(error: &api::Error) -> bool {
    match error {
        error if error.is_exhausted() => true,
        api::Error::SignIn(_) | api::Error::Http(_, http::Error::Setup(_)) => true,
        api::Error::Fault(fault) => matches!(fault.kind, FaultKind::SignIn | FaultKind::Forbidden),
        api::Error::Http(..) => false,
    }
}

/// The models of the API, or of a server that replaces it, for this key. The API also lists models that do not support the
/// Responses API, so only its known models are listed.
fn by_key(
    settings: &ModelsSettings,
    lister: &ModelLister,
    built_in: &[Model],
) -> Result<Vec<Model>, Unlisted> {
    let listing = fetch(
        &lister.http,
        &lister.endpoints,
        &lister.authority,
        None,
        lister.timeout,
    );
    let Listing::New(body, _) = listing.map_err(Unlisted::Api)? else {
        return Err(Unlisted::Malformed);
    };
    let ids = remote::ids(&body).ok_or(Unlisted::Malformed)?;
    if settings.backend == Backend::Api {
        let has = |model: &&Model| ids.contains(&model.id);
        return Ok(built_in.iter().filter(has).cloned().collect());
    }
    Ok(ids.iter().map(|id| find_or_unknown(built_in, id)).collect())
}
