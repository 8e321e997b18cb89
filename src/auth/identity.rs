//! The identity of a personal access token (`at-...`), as reported by the issuer (pure).

use serde_json::{Value, json};

use super::signed_in::SignedIn;
use super::token::{Claims, TokenError};
use super::workspace::Bounds;
use crate::id::AccountId;
use crate::secret::Secret;

/// The prefix of a personal access token.
const PREFIX: &str = "at-";

/// Returns whether a string is a personal access token.
#[must_use]
pub fn is_personal(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// The identity of a token, as reported by the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenIdentity {
    /// The account.
    pub account: AccountId,
    /// The user's e-mail address.
    pub email: Option<String>,
    /// The plan of the account.
    pub plan: Option<String>,
    /// The restrictions of the account's workspace.
    pub bounds: Bounds,
}

impl TokenIdentity {
    /// Reads the issuer's response; `None` if it names no account.
    #[must_use]
    pub fn read(json: &Value) -> Option<Self> {
        let text = |name: &str| json[name].as_str().filter(|text| !text.is_empty());
        Some(Self {
            account: text("chatgpt_account_id")?.parse().ok()?,
            email: text("email").map(str::to_owned),
            plan: text("chatgpt_plan_type").map(str::to_owned),
            bounds: Bounds::of(json),
        })
    }

    /// Returns the fields that are cached, in the form of the issuer's response.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "chatgpt_account_id": self.account.as_str(),
            "email": self.email,
            "chatgpt_plan_type": self.plan,
            "chatgpt_data_residency": self.bounds.residency,
            "chatgpt_account_is_fedramp": self.bounds.fedramp,
        })
    }

    /// Returns the sign-in to store for this token.
    ///
    /// # Errors
    /// Never: the account is known.
    pub fn signed_in(self, access: Secret) -> Result<SignedIn, TokenError> {
        let known = Claims {
            account: Some(self.account),
            bounds: self.bounds,
            email: self.email,
            plan: self.plan,
            expires: None,
        };
        SignedIn::new(access, None, None, known)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_names_an_account_and_optional_fields() {
        let full = json!({"email": "a@example.com", "chatgpt_user_id": "u", "chatgpt_account_id": "acct-9",
            "chatgpt_plan_type": "enterprise", "chatgpt_account_is_fedramp": true});
        let identity = TokenIdentity::read(&full).expect("an account");
        assert_eq!(identity.account.as_str(), "acct-9");
        assert_eq!(identity.plan.as_deref(), Some("enterprise"));
        assert!(identity.bounds.is_fedramp());
        assert_eq!(TokenIdentity::read(&identity.json()), Some(identity));
        assert!(
            TokenIdentity::read(&json!({"chatgpt_account_id": "acct-9", "email": 3})).is_some()
        );
        for unidentified in [
            json!({}),
            json!([]),
            json!({"chatgpt_account_id": null}),
            json!({"chatgpt_account_id": ""}),
            json!({"chatgpt_account_id": "a b"}),
        ] {
            assert_eq!(TokenIdentity::read(&unidentified), None, "{unidentified}");
        }
    }
}
