//! Where the two backends are, and what requests to them are bound to.

use super::workspace::{Scope, WorkspaceRoute};
use crate::http::BaseUrl;

/// The address of the subscription backend.
pub const SUBSCRIPTION: &str = "https://chatgpt.com/backend-api/codex";

/// The address of the API.
pub const API: &str = "https://api.openai.com/v1";

/// Where the two backends are.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The subscription backend, for ChatGPT tokens.
    pub subscription: BaseUrl,
    /// The API, for keys.
    pub api: BaseUrl,
    /// The way of a workspace that is bound to a region, once it was asked for.
    pub route: WorkspaceRoute,
    /// What the requests of a key are counted on.
    pub scope: Scope,
}
