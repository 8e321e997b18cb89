//! Why the issuer gave nothing.

use std::error::Error as StdError;
use std::fmt;
use std::time::Duration;

use crate::auth::refusal::Refusal;
use crate::http;

/// Why the issuer gave nothing.
#[derive(Debug)]
pub enum Error {
    /// It could not be reached, or did not answer.
    Http(http::Error),
    /// It said no.
    Refused(Box<Refusal>),
    /// The person said no to a device, or nothing in time.
    Declined(Box<Refusal>),
    /// It said yes, and nothing that can be read.
    Unreadable,
}

impl Error {
    /// Whether this machine has no more of what a question to the issuer needs. Nothing was sent then.
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
            Self::Unreadable => f.write_str("its answer cannot be read"),
        }
    }
}

impl Error {
    /// Whether the same question may be answered a moment later.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Declined(_)
            | Self::Http(http::Error::Setup(_) | http::Error::Certificate(..)) => false,
            Self::Http(_) | Self::Unreadable => true,
            Self::Refused(refusal) => refusal.may_pass(),
        }
    }

    /// After how long the issuer wants to be asked again.
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
