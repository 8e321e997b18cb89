//! Access tokens that a workspace issues (`at-...`): they contain no claims, so clients ask the issuer
//! for their account.

use serde_json::json;

use super::super::token;
use super::book::{Person, random};
use super::{Issuer, Recorded, Reply, refusal};

/// Prefix of such a token.
pub(in super::super) const PREFIX: &str = "at-";

/// `GET /api/accounts/v1/user-auth-credential/whoami`.
pub(super) fn whoami(issuer: &Issuer, request: &Recorded) -> Reply {
    let mut state = issuer.state();
    state.counts.whoamis += 1;
    if let Some(failure) = state.knobs.failures.pop_front() {
        return failure;
    }
    let token = token::bearer(request).unwrap_or_default();
    let Some(person) = state.personal.get(token) else {
        return refusal(401, "invalid_token", "This access token is not valid.");
    };
    let body = json!({
        "email": super::book::EMAIL,
        "chatgpt_user_id": format!("user-of-{}", person.account),
        "chatgpt_account_id": person.account,
        "chatgpt_plan_type": person.plan,
        "chatgpt_account_is_fedramp": person.bounds.fedramp,
    });
    Reply::json(200, &body)
}

impl Issuer {
    /// A new access token of this account's workspace.
    pub(crate) fn personal(&self, account: &str) -> String {
        let mut state = self.state();
        let token = format!("{PREFIX}{}", random(24));
        let person = Person {
            account: account.to_owned(),
            plan: state.knobs.plan.clone(),
            scope: String::new(),
            bounds: state.knobs.bounds.clone(),
        };
        state.personal.insert(token.clone(), person);
        token
    }

    /// Makes this access token of a workspace unknown.
    pub(crate) fn withdraw(&self, personal: &str) {
        self.state().personal.remove(personal);
    }

    /// The account of such a token, if it was issued here.
    pub(in super::super) fn personal_account(&self, personal: &str) -> Option<String> {
        let state = self.state();
        let person = state.personal.get(personal)?;
        Some(person.account.clone())
    }

    /// Number of requests for the account of such a token.
    pub(crate) fn whoamis(&self) -> usize {
        self.state().counts.whoamis
    }
}
