//! Workspaces restricted to a region or a routing: the claims of their tokens, the headers that the
//! backend requires, and the response to a request for their routing.

use serde_json::{Value, json};

use super::check::Refusal;
use super::http::Recorded;

/// The default for an unrestricted workspace.
const FREE: &str = "NO_CONSTRAINT";

/// The restrictions of a workspace. There are none by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The claim `chatgpt_compute_residency`, which requests must repeat.
    pub(crate) residency: Option<String>,
    /// The claim of the id token, which requests must repeat.
    pub(crate) fedramp: bool,
    /// Requests without this routing are answered with 432.
    pub(crate) routing: Option<String>,
    /// The routing that `accounts/check` returns.
    pub(crate) origin: Option<String>,
}

impl Bounds {
    /// Adds the claims of an access token, or with `all` those of an id token.
    pub(super) fn claim(&self, claims: &mut Value, all: bool) {
        if let Some(residency) = &self.residency {
            claims["chatgpt_compute_residency"] = residency.as_str().into();
            claims["chatgpt_data_residency"] = residency.as_str().into();
        }
        if self.fedramp && all {
            claims["chatgpt_account_is_fedramp"] = true.into();
        }
    }

    /// Adds the account's fields in `accounts/check`.
    pub(super) fn tell(&self, account: &mut Value) {
        let told = |value: &Option<String>| value.clone().unwrap_or_else(|| FREE.to_owned());
        account["workspace_backend_origin"] = told(&self.origin).into();
        account["account_routing_override"] = told(&self.routing).into();
    }

    /// Whether a request of the workspace has the required headers.
    pub(super) fn check(&self, request: &Recorded) -> Result<(), Refusal> {
        if self.fedramp && request.header("x-openai-fedramp") != Some("true") {
            let body = json!({"detail": "The X-OpenAI-Fedramp header is missing."});
            return Err(Refusal::new(403, &body));
        }
        let routing = request.header("x-openai-account-routing-override");
        if self.routing.is_some() && routing != self.routing.as_deref() {
            let body = json!({"detail": "Workspace routing is unavailable"});
            return Err(Refusal::new(432, &body));
        }
        Ok(())
    }
}

/// Whether a request names the region that its token is restricted to.
pub(super) fn region(claims: &Value, request: &Recorded) -> Result<(), Refusal> {
    let claim = |name: &str| claims[name].as_str().filter(|text| !text.is_empty());
    let bound = claim("chatgpt_compute_residency").or_else(|| claim("chatgpt_data_residency"));
    let bound = bound.filter(|region| *region != "no_constraint");
    let named = request.header("x-openai-internal-codex-residency");
    if bound.is_some() && named != bound {
        let body = json!({"detail": "Workspace is not authorized in this region."});
        return Err(Refusal::new(401, &body));
    }
    Ok(())
}
