//! What goes wrong in a conversation.

use std::error::Error as StdError;
use std::fmt;

use crate::agent::End;
use crate::api;
use crate::auth::token::TokenError;
use crate::auth::{self, issuer};
use crate::http::AddressError;
use crate::id::IdError;

/// What went wrong.
#[derive(Debug)]
pub enum Error {
    /// An address that no secret may be sent to.
    Address(AddressError),
    /// No model has such an id.
    Model(IdError),
    /// No key looks so.
    Key(auth::Error),
    /// No access token looks so.
    Token(TokenError),
    /// The sign-in did not come about.
    SignIn(issuer::Error),
    /// Nobody typed in the code in time.
    TimedOut,
    /// The list of models cannot be had.
    Models(api::Error),
    /// What the service sent is no list of models.
    NoList,
    /// The system gives no random numbers.
    Random(getrandom::Error),
    /// The question was not answered.
    End(End),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(error) => error.fmt(f),
            Self::Model(error) => write!(f, "no model has such an id: {error}"),
            Self::Key(error) => error.fmt(f),
            Self::Token(error) => error.fmt(f),
            Self::SignIn(error) => error.fmt(f),
            Self::TimedOut => f.write_str("nobody typed in the code in time"),
            Self::Models(error) => error.fmt(f),
            Self::NoList => f.write_str("what the service sent is no list of models"),
            Self::Random(error) => error.fmt(f),
            Self::End(End::Refused(error, _)) => error.fmt(f),
            Self::End(end) => write!(f, "the question was not answered: {end:?}"),
        }
    }
}

impl StdError for Error {}
