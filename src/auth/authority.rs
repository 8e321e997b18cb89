//! Where the credential of each request comes from, and how it is renewed.

use std::sync::Arc;

use super::access_token::Personal;
use super::credential::Credential;
use super::sign_in::{self, Hook, SignIn};
use crate::id::AccountId;
use crate::secret::Secret;

/// Where the credentials of a run come from.
#[derive(Clone, Debug)]
pub enum Authority {
    /// One that stays as it is.
    Fixed(Credential),
    /// A stored sign-in, which is renewed when that is needed.
    SignIn(Arc<SignIn>),
    /// An access token that a workspace handed out, whose account the issuer knows.
    Personal(Arc<Personal>),
}

impl Authority {
    /// The credential for the next request.
    ///
    /// # Errors
    /// When a sign-in cannot be renewed, or it cannot be found out whose the token is.
    pub fn credential(&self) -> Result<Credential, sign_in::Error> {
        match self {
            Self::Fixed(credential) => Ok(credential.clone()),
            Self::SignIn(sign_in) => sign_in.credential(),
            Self::Personal(personal) => personal.credential(),
        }
    }

    /// The credential as it is now, whether or not it is still good.
    #[must_use]
    pub fn current(&self) -> Credential {
        match self {
            Self::Fixed(credential) => credential.clone(),
            Self::SignIn(sign_in) => sign_in.token(),
            Self::Personal(personal) => personal.current(),
        }
    }

    /// The credential as it is now, and only it: whoever holds this renews nothing.
    #[must_use]
    pub fn as_it_is(&self) -> Self {
        Self::Fixed(self.current())
    }

    /// The credential in place of one that the service has refused; nothing if there is no other.
    ///
    /// # Errors
    /// When a sign-in cannot be renewed.
    pub fn instead_of(&self, rejected: &Credential) -> Result<Option<Credential>, sign_in::Error> {
        match self {
            Self::Fixed(_) | Self::Personal(_) => Ok(None),
            Self::SignIn(sign_in) => sign_in.instead_of(rejected.secret()),
        }
    }

    /// What went wrong with a renewal since this was last asked.
    #[must_use]
    pub fn warnings(&self) -> Vec<sign_in::Warning> {
        match self {
            Self::Fixed(_) | Self::Personal(_) => Vec::new(),
            Self::SignIn(sign_in) => sign_in.warnings(),
        }
    }

    /// Has every wait of more than a second reported here that comes before a request.
    pub fn on_wait(&self, hook: Hook) {
        match self {
            Self::Fixed(_) => {}
            Self::SignIn(sign_in) => sign_in.on_wait(hook),
            Self::Personal(personal) => personal.on_wait(hook),
        }
    }

    /// The account that requests name; none with a key.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self.current() {
            Credential::Token { account, .. } => Some(account),
            Credential::Key(_) => None,
        }
    }

    /// Every secret that was used, so that none is ever shown.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Fixed(credential) => vec![credential.secret().clone()],
            Self::SignIn(sign_in) => sign_in.seen(),
            Self::Personal(personal) => vec![personal.access().clone()],
        }
    }

    /// Spends no refresh token any more, and waits for one that is being spent.
    pub fn settle(&self) {
        if let Self::SignIn(sign_in) = self {
            sign_in.settle();
        }
    }
}
