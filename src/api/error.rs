//! Why an attempt gave no answer that can be used: no answer began, it broke off, or it came and is unusable.

use std::error::Error as StdError;
use std::fmt;

use crate::auth::sign_in;
use crate::http;
use crate::wire::answer::Trouble;
use crate::wire::fault::{Cause, Fault};
use crate::wire::sse::TooLong;

/// Why no answer began.
#[derive(Debug)]
pub enum Error {
    /// There is no valid credential to send a request with.
    SignIn(sign_in::Error),
    /// No request came through to this host, or no answer began.
    Http(String, http::Error),
    /// The service said no.
    Fault(Fault),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn(error) => error.fmt(f),
            Self::Http(_, error) => error.fmt(f),
            Self::Fault(fault) => f.write_str(&fault.reason().unwrap_or_default()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::SignIn(error) => Some(error),
            Self::Http(_, error) => Some(error),
            Self::Fault(_) => None,
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
            Self::Http(_, error) => error.is_exhausted(),
            Self::SignIn(error) => error.is_exhausted(),
            Self::Fault(_) => false,
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
}

/// Why an answer that had begun broke off.
#[derive(Debug)]
pub enum Break {
    /// The connection broke, or stayed silent.
    Connection(http::Error),
    /// An event is longer than can be kept.
    TooLong(TooLong),
}

/// Why an attempt gave no answer that can be used.
#[derive(Debug)]
pub enum Unanswered {
    /// No answer began.
    Refused(Error),
    /// The answer broke off.
    BrokeOff(Break),
    /// The answer came to its end, and cannot be used as a complete one.
    Unusable(Trouble),
}

impl Unanswered {
    /// The fault that the service reported, before the answer or in it.
    #[must_use]
    pub fn fault(&self) -> Option<&Fault> {
        match self {
            Self::Refused(Error::Fault(fault)) | Self::Unusable(Trouble::Failed(fault)) => {
                Some(fault)
            }
            _ => None,
        }
    }
}
