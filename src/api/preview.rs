//! A request as it would be sent, for people to look at: `***` stands for what is secret.

use super::endpoints::Endpoints;
use super::headers::{LITE, of_conversation};
use super::workspace::of_account;
use crate::auth::Credential;
use crate::auth::workspace::Bounds;
use crate::http;
use crate::id::ThreadId;
use crate::wire::request::Shape;

/// What stands for something secret.
const HIDDEN: &str = "***";

/// Where a request would go, and its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// The address.
    pub url: String,
    /// The headers, but the User-Agent.
    pub headers: Vec<(&'static str, String)>,
}

impl Preview {
    /// A request of this shape; without a credential one of a sign-in that is still to be made.
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
        headers.extend(of_conversation(thread));
        if shape == Shape::Lite {
            headers.push((LITE, "true".to_owned()));
        }
        let base = match credential {
            Some(Credential::Key(_)) => {
                headers.extend(endpoints.scope.headers());
                &endpoints.api
            }
            Some(Credential::Token { bounds, .. }) => {
                headers.extend(of_account(HIDDEN, bounds));
                &endpoints.subscription
            }
            None => {
                headers.extend(of_account(HIDDEN, &Bounds::default()));
                &endpoints.subscription
            }
        };
        Self {
            url: base.join("/responses"),
            headers,
        }
    }
}
