//! Access tokens that a workspace hands out (`at-...`). They say nothing by themselves and are never renewed: the
//! issuer is asked once whose a token is, and its answer is kept for later processes.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};

use super::Credential;
use super::bounds::Bounds;
use super::issuer::{self, Issuer};
use super::sign_in::{Error, Hook, Waiting};
use super::store::Memory;
use super::token::{Claims, SignedIn, TokenError};
use crate::id::AccountId;
use crate::secret::Secret;

/// What such a token begins with.
const PREFIX: &str = "at-";

/// Whether a text is such a token.
#[must_use]
pub fn is_personal(token: &str) -> bool {
    token.starts_with(PREFIX)
}

/// Whose a token is, as the issuer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account.
    pub account: AccountId,
    /// The person's address.
    pub email: Option<String>,
    /// The plan of the account.
    pub plan: Option<String>,
    /// What binds the workspace of the account.
    pub bounds: Bounds,
}

impl Identity {
    /// Reads the issuer's answer; nothing if it names no account.
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

    /// The answer again, as far as it matters.
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

    /// The sign-in that this token makes, as it is stored.
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

/// A token, and whoever knows whose it is.
pub struct Personal {
    access: Secret,
    issuer: Issuer,
    memory: Memory,
    hook: Mutex<Option<Hook>>,
    known: Mutex<Option<Identity>>,
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Personal(..)")
    }
}

impl Personal {
    /// A token whose owner this issuer knows. What it says is remembered in our home, if there is one.
    #[must_use]
    pub fn new(access: Secret, issuer: Issuer, home: Option<&Path>) -> Self {
        let access = Secret::new(access.expose().trim().to_owned());
        let memory = Memory::new(home, issuer.name());
        Self {
            known: Mutex::new(memory.whose(&access)),
            access,
            issuer,
            memory,
            hook: Mutex::default(),
        }
    }

    /// The token.
    #[must_use]
    pub fn access(&self) -> &Secret {
        &self.access
    }

    /// Whose it is, if that was asked before.
    #[must_use]
    pub fn known(&self) -> Option<Identity> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.clone()
    }

    /// A name for the token that gives nothing of it away.
    #[must_use]
    pub fn name(&self) -> String {
        self.memory.name(&self.access)
    }

    /// What requests are signed by. The issuer is asked whose the token is, unless somebody has before.
    pub(super) fn credential(&self) -> Result<Credential, Error> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let identity = if let Some(identity) = &*known {
            identity.clone()
        } else {
            let told = self.ask()?;
            self.memory.remember(&self.access, &told);
            known.insert(told).clone()
        };
        Ok(self.of(identity))
    }

    /// The same as far as it is known, asking nobody.
    pub(super) fn current(&self) -> Credential {
        let unknown = || Identity {
            account: AccountId::unknown(),
            email: None,
            plan: None,
            bounds: Bounds::default(),
        };
        self.of(self.known().unwrap_or_else(unknown))
    }

    /// Has every wait for the issuer reported here.
    pub(super) fn on_wait(&self, hook: Hook) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    fn ask(&self) -> Result<Identity, Error> {
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner);
        let hook = hook.clone();
        let heard = |delay: Duration, error: &issuer::Error| {
            if let Some(hook) = &hook {
                hook.hear(&Waiting::Again(error.to_string(), delay));
            }
        };
        let whose = self.issuer.whoami(&self.access, &heard);
        whose.map_err(Error::Whose)
    }

    fn of(&self, identity: Identity) -> Credential {
        Credential::Token {
            access: self.access.clone(),
            account: identity.account,
            bounds: identity.bounds,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_names_an_account_and_may_name_more() {
        let full = json!({"email": "a@example.com", "chatgpt_user_id": "u", "chatgpt_account_id": "acct-9",
            "chatgpt_plan_type": "enterprise", "chatgpt_account_is_fedramp": true});
        let identity = Identity::read(&full).expect("an account");
        assert_eq!(identity.account.as_str(), "acct-9");
        assert_eq!(identity.plan.as_deref(), Some("enterprise"));
        assert!(identity.bounds.is_fedramp());
        assert_eq!(Identity::read(&identity.json()), Some(identity));
        assert!(Identity::read(&json!({"chatgpt_account_id": "acct-9", "email": 3})).is_some());
        for nobody in [
            json!({}),
            json!([]),
            json!({"chatgpt_account_id": null}),
            json!({"chatgpt_account_id": ""}),
            json!({"chatgpt_account_id": "a b"}),
        ] {
            assert_eq!(Identity::read(&nobody), None, "{nobody}");
        }
    }
}
