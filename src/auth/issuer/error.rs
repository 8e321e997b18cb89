//! The reason a request to the issuer failed.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::auth::refusal::Refusal;
use crate::http;

/// The reason a request to the issuer failed.
#[derive(Debug)]
pub enum Error {
    /// The issuer could not be reached or did not respond.
    Http(http::Error),
    /// The issuer refused.
    Refused(Box<Refusal>),
    /// The user declined the device sign-in, or it expired.
    Declined(Box<Refusal>),
    /// The response reports success but cannot be parsed.
    Unreadable,
}

impl Error {
    /// Returns whether a local resource ran out, in which case nothing was sent.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        matches!(self, Self::Http(error) if error.is_exhausted())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => error.fmt(f),
            Self::Refused(refusal) | Self::Declined(refusal) => f.write_str(&refusal.words()),
            Self::Unreadable => f.write_str("the response cannot be parsed"),
        }
    }
}

impl Error {
    /// Returns whether a retry may succeed.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Declined(_)
            | Self::Http(http::Error::Setup(_) | http::Error::Certificate(..)) => false,
            Self::Http(_) | Self::Unreadable => true,
            Self::Refused(refusal) => refusal.may_pass(),
        }
    }

    /// Returns the issuer's `Retry-After`.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            Self::Http(_) | Self::Declined(_) | Self::Unreadable => None,
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Http(error) => Some(error),
            Self::Refused(_) | Self::Declined(_) | Self::Unreadable => None,
        }
    }
}
