//! The known models: the cached or built-in list, with the changes in `models.json` (pure).

use super::named::ModelOrigin;
use crate::auth::token::claims;
use crate::auth::{self, Chosen, Credential, FoundCredential};
use crate::models::cache::List;
use crate::models::custom::Provider;
use crate::models::overlay::apply_overrides;
use crate::models::{Backend, Model, catalogue};
use crate::wire::request::Shape;

/// The known models.
pub(super) struct ModelList {
    /// The models of the service's list or the built-in ones, with the additions and changes in `models.json`.
    pub(super) models: Vec<Model>,
    /// Other known models.
    pub(super) further: Vec<Model>,
    /// The origin of the list.
    pub(super) origin: ModelOrigin,
    shapes: Vec<(String, Shape)>,
}

impl ModelList {
    /// The cached list for this backend, or the built-in one.
    pub(super) fn of(backend: Backend, kept: Option<&List>, providers: &[Provider]) -> Self {
        let mut further = catalogue::of(backend);
        let kept = match backend {
            Backend::Subscription => kept.filter(|list| !list.models.is_empty()),
            Backend::Api | Backend::Other => None,
        };
        let (mut models, origin) = match kept {
            Some(list) => (list.models.clone(), ModelOrigin::ServiceList),
            None => (std::mem::take(&mut further), ModelOrigin::BuiltInList),
        };
        let shapes = apply_overrides(&mut models, backend, providers);
        apply_overrides(&mut further, backend, providers);
        Self {
            models,
            further,
            origin,
            shapes,
        }
    }

    pub(super) fn shape(&self, id: &str) -> Option<Shape> {
        let found = self.shapes.iter().find(|(of, _)| of == id);
        found.map(|(_, shape)| *shape)
    }
}

/// The plan of this credential's account, if it names one.
pub(crate) fn plan(found: &[FoundCredential]) -> Option<String> {
    match auth::choose(found) {
        Ok(Chosen::Fixed(Credential::Token { access, .. })) => {
            claims(access.expose()).ok().and_then(|claims| claims.plan)
        }
        Ok(Chosen::SignIn(signed_in)) => signed_in.plan,
        _ => None,
    }
}
