//! Which model is asked, where, and with which credential: from flags, the environment, `models.json`, the service's
//! list and the built-in one.

use std::ffi::OsStr;

use super::credentials::{self, Credentials};
use super::failure::Failure;
use super::flags::{Args, EFFORTS, SUMMARIES, VERBOSITIES};
use super::listing::{Listed, place};
use super::parse::nearest;
use super::settings::Environment;
use super::values::one_of;
use super::{config, keys};
use crate::api::{Endpoints, Route, Scope};
use crate::auth::{Found, What};
use crate::command::Keeper;
use crate::http::{self, BaseUrl};
use crate::id::ModelId;
use crate::models::cache::Cache;
use crate::models::choice::Choice;
use crate::models::custom::{self, Provider};
use crate::models::fit::{Asked, Fitted, fit};
use crate::models::{Backend, Model, find, preferred};
use crate::placed;
use crate::prompt;
use crate::secret::Secret;

/// What messages show as a model's id.
const EXAMPLE: &str = "gpt-5.5";

/// The providers of `models.json` that stand for the subscription and the API.
const SERVICES: &[&str] = &["openai-codex", "openai"];

/// Everything that depends on the model and the credential.
pub(super) struct Choosing {
    pub(super) choice: Choice,
    pub(super) found: Vec<Found>,
    pub(super) keeper: Option<Keeper>,
    pub(super) endpoints: Endpoints,
    pub(super) warnings: Vec<String>,
    /// Where the model comes from, for people.
    pub(super) origin: String,
    /// Where its shape comes from, for people.
    pub(super) shape_origin: &'static str,
}

/// A model as it was named.
struct Named {
    id: ModelId,
    origin: String,
}

/// Chooses the model.
pub(super) fn choose(args: &Args, environment: &Environment) -> Result<Choosing, Failure> {
    let providers = providers(environment)?;
    let named = named(args, environment)?;
    // What stands before the first slash names a provider, if there is one of that name.
    let split = named.as_ref().and_then(|named| {
        let (name, id) = named.id.as_str().split_once('/')?;
        let provider = providers.iter().find(|provider| provider.name == name)?;
        Some((provider, id.parse::<ModelId>().ok()?))
    });
    match split {
        Some((provider, id)) if provider.base_url.is_some() => {
            let origin = named.map(|named| named.origin).unwrap_or_default();
            of_provider(provider, &id, origin, args, environment)
        }
        Some((provider, _)) if !SERVICES.contains(&&*provider.name) => {
            let name = &provider.name;
            Err(Failure::usage(format!(
                "cannot ask {name}: models.json does not say where it is"
            ))
            .hint("give it a \"baseUrl\""))
        }
        Some((_, id)) => of_service(
            named.map(|named| Named { id, ..named }),
            &providers,
            args,
            environment,
        ),
        None => of_service(named, &providers, args, environment),
    }
}

/// The model that was named, if one was.
fn named(args: &Args, environment: &Environment) -> Result<Option<Named>, Failure> {
    let (origin, text) = match (args.model.as_deref(), environment.get("CODEX_MODEL")) {
        (Some(text), _) => (args.named("model"), text),
        (None, Some(text)) => ("CODEX_MODEL".to_owned(), text),
        (None, None) => return Ok(None),
    };
    let text = prompt::text(text, || format!("the model id of {origin}")).map_err(|error| {
        Failure::usage(format!("{error}")).hint(format!("it looks like {EXAMPLE}"))
    })?;
    let id = text.parse().map_err(|error| {
        Failure::usage(format!("cannot use the model id of {origin}: {error}"))
            .hint(format!("it looks like {EXAMPLE}"))
    })?;
    Ok(Some(Named { id, origin }))
}

/// What `models.json` says.
pub(super) fn providers(environment: &Environment) -> Result<Vec<Provider>, Failure> {
    let Some(file) = credentials::home(environment).map(|home| home.join("models.json")) else {
        return Ok(Vec::new());
    };
    let shown = file.display().to_string();
    match config::of_home(&file)? {
        Some(text) => custom::parse(&placed::plain(&text), &shown)
            .map_err(|mistake| config::wrong("there is a mistake in", &file, &mistake)),
        None => Ok(Vec::new()),
    }
}

/// A model of a server in `models.json`, which is shown its own key and nothing of ours.
fn of_provider(
    provider: &Provider,
    id: &ModelId,
    origin: String,
    args: &Args,
    environment: &Environment,
) -> Result<Choosing, Failure> {
    let name = &provider.name;
    if let Some(protocol) = &provider.other_protocol {
        return Err(Failure::usage(format!(
            "cannot ask {name}: it speaks {protocol}, and codex-run speaks the Responses API"
        ))
        .hint("if the server has the Responses API too, set \"api\" to \"openai-responses\" in models.json"));
    }
    let (address, place) = provider.base_url.clone().unwrap_or_default();
    let base = base(&address, &format!("\"baseUrl\" in {place}"))?;
    let mut warnings = Vec::new();
    if provider.headers {
        warnings.push(format!(
            "the \"headers\" of {name} in models.json are not sent"
        ));
    }
    if args.api_key_file.is_some() {
        let flag = args.named("api-key-file");
        warnings.push(format!(
            "{flag} is not used: {name} has a key of its own, or none"
        ));
    }
    let source = match provider.api_key {
        Some(_) => format!("the key of {name} in models.json"),
        None => format!("models.json, where {name} has no key"),
    };
    let what = match &provider.api_key {
        None => What::Nobody,
        // It may be the answer of a command, which is not asked for nothing.
        Some(_) if args.dry_run => What::Key(Secret::new("***".to_owned())),
        Some(text) => What::Key(keys::resolve(text, &source, environment)?),
    };
    let listed = provider
        .models
        .iter()
        .find(|listed| listed.model.id == id.as_str());
    if listed.is_none() && !provider.models.is_empty() {
        let ids: Vec<&str> = provider
            .models
            .iter()
            .map(|listed| &*listed.model.id)
            .collect();
        warnings.push(not_known(
            id.as_str(),
            &format!("among the models of {name}"),
            &ids,
            None,
        ));
    }
    let model = listed.map_or_else(
        || Model::unknown(id.as_str()),
        |listed| listed.model.clone(),
    );
    let backend = Backend::Other;
    let shape = listed.and_then(|listed| listed.shape);
    Ok(Choosing {
        choice: Choice {
            shape: shape.unwrap_or_else(|| model.shape(backend)),
            settled: true,
            max_output: listed.and_then(|listed| listed.max_output),
            backend,
            model,
            cache: Cache::new(None, "", ""),
        },
        found: vec![Found { what, source }],
        keeper: None,
        endpoints: Endpoints {
            subscription: base.clone(),
            api: base,
            route: Route::default(),
            scope: Scope::default(),
        },
        warnings,
        origin,
        shape_origin: match shape {
            Some(_) => "from models.json",
            None => "the default",
        },
    })
}

/// A model of the subscription, of the public API, or of what stands in its place.
fn of_service(
    named: Option<Named>,
    providers: &[Provider],
    args: &Args,
    environment: &Environment,
) -> Result<Choosing, Failure> {
    let Credentials {
        found,
        keeper,
        mut warnings,
    } = credentials::find(args, environment, false, !args.dry_run)?;
    let mut endpoints = credentials::endpoints(&found, environment)?;
    if let Some(address) = &args.base_url {
        endpoints.api = base(address, "openai_base_url")?;
    }
    let (backend, cache) = place(&found, &endpoints, environment);
    let listed = Listed::find(backend, &cache, providers);
    let (id, origin) = match named {
        Some(named) => (named.id.as_str().to_owned(), named.origin),
        None => match preferred(&listed.models) {
            Some(model) => (model.id.clone(), listed.source.to_owned()),
            None => (EXAMPLE.to_owned(), "the program".to_owned()),
        },
    };
    let known = find(&listed.models, &id).or_else(|| find(&listed.further, &id));
    let address = match backend {
        Backend::Subscription => &endpoints.subscription,
        Backend::Api | Backend::Other => &endpoints.api,
    };
    let own = own_ids(providers);
    if known.is_none() && (backend != Backend::Other || !own.is_empty()) {
        let listed = listed.models.iter().map(|model| &*model.id);
        let ids: Vec<&str> = listed.chain(own.iter().map(String::as_str)).collect();
        let host = http::host(address.as_str());
        let host = (!own.is_empty()).then_some(&*host);
        warnings.push(not_known(&id, "in the list of models", &ids, host));
    }
    for provider in providers.iter().filter(|p| SERVICES.contains(&&*p.name)) {
        if provider.base_url.is_some() || provider.api_key.is_some() {
            let name = &provider.name;
            warnings.push(format!(
                "the address and key of {name} in models.json are used with -m {name}/ID only"
            ));
        }
    }
    let model = known.cloned().unwrap_or_else(|| Model::unknown(&id));
    let said = listed.shape(&id);
    let shape = said.or_else(|| cache.shape(&id));
    Ok(Choosing {
        choice: Choice {
            shape: shape.unwrap_or_else(|| model.shape(backend)),
            settled: said.is_some() || backend == Backend::Other,
            max_output: None,
            backend,
            model,
            cache,
        },
        found,
        keeper,
        endpoints,
        warnings,
        origin,
        shape_origin: match (said, shape) {
            (Some(_), _) => "from models.json",
            (None, Some(_)) => "the one that turned out to be right, from models_cache.json",
            (None, None) if known.is_some() => "the one of the list of models",
            (None, None) => "the default",
        },
    })
}

/// An address that a file names.
fn base(address: &str, place: &str) -> Result<BaseUrl, Failure> {
    BaseUrl::parse(address).map_err(|error| {
        Failure::usage(format!("cannot use the address of {place}: {error}"))
            .hint("it looks like https://server.example/v1")
    })
}

/// The models of servers of the user's own, as `-m` takes them.
fn own_ids(providers: &[Provider]) -> Vec<String> {
    let servers = providers
        .iter()
        .filter(|provider| provider.base_url.is_some());
    let ids = servers.flat_map(|provider| {
        let models = provider.models.iter();
        models.map(|listed| format!("{}/{}", provider.name, listed.model.id))
    });
    ids.collect()
}

/// A note about a model that is sent as it is.
fn not_known(id: &str, place: &str, known: &[&str], host: Option<&str>) -> String {
    let near = nearest(id, known).map_or(String::new(), |near| format!("; the nearest is {near}"));
    let host = host.map_or(String::new(), |host| format!(" to {host}"));
    format!("{id} is not {place}, and is sent as it is{host}{near}")
}

/// How the model is to think and write, as far as it can.
pub(super) fn fitted(args: &Args, choice: &Choice, pictures: usize) -> Result<Fitted, Failure> {
    let word = |long: &str, value: Option<&OsStr>, known: &[&'static str]| {
        value
            .map(|value| one_of(&args.named(long), value, known))
            .transpose()
    };
    let model = &choice.model;
    if args
        .effort
        .as_deref()
        .is_some_and(|effort| effort == "ultra")
    {
        let highest = model.efforts.as_ref().and_then(|efforts| efforts.last());
        let level = model
            .ultra
            .as_ref()
            .or(highest)
            .map_or("max", String::as_str);
        return Err(Failure::usage(
            "ultra is no effort of a model: in the official client it means several agents at once, which codex-run does not have",
        )
        .hint(format!("for {} it sends {level}: use -e {level}", model.id)));
    }
    let asked = Asked {
        effort: word("effort", args.effort.as_deref(), EFFORTS)?,
        summary: word("summary", args.summary.as_deref(), SUMMARIES)?,
        verbosity: word("verbosity", args.verbosity.as_deref(), VERBOSITIES)?,
        pictures,
    };
    Ok(fit(&asked, model))
}
