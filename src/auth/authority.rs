//! The source of each request's credential, and its renewal.

use std::sync::Arc;

use super::access_token::Personal;
use super::credential::Credential;
use super::sign_in::{self, Hook, SignIn};
use crate::id::AccountId;
use crate::secret::Secret;

/// The source of a run's credentials.
#[derive(Clone, Debug)]
pub enum Authority {
    /// A credential that is never renewed.
    Fixed(Credential),
    /// A stored sign-in, renewed as needed.
    SignIn(Arc<SignIn>),
    /// A personal access token of a workspace; the issuer identifies its account.
    Personal(Arc<Personal>),
}

impl Authority {
    /// Returns the credential for the next request.
    ///
    /// # Errors
    /// If a sign-in cannot be renewed or a personal access token cannot be identified.
    pub fn credential(&self) -> Result<Credential, sign_in::Error> {
        match self {
            Self::Fixed(credential) => Ok(credential.clone()),
            Self::SignIn(sign_in) => sign_in.credential(),
            Self::Personal(personal) => personal.credential(),
        }
    }

    /// Returns the current credential, valid or not.
    #[must_use]
    pub fn current(&self) -> Credential {
        match self {
            Self::Fixed(credential) => credential.clone(),
            Self::SignIn(sign_in) => sign_in.token(),
            Self::Personal(personal) => personal.current(),
        }
    }

    /// Returns a fixed copy of the current credential, which is never renewed.
    #[must_use]
    pub fn without_renewal(&self) -> Self {
        Self::Fixed(self.current())
    }

    /// Returns a replacement for a credential that the service has rejected; `None` if there is none.
    ///
    /// # Errors
    /// If a sign-in cannot be renewed.
    pub fn replacement_for(
        &self,
        rejected: &Credential,
    ) -> Result<Option<Credential>, sign_in::Error> {
        match self {
            Self::Fixed(_) | Self::Personal(_) => Ok(None),
            Self::SignIn(sign_in) => sign_in.replacement_for(rejected.secret()),
        }
    }

    /// Removes and returns the renewal warnings recorded since the last call.
    #[must_use]
    pub fn warnings(&self) -> Vec<sign_in::Warning> {
        match self {
            Self::Fixed(_) | Self::Personal(_) => Vec::new(),
            Self::SignIn(sign_in) => sign_in.warnings(),
        }
    }

    /// Sets the hook that reports waits of more than a second before a request.
    pub fn on_wait(&self, hook: Hook) {
        match self {
            Self::Fixed(_) => {}
            Self::SignIn(sign_in) => sign_in.on_wait(hook),
            Self::Personal(personal) => personal.on_wait(hook),
        }
    }

    /// Returns the account that requests name; `None` with an API key.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self.current() {
            Credential::Token { account, .. } => Some(account),
            Credential::Key(_) => None,
        }
    }

    /// Returns every secret used so far, for redaction.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Fixed(credential) => vec![credential.secret().clone()],
            Self::SignIn(sign_in) => sign_in.seen(),
            Self::Personal(personal) => vec![personal.access().clone()],
        }
    }

    /// Prevents further renewals and waits for one in progress.
    pub fn settle(&self) {
        if let Self::SignIn(sign_in) = self {
            sign_in.settle();
        }
    }
}
