//! What an access token says about itself. It is a JSON Web Token (RFC 7519); only its middle part is
//! read, and its signature is the service's to check.

use std::error::Error;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::id::AccountId;

/// Why a text is no access token of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It is not three parts with dots between them, or the middle one is not base64url of JSON.
    Shape,
    /// It names no account.
    NoAccount,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shape => "it is not three parts with dots between them, as tokens are",
            Self::NoAccount => "it names no account",
        })
    }
}

impl Error for TokenError {}

/// The account that a token belongs to.
///
/// # Errors
/// When the text is no token, or names no account.
pub fn account(token: &str) -> Result<AccountId, TokenError> {
    let claims = claims(token)?;
    let account = &claims["https://api.openai.com/auth"]["chatgpt_account_id"];
    account
        .as_str()
        .and_then(|id| id.parse().ok())
        .ok_or(TokenError::NoAccount)
}

fn claims(token: &str) -> Result<Value, TokenError> {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, middle, signature] = parts[..] else {
        return Err(TokenError::Shape);
    };
    if head.is_empty() || signature.is_empty() {
        return Err(TokenError::Shape);
    }
    let json = URL_SAFE_NO_PAD
        .decode(middle)
        .map_err(|_| TokenError::Shape)?;
    serde_json::from_slice(&json).map_err(|_| TokenError::Shape)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// An unsigned token with these claims.
    pub(in crate::auth) fn token(claims: &str) -> String {
        format!(
            "eyJhbGciOiJub25lIn0.{}.c2ln",
            URL_SAFE_NO_PAD.encode(claims)
        )
    }

    #[test]
    fn the_account_is_read_from_the_claims() {
        let check = |token: &str, expected: Result<&str, TokenError>| {
            assert_eq!(
                account(token).map(|id| id.as_str().to_owned()),
                expected.map(str::to_owned),
                "{token}"
            );
        };
        check(
            &token(r#"{"https://api.openai.com/auth":{"chatgpt_account_id":"acct-1"},"exp":1}"#),
            Ok("acct-1"),
        );
        check(
            &token(r#"{"https://api.openai.com/auth":{}}"#),
            Err(TokenError::NoAccount),
        );
        check(&token("{}"), Err(TokenError::NoAccount));
        check(&token("no JSON"), Err(TokenError::Shape));
        for text in ["", "sk-key", "a.b", "a.!.c", ".e30.", "a.e30.b.c"] {
            check(text, Err(TokenError::Shape));
        }
    }
}
