//! Access tokens that a workspace hands out (`at-...`). They say nothing by themselves and are never renewed: the
//! issuer is asked once whose a token is, and its answer is kept for later processes.

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

/// A token, and whoever knows whose it is.
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
    /// A token whose owner this issuer knows. What it says is remembered in our home, if there is one.
    #[must_use]
    pub fn new(access: Secret, issuer: Issuer, home: Option<&Path>) -> Self {
        let access = Secret::new(access.expose().trim().to_owned());
        let memory = Memory::new(home, issuer.name());
        Self {
            known: Mutex::new(memory.whose(&access)),
            access,
            issuer,
            memory,
            hook: Mutex::default(),
        }
    }

    /// The token.
    #[must_use]
    pub fn access(&self) -> &Secret {
        &self.access
    }

    /// Whose it is, if that was asked before.
    #[must_use]
    pub fn known(&self) -> Option<TokenIdentity> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// A name for the token that gives nothing of it away.
    #[must_use]
    pub fn name(&self) -> String {
        self.memory.name(&self.access)
    }

    /// What requests are signed by. The issuer is asked whose the token is, unless somebody has before.
    pub(super) fn credential(&self) -> Result<Credential, Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = if let Some(identity) = &*known {
            identity.clone()
        } else {
            let told = self.ask()?;
            self.memory.remember(&self.access, &told);
            known.insert(told).clone()
        };
        Ok(self.of(identity))
    }

    /// The same as far as it is known, asking nobody.
    pub(super) fn current(&self) -> Credential {
        let unknown = || TokenIdentity {
            account: AccountId::unknown(),
            email: None,
            plan: None,
            bounds: Bounds::default(),
        };
        self.of(self.known().unwrap_or_else(unknown))
    }

    /// Has every wait for the issuer reported here.
    pub(super) fn on_wait(&self, hook: Hook) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    fn ask(&self) -> Result<TokenIdentity, Error> {
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner);
        let hook = hook.clone();
        let heard = |delay: Duration, error: &issuer::Error| {
            if let Some(hook) = &hook {
                hook.hear(&RenewalWait::Again(error.to_string(), delay));
            }
        };
        let whose = self.issuer.whoami(&self.access, &heard);
        whose.map_err(Error::Whose)
    }

    fn of(&self, identity: TokenIdentity) -> Credential {
        Credential::Token {
            access: self.access.clone(),
            account: identity.account,
            bounds: identity.bounds,
        }
    }
}
