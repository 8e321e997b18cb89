//! Why an attempt gave no usable answer: none began, it was interrupted, or it is complete but unusable.

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
    /// No valid credential to sign the request.
    SignIn(sign_in::Error),
    /// The request to this host failed, or no response began.
    Http(String, http::Error),
    /// The service rejected the request.
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
    /// Whether the service requires a different request shape.
    #[must_use]
    pub fn is_about_shape(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.is_about_shape())
    }

    /// Whether this machine is out of a resource, which is not a network error.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        match self {
            Self::Http(_, error) => error.is_exhausted(),
            Self::SignIn(error) => error.is_exhausted(),
            Self::Fault(_) => false,
        }
    }

    /// Whether the service says so unambiguously. "Model not found" is ambiguous.
    #[must_use]
    pub fn is_refused_shape(&self) -> bool {
        self.is_about_shape() && !matches!(self, Self::Fault(fault) if fault.status == Some(404))
    }

    /// Whether the service cannot decrypt, or lacks, the reasoning from earlier answers.
    #[must_use]
    pub fn is_about_reasoning(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.is_about_reasoning())
    }

    /// Whether the service does not offer the model, or not to this account or client.
    #[must_use]
    pub fn is_about_model(&self) -> bool {
        matches!(self, Self::Fault(fault) if matches!(fault.cause, Cause::Model | Cause::Version))
    }

    /// Whether the service says that the request itself is wrong, for a reason that neither time nor another location
    /// would change.
    #[must_use]
    pub fn is_about_request(&self) -> bool {
        self.is_about_shape()
            || self.is_about_model()
            || matches!(self, Self::Fault(fault) if fault.cause == Cause::Request)
    }
}

/// Why an answer was interrupted.
#[derive(Debug)]
pub enum Break {
    /// The connection was lost, or stayed silent.
    Connection(http::Error),
    /// An event exceeded the size limit.
    TooLong(TooLong),
}

/// Why an attempt gave no usable answer.
#[derive(Debug)]
pub enum Unanswered {
    /// No answer began.
    Refused(Error),
    /// The answer was interrupted.
    BrokeOff(Break),
    /// The answer reached its end, but is not usable as a complete answer.
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
