//! Region-bound workspaces: the headers of their requests, and the route that the service names when it rejects the
//! usual one. The route is requested once per process and not stored.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::headers::PROTOCOL;
use crate::auth::Credential;
use crate::auth::workspace::Bounds;
use crate::http::{self, BaseUrl};
use crate::id::AccountId;

/// The host of the built-in subscription URL, the only one trusted to name other origins.
const BUILT_IN_HOST: &str = "chatgpt.com";

/// The domain of every origin that a workspace may be routed to.
const ORIGIN_SUFFIX: &str = ".chatgpt.com";

/// The service's value for a workspace on the usual route.
const UNCONSTRAINED: &str = "NO_CONSTRAINT";

/// Size limit in bytes of a routing name sent as a header.
const MAX_ROUTING_BYTES: usize = 16;

/// The organization and project that an API key's requests are billed to, if the key covers several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// The organization.
    pub organization: Option<String>,
    /// The project.
    pub project: Option<String>,
}

impl Scope {
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        let named = [
            ("openai-organization", &self.organization),
            ("openai-project", &self.project),
        ];
        let named = named.into_iter();
        named
            .filter_map(|(name, value)| Some((name, value.clone()?)))
            .collect()
    }
}

/// The headers for the account and its workspace; for an API key, its scope.
pub(super) fn headers(credential: &Credential, scope: &Scope) -> Vec<(&'static str, String)> {
    match credential {
        Credential::Token {
            account, bounds, ..
        } => account_headers(account.as_str(), bounds),
        Credential::Key(_) => scope.headers(),
    }
}

/// The headers for the account and its workspace.
pub(super) fn account_headers(account: &str, bounds: &Bounds) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("chatgpt-account-id", account.to_owned()),
        ("version", PROTOCOL.to_owned()),
    ];
    if let Some(region) = bounds.region() {
        headers.push(("x-openai-internal-codex-residency", region.to_owned()));
    }
    if bounds.is_fedramp() {
        headers.push(("x-openai-fedramp", "true".to_owned()));
    }
    headers
}

/// The route of a workspace's requests. The usual route has neither field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct WorkspaceTarget {
    /// Replaces the scheme and host of the subscription URL.
    origin: Option<String>,
    /// The value of the routing header.
    routing: Option<String>,
}

impl WorkspaceTarget {
    /// Parses the response of `accounts/check` for this account; `None` if it has an unexpected format.
    pub(super) fn read(body: &[u8], account: &AccountId, base: &BaseUrl) -> Option<Self> {
        let json: Value = serde_json::from_slice(body).ok()?;
        let mut accounts = json["accounts"].as_array()?.iter();
        let found = accounts.find(|entry| entry["id"] == account.as_str())?;
        let text = |name: &str| found[name].as_str().filter(|text| *text != UNCONSTRAINED);
        let built_in = http::host(base.as_str()) == BUILT_IN_HOST;
        let origin = text("workspace_backend_origin").filter(|text| built_in && is_origin(text));
        let routing = text("account_routing_override").filter(|text| is_routing(text));
        Some(Self {
            origin: origin.map(str::to_owned),
            routing: routing.map(str::to_owned),
        })
    }

    /// The subscription URL on this route.
    pub(super) fn base(&self, base: &BaseUrl) -> String {
        let base = base.as_str();
        match &self.origin {
            Some(origin) => {
                let rest = base.split_once("://").map_or(base, |(_, rest)| rest);
                let path = rest.find('/').map_or("", |at| &rest[at..]);
                format!("{origin}{path}")
            }
            None => base.to_owned(),
        }
    }

    /// The routing header.
    pub(super) fn header(&self) -> Option<(&'static str, String)> {
        let routing = self.routing.clone()?;
        Some(("x-openai-account-routing-override", routing))
    }
}

/// Whether this is an `https` origin below the service's domain, without port, path or user.
fn is_origin(text: &str) -> bool {
    let Some(host) = text.strip_prefix("https://") else {
        return false;
    };
    let is_label = |label: &str| {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !label.is_empty() && label.bytes().all(fits)
    };
    host.strip_suffix(ORIGIN_SUFFIX)
        .is_some_and(|below| below.split('.').all(is_label))
}

fn is_routing(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (1..=MAX_ROUTING_BYTES).contains(&text.len()) && text.bytes().all(fits)
}

/// The route of a run's workspace, once known. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceRoute(Arc<Mutex<Option<WorkspaceTarget>>>);

impl WorkspaceRoute {
    /// The current route.
    pub(super) fn target(&self) -> WorkspaceTarget {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone().unwrap_or_default()
    }

    /// The route to try after `used` was rejected, if there is another. `ask` is called once for all clones; the others
    /// wait for its result.
    pub(super) fn after(
        &self,
        used: &WorkspaceTarget,
        ask: impl FnOnce() -> Option<WorkspaceTarget>,
    ) -> Option<WorkspaceTarget> {
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(target) = &*found {
            return (target != used).then(|| target.clone());
        }
        let route = ask();
        *found = Some(route.clone().unwrap_or_default());
        route
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn target(origin: &str, routing: &str, base: &str) -> (Option<String>, Option<String>) {
        let account = |id: &str, origin: &str, routing: &str| json!({"id": id, "workspace_backend_origin": origin, "account_routing_override": routing});
        let body = json!({"accounts": [account("other", "https://x.chatgpt.com", "eu"), account("acct-1", origin, routing)]});
        let base = BaseUrl::parse(base).expect("an address");
        let account = "acct-1".parse().expect("an account");
        let target =
            WorkspaceTarget::read(body.to_string().as_bytes(), &account, &base).expect("an answer");
        (target.origin, target.routing)
    }

    #[test]
    fn an_origin_is_used_only_below_the_services_domain() {
        let base = "https://chatgpt.com/backend-api/codex";
        let origin = |origin: &str| target(origin, UNCONSTRAINED, base).0;
        for good in ["https://gov.chatgpt.com", "https://a-1.eu.chatgpt.com"] {
            assert_eq!(origin(good).as_deref(), Some(good));
        }
        for bad in [
            UNCONSTRAINED,
            "",
            "https://chatgpt.com",
            "https://evilchatgpt.com",
            "https://.chatgpt.com",
            "https://gov.chatgpt.com.evil.example",
            "https://evil.example#.chatgpt.com",
            "https://evil.example/.chatgpt.com",
            "https://evil.example?.chatgpt.com",
            "https://user@gov.chatgpt.com",
            "https://gov.chatgpt.com:8443",
            "https://gov.chatgpt.com/",
            "https://gov..chatgpt.com",
            "http://gov.chatgpt.com",
            "gov.chatgpt.com",
            "https://GOV.chatgpt.com",
            "https://g\u{f6}v.chatgpt.com",
        ] {
            assert_eq!(origin(bad), None, "{bad}");
        }
        for other in [
            "https://chatgpt.com.evil.example/codex",
            "https://chatgpt.com:8443/codex",
            "http://127.0.0.1:9/backend-api/codex",
        ] {
            assert_eq!(
                target("https://gov.chatgpt.com", UNCONSTRAINED, other).0,
                None,
                "{other}"
            );
        }
    }

    #[test]
    fn a_routing_is_a_short_name() {
        let routing = |name: &str| target(UNCONSTRAINED, name, "http://127.0.0.1:9").1;
        for good in ["us", "us_cr", "abcdefghijklmnop"] {
            assert_eq!(routing(good).as_deref(), Some(good));
        }
        for bad in [
            UNCONSTRAINED,
            "",
            "us-cr",
            "US",
            "us1",
            "us\r\nx: y",
            "abcdefghijklmnopq",
        ] {
            assert_eq!(routing(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_path_of_the_base_url_is_kept() {
        let base = BaseUrl::parse("https://chatgpt.com/backend-api/codex").expect("an address");
        let target = WorkspaceTarget {
            origin: Some("https://gov.chatgpt.com".to_owned()),
            routing: None,
        };
        assert_eq!(
            target.base(&base),
            "https://gov.chatgpt.com/backend-api/codex"
        );
        assert_eq!(WorkspaceTarget::default().base(&base), base.as_str());
    }

    #[test]
    fn an_unlisted_account_has_no_route() {
        let base = BaseUrl::parse("https://chatgpt.com").expect("an address");
        let account = "acct-1".parse().expect("an account");
        for body in [
            "",
            "{}",
            r#"{"accounts":[{"id":"other"}]}"#,
            r#"{"accounts":{}}"#,
        ] {
            assert_eq!(
                WorkspaceTarget::read(body.as_bytes(), &account, &base),
                None,
                "{body}"
            );
        }
    }

    #[test]
    fn the_route_is_requested_once_and_shared() {
        let (route, usual) = (WorkspaceRoute::default(), WorkspaceTarget::default());
        let other = WorkspaceTarget {
            origin: None,
            routing: Some("us".to_owned()),
        };
        let clone = route.clone();
        assert_eq!(
            route.after(&usual, || Some(other.clone())),
            Some(other.clone())
        );
        let unasked = || -> Option<WorkspaceTarget> { unreachable!("it was asked for") };
        assert_eq!(clone.after(&usual, unasked), Some(other.clone()));
        assert_eq!(
            (clone.after(&other, unasked), clone.target()),
            (None, other)
        );
        let none = WorkspaceRoute::default();
        assert_eq!(none.after(&usual, || None), None);
        assert_eq!(none.after(&usual, unasked), None);
    }
}
