//! Why a server behind a URL gave no answer.

use std::error::Error as StdError;
use std::fmt;

use crate::http;
use crate::mcp::session::SessionError;
use crate::tools::server::start_error::StartError;

/// Why a server gave no answer.
#[derive(Debug)]
pub enum RemoteError {
    /// No response arrived, or only a part of one.
    Http(http::Error),
    /// This status, and the beginning of the response's text.
    Status(u16, String),
    /// The response leads to another URL, with this status. Redirects are not followed.
    Redirect(u16),
    /// The response has this content type, which is neither JSON nor an event stream.
    Kind(String),
    /// The session id is not a line of visible characters, or too long.
    SessionId,
    /// The server no longer knows the session.
    Expired,
    /// The response ended without an answer.
    NoAnswer,
    /// The response is longer than this, in bytes.
    TooLong(usize),
    /// The turn or the run ends.
    Interrupted,
    /// The session cannot be used.
    Session(SessionError),
}

impl RemoteError {
    /// Whether the time limit was reached.
    #[must_use]
    pub fn is_late(&self) -> bool {
        matches!(self, Self::Http(http::Error::Late | http::Error::Silent(_)))
    }
}

impl fmt::Display for RemoteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Http(error) => error.fmt(f),
            Self::Status(status, text) if text.is_empty() => write!(f, "HTTP {status}"),
            Self::Status(status, text) => write!(f, "HTTP {status}: {text}"),
            Self::Redirect(status) => {
                write!(
                    f,
                    "HTTP {status}: it leads to another URL, which is not followed"
                )
            }
            Self::Kind(kind) => {
                write!(
                    f,
                    "the response is neither JSON nor an event stream but {kind:?}"
                )
            }
            Self::SessionId => f.write_str("its session id is malformed"),
            Self::Expired => f.write_str("the server does not keep the session"),
            Self::NoAnswer => f.write_str("the response ended without an answer"),
            Self::TooLong(bytes) => write!(f, "the response is longer than {} MiB", bytes >> 20),
            Self::Interrupted => f.write_str("the run was stopped"),
            Self::Session(error) => StartError::Session(error.clone()).fmt(f),
        }
    }
}

impl StdError for RemoteError {}

impl From<http::Error> for RemoteError {
    fn from(error: http::Error) -> Self {
        Self::Http(error)
    }
}

/// Why a header is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderError {
    /// Its name is not one.
    Name,
    /// The protocol or HTTP decides it.
    Reserved,
    /// Its value is empty, or has characters that cannot be sent.
    Value,
}

impl fmt::Display for HeaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Name => "it is not the name of a header",
            Self::Reserved => "this header cannot be set",
            Self::Value => "its value is empty or has characters that a header cannot have",
        })
    }
}

impl StdError for HeaderError {}
