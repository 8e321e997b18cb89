//! What signs a request: an access token with its account, or an API key.

use super::token::{self, TokenError};
use super::workspace::Bounds;
use crate::id::AccountId;
use crate::secret::Secret;

/// The credential of a request.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A ChatGPT access token, for the subscription backend.
    Token {
        /// The token.
        access: Secret,
        /// The account, which requests name in a header.
        account: AccountId,
        /// The restrictions of the account's workspace, which requests name in headers.
        bounds: Bounds,
    },
    /// An API key, for the public API.
    Key(Secret),
}

impl Credential {
    /// Creates a credential from a ChatGPT access token and its claims.
    ///
    /// # Errors
    /// If the text is not a token or names no account.
    pub fn of_token(access: Secret) -> Result<Self, TokenError> {
        let claims = token::claims(access.expose())?;
        Ok(Self::Token {
            account: claims.account.ok_or(TokenError::NoAccount)?,
            bounds: claims.bounds,
            access,
        })
    }

    /// Returns the secret for the authorization header.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Token { access, .. } => access,
            Self::Key(key) => key,
        }
    }
}
