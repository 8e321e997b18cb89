//! A request as it would be sent, for display: secrets are replaced by `***`.

use super::endpoints::Endpoints;
use super::headers::{LITE, conversation_headers};
use super::workspace::account_headers;
use crate::auth::Credential;
use crate::auth::workspace::Bounds;
use crate::http;
use crate::id::ThreadId;
use crate::wire::request::Shape;

/// The placeholder for a secret.
const HIDDEN: &str = "***";

/// The URL of a request, and its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The URL.
    pub url: String,
    /// The headers, except the User-Agent.
    pub headers: Vec<(&'static str, String)>,
}

impl Preview {
    /// Previews a request of this shape; without a credential, as if signed in.
    #[must_use]
    pub fn new(
        endpoints: &Endpoints,
        credential: Option<&Credential>,
        thread: &ThreadId,
        shape: Shape,
    ) -> Self {
        let mut headers = Vec::new();
        if credential.is_none_or(|credential| !credential.secret().expose().is_empty()) {
            headers.push(("authorization", format!("Bearer {HIDDEN}")));
        }
        headers.push(("content-type", http::JSON.to_owned()));
        headers.extend(conversation_headers(thread));
        if shape == Shape::Lite {
            headers.push((LITE, "true".to_owned()));
        }
        let base = match credential {
            Some(Credential::Key(_)) => {
                headers.extend(endpoints.scope.headers());
                &endpoints.api
            }
            Some(Credential::Token { bounds, .. }) => {
                headers.extend(account_headers(HIDDEN, bounds));
                &endpoints.subscription
            }
            None => {
                headers.extend(account_headers(HIDDEN, &Bounds::default()));
                &endpoints.subscription
            }
        };
        Self {
            url: base.join("/responses"),
            headers,
        }
    }
}
