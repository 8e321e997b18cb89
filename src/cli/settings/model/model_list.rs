//! Which models there are: the list that was kept, or the built-in one, with what `models.json` says (pure).

use super::named::ModelOrigin;
use crate::auth::token::claims;
use crate::auth::{self, Chosen, Credential, FoundCredential};
use crate::models::cache::List;
use crate::models::custom::Provider;
use crate::models::overlay::put_over;
use crate::models::{Backend, Model, catalogue};
use crate::wire::request::Shape;

/// The models that there are.
pub(super) struct ModelList {
    /// Those that the service lists, or the built-in ones, with what `models.json` adds and changes.
    pub(super) models: Vec<Model>,
    /// Those that are known besides.
    pub(super) further: Vec<Model>,
    /// Where the list comes from.
    pub(super) origin: ModelOrigin,
    shapes: Vec<(String, Shape)>,
}

impl ModelList {
    /// The list for this backend, as it was kept, or else the built-in one.
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
        let shapes = put_over(&mut models, backend, providers);
        put_over(&mut further, backend, providers);
        Self {
            models,
            further,
            origin,
            shapes,
        }
    }

    pub(super) fn shape(&self, id: &str) -> Option<Shape> {
        let said = self.shapes.iter().find(|(of, _)| of == id);
        said.map(|(_, shape)| *shape)
    }
}

/// The plan of the account that this credential belongs to, where it names one.
pub(crate) fn plan(found: &[FoundCredential]) -> Option<String> {
    match auth::choose(found) {
        Ok(Chosen::Fixed(Credential::Token { access, .. })) => {
            claims(access.expose()).ok().and_then(|claims| claims.plan)
        }
        Ok(Chosen::SignIn(signed_in)) => signed_in.plan,
        _ => None,
    }
}
