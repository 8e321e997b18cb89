//! A sign-in: its tokens, account and expiry (pure).

use super::token::{Claims, TokenError, claims};
use super::token_response::Issued;
use super::workspace::Bounds;
use crate::id::AccountId;
use crate::secret::Secret;

/// A sign-in as it is stored.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The access token.
    pub access: Secret,
    /// The single-use refresh token; `None` if only an access token was provided.
    pub refresh: Option<Secret>,
    /// The ID token, in files that have a place for it.
    pub id: Option<Secret>,
    /// When the access token expires, in Unix seconds; `None` if unknown.
    pub expires: Option<u64>,
    /// The account.
    pub account: AccountId,
    /// The e-mail address of the account, if a token or the file contains it.
    pub email: Option<String>,
    /// The plan of the account.
    pub plan: Option<String>,
    /// The restrictions of the account's workspace.
    pub bounds: Bounds,
}

/// How long before its expiry an access token is renewed, in seconds.
pub const RENEW_BEFORE_SECONDS: u64 = 5 * 60;

impl SignedIn {
    /// Returns its tokens.
    pub fn secrets(&self) -> impl Iterator<Item = Secret> {
        let further = self.refresh.iter().chain(&self.id);
        std::iter::once(&self.access).chain(further).cloned()
    }

    /// Creates a sign-in from tokens. `known` supplies what their claims lack.
    ///
    /// # Errors
    /// If nothing names the account.
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
        // If the token and the file differ, the earlier expiry is safe: it costs one extra renewal at worst.
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

    /// Creates a sign-in from the first token response.
    ///
    /// # Errors
    /// If the response lacks the access token, or nothing names the account.
    pub fn first(issued: Issued, now: u64) -> Result<Self, TokenError> {
        let known = issued.known(now);
        let access = issued.access.ok_or(TokenError::Shape)?;
        Self::new(access, issued.refresh, issued.id, known)
    }

    /// Returns the sign-in after a renewal, keeping what the response omits.
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

    /// Returns a short description of its owner, such as `name (plan)`.
    #[must_use]
    pub fn who(&self) -> String {
        let account = self.account.as_str();
        let name = self.email.as_deref().unwrap_or(account);
        match &self.plan {
            Some(plan) => format!("{name} ({plan})"),
            None => name.to_owned(),
        }
    }

    /// Returns whether the access token has expired or is due for renewal.
    #[must_use]
    pub fn due(&self, now: u64) -> bool {
        self.expires
            .is_some_and(|expires| expires <= now.saturating_add(RENEW_BEFORE_SECONDS))
    }

    /// Returns whether the access token has expired.
    #[must_use]
    pub fn ended(&self, now: u64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::token::tests::{token, token_of};

    #[test]
    fn expiry_comes_from_the_token_then_the_response_then_a_default() {
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
    fn a_renewal_replaces_only_what_the_response_contains() {
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
