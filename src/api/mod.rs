//! One request to the service, and the stream that answers it. The credential determines the base URL, so an API key
//! cannot reach the subscription host, nor a token the API.

mod client;
mod endpoints;
mod error;
mod headers;
pub mod models;
mod owner;
mod preview;
mod redact;
mod refusal;
pub mod retry;
mod signed;
mod stream;
pub mod usage;
mod workspace;

pub use crate::http::Interrupt;
pub use client::Client;
pub use endpoints::{API, Endpoints, SUBSCRIPTION};
pub use error::{Break, Error, Unanswered};
pub use owner::owner;
pub use preview::Preview;
pub use stream::{Progress, Stream};
pub use workspace::{Scope, WorkspaceRoute};
