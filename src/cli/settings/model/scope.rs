//! The models that a conversation can switch to: those of its server, or of the service and credential that it uses.

use super::choice::{ChoiceInputs, ChosenModel, KnownOfService, ModelAt, choose};
use super::destination::Destination;
use super::model_list::ModelList;
use super::named::{ModelOrigin, NamedModel};
use crate::api::Endpoints;
use crate::auth::FoundCredential;
use crate::cli::flags::FlagOrigin;
use crate::cli::settings::endpoints::{AddressOrigin, account, address, backend};
use crate::failure::Failure;
use crate::models::Model;
use crate::models::cache::{Cache, CacheFile};
use crate::models::custom::Provider;

/// The models among which a conversation can change.
#[derive(Clone, Debug)]
pub(crate) enum ModelScope {
    /// The models of a server in `models.json`.
    Server(Box<Provider>),
    /// The service's models.
    Service {
        endpoints: Box<Endpoints>,
        address_origin: AddressOrigin,
        /// `models_cache.json`.
        file: CacheFile,
    },
}

/// What a choice depends on in addition.
#[derive(Clone, Debug)]
pub(crate) struct ScopeInputs {
    pub(crate) found: Vec<FoundCredential>,
    /// The contents of `models.json`.
    pub(crate) providers: Vec<Provider>,
    /// Web search is requested.
    pub(crate) search: bool,
}

impl ModelScope {
    /// Chooses the model of this name.
    pub(crate) fn choose(&self, name: &str, inputs: &ScopeInputs) -> Result<ChosenModel, Failure> {
        let id = name.parse().map_err(|error| {
            Failure::usage(format!("cannot use the model id {name:?}: {error}"))
        })?;
        let named = NamedModel {
            id,
            origin: ModelOrigin::Flag(FlagOrigin::Flag),
        };
        let asked = ChoiceInputs {
            providers: &inputs.providers,
            is_new: false,
            search: inputs.search,
            key_flag: None,
        };
        let destination = Destination::of(Some(named.clone()), &inputs.providers, None)?;
        let at = match (self, destination) {
            (Self::Server(server), Destination::Server(provider, named))
                if provider.name == server.name =>
            {
                ModelAt::Server(provider, named)
            }
            // Without the name of a provider, it is a model of the same server.
            (Self::Server(server), Destination::Service(_)) => ModelAt::Server(server, named),
            (
                Self::Service {
                    endpoints,
                    address_origin,
                    file,
                },
                Destination::Service(named),
            ) => ModelAt::Service(
                named,
                Box::new(KnownOfService {
                    found: &inputs.found,
                    endpoints: (**endpoints).clone(),
                    address_origin: *address_origin,
                    lists: file.read(),
                    file: file.clone(),
                }),
            ),
            (_, Destination::Server(provider, _)) => {
                return Err(Failure::usage(format!(
                    "cannot switch to the model {name}: it is served by {}, and a conversation cannot move to a different server",
                    provider.name
                ))
                .hint(format!("`codex run --resume ID -m {name}` continues the conversation there")));
            }
        };
        Ok(choose(at, &asked)?)
    }

    /// Whether these models include those at this destination.
    pub(super) fn serves(&self, destination: &Destination<'_>) -> bool {
        match (self, destination) {
            (Self::Server(server), Destination::Server(provider, _)) => {
                provider.name == server.name
            }
            (Self::Service { .. }, Destination::Service(_)) => true,
            _ => false,
        }
    }

    /// The models, in the order of the list.
    pub(crate) fn models(&self, inputs: &ScopeInputs) -> Vec<Model> {
        match self {
            Self::Server(provider) => provider
                .models
                .iter()
                .map(|listed| listed.model.clone())
                .collect(),
            Self::Service {
                endpoints, file, ..
            } => {
                let backend = backend(&inputs.found, endpoints);
                let address = address(backend, endpoints);
                let cache = Cache::of(file.clone(), &account(&inputs.found), address.as_str());
                let lists = file.read();
                ModelList::of(backend, cache.list_in(&lists), &inputs.providers).models
            }
        }
    }
}
