//! Chooses the model, its destination and its request shape, from inputs that were read before (pure).

use std::fmt;

use super::super::endpoints::{AddressOrigin, account, address, backend};
use super::destination::is_service;
use super::error::{ModelError, ModelNote};
use super::model_list::{ModelList, plan};
use super::named::{EXAMPLE, ModelOrigin, NamedModel};
use crate::api::{Endpoints, Scope, WorkspaceRoute};
use crate::auth::FoundCredential;
use crate::cli::nearest::nearest;
use crate::http::{self, BaseUrl};
use crate::models::cache::{Cache, CacheFile, CachedLists};
use crate::models::choice::{Choice, shapes};
use crate::models::custom::{ListedUrl, Provider};
use crate::models::custom_ids::listed_models;
use crate::models::{Backend, Model, catalogue, defaults, find, next_default};

/// Everything that depends on the model.
#[derive(Clone, Debug)]
pub(crate) struct ChosenModel {
    pub(crate) choice: Choice,
    /// The model to use instead if the service does not have this one and it was not named explicitly.
    pub(crate) substitute: Option<Choice>,
    pub(crate) endpoints: Endpoints,
    pub(crate) notes: Vec<ModelNote>,
    /// Who named the model.
    pub(crate) origin: ModelOrigin,
    /// The origin of the request shape.
    pub(crate) shape_origin: ShapeOrigin,
    /// The origin of the address.
    pub(crate) address_origin: AddressOrigin,
}

/// The origin of a request shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ShapeOrigin {
    /// `models.json`.
    ModelsFile,
    /// The service, which rejected the others.
    Learned,
    /// The list of models.
    List,
    /// The built-in default.
    Default,
}

impl fmt::Display for ShapeOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ModelsFile => "from models.json",
            Self::Learned => "the one that the service accepted, from models_cache.json",
            Self::List => "from the list of models",
            Self::Default => "the default",
        })
    }
}

/// The inputs of every choice, regardless of the destination.
pub(super) struct ChoiceInputs<'a> {
    /// The contents of `models.json`.
    pub(super) providers: &'a [Provider],
    /// This run begins a new conversation.
    pub(super) is_new: bool,
    /// Web search is requested.
    pub(super) search: bool,
    /// The given flag for a key, as messages name it.
    pub(super) key_flag: Option<String>,
}

/// The destination of a model, with what was read for it.
pub(super) enum ModelAt<'a> {
    /// A server in `models.json`, which receives its own key and no other credential.
    Server(&'a Provider, NamedModel),
    /// The subscription, the API, or a server that replaces it.
    Service(Option<NamedModel>, Box<KnownOfService<'a>>),
}

/// What was read for the service.
pub(super) struct KnownOfService<'a> {
    /// The credentials, in order of precedence.
    pub(super) found: &'a [FoundCredential],
    pub(super) endpoints: Endpoints,
    pub(super) address_origin: AddressOrigin,
    /// `models_cache.json`, and what it holds.
    pub(super) file: CacheFile,
    pub(super) lists: CachedLists,
}

/// Chooses the model.
pub(super) fn choose(at: ModelAt<'_>, asked: &ChoiceInputs<'_>) -> Result<ChosenModel, ModelError> {
    match at {
        ModelAt::Server(provider, named) => of_server(provider, named, asked),
        ModelAt::Service(named, known) => of_service(named, *known, asked),
    }
}

fn of_server(
    provider: &Provider,
    named: NamedModel,
    asked: &ChoiceInputs<'_>,
) -> Result<ChosenModel, ModelError> {
    let name = &provider.name;
    let id = named.id.as_str();
    if let Some(protocol) = &provider.other_protocol {
        return Err(ModelError::OtherProtocol {
            provider: name.clone(),
            protocol: protocol.clone(),
        });
    }
    let ListedUrl { url, place } = provider.base_url.clone().unwrap_or_default();
    let base = BaseUrl::parse(&url).map_err(|error| ModelError::BadAddress {
        place: format!("\"baseUrl\" in {place}"),
        error,
    })?;
    let mut notes = Vec::new();
    if provider.headers {
        notes.push(ModelNote::HeadersNotSent(name.clone()));
    }
    if let Some(flag) = &asked.key_flag {
        notes.push(ModelNote::KeyNotUsed {
            flag: flag.clone(),
            provider: name.clone(),
        });
    }
    let models = &provider.models;
    let listed = models.iter().find(|listed| listed.model.id == id);
    if listed.is_none() && !models.is_empty() {
        let ids: Vec<&str> = models.iter().map(|listed| &*listed.model.id).collect();
        notes.push(ModelNote::NotKnown {
            id: id.to_owned(),
            provider: Some(name.clone()),
            host: None,
            nearest: nearest(id, &ids).map(str::to_owned),
        });
    }
    let model = listed.map_or_else(|| Model::unknown(id), |listed| listed.model.clone());
    let backend = Backend::Other;
    let listed_shape = listed.and_then(|listed| listed.shape);
    let shape = listed_shape.unwrap_or_else(|| model.shape(backend));
    let (shape, others) =
        shapes(shape, true, asked.search).ok_or_else(|| ModelError::NoSearch(id.to_owned()))?;
    Ok(ChosenModel {
        choice: Choice {
            provider: Some(name.clone()),
            shape,
            others,
            searches: false,
            max_output: listed.and_then(|listed| listed.max_output),
            backend,
            model,
            cache: Cache::of(CacheFile::default(), "", ""),
        },
        substitute: None,
        endpoints: Endpoints {
            subscription: base.clone(),
            api: base,
            route: WorkspaceRoute::default(),
            scope: Scope::default(),
        },
        notes,
        origin: named.origin,
        shape_origin: match listed_shape {
            Some(_) => ShapeOrigin::ModelsFile,
            None => ShapeOrigin::Default,
        },
        address_origin: AddressOrigin::ModelsFile,
    })
}

/// A model of the subscription, of the public API, or of a server that replaces it; for a new conversation, also the
/// substitute if the service does not have the default model.
fn of_service(
    named: Option<NamedModel>,
    known: KnownOfService<'_>,
    asked: &ChoiceInputs<'_>,
) -> Result<ChosenModel, ModelError> {
    let KnownOfService {
        found,
        endpoints,
        address_origin,
        file,
        lists,
    } = known;
    let backend = backend(found, &endpoints);
    let address = address(backend, &endpoints);
    let cache = Cache::of(file, &account(found), address.as_str());
    let listed = ModelList::of(backend, cache.list_in(&lists), asked.providers);
    let plan = plan(found);
    let defaults = match named {
        Some(_) => Vec::new(),
        None => defaults(&listed.models, plan.as_deref()),
    };
    let (id, origin) = match (named, defaults.first()) {
        (Some(named), _) => (named.id.as_str().to_owned(), named.origin),
        (None, Some(model)) => (model.id.clone(), listed.origin.clone()),
        (None, None) => (EXAMPLE.to_owned(), ModelOrigin::Program),
    };
    let known = find(&listed.models, &id).or_else(|| find(&listed.further, &id));
    if origin == ModelOrigin::Conversation
        && let Some(retired) = unusable(&id, known)
    {
        return Err(ModelError::Unusable { model: id, retired });
    }
    if known.is_none() && origin != ModelOrigin::Conversation {
        check_provider(&id, backend, asked.providers)?;
    }
    let mut notes = Vec::new();
    let own: Vec<String> = listed_models(asked.providers).map(|(id, _)| id).collect();
    if known.is_none() && (backend != Backend::Other || !own.is_empty()) {
        let listed = listed.models.iter().map(|model| &*model.id);
        let ids: Vec<&str> = listed.chain(own.iter().map(String::as_str)).collect();
        let host = (!own.is_empty()).then(|| http::host(address.as_str()));
        notes.push(ModelNote::NotKnown {
            id: id.clone(),
            provider: None,
            host,
            nearest: nearest(&id, &ids).map(str::to_owned),
        });
    }
    let services = asked
        .providers
        .iter()
        .filter(|provider| is_service(provider));
    let not_used =
        services.filter(|provider| provider.base_url.is_some() || provider.api_key.is_some());
    notes.extend(not_used.map(|provider| ModelNote::EntryNotUsed(provider.name.clone())));
    let model = known.cloned().unwrap_or_else(|| Model::unknown(&id));
    let choice = |model: &Model| {
        let listed_shape = listed.shape(&model.id);
        let settled = listed_shape.is_some() || backend != Backend::Subscription;
        let first = listed_shape.or_else(|| cache.shape_in(&lists, &model.id));
        let first = first.unwrap_or_else(|| model.shape(backend));
        let (shape, others) = shapes(first, settled, asked.search)?;
        Some(Choice {
            provider: None,
            shape,
            others,
            searches: asked.search && !settled,
            max_output: None,
            backend,
            model: model.clone(),
            cache: cache.clone(),
        })
    };
    let next = next_default(&defaults, backend).filter(|_| asked.is_new);
    let substitute = next.and_then(choice);
    let shape_origin = match (listed.shape(&id), cache.shape_in(&lists, &id)) {
        (Some(_), _) => ShapeOrigin::ModelsFile,
        (None, Some(_)) => ShapeOrigin::Learned,
        (None, None) if known.is_some() => ShapeOrigin::List,
        (None, None) => ShapeOrigin::Default,
    };
    let choice = choice(&model).ok_or_else(|| ModelError::NoSearch(id.clone()))?;
    Ok(ChosenModel {
        choice,
        substitute,
        endpoints,
        notes,
        origin,
        shape_origin,
        address_origin,
    })
}

/// Rejects an id with a mistyped provider, whose prompt would be sent elsewhere. Ids of OpenAI have no slash; those of another
/// server may.
fn check_provider(id: &str, backend: Backend, providers: &[Provider]) -> Result<(), ModelError> {
    let Some((name, _)) = id.split_once('/') else {
        return Ok(());
    };
    let known: Vec<&str> = providers.iter().map(|provider| &*provider.name).collect();
    let nearest = nearest(name, &known).map(str::to_owned);
    if backend == Backend::Other && nearest.is_none() {
        return Ok(());
    }
    Err(ModelError::UnknownProvider {
        model: id.to_owned(),
        known: known.into_iter().map(str::to_owned).collect(),
        nearest,
    })
}

/// For a model that is known to be unavailable to this credential: whether it was retired. `None` for any other.
fn unusable(id: &str, known: Option<&Model>) -> Option<bool> {
    if let Some(model) = known {
        return model.older.then_some(true);
    }
    let exists = catalogue::all().iter().any(|known| known.model.id == id);
    exists.then_some(false)
}
