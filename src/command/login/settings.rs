//! The settings of `codex login`.

use std::path::PathBuf;

use super::super::SignInSource;
use crate::api::Endpoints;
use crate::auth::opener::{NoBrowser, Opener};
use crate::http::HttpSetup;

/// The validated settings of `codex login`.
#[derive(Clone, Debug)]
pub struct LoginSettings {
    /// The method.
    pub method: LoginMethod,
    /// The credentials file and the issuer.
    pub sign_in_source: SignInSource,
    /// Sources that take precedence over a stored sign-in or key.
    pub before: Vec<String>,
    /// Warnings about the credentials file.
    pub warnings: Vec<String>,
    /// Environment variables with secrets, removed for child processes.
    pub secrets: &'static [&'static str],
    /// The home directory of codex-run, if there is one.
    pub home: Option<PathBuf>,
    /// The address for the list of models, if it is fetched.
    pub endpoints: Option<Endpoints>,
    /// User-Agent, proxies and TLS roots.
    pub setup: HttpSetup,
}

/// A method of signing in.
#[derive(Clone, Debug)]
pub enum LoginMethod {
    /// In a browser, opened by the first of these programs that exists; by the user if there is none.
    Browser(Vec<Opener>),
    /// With a device code; the reason, if the user did not request it.
    Device(Option<NoBrowser>),
    /// With an API key from standard input.
    Key,
    /// With an access token from standard input.
    Token,
}
