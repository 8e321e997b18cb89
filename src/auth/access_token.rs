//! Personal access tokens issued by a workspace (`at-...`). They carry no claims and are never renewed: the issuer is
//! asked once for the token's identity, and the result is cached for later processes.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::credential::Credential;
use super::identity::TokenIdentity;
use super::issuer::{self, Issuer};
use super::sign_in::{Error, Hook, RenewalWait};
use super::store::Memory;
use super::workspace::Bounds;
use crate::id::AccountId;
use crate::secret::Secret;

/// A personal access token with the issuer that can identify it.
pub struct Personal {
    access: Secret,
    issuer: Issuer,
    memory: Memory,
    hook: Mutex<Option<Hook>>,
    known: Mutex<Option<TokenIdentity>>,
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(..)")
    }
}

impl Personal {
    /// Creates a token identified by this issuer. The identity is cached in `home`, if there is one.
    #[must_use]
    pub fn new(access: Secret, issuer: Issuer, home: Option<&Path>) -> Self {
        let access = Secret::new(access.expose().trim().to_owned());
        let memory = Memory::new(home, issuer.name());
        Self {
            known: Mutex::new(memory.identity(&access)),
            access,
            issuer,
            memory,
            hook: Mutex::default(),
        }
    }

    /// Returns the token.
    #[must_use]
    pub fn access(&self) -> &Secret {
        &self.access
    }

    /// Returns the identity if it is already known.
    #[must_use]
    pub fn known(&self) -> Option<TokenIdentity> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// Returns a hash that identifies the token without revealing it.
    #[must_use]
    pub fn name(&self) -> String {
        self.memory.name(&self.access)
    }

    /// Returns the credential for requests. Asks the issuer for the identity unless it is cached.
    pub(super) fn credential(&self) -> Result<Credential, Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = if let Some(identity) = &*known {
            identity.clone()
        } else {
            let identified = self.ask()?;
            self.memory.remember(&self.access, &identified);
            known.insert(identified).clone()
        };
        Ok(self.with_identity(identity))
    }

    /// Returns the credential without a request, with an unknown account if the identity is not cached.
    pub(super) fn current(&self) -> Credential {
        let unknown = || TokenIdentity {
            account: AccountId::unknown(),
            email: None,
            plan: None,
            bounds: Bounds::default(),
        };
        self.with_identity(self.known().unwrap_or_else(unknown))
    }

    /// Sets the hook that reports waits for the issuer.
    pub(super) fn on_wait(&self, hook: Hook) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    fn ask(&self) -> Result<TokenIdentity, Error> {
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner);
        let hook = hook.clone();
        let on_retry = |delay: Duration, error: &issuer::Error| {
            if let Some(hook) = &hook {
                hook.report(&RenewalWait::Again(error.to_string(), delay));
            }
        };
        let identity = self.issuer.whoami(&self.access, &on_retry);
        identity.map_err(Error::Unidentified)
    }

    fn with_identity(&self, identity: TokenIdentity) -> Credential {
        Credential::Token {
            access: self.access.clone(),
            account: identity.account,
            bounds: identity.bounds,
        }
    }
}
