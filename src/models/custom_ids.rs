//! The models of custom providers in `models.json`, as `-m` accepts them (pure).

use super::custom::{CustomModel, Provider};

/// Lists the models of usable providers, each with the id that `-m` accepts.
pub fn listed_models(providers: &[Provider]) -> impl Iterator<Item = (String, &CustomModel)> {
    let servers = providers
        .iter()
        .filter(|provider| provider.base_url.is_some() && provider.other_protocol.is_none());
    servers.flat_map(|provider| {
        let models = provider.models.iter();
        models.map(|listed| (format!("{}/{}", provider.name, listed.model.id), listed))
    })
}
