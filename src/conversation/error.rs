//! Why a conversation cannot begin, or a sign-in did not come about.

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
use crate::session;
use crate::tools::launch::Unready;
use crate::tools::sandbox::confine;
use crate::tools::sandbox::policy::Conflict;

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
    /// No sign-in is stored there.
    NotSignedIn,
    /// The file of the sign-in cannot be used.
    Store(store::Error),
    /// The sign-in did not come about.
    SignIn(issuer::Error),
    /// The code was not typed in in time.
    TimedOut,
    /// The list of models cannot be had.
    Models(api::Error),
    /// What the service sent is no list of models.
    NoList,
    /// The system gives no random numbers.
    Random(getrandom::Error),
    /// There is no built-in tool of this name.
    NoTool(String),
    /// A directory for tools cannot be used.
    Directory(PathBuf, io::Error),
    /// Tools could change what they must not read.
    Conflict(Conflict),
    /// Tools cannot be confined here.
    Sandbox(confine::Error),
    /// Tools cannot be started here.
    Tools(Unready),
    /// The stored conversation cannot go on.
    Session(session::Error),
    /// The conversation cannot be stored.
    NotStored(io::Error),
}

impl Error {
    /// The exit code of a command that ends with it.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        Failure::from(self).outcome().exit_code()
    }

    /// When the usage limit ends that was reached, in Unix seconds.
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
            Error::Model(error) => Self::usage(format!("no model has such an id: {error}")),
            Error::Key(error) => of_credential(error),
            Error::Token(error) => Self::usage(error.to_string()),
            Error::NotSignedIn => Self::new(Outcome::SignIn, "no sign-in is stored there"),
            Error::Store(error) => Self::usage(error.to_string()),
            Error::SignIn(error) => of_issuer("cannot sign in", error, WITHDRAWN),
            Error::TimedOut => Self::new(Outcome::Timeout, "the code was not typed in in time"),
            Error::Models(error) => of_api(error, None),
            Error::NoList => Self::new(
                Outcome::Unreachable,
                "what the service sent is no list of models",
            ),
            Error::Random(error) => of_random(*error),
            Error::NoTool(name) => Self::usage(format!("there is no built-in tool {name}")),
            Error::Directory(path, error) => {
                Self::usage(format!("cannot work in {}: {error}", path.display()))
            }
            Error::Conflict(conflict) => Self::usage(format!(
                "tools could change {}, which does not go with hiding {}",
                conflict.root.display(),
                conflict.hidden.display()
            )),
            Error::Sandbox(error) => Self::usage(format!("cannot confine tools: {error}")),
            Error::Tools(Unready::Temporary(place, error)) => of_temporary(place, error),
            Error::Tools(Unready::Place(place, error)) => {
                io(format!("cannot hold {}: {error}", place.display()))
            }
            Error::Tools(Unready::Signal(error)) => of_thread(error),
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
