//! Who asks, and where.

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

/// How this program names itself to the service.
pub(super) const AGENT: &str = concat!("codex-run/", env!("CARGO_PKG_VERSION"));

/// Who asks, and where.
#[derive(Clone, Debug)]
pub struct Access {
    pub(super) authority: Authority,
    pub(super) endpoints: Endpoints,
    pub(super) backend: Backend,
    pub(super) setup: HttpSetup,
}

impl Access {
    /// With the sign-in that `codex login` has stored in this directory, `~/.codex-run` unless `CODEX_RUN_HOME` names
    /// another one. It is renewed when that is needed, under the same lock as by the command, and stored again.
    ///
    /// # Errors
    /// When no sign-in is stored there.
    pub fn stored(home: &Path) -> Result<Self, Error> {
        Self::stored_for(home, ISSUER, SUBSCRIPTION)
    }

    /// The same, renewed by the issuer at the first address, for the subscription backend at the second.
    ///
    /// # Errors
    /// When no sign-in is stored there, or no secret may be sent to an address.
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

    /// With a key, at the address of the API or of another server that speaks it.
    ///
    /// # Errors
    /// When the address or the key is none.
    pub fn key(address: &str, key: &str) -> Result<Self, Error> {
        let secret = Secret::new(key.to_owned());
        let key = auth::key(&secret, &auth::CredentialSource::Caller).map_err(Error::Key)?;
        let authority = Authority::Fixed(Credential::Key(key));
        let access = Self::new(address, authority, Backend::Other)?;
        let backend = Backend::of_key(&host(access.endpoints.api.as_str()));
        Ok(Self { backend, ..access })
    }

    /// With a ChatGPT access token, at the address of the subscription backend.
    ///
    /// # Errors
    /// When the address or the token is none.
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

    /// The same through this proxy, or trusting these roots. A sign-in is renewed without them.
    #[must_use]
    pub fn through(self, setup: HttpSetup) -> Self {
        Self { setup, ..self }
    }
}
