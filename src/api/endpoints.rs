//! The base URLs of the two backends, and what requests to them carry.

use super::workspace::{Scope, WorkspaceRoute};
use crate::http::BaseUrl;

/// Base URL of the subscription backend.
pub const SUBSCRIPTION: &str = "https://chatgpt.com/backend-api/codex";

/// Base URL of the API.
pub const API: &str = "https://api.openai.com/v1";

/// The base URLs of the two backends.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The subscription backend, for ChatGPT tokens.
    pub subscription: BaseUrl,
    /// The API, for API keys.
    pub api: BaseUrl,
    /// The route of a region-bound workspace, once known.
    pub route: WorkspaceRoute,
    /// The organization and project that an API key's requests are billed to.
    pub scope: Scope,
}
