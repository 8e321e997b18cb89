//! Which models there are: the list that was kept, or the built-in one, with what `models.json` says; and where it is
//! kept.

use std::path::PathBuf;

use crate::api::Endpoints;
use crate::auth::token::claims;
use crate::auth::{self, Chosen, Credential, Found};
use crate::cli::environment::Environment;
use crate::http;
use crate::models::cache::Cache;
use crate::models::change::put_over;
use crate::models::custom::Provider;
use crate::models::{Backend, Model, catalogue};
use crate::wire::request::Shape;

/// The models that there are.
pub(super) struct Listed {
    /// Those that the service lists, or the built-in ones, with what `models.json` adds and changes.
    pub(super) models: Vec<Model>,
    /// Those that are known besides.
    pub(super) further: Vec<Model>,
    /// Where the list comes from, for people.
    pub(super) source: &'static str,
    shapes: Vec<(String, Shape)>,
}

impl Listed {
    /// The list for this backend, as it was kept, or else the built-in one.
    pub(super) fn find(backend: Backend, cache: &Cache, providers: &[Provider]) -> Self {
        let mut further = catalogue::of(backend);
        let kept = match backend {
            Backend::Subscription => cache.list().filter(|list| !list.models.is_empty()),
            Backend::Api | Backend::Other => None,
        };
        let (mut models, source) = match kept {
            Some(list) => (list.models, "the service's list of models"),
            None => (std::mem::take(&mut further), "the built-in list of models"),
        };
        let shapes = put_over(&mut models, backend, providers);
        put_over(&mut further, backend, providers);
        Self {
            models,
            further,
            source,
            shapes,
        }
    }

    pub(super) fn shape(&self, id: &str) -> Option<Shape> {
        let said = self.shapes.iter().find(|(of, _)| of == id);
        said.map(|(_, shape)| *shape)
    }
}

/// The plan of the account that this credential belongs to, where it names one.
pub(super) fn plan(found: &[Found]) -> Option<String> {
    match auth::choose(found) {
        Ok(Chosen::Fixed(Credential::Token { access, .. })) => {
            claims(access.expose()).ok().and_then(|claims| claims.plan)
        }
        Ok(Chosen::SignIn(signed_in)) => signed_in.plan,
        _ => None,
    }
}

/// Where requests with this credential go, and where what is learned of its models is kept.
pub(super) fn place(
    found: &[Found],
    endpoints: &Endpoints,
    environment: &Environment,
) -> (Backend, Cache) {
    let account = match auth::choose(found) {
        Ok(Chosen::Fixed(Credential::Token { account, .. })) => account.as_str().to_owned(),
        Ok(Chosen::SignIn(signed_in)) => signed_in.account.as_str().to_owned(),
        // Whose it is may not be known yet.
        Ok(Chosen::Personal(personal)) => personal.name(),
        _ => String::new(),
    };
    let subscription = found.first().is_none_or(Found::is_subscription);
    let (backend, address) = if subscription {
        (Backend::Subscription, &endpoints.subscription)
    } else {
        let host = http::host(endpoints.api.as_str());
        (Backend::of_key(&host), &endpoints.api)
    };
    let home: Option<PathBuf> = environment.home();
    let cache = Cache::new(home.as_deref(), &account, address.as_str());
    (backend, cache)
}
