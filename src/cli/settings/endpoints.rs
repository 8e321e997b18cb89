//! The addresses of the two backends, and the backend that a credential is for.

use std::fmt;

use crate::api::{API, Endpoints, SUBSCRIPTION, Scope, WorkspaceRoute};
use crate::auth::{self, Chosen, Credential, FoundCredential};
use crate::cli::environment::Environment;
use crate::failure::Failure;
use crate::http::{self, BaseUrl};
use crate::models::Backend;

/// The variables that override the addresses.
const SUBSCRIPTION_VARIABLE: &str = "CODEX_RUN_BASE_URL";
const API_VARIABLE: &str = "OPENAI_BASE_URL";

/// The setting of the official client that overrides the address of the API.
const API_SETTING: &str = "openai_base_url";

/// The origin of the address of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AddressOrigin {
    /// This environment variable.
    Variable(&'static str),
    /// This setting of the official client, by `-c`.
    Setting(&'static str),
    /// `models.json`.
    ModelsFile,
    /// The built-in default.
    Default,
}

impl fmt::Display for AddressOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "from {name}"),
            Self::Setting(name) => write!(f, "from -c {name}"),
            Self::ModelsFile => f.write_str("from models.json"),
            Self::Default => f.write_str("the default"),
        }
    }
}

/// The backends. Only the address in use is validated; without a credential, that of the subscription.
pub(super) fn endpoints(
    found: &[FoundCredential],
    environment: &Environment,
) -> Result<Endpoints, Failure> {
    let subscription = is_subscription(found);
    let address = |name, default, used| -> Result<BaseUrl, Failure> {
        environment.address(name, default, used)
    };
    Ok(Endpoints {
        subscription: address(SUBSCRIPTION_VARIABLE, SUBSCRIPTION, subscription)?,
        api: address(API_VARIABLE, API, !subscription)?,
        route: WorkspaceRoute::default(),
        scope: if subscription {
            Scope::default()
        } else {
            scope(environment)?
        },
    })
}

/// The backends of a run, with `api` as the address of the API if given, and the origin of the address in use.
pub(super) fn of_run(
    found: &[FoundCredential],
    environment: &Environment,
    api: Option<&str>,
) -> Result<(Endpoints, AddressOrigin), Failure> {
    let mut endpoints = endpoints(found, environment)?;
    if let Some(address) = api {
        endpoints.api = BaseUrl::parse(address).map_err(|error| {
            Failure::usage(format!("cannot use the address of {API_SETTING}: {error}"))
                .hint("for example: https://server.example/v1")
        })?;
    }
    let variable = if is_subscription(found) {
        SUBSCRIPTION_VARIABLE
    } else {
        API_VARIABLE
    };
    let origin = match api {
        Some(_) if !is_subscription(found) => AddressOrigin::Setting(API_SETTING),
        _ if environment.get(variable).is_some() => AddressOrigin::Variable(variable),
        _ => AddressOrigin::Default,
    };
    Ok((endpoints, origin))
}

fn is_subscription(found: &[FoundCredential]) -> bool {
    found.first().is_none_or(FoundCredential::is_subscription)
}

/// The backend that these credentials are for.
pub(super) fn backend(found: &[FoundCredential], endpoints: &Endpoints) -> Backend {
    if is_subscription(found) {
        Backend::Subscription
    } else {
        Backend::of_key(&http::host(endpoints.api.as_str()))
    }
}

/// The address of this backend.
pub(super) fn address(backend: Backend, endpoints: &Endpoints) -> &BaseUrl {
    match backend {
        Backend::Subscription => &endpoints.subscription,
        Backend::Api | Backend::Other => &endpoints.api,
    }
}

/// The host of the service that receives these credentials.
pub(crate) fn host(found: &[FoundCredential], endpoints: &Endpoints) -> String {
    http::host(address(backend(found, endpoints), endpoints).as_str())
}

/// The name of the cache for a credential: its account, if known.
pub(super) fn account(found: &[FoundCredential]) -> String {
    match auth::choose(found) {
        Ok(Chosen::Fixed(Credential::Token { account, .. })) => account.as_str().to_owned(),
        Ok(Chosen::SignIn(signed_in)) => signed_in.account.as_str().to_owned(),
        // Its account may still be unknown.
        Ok(Chosen::Personal(personal)) => personal.name(),
        _ => String::new(),
    }
}

/// The organization and project that requests with a key are billed to.
fn scope(environment: &Environment) -> Result<Scope, Failure> {
    let named = |name: &str| -> Result<Option<String>, Failure> {
        let Some(value) = environment.get(name) else {
            return Ok(None);
        };
        let value = value.to_string_lossy();
        let value = value.trim();
        if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Failure::usage(format!(
                "cannot use {name}: it contains a character that is invalid in an id"
            ))
            .hint("use an id from the API's settings, such as org-1 or proj_1, or unset it"));
        }
        Ok((!value.is_empty()).then(|| value.to_owned()))
    };
    Ok(Scope {
        organization: named("OPENAI_ORGANIZATION")?,
        project: named("OPENAI_PROJECT")?,
    })
}
