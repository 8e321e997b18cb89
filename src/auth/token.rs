//! Reads the claims of tokens (pure). A token is a JSON Web Token (RFC 7519); only its payload is read. Verifying the
//! signature is left to the service.

use std::error::Error;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::workspace::Bounds;
use crate::id::AccountId;

/// The reason a string is not a usable access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenError {
    /// It is not three parts separated by dots, or the payload is not base64url-encoded JSON.
    Shape,
    /// It names no account.
    NoAccount,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Shape => "it is not a JSON Web Token",
            Self::NoAccount => "it does not name an account",
        })
    }
}

impl Error for TokenError {}

/// The claims of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The account.
    pub account: Option<AccountId>,
    /// The e-mail address.
    pub email: Option<String>,
    /// The plan of the account, by the name that the service uses.
    pub plan: Option<String>,
    /// The expiry time, in Unix seconds.
    pub expires: Option<u64>,
    /// The restrictions of the account's workspace.
    pub bounds: Bounds,
}

/// Reads the claims of a token.
///
/// # Errors
/// If the text is not a token.
pub fn claims(token: &str) -> Result<Claims, TokenError> {
    let claims = payload(token)?;
    let auth = &claims["https://api.openai.com/auth"];
    let profile = &claims["https://api.openai.com/profile"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let account = text(&auth["chatgpt_account_id"])
        .or_else(|| text(&claims["chatgpt_account_id"]))
        .or_else(|| text(&claims["organizations"][0]["id"]));
    Ok(Claims {
        account: account.and_then(|id| id.parse().ok()),
        email: text(&claims["email"]).or_else(|| text(&profile["email"])),
        plan: text(&auth["chatgpt_plan_type"]),
        expires: seconds(&claims["exp"]),
        bounds: Bounds::of(auth),
    })
}

/// Returns the account that a token belongs to.
///
/// # Errors
/// If the text is not a token or names no account.
pub fn account(token: &str) -> Result<AccountId, TokenError> {
    claims(token)?.account.ok_or(TokenError::NoAccount)
}

/// Reads whole seconds, rounding a fraction down.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a negative or huge time is ignored or saturates
pub(super) fn seconds(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_f64().filter(|f| *f >= 0.0).map(|f| f as u64))
}

fn payload(token: &str) -> Result<Value, TokenError> {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, payload, signature] = parts[..] else {
        return Err(TokenError::Shape);
    };
    if head.is_empty() || signature.is_empty() {
        return Err(TokenError::Shape);
    }
    let json = URL_SAFE_NO_PAD
        .decode(payload)
        .map_err(|_| TokenError::Shape)?;
    serde_json::from_slice(&json).map_err(|_| TokenError::Shape)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::secret::Secret;

    /// An unsigned token with these claims.
    pub(in crate::auth) fn token(claims: &str) -> String {
        format!(
            "eyJhbGciOiJub25lIn0.{}.c2ln",
            URL_SAFE_NO_PAD.encode(claims)
        )
    }

    /// An unsigned token of this account with this expiry time.
    pub(in crate::auth) fn token_of(account: &str, expires: u64) -> Secret {
        Secret::new(token(&format!(
            r#"{{"exp":{expires},"https://api.openai.com/auth":{{"chatgpt_account_id":"{account}"}}}}"#
        )))
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
        check(&token(r#"{"chatgpt_account_id":"acct-2"}"#), Ok("acct-2"));
        check(&token(r#"{"organizations":[{"id":"org-3"}]}"#), Ok("org-3"));
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
