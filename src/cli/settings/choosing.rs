//! Which model is asked, where, and with which credential: from flags, the environment, `models.json`, the service's
//! list and the built-in one.

use super::credentials::{self, Credentials};
use super::keys;
use super::listing::{Listed, place, plan};
use super::models_file::providers;
use super::resuming::{self, Resumed};
use crate::api::{Endpoints, Route, Scope};
use crate::auth::{Found, Source, What};
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::cli::nearest::nearest;
use crate::command::Keeper;
use crate::failure::Failure;
use crate::http::{self, BaseUrl};
use crate::id::ModelId;
use crate::models::cache::Cache;
use crate::models::choice::{Choice, shapes};
use crate::models::custom::Provider;
use crate::models::own::own;
use crate::models::{Backend, Model, catalogue, defaults, find, next_default};
use crate::outcome::Outcome;
use crate::prompt;
use crate::secret::Secret;
use crate::wire::request::Search;

/// What messages show as a model's id.
const EXAMPLE: &str = "gpt-6.2-sol";

/// The providers of `models.json` that stand for the subscription and the API.
const SERVICES: &[&str] = &["openai-codex", "openai"];

/// Everything that depends on the model and the credential.
pub(super) struct Choosing {
    pub(super) choice: Choice,
    /// What is asked instead where the service does not have that model, which nobody has named.
    pub(super) instead: Option<Choice>,
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
    /// Nobody has named it for this run: it is the conversation's.
    kept: bool,
}

/// Chooses the model; for a conversation that is gone on with, its own where no other is named.
pub(super) fn choose(
    args: &Args,
    environment: &Environment,
    resumed: Option<&Resumed>,
    search: Option<Search>,
) -> Result<Choosing, Failure> {
    let providers = providers(environment)?;
    let named = named(args, environment, resumed)?;
    // What stands before the first slash names a provider, if there is one of that name.
    let split = named.as_ref().and_then(|named| {
        let (name, id) = named.id.as_str().split_once('/')?;
        let provider = providers.iter().find(|provider| provider.name == name)?;
        Some((provider, id.parse::<ModelId>().ok()?))
    });
    let found = split.as_ref().map(|(provider, _)| &provider.name);
    let of_conversation = named.as_ref().filter(|named| named.kept);
    if let (Some(named), Some(name)) = (of_conversation, resumed.and_then(|r| r.provider.as_ref()))
        && found != Some(name)
    {
        // What was said to that server is not shown to another one unasked.
        return Err(not_kept(
            named.id.as_str(),
            &format!("models.json has no provider {name} any more"),
        ));
    }
    match split {
        Some((provider, id)) if provider.base_url.is_some() => {
            let origin = named.map(|named| named.origin).unwrap_or_default();
            of_provider(provider, &id, origin, search, args, environment)
        }
        Some((provider, _)) if !SERVICES.contains(&&*provider.name) => {
            let name = &provider.name;
            Err(Failure::usage(format!(
                "cannot ask {name}: models.json does not say where it is"
            ))
            .hint("give it a \"baseUrl\""))
        }
        split => {
            let named = match split {
                Some((_, id)) => named.map(|named| Named { id, ..named }),
                None => named,
            };
            let is_new = resumed.is_none();
            of_service(named, is_new, &providers, search, args, environment)
        }
    }
}

/// A conversation's own model that cannot be asked, and why.
fn not_kept(model: &str, why: &str) -> Failure {
    Failure::new(
        Outcome::Forbidden,
        format!("cannot go on with {model}, the model of this conversation: {why}"),
    )
    .hint("name another model with -m; `codex models` lists those that there are")
}

/// The model that was named, if one was: by the flag, by the conversation, by the variable or by `config.json`.
fn named(
    args: &Args,
    environment: &Environment,
    resumed: Option<&Resumed>,
) -> Result<Option<Named>, Failure> {
    let is_given = args.model.is_some() && resuming::is_given(args, "model");
    let kept = resumed.and_then(|resumed| resumed.model.as_deref());
    let kept = kept.filter(|_| !is_given);
    if let Some(id) = kept.and_then(|model| model.parse().ok()) {
        return Ok(Some(Named {
            id,
            origin: resuming::ORIGIN.to_owned(),
            kept: true,
        }));
    }
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
    Ok(Some(Named {
        id,
        origin,
        kept: false,
    }))
}

/// A model of a server in `models.json`, which is shown its own key and nothing of ours.
fn of_provider(
    provider: &Provider,
    id: &ModelId,
    origin: String,
    search: Option<Search>,
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
        Some(_) => Source::ServerKey(name.clone()),
        None => Source::Server(name.clone()),
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
    let said = listed.and_then(|listed| listed.shape);
    let shape = said.unwrap_or_else(|| model.shape(backend));
    let (shape, others) =
        shapes(shape, true, search.is_some()).ok_or_else(|| no_search(id.as_str()))?;
    Ok(Choosing {
        choice: Choice {
            provider: Some(name.clone()),
            shape,
            others,
            searches: false,
            max_output: listed.and_then(|listed| listed.max_output),
            backend,
            model,
            cache: Cache::new(None, "", ""),
        },
        instead: None,
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
        shape_origin: match said {
            Some(_) => "from models.json",
            None => "the default",
        },
    })
}

/// A model of the subscription, of the public API, or of what stands in its place; for a new conversation, also what is
/// asked where that has not got the default one.
fn of_service(
    named: Option<Named>,
    is_new: bool,
    providers: &[Provider],
    search: Option<Search>,
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
    let plan = plan(&found);
    let defaults = match named {
        Some(_) => Vec::new(),
        None => defaults(&listed.models, plan.as_deref()),
    };
    let (id, origin, kept) = match (named, defaults.first()) {
        (Some(named), _) => (named.id.as_str().to_owned(), named.origin, named.kept),
        (None, Some(model)) => (model.id.clone(), listed.source.to_owned(), false),
        (None, None) => (EXAMPLE.to_owned(), "the program".to_owned(), false),
    };
    let known = find(&listed.models, &id).or_else(|| find(&listed.further, &id));
    if kept && let Some(why) = unusable(&id, known) {
        return Err(not_kept(&id, why));
    }
    let address = match backend {
        Backend::Subscription => &endpoints.subscription,
        Backend::Api | Backend::Other => &endpoints.api,
    };
    let own: Vec<String> = own(providers).map(|(id, _)| id).collect();
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
    let (said, learned) = (listed.shape(&id), cache.shape(&id));
    let choice = |model: &Model| {
        let said = listed.shape(&model.id);
        let settled = said.is_some() || backend != Backend::Subscription;
        let first = said.or_else(|| cache.shape(&model.id));
        let first = first.unwrap_or_else(|| model.shape(backend));
        let (shape, others) = shapes(first, settled, search.is_some())?;
        Some(Choice {
            provider: None,
            shape,
            others,
            searches: search.is_some() && !settled,
            max_output: None,
            backend,
            model: model.clone(),
            cache: cache.clone(),
        })
    };
    let instead = is_new
        .then(|| next_default(&defaults, backend))
        .flatten()
        .and_then(choice);
    let choice = choice(&model).ok_or_else(|| no_search(&id))?;
    Ok(Choosing {
        choice,
        instead,
        found,
        keeper,
        endpoints,
        warnings,
        origin,
        shape_origin: match (said, learned) {
            (Some(_), _) => "from models.json",
            (None, Some(_)) => "the one that turned out to be right, from models_cache.json",
            (None, None) if known.is_some() => "the one of the list of models",
            (None, None) => "the default",
        },
    })
}

/// Why a model that nobody has named for this run cannot be asked with this credential, as far as that is known.
fn unusable(id: &str, known: Option<&Model>) -> Option<&'static str> {
    match known {
        Some(model) if model.older => Some("it is retired for this sign-in"),
        None if catalogue::all().iter().any(|known| known.model.id == id) => {
            Some("this credential cannot use it")
        }
        Some(_) | None => None,
    }
}

/// A search that the user's own word leaves no room for.
fn no_search(id: &str) -> Failure {
    Failure::new(
        Outcome::Failed,
        format!(
            "cannot search the web: models.json has {id} asked in the lite shape, which carries no tools of the service"
        ),
    )
    .hint("leave the search out, or name another shape in models.json")
}

/// An address that a file names.
fn base(address: &str, place: &str) -> Result<BaseUrl, Failure> {
    BaseUrl::parse(address).map_err(|error| {
        Failure::usage(format!("cannot use the address of {place}: {error}"))
            .hint("it looks like https://server.example/v1")
    })
}

/// A note about a model that is sent as it is.
fn not_known(id: &str, place: &str, known: &[&str], host: Option<&str>) -> String {
    let near = nearest(id, known).map_or(String::new(), |near| format!("; the nearest is {near}"));
    let host = host.map_or(String::new(), |host| format!(" to {host}"));
    format!("{id} is not {place}, and is sent as it is{host}{near}")
}
