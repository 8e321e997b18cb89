//! Errors and warnings of a sign-in, and their messages.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;

use crate::auth::refusal::Refusal;
use crate::auth::{issuer, store};
use crate::clock::local;

/// The reason there is no valid access token.
#[derive(Debug)]
pub enum Error {
    /// The credentials file cannot be used.
    Store(store::Error),
    /// The new tokens could not be stored, so the refresh token was not spent.
    NotSpent(store::Error),
    /// No sign-in is stored in the file now.
    Gone(PathBuf),
    /// The file now holds the credentials of a different account than at the start of the run.
    OtherAccount(PathBuf),
    /// The issuer has permanently refused the refresh token.
    Refused(Refusal),
    /// The access token has expired and there is no refresh token.
    Ended,
    /// The request to the issuer failed, or an earlier failure is still backing off (`None`).
    Failed(Option<issuer::Error>),
    /// The issuer did not report which account a workspace's access token belongs to.
    Unidentified(issuer::Error),
}

impl Error {
    /// Returns whether a local resource (memory, threads, file descriptors, disk) ran out.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        let store_exhausted = |error: &store::Error| error.exhausted().is_some();
        match self {
            Self::Store(error) | Self::NotSpent(error) => store_exhausted(error),
            Self::Failed(Some(error)) => error.is_exhausted(),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) | Self::NotSpent(error) => error.fmt(f),
            Self::Gone(path) => write!(f, "no sign-in is stored in {}", path.display()),
            Self::OtherAccount(path) => write!(
                f,
                "{} now holds the credentials of a different account",
                path.display()
            ),
            Self::Refused(refusal) => {
                write!(
                    f,
                    "the service refused the saved token: {}",
                    refusal.words()
                )?;
                match refusal.interrupted {
                    Some(process) => write!(
                        f,
                        "; process {process} started to renew it but ended before storing the new tokens"
                    ),
                    None => Ok(()),
                }
            }
            Self::Ended => {
                f.write_str("the saved access token has expired, and there is no refresh token")
            }
            Self::Failed(Some(error)) | Self::Unidentified(error) => error.fmt(f),
            Self::Failed(None) => f.write_str("the service failed several times in a row"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Store(error) | Self::NotSpent(error) => Some(error),
            Self::Failed(Some(error)) | Self::Unidentified(error) => Some(error),
            _ => None,
        }
    }
}

/// A problem that did not stop the run.
#[derive(Debug)]
pub enum Warning {
    /// Renewal failed; the current token is valid until this time, in Unix seconds, if known.
    NotRenewed(Error, Option<u64>),
    /// The new tokens could not be stored and are lost when this process exits.
    NotStored(store::Error),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRenewed(error, until) => {
                write!(f, "the sign-in cannot be renewed: {error}")?;
                match until {
                    Some(until) => write!(f, "; its access token is valid until {}", local(*until)),
                    None => Ok(()),
                }
            }
            Self::NotStored(error) => write!(
                f,
                "the sign-in was renewed but could not be stored, so it is lost when this run ends: {error}"
            ),
        }
    }
}
