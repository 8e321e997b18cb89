//! Why there is no answer, or no more of it.

use std::error::Error as StdError;
use std::fmt;

use crate::auth::sign_in;
use crate::http;
use crate::wire::fault::{Cause, Fault};
use crate::wire::sse::TooLong;

/// Why there is no answer, or no more of it.
#[derive(Debug)]
pub enum Error {
    /// There is no valid credential to send a request with.
    SignIn(sign_in::Error),
    /// No request came through to this host, or no answer began.
    Http(String, http::Error),
    /// The stream broke off.
    Cut(http::Error),
    /// The service answered something else than was asked for.
    Unreadable,
    /// The service said no.
    Fault(Fault),
    /// An event is longer than can be kept.
    TooLong(TooLong),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn(error) => error.fmt(f),
            Self::Http(_, error) | Self::Cut(error) => error.fmt(f),
            Self::Fault(fault) => f.write_str(&fault.message),
            Self::TooLong(error) => error.fmt(f),
            Self::Unreadable => f.write_str("the answer cannot be read"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::SignIn(error) => Some(error),
            Self::Http(_, error) | Self::Cut(error) => Some(error),
            Self::TooLong(error) => Some(error),
            Self::Fault(_) | Self::Unreadable => None,
        }
    }
}

impl Error {
    /// Whether the service wants the request in the other shape.
    #[must_use]
    pub fn is_about_shape(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.is_about_shape())
    }

    /// Whether this machine has no more of what the request needs, which has nothing to do with the network.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        match self {
            Self::Http(_, error) | Self::Cut(error) => error.is_exhausted(),
            Self::SignIn(error) => error.is_exhausted(),
            _ => false,
        }
    }

    /// Whether the service says so in words that can mean nothing else. That a model is not found can.
    #[must_use]
    pub fn is_refused_shape(&self) -> bool {
        self.is_about_shape() && !matches!(self, Self::Fault(fault) if fault.status == Some(404))
    }

    /// Whether the service cannot read, or misses, the reasoning of earlier answers.
    #[must_use]
    pub fn is_about_reasoning(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.is_about_reasoning())
    }

    /// Whether the service does not have the model, or not for this account or this client.
    #[must_use]
    pub fn is_about_model(&self) -> bool {
        matches!(self, Self::Fault(fault) if matches!(fault.cause, Cause::Model | Cause::Version))
    }

    /// Whether the service says that this request is wrong, without a word that it would be right later or elsewhere.
    #[must_use]
    pub fn is_about_request(&self) -> bool {
        self.is_about_shape()
            || self.is_about_model()
            || matches!(self, Self::Fault(fault) if fault.cause == Cause::Request)
    }

    /// Whether no answer has begun.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::SignIn(_) | Self::Http(..) | Self::Fault(_))
    }
}
