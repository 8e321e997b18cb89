//! Why a sign-in failed, and its failure.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use crate::auth::token::TokenError;
use crate::auth::{self, issuer, store};
use crate::clock::local;
use crate::failure::{self, Failure};
use crate::outcome::Outcome;
use crate::stdin;

/// The hint for a refused device code.
const DEVICE_CODES_DISABLED: &str = "device codes may be disabled: allow them in the account's security settings, or ask the \
     workspace's administrator; or use `codex login --no-browser`";

/// Why a sign-in failed.
#[derive(Debug)]
pub enum Error {
    /// The credentials file cannot be used.
    Store(store::Error),
    /// The issuer issued no tokens.
    Exchange(issuer::Error),
    /// The issuer issued no device code.
    Device(issuer::Error),
    /// The issuer does not report which account the access token belongs to.
    Unidentified(issuer::Error),
    /// The issuer refused: its code and message.
    Denied(String, String),
    /// Codex is disabled for the workspace.
    NotEntitled,
    /// Another program requested the port.
    Cancelled,
    /// The sign-in was not completed in time.
    TimedOut,
    /// Both ports are in use, and there is no standard input to paste into.
    NoWayBack,
    /// The issuer's tokens cannot be used.
    Tokens(TokenError),
    /// The secret on standard input cannot be used.
    Secret(auth::Error),
    /// The access token has expired, at this time in Unix seconds.
    TokenEnded(u64),
    /// Standard input cannot be read.
    Stdin(stdin::Error),
    /// The system provides no random numbers.
    Random(getrandom::Error),
    /// The system provided no thread.
    Thread(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Exchange(error) | Self::Device(error) | Self::Unidentified(error) => error.fmt(f),
            Self::Denied(code, words) => match (&**code, words.trim_end_matches('.')) {
                ("missing_authorization_code", "") => f.write_str("the redirect contains no code"),
                ("access_denied", "") => f.write_str("access was denied"),
                (code, "") => write!(f, "the service refused ({code})"),
                (_, words) => write!(f, "the service refused: {words}"),
            },
            Self::NotEntitled => f.write_str("Codex is disabled for this workspace"),
            Self::Cancelled => f.write_str("another sign-in requested the port"),
            Self::TimedOut => f.write_str("the sign-in was not completed within 15 minutes"),
            Self::NoWayBack => f.write_str(
                "ports 1455 and 1457 are in use, and there is no standard input to paste into",
            ),
            Self::Tokens(error) => error.fmt(f),
            Self::Secret(error) => error.fmt(f),
            Self::TokenEnded(when) => write!(f, "it expired at {}", local(*when)),
            Self::Stdin(error) => error.fmt(f),
            Self::Random(error) => error.fmt(f),
            Self::Thread(error) => error.fmt(f),
        }
    }
}

impl StdError for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        let refused =
            |hint: &str| Self::new(Outcome::SignIn, format!("not signed in: {reason}")).hint(hint);
        match error {
            Error::Store(error) => error.into(),
            Error::Exchange(error) => {
                failure::of_issuer("not signed in", &error, "run `codex login` to start again")
            }
            Error::Unidentified(error) => failure::of_issuer("not signed in", &error, failure::WITHDRAWN),
            Error::Device(issuer::Error::Refused(refusal)) if refusal.status == 404 => refused(
                &format!("this service may not support device codes, or {DEVICE_CODES_DISABLED}"),
            ),
            Error::Device(error @ issuer::Error::Declined(_)) => failure::of_issuer(
                "not signed in",
                &error,
                "run `codex login --device-auth` to start again",
            ),
            Error::Device(error) => failure::of_issuer("not signed in", &error, DEVICE_CODES_DISABLED),
            Error::NotEntitled => Self::new(Outcome::Forbidden, format!("not signed in: {reason}"))
                .hint("ask the workspace's administrator to enable it"),
            Error::Denied(..) | Error::TimedOut => refused("run `codex login` to start again"),
            Error::Cancelled => {
                refused("the other sign-in continues; start again if you did not start it")
            }
            Error::NoWayBack => Self::new(Outcome::Io, format!("not signed in: {reason}")).hint(
                "free one of the ports, run the command in a terminal and paste the address, or use --device-auth",
            ),
            Error::Tokens(_) => Self::new(
                Outcome::Unreachable,
                format!("not signed in: invalid response from the service: {reason}"),
            )
            .hint("a different server may have responded: check the address"),
            Error::Secret(error) => match error {
                auth::Error::NotAToken(..) => refused("use --with-api-key to store an API key"),
                auth::Error::Empty(_) => Self::usage("standard input is empty")
                    .hint("pipe the key or token in: codex login --with-api-key < key.txt"),
                error => failure::of_credential(&error),
            },
            Error::TokenEnded(_) => Self::new(
                Outcome::SignIn,
                format!("cannot use the access token: {reason}"),
            )
            .hint("`codex token` prints a new one on a machine where you are signed in"),
            Error::Stdin(stdin::Error::Silent(_)) => {
                Self::usage("nothing arrived on standard input for 5 minutes")
                    .hint("pipe the key or token in")
            }
            Error::Stdin(error) => failure::of_stdin(&error),
            Error::Random(error) => failure::of_random(error),
            Error::Thread(error) => failure::of_thread(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::CredentialSource;
    use crate::auth::refusal::Refusal;
    use crate::failure::table::check_rows;

    #[test]
    fn messages_and_hints_of_a_sign_in() {
        let refusal = |status| Box::new(Refusal::of(status, r#"{"error":"expired_token"}"#));
        let denied = |code: &str, words: &str| Error::Denied(code.to_owned(), words.to_owned());
        let rows = [
            Error::Exchange(issuer::Error::Refused(refusal(401))),
            Error::Device(issuer::Error::Refused(refusal(404))),
            Error::Device(issuer::Error::Refused(refusal(401))),
            Error::Device(issuer::Error::Declined(refusal(400))),
            Error::Unidentified(issuer::Error::Refused(refusal(401))),
            denied("missing_authorization_code", ""),
            denied("access_denied", ""),
            denied("other", ""),
            denied("other", "The person said no."),
            Error::NotEntitled,
            Error::Cancelled,
            Error::TimedOut,
            Error::NoWayBack,
            Error::Tokens(TokenError::NoAccount),
            Error::Secret(auth::Error::NotAToken(
                CredentialSource::Stdin,
                TokenError::Shape,
            )),
            Error::Secret(auth::Error::Empty(CredentialSource::Stdin)),
            Error::TokenEnded(1_000_000_000),
        ];
        check_rows("codex login", &rows.map(Failure::from));
    }
}
