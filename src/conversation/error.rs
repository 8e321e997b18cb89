//! Errors of starting a conversation and of signing in.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::api;
use crate::auth::token::TokenError;
use crate::auth::{self, issuer, store};
use crate::failure::{
    Failure, WITHDRAWN, of_api, of_credential, of_issuer, of_random, of_session, of_temporary,
    of_thread,
};
use crate::http::AddressError;
use crate::id::IdError;
use crate::outcome::Outcome;
use crate::remote::HeaderError;
use crate::session;
use crate::tools::launch::LaunchError;
use crate::tools::sandbox::confine;
use crate::tools::sandbox::policy::Conflict;
use crate::tools::server::servers::UnstartedServer;

/// An error of starting a conversation or of signing in.
#[derive(Debug)]
pub enum Error {
    /// Secrets must not be sent to this address.
    Address(AddressError),
    /// The id of the model is malformed.
    Model(IdError),
    /// The API key is malformed.
    Key(auth::Error),
    /// The access token is malformed.
    Token(TokenError),
    /// No sign-in is stored in the home.
    NotSignedIn,
    /// The credentials file cannot be used.
    Store(store::Error),
    /// The sign-in failed.
    SignIn(issuer::Error),
    /// The device code was not entered in time.
    TimedOut,
    /// The list of models could not be fetched.
    Models(api::Error),
    /// The service's response is not a list of models.
    NoList,
    /// The system provides no random numbers.
    Random(getrandom::Error),
    /// There is no built-in tool with this name.
    NoTool(String),
    /// A directory for tools cannot be used: its path.
    Directory(PathBuf, io::Error),
    /// A writable directory contains a hidden path.
    Conflict(Conflict),
    /// The sandbox cannot be set up on this system.
    Sandbox(confine::Error),
    /// Tools cannot be started on this system.
    Tools(LaunchError),
    /// The name of an MCP server is not one.
    ServerName(String),
    /// This header cannot be sent to an MCP server.
    Header(String, HeaderError),
    /// An MCP server needs a sandbox.
    NoSandbox,
    /// An MCP server did not start.
    Server(Box<UnstartedServer>),
    /// The stored conversation cannot be resumed.
    Session(session::Error),
    /// The conversation cannot be stored.
    NotStored(io::Error),
}

impl Error {
    /// The exit code of `codex` for this error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        Failure::from(self).outcome().exit_code()
    }

    /// When the usage limit ends, in Unix seconds, if this error is one.
    #[must_use]
    pub fn retry_at(&self) -> Option<u64> {
        Failure::from(self).retry_at()
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        let io = |what: String| Self::new(Outcome::Io, what);
        match error {
            Error::Address(error) => Self::usage(error.to_string()),
            Error::Model(error) => Self::usage(format!("malformed model id: {error}")),
            Error::Key(error) => of_credential(error),
            Error::Token(error) => Self::usage(error.to_string()),
            Error::NotSignedIn => {
                Self::new(Outcome::SignIn, "not signed in: there is no stored sign-in")
            }
            Error::Store(error) => Self::usage(error.to_string()),
            Error::SignIn(error) => of_issuer("cannot sign in", error, WITHDRAWN),
            Error::TimedOut => Self::new(Outcome::Timeout, "the code was not entered in time"),
            Error::Models(error) => of_api(error, None),
            Error::NoList => Self::new(
                Outcome::Unreachable,
                "the service's response is not a list of models",
            ),
            Error::Random(error) => of_random(*error),
            Error::NoTool(name) => Self::usage(format!("there is no built-in tool named {name}")),
            Error::Directory(path, error) => Self::usage(format!(
                "cannot use the directory {}: {error}",
                path.display()
            )),
            Error::Conflict(conflict) => Self::usage(format!(
                "tools may write to {}, so {} cannot be hidden from them",
                conflict.root.display(),
                conflict.hidden.display()
            )),
            Error::Sandbox(error) => Self::usage(format!("cannot set up the sandbox: {error}")),
            Error::Tools(LaunchError::Temporary(place, error)) => of_temporary(place, error),
            Error::Tools(LaunchError::Place(place, error)) => {
                io(format!("cannot open {}: {error}", place.display()))
            }
            Error::Tools(LaunchError::Signal(error)) => of_thread(error),
            Error::ServerName(name) => Self::usage(format!(
                "the name of an MCP server has lower-case letters, digits, - and _, unlike {name:?}"
            )),
            Error::Header(name, error) => {
                Self::usage(format!("cannot send the header {name:?}: {error}"))
            }
            Error::NoSandbox => Self::usage("MCP servers need a sandbox"),
            Error::Server(server) => Self::usage(server.to_string()),
            Error::Session(error) => of_session(error),
            Error::NotStored(error) => io(format!("cannot store the conversation: {error}")),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Failure::from(self).what())
    }
}

impl StdError for Error {}
