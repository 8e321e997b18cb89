//! The credential and the address of a conversation.

use std::path::Path;
use std::sync::Arc;

use super::error::Error;
use crate::api::{Endpoints, SUBSCRIPTION, Scope, WorkspaceRoute};
use crate::auth::critical_section::Critical;
use crate::auth::issuer::{ISSUER, Issuer};
use crate::auth::sign_in::SignIn;
use crate::auth::store::{CredentialStore, StorePath};
use crate::auth::{self, Authority, Credential};
use crate::http::{BaseUrl, HttpSetup, host};
use crate::models::Backend;
use crate::secret::Secret;

/// The User-Agent of requests.
pub(super) const AGENT: &str = concat!("codex-run/", env!("CARGO_PKG_VERSION"));

/// A credential and the address that it is used with.
#[derive(Clone, Debug)]
pub struct Access {
    pub(super) authority: Authority,
    pub(super) endpoints: Endpoints,
    pub(super) backend: Backend,
    pub(super) setup: HttpSetup,
}

impl Access {
    /// Uses the sign-in that `codex login` stored in `home`, which is `~/.codex-run` unless `CODEX_RUN_HOME` is set. It is
    /// renewed when necessary, under the same lock that the command takes, and stored again.
    ///
    /// # Errors
    /// If no sign-in is stored in `home`.
    pub fn stored(home: &Path) -> Result<Self, Error> {
        Self::stored_for(home, ISSUER, SUBSCRIPTION)
    }

    /// Like [`Access::stored`], with the issuer and the subscription backend at other addresses.
    ///
    /// # Errors
    /// If no sign-in is stored in `home`, or secrets must not be sent to one of the addresses.
    pub fn stored_for(home: &Path, issuer: &str, address: &str) -> Result<Self, Error> {
        let store = CredentialStore::new(&StorePath {
            file: home.join("auth.json"),
            home: Some(home.to_owned()),
            foreign: false,
        });
        let saved = match store.read().map_err(Error::Store)?.sign_in {
            Some(saved) => saved.map_err(Error::Token)?,
            None => return Err(Error::NotSignedIn),
        };
        let setup = HttpSetup::new(AGENT);
        let issuer = Issuer::new(BaseUrl::parse(issuer).map_err(Error::Address)?, &setup);
        let sign_in = SignIn::new(store, issuer, saved, Critical::default());
        let authority = Authority::SignIn(Arc::new(sign_in));
        Self::new(address, authority, Backend::Subscription)
    }

    /// Uses an API key, with the base URL of the API or of a compatible server.
    ///
    /// # Errors
    /// If the URL or the key is malformed.
    pub fn key(address: &str, key: &str) -> Result<Self, Error> {
        let secret = Secret::new(key.to_owned());
        let key = auth::key(&secret, &auth::CredentialSource::Caller).map_err(Error::Key)?;
        let authority = Authority::Fixed(Credential::Key(key));
        let access = Self::new(address, authority, Backend::Other)?;
        let backend = Backend::of_key(&host(access.endpoints.api.as_str()));
        Ok(Self { backend, ..access })
    }

    /// Uses a ChatGPT access token, with the base URL of the subscription backend.
    ///
    /// # Errors
    /// If the URL or the token is malformed.
    pub fn token(address: &str, token: &str) -> Result<Self, Error> {
        let credential =
            Credential::of_token(Secret::new(token.to_owned())).map_err(Error::Token)?;
        Self::new(address, Authority::Fixed(credential), Backend::Subscription)
    }

    fn new(address: &str, authority: Authority, backend: Backend) -> Result<Self, Error> {
        let base = BaseUrl::parse(address).map_err(Error::Address)?;
        Ok(Self {
            authority,
            endpoints: Endpoints {
                subscription: base.clone(),
                api: base,
                route: WorkspaceRoute::default(),
                scope: Scope::default(),
            },
            backend,
            setup: HttpSetup::new(AGENT),
        })
    }

    /// Sets proxies and TLS roots for requests. They are not used to renew a sign-in.
    #[must_use]
    pub fn through(self, setup: HttpSetup) -> Self {
        Self { setup, ..self }
    }
}
