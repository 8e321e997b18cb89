//! Who is asking. Credentials that were found, and which one counts; a sign-in, how one begins (`pkce`,
//! `callback`, `device`), where it is kept (`store`) and how it stays valid (`sign_in`). A ChatGPT token belongs
//! to the subscription backend and a key to the API; the type keeps them apart from here on.

pub mod again;
pub mod bounds;
pub mod callback;
pub mod change;
mod choice;
pub mod critical;
pub mod device;
mod form;
pub mod issued;
pub mod issuer;
pub mod opener;
pub mod page;
pub mod personal;
pub mod pkce;
mod plan;
mod poll;
pub mod printed;
pub mod redirect;
pub mod refusal;
pub mod sign_in;
mod source;
pub mod store;
pub mod token;

use std::sync::Arc;

use crate::id::AccountId;
use crate::secret::Secret;
use bounds::Bounds;
pub use choice::{Chosen, Error, Found, What, choose, key, plain};
use personal::Personal;
use sign_in::{Hook, SignIn};
pub use source::Source;
use token::TokenError;

/// What proves who is asking.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A ChatGPT access token, for the subscription backend.
    Token {
        /// The token.
        access: Secret,
        /// The account it belongs to, which its requests name.
        account: AccountId,
        /// What binds the workspace of the account, which its requests say too.
        bounds: Bounds,
    },
    /// An API key, for the API.
    Key(Secret),
}

impl Credential {
    /// A ChatGPT access token, with what it says of its account.
    ///
    /// # Errors
    /// When the text is no token, or names no account.
    pub fn of_token(access: Secret) -> Result<Self, TokenError> {
        let claims = token::claims(access.expose())?;
        Ok(Self::Token {
            account: claims.account.ok_or(TokenError::NoAccount)?,
            bounds: claims.bounds,
            access,
        })
    }

    /// The secret itself, for the authorization header.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Token { access, .. } => access,
            Self::Key(key) => key,
        }
    }
}

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
