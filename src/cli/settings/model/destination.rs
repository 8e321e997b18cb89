//! The destination of a run: a server in `models.json`, or the service (pure).

use super::error::ModelError;
use super::named::{ModelOrigin, NamedModel};
use crate::id::ModelId;
use crate::models::custom::Provider;

/// The providers in `models.json` that stand for the subscription and the API.
const SERVICES: &[&str] = &["openai-codex", "openai"];

/// Whether this provider stands for the subscription or the API.
pub(super) fn is_service(provider: &Provider) -> bool {
    SERVICES.contains(&&*provider.name)
}

/// The destination of a run.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Destination<'a> {
    /// A model of this server in `models.json`.
    Server(&'a Provider, NamedModel),
    /// A model of the subscription, the API, or a server that replaces it; the default one if none was named.
    Service(Option<NamedModel>),
}

impl<'a> Destination<'a> {
    /// Finds the destination of the named model. The part before the first slash names a provider, if there is one of that
    /// name. `kept` is the provider of a resumed conversation.
    pub(super) fn of(
        named: Option<NamedModel>,
        providers: &'a [Provider],
        kept: Option<&str>,
    ) -> Result<Self, ModelError> {
        let split = named.as_ref().and_then(|named| {
            let (name, id) = named.id.as_str().split_once('/')?;
            let provider = providers.iter().find(|provider| provider.name == name)?;
            Some((provider, id.parse::<ModelId>().ok()?))
        });
        let found = split.as_ref().map(|(provider, _)| &*provider.name);
        let of_conversation = |named: &&NamedModel| named.origin == ModelOrigin::Conversation;
        if let (Some(named), Some(kept)) = (named.as_ref().filter(of_conversation), kept)
            && found != Some(kept)
        {
            // A conversation with that server is sent to a different one only if the user asks for it.
            return Err(ModelError::NoProvider {
                model: named.id.as_str().to_owned(),
                provider: kept.to_owned(),
            });
        }
        let renamed = |id| named.clone().map(|named| NamedModel { id, ..named });
        match split {
            Some((provider, id)) if provider.base_url.is_some() => match renamed(id) {
                Some(named) => Ok(Self::Server(provider, named)),
                None => Ok(Self::Service(None)),
            },
            Some((provider, _)) if !is_service(provider) => {
                Err(ModelError::NoAddress(provider.name.clone()))
            }
            Some((_, id)) => Ok(Self::Service(renamed(id))),
            None => Ok(Self::Service(named)),
        }
    }
}
