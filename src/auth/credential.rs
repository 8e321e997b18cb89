//! What signs a request: an access token with its account, or an API key.

use super::token::{self, TokenError};
use super::workspace::Bounds;
use crate::id::AccountId;
use crate::secret::Secret;

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
