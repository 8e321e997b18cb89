//! Why nobody is signed in, and in words.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use crate::auth::token::TokenError;
use crate::auth::{self, issuer, store};
use crate::clock::date;
use crate::failure::{self, Failure};
use crate::outcome::Outcome;
use crate::stdin;

/// What to do where a device code is refused.
const SWITCHED_OFF: &str = "device codes may be switched off: they are allowed in the account's security settings, or by the \
     workspace's administrator; `codex login --no-browser` is the other way";

/// Why nobody is signed in.
#[derive(Debug)]
pub enum Error {
    /// The file cannot be used.
    Store(store::Error),
    /// The issuer gave no tokens.
    Exchange(issuer::Error),
    /// The issuer gave no device code.
    Device(issuer::Error),
    /// The issuer does not say whose the access token is.
    Whose(issuer::Error),
    /// The answer was no: the issuer's code and words.
    Denied(String, String),
    /// Codex is switched off for the workspace.
    NotEntitled,
    /// Another program asked for the port.
    Cancelled,
    /// Nobody signed in, in time.
    TimedOut,
    /// Both ports are taken, and nothing can be pasted.
    NoWayBack,
    /// What the issuer gave cannot be used.
    Tokens(TokenError),
    /// What standard input gave cannot be used.
    Secret(auth::Error),
    /// The given access token has ended.
    TokenEnded(u64),
    /// Standard input cannot be read.
    Stdin(stdin::Error),
    /// The system gives no random numbers.
    Random(getrandom::Error),
    /// The system gave no thread.
    Thread(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Exchange(error) | Self::Device(error) | Self::Whose(error) => error.fmt(f),
            Self::Denied(code, words) => match (&**code, words.trim_end_matches('.')) {
                ("missing_authorization_code", "") => {
                    f.write_str("the page came back without a code")
                }
                ("access_denied", "") => f.write_str("it was not allowed"),
                (code, "") => write!(f, "it was refused ({code})"),
                (_, words) => write!(f, "it was refused; the service says: {words}"),
            },
            Self::NotEntitled => f.write_str("Codex is switched off for this workspace"),
            Self::Cancelled => f.write_str("another sign-in asked for the port"),
            Self::TimedOut => f.write_str("nobody signed in within 15 minutes"),
            Self::NoWayBack => f.write_str(
                "ports 1455 and 1457 are taken, and there is no standard input to paste into",
            ),
            Self::Tokens(error) => error.fmt(f),
            Self::Secret(error) => error.fmt(f),
            Self::TokenEnded(when) => write!(f, "it ended at {}", date(*when)),
            Self::Stdin(error) => error.fmt(f),
            Self::Random(error) => error.fmt(f),
            Self::Thread(error) => error.fmt(f),
        }
    }
}

impl StdError for Error {}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let told = error.to_string();
        let refused =
            |hint: &str| Self::new(Outcome::SignIn, format!("not signed in: {told}")).hint(hint);
        match error {
            Error::Store(error) => error.into(),
            Error::Exchange(error) => {
                failure::of_issuer("not signed in", &error, "start again with `codex login`")
            }
            Error::Whose(error) => failure::of_issuer("not signed in", &error, failure::WITHDRAWN),
            Error::Device(issuer::Error::Refused(refusal)) if refusal.status == 404 => refused(
                &format!("this service has no sign-in with a code, or {SWITCHED_OFF}"),
            ),
            Error::Device(error @ issuer::Error::Declined(_)) => failure::of_issuer(
                "not signed in",
                &error,
                "start again with `codex login --device-auth`",
            ),
            Error::Device(error) => failure::of_issuer("not signed in", &error, SWITCHED_OFF),
            Error::NotEntitled => Self::new(Outcome::Forbidden, format!("not signed in: {told}"))
                .hint("ask the workspace's administrator to switch it on"),
            Error::Denied(..) | Error::TimedOut => refused("`codex login` starts again"),
            Error::Cancelled => refused("the other one goes on; start again if it was not yours"),
            Error::NoWayBack => Self::new(Outcome::Io, format!("not signed in: {told}")).hint(
                "end what holds the ports, run it in a terminal and paste, or use --device-auth",
            ),
            Error::Tokens(_) => Self::new(
                Outcome::Unreachable,
                format!("not signed in: the service's answer cannot be used: {told}"),
            )
            .hint("something else may have answered; look at the address"),
            Error::Secret(error) => match error {
                auth::Error::NotAToken(..) => refused("an API key is stored by --with-api-key"),
                auth::Error::Empty(_) => Self::usage("there is nothing on standard input")
                    .hint("pipe the key or token in: codex login --with-api-key < key.txt"),
                error => failure::of_credential(&error),
            },
            Error::TokenEnded(_) => Self::new(
                Outcome::SignIn,
                format!("the access token is of no use: {told}"),
            )
            .hint("`codex token` prints a new one where you are signed in"),
            Error::Stdin(stdin::Error::Silent(_)) => {
                Self::usage("nothing came on standard input for 5 minutes")
                    .hint("pipe the key or token in")
            }
            Error::Stdin(error) => failure::of_stdin(&error),
            Error::Random(error) => failure::of_random(error),
            Error::Thread(error) => failure::of_thread(&error),
        }
    }
}
