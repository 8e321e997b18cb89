//! Why a sign-in gives no valid token, and what went wrong without stopping anything: facts, and their words.

use std::error::Error as StdError;
use std::fmt;
use std::path::PathBuf;

use crate::auth::refusal::Refusal;
use crate::auth::{issuer, store};
use crate::clock::date;

/// Why there is no valid access token.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be used.
    Store(store::Error),
    /// The new tokens would have no place, so the refresh token was not spent.
    NotSpent(store::Error),
    /// Nobody is signed in any more.
    Gone(PathBuf),
    /// The file holds the sign-in of another account than when the run began.
    OtherAccount(PathBuf),
    /// The issuer has refused the refresh token for good.
    Refused(Refusal),
    /// The access token has ended and there is no refresh token.
    Ended,
    /// The issuer could not be asked, now or a moment ago.
    Failed(Option<issuer::Error>),
    /// The issuer does not say whose an access token of a workspace is.
    Whose(issuer::Error),
}

impl Error {
    /// Whether this machine has no more of what a renewal needs.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        let of_store = |error: &store::Error| error.exhausted().is_some();
        match self {
            Self::Store(error) | Self::NotSpent(error) => of_store(error),
            Self::Failed(Some(error)) => error.is_exhausted(),
            _ => false,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) | Self::NotSpent(error) => error.fmt(f),
            Self::Gone(path) => write!(f, "{} holds no sign-in any more", path.display()),
            Self::OtherAccount(path) => write!(
                f,
                "{} holds the sign-in of another account by now",
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
                        "; process {process} had begun to renew it, and ended before anything was stored"
                    ),
                    None => Ok(()),
                }
            }
            Self::Ended => f.write_str("the saved token has ended, and nothing renews it"),
            Self::Failed(Some(error)) | Self::Whose(error) => error.fmt(f),
            Self::Failed(None) => {
                f.write_str("the service failed a moment ago, and more than once")
            }
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Store(error) | Self::NotSpent(error) => Some(error),
            Self::Failed(Some(error)) | Self::Whose(error) => Some(error),
            _ => None,
        }
    }
}

/// What went wrong without stopping anything.
#[derive(Debug)]
pub enum Warning {
    /// The sign-in could not be renewed; its token is good until then, in Unix seconds.
    NotRenewed(Error, Option<u64>),
    /// The new tokens could not be stored, so they end with this process.
    NotStored(store::Error),
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRenewed(error, until) => {
                write!(f, "the sign-in cannot be renewed: {error}")?;
                match until {
                    Some(until) => write!(f, "; its token is good until {}", date(*until)),
                    None => Ok(()),
                }
            }
            Self::NotStored(error) => write!(
                f,
                "the sign-in was renewed but not stored, so it ends with this run: {error}"
            ),
        }
    }
}
