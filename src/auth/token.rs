//! What tokens say about themselves, and the sign-in that they make (pure). A token is a JSON Web
//! Token (RFC 7519); only its middle part is read, and its signature is the service's to check.

use std::error::Error;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::bounds::Bounds;
use super::issued::Issued;
use crate::id::AccountId;
use crate::secret::Secret;

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
            Self::Shape => "it is no JSON Web Token, as access tokens are",
            Self::NoAccount => "it names no account",
        })
    }
}

impl Error for TokenError {}

/// What a token claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// The account that it belongs to.
    pub account: Option<AccountId>,
    /// Whose it is.
    pub email: Option<String>,
    /// The plan of the account, as the service spells it.
    pub plan: Option<String>,
    /// When it ends, in Unix seconds.
    pub expires: Option<u64>,
    /// What binds the workspace of the account to a place.
    pub bounds: Bounds,
}

/// What a token claims.
///
/// # Errors
/// When the text is no token.
pub fn claims(token: &str) -> Result<Claims, TokenError> {
    let claims = middle(token)?;
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

/// The account that a token belongs to.
///
/// # Errors
/// When the text is no token, or names no account.
pub fn account(token: &str) -> Result<AccountId, TokenError> {
    claims(token)?.account.ok_or(TokenError::NoAccount)
}

/// Whole seconds, also where they are written as a fraction.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a time before 1970 or beyond all measure is none
pub(super) fn seconds(value: &Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_f64().filter(|f| *f >= 0.0).map(|f| f as u64))
}

fn middle(token: &str) -> Result<Value, TokenError> {
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

/// A sign-in as it is kept.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The access token.
    pub access: Secret,
    /// The refresh token, which can be used once; none where only an access token was given to us.
    pub refresh: Option<Secret>,
    /// The id token, in files that have a place for it.
    pub id: Option<Secret>,
    /// When the access token ends, in Unix seconds; none where nothing tells.
    pub expires: Option<u64>,
    /// The account.
    pub account: AccountId,
    /// Whose account it is, where a token or the file says so.
    pub email: Option<String>,
    /// The plan of the account.
    pub plan: Option<String>,
    /// What binds the workspace of the account to a place.
    pub bounds: Bounds,
}

/// How long before its end an access token is replaced, in seconds.
pub const EARLY: u64 = 5 * 60;

impl SignedIn {
    /// Its tokens.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> {
        let further = self.refresh.iter().chain(&self.id);
        std::iter::once(&self.access).chain(further).cloned()
    }

    /// A sign-in of these tokens. What the tokens do not say themselves may be known from elsewhere.
    ///
    /// # Errors
    /// When nothing names the account.
    pub fn new(
        access: Secret,
        refresh: Option<Secret>,
        id: Option<Secret>,
        known: Claims,
    ) -> Result<Self, TokenError> {
        let own = claims(access.expose());
        let shape = own.as_ref().err().copied();
        let own = own.unwrap_or_default();
        let other = id
            .as_ref()
            .and_then(|id| claims(id.expose()).ok())
            .unwrap_or_default();
        // Where the token and the file differ, the earlier end is the safe one: one renewal more at worst.
        let expires = match (own.expires, known.expires) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        let account = known.account.or(own.account).or(other.account);
        Ok(Self {
            access,
            refresh,
            id,
            expires,
            account: account.ok_or(shape.unwrap_or(TokenError::NoAccount))?,
            email: own.email.or(other.email).or(known.email),
            plan: own.plan.or(other.plan).or(known.plan),
            bounds: own.bounds.or(other.bounds).or(known.bounds),
        })
    }

    /// The sign-in that a first answer of the token endpoint makes.
    ///
    /// # Errors
    /// When the answer lacks the access token, or nothing names the account.
    pub fn first(issued: Issued, now: u64) -> Result<Self, TokenError> {
        let known = issued.known(now);
        let access = issued.access.ok_or(TokenError::Shape)?;
        Self::new(access, issued.refresh, issued.id, known)
    }

    /// The sign-in after a renewal: what came replaces what was.
    #[must_use]
    pub fn renewed(&self, issued: Issued, now: u64) -> Self {
        let came = issued.access.is_some();
        let known = Claims {
            account: Some(self.account.clone()),
            email: self.email.clone(),
            plan: self.plan.clone(),
            bounds: self.bounds.clone(),
            expires: if came {
                issued.known(now).expires
            } else {
                self.expires
            },
        };
        let access = issued.access.unwrap_or_else(|| self.access.clone());
        let refresh = issued.refresh.or_else(|| self.refresh.clone());
        let id = issued.id.or_else(|| self.id.clone());
        let fallback = Self {
            access: access.clone(),
            refresh: refresh.clone(),
            id: id.clone(),
            ..self.clone()
        };
        Self::new(access, refresh, id, known).unwrap_or(fallback)
    }

    /// Whose it is, in a few words.
    #[must_use]
    pub fn who(&self) -> String {
        let account = self.account.as_str();
        let name = self.email.as_deref().unwrap_or(account);
        match &self.plan {
            Some(plan) => format!("{name} ({plan})"),
            None => name.to_owned(),
        }
    }

    /// Whether the access token has ended, or ends so soon that it is to be replaced.
    #[must_use]
    pub fn due(&self, now: u64) -> bool {
        self.expires
            .is_some_and(|expires| expires <= now.saturating_add(EARLY))
    }

    /// Whether the access token has ended.
    #[must_use]
    pub fn ended(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
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

    /// An unsigned token of this account that ends then.
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

    #[test]
    fn the_end_is_the_tokens_own_else_what_the_answer_says_else_an_hour() {
        let check = |body: &str, expected: Option<u64>| {
            let signed_in =
                Issued::read(body.as_bytes()).and_then(|i| SignedIn::first(i, 1000).ok());
            assert_eq!(signed_in.and_then(|s| s.expires), expected, "{body}");
        };
        let own = token_of("a", 7000);
        let own = own.expose();
        check(
            &format!(r#"{{"access_token":"{own}","expires_in":5}}"#),
            Some(7000),
        );
        let silent = token(r#"{"chatgpt_account_id":"a"}"#);
        check(
            &format!(r#"{{"access_token":"{silent}","expires_in":5}}"#),
            Some(1005),
        );
        check(&format!(r#"{{"access_token":"{silent}"}}"#), Some(4600));
        check(r#"{"access_token":""}"#, None);
        check("[]", None);
    }

    #[test]
    fn a_renewal_replaces_only_what_came() {
        let old = SignedIn::new(
            token_of("a", 1),
            Some(Secret::new("rt_1".to_owned())),
            None,
            Claims::default(),
        )
        .expect("a sign-in");
        let check = |body: &str, access_changes: bool, refresh: &str, expires: u64| {
            let new = old.renewed(Issued::read(body.as_bytes()).expect("an answer"), 1000);
            assert_eq!(new.access != old.access, access_changes, "{body}");
            assert_eq!(
                new.refresh.map(|r| r.expose().to_owned()).as_deref(),
                Some(refresh)
            );
            assert_eq!(
                (new.expires, new.account.as_str()),
                (Some(expires), "a"),
                "{body}"
            );
        };
        let access = token_of("a", 9000);
        let access = access.expose();
        check(
            &format!(r#"{{"access_token":"{access}","refresh_token":"rt_2"}}"#),
            true,
            "rt_2",
            9000,
        );
        check(
            &format!(r#"{{"access_token":"{access}"}}"#),
            true,
            "rt_1",
            9000,
        );
        check(r#"{"refresh_token":"rt_2"}"#, false, "rt_2", 1);
        check(
            r#"{"access_token":"opaque","expires_in":60}"#,
            true,
            "rt_1",
            1060,
        );
    }
}
