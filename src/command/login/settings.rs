//! What a sign-in is told.

use std::path::PathBuf;

use super::super::Keeper;
use crate::api::Endpoints;
use crate::auth::opener::{NoBrowser, Opener};
use crate::http::HttpSetup;

/// Everything that a sign-in is told, checked.
#[derive(Debug)]
pub struct LoginSettings {
    /// The way.
    pub way: LoginMethod,
    /// Where it is kept.
    pub keeper: Keeper,
    /// What comes before a stored sign-in, and before a stored key.
    pub before: Vec<String>,
    /// What is to be told about the file.
    pub warnings: Vec<String>,
    /// Variables that hold secrets, for no child to see.
    pub secrets: &'static [&'static str],
    /// Our own directory, if there is a place for one.
    pub home: Option<PathBuf>,
    /// Where the list of models is asked for, if it is.
    pub endpoints: Option<Endpoints>,
    /// Who calls, and what lies between.
    pub setup: HttpSetup,
}

/// A way to sign in.
#[derive(Debug)]
pub enum LoginMethod {
    /// With the browser, which these programs open; none where the person opens it.
    Browser(Vec<Opener>),
    /// With a code that is typed in elsewhere; why, if nobody asked for it.
    Device(Option<NoBrowser>),
    /// With a key on standard input.
    Key,
    /// With an access token on standard input.
    Token,
}
