//! Failures of credentials and sign-ins.

use super::credential::Used;
use super::fault::blocked;
use super::network::of_http;
use super::value::Failure;
use crate::auth::refusal::RefusalKind;
use crate::auth::{self, issuer, sign_in, store};
use crate::clock::local;
use crate::outcome::Outcome;

/// The hint to sign in again.
const AGAIN: &str = "run `codex login` to sign in again";

/// The hint for a workspace's access token that the issuer does not recognise.
pub(crate) const WITHDRAWN: &str =
    "it may have been revoked: create a new one in the workspace settings";

/// A missing or unusable credential.
pub(crate) fn of_credential(error: &auth::Error) -> Failure {
    match error {
        auth::Error::Missing => Failure::new(
            Outcome::SignIn,
            "you are not signed in, and no API key is set",
        )
        .hint(
            "run `codex login`, set OPENAI_API_KEY (API) or CODEX_ACCESS_TOKEN (ChatGPT subscription), or use \
             --api-key-file FILE",
        ),
        auth::Error::NotOurs(..) => Failure::new(
            Outcome::SignIn,
            format!("no usable credential: {error}"),
        )
        .hint("run `codex login` without --auth-file to sign in with codex-run's own file, or set OPENAI_API_KEY"),
        auth::Error::NotAKey(..) | auth::Error::NotBare(..) | auth::Error::Empty(_) => {
            Failure::usage(format!("cannot use the credential: {error}"))
                .hint("enter only the key or token, without quotes or spaces")
        }
        auth::Error::NotUsable(..) => Failure::usage(format!("cannot use the credential: {error}"))
            .hint("put the key itself there, or set CODEX_API_KEY"),
        auth::Error::TokenAsKey(_) => Failure::usage(format!("cannot use the credential: {error}"))
            .hint("set it as CODEX_ACCESS_TOKEN, or store it with `codex login --with-access-token`"),
        auth::Error::NotAToken(..) => {
            Failure::new(Outcome::SignIn, format!("cannot use the credential: {error}"))
                .hint("an API key belongs in CODEX_API_KEY or OPENAI_API_KEY; run `codex login` to sign in")
        }
    }
}

/// A sign-in without a valid access token; `used` is the credential that it is.
pub(crate) fn of_sign_in(error: &sign_in::Error, used: Option<&Used>) -> Failure {
    use sign_in::Error;
    let reason = error.to_string();
    let ended = |what: &str| {
        let hint = used.map_or_else(|| AGAIN.to_owned(), Used::hint);
        Failure::new(Outcome::SignIn, format!("{what}: {reason}")).hint(hint)
    };
    match error {
        Error::Store(error) => of_store(error),
        Error::NotSpent(store) => Failure::new(
            Outcome::Io,
            format!("cannot renew the sign-in: {reason}; the refresh token was not used"),
        )
        .hint("free some space there, or make it writable; the sign-in is still valid")
        .for_want_of(store.exhausted()),
        Error::Gone(_) => ended("no longer signed in"),
        Error::OtherAccount(_) => ended("the account has changed")
            .hint("a different sign-in has replaced it since the run began; run the command again to use the new one"),
        Error::Refused(_) => ended("cannot renew the sign-in"),
        Error::Ended => ended("the sign-in has expired"),
        Error::Failed(Some(error)) => of_issuer("cannot renew the sign-in", error, AGAIN),
        Error::Unidentified(issuer::Error::Refused(refusal)) if refusal.kind() == RefusalKind::SignIn => {
            Failure::refused(&refusal.words(), used, WITHDRAWN)
        }
        Error::Unidentified(error) => of_issuer(
            "cannot determine which account the access token belongs to",
            error,
            WITHDRAWN,
        ),
        Error::Failed(None) => Failure::new(
            Outcome::Unreachable,
            format!("cannot renew the sign-in: {reason}"),
        )
        .hint("the sign-in is kept; try again in a minute"),
    }
}

fn locked(reason: &str, process: Option<u32>) -> Failure {
    let failure = Failure::new(
        Outcome::Unreachable,
        format!(
            "cannot use the sign-in: {reason} and has not released it for more than {} s, the longest a renewal takes",
            store::LOCK_TIMEOUT.as_secs()
        ),
    );
    match process {
        Some(process) => failure.hint(format!(
            "check process {process}, which may be suspended; then try again"
        )),
        None => failure.hint("look for a suspended program that uses this file; then try again"),
    }
}

/// An access token that has expired and cannot be renewed; `when` is in Unix seconds.
pub(crate) fn of_ended(source: &auth::CredentialSource, when: u64) -> Failure {
    let reason = format!("the access token from {source} expired at {}", local(when));
    Failure::new(Outcome::SignIn, reason).hint(
        "replace or remove it; `codex token` prints a new one on a machine where you are signed in",
    )
}

/// A failed request to the issuer of tokens.
pub(crate) fn of_issuer(what: &str, error: &issuer::Error, hint: &str) -> Failure {
    match error {
        issuer::Error::Http(error) => of_http(what, error),
        issuer::Error::Unreadable => {
            Failure::new(Outcome::Unreachable, format!("{what}: {error}")).hint("try again later")
        }
        issuer::Error::Declined(refusal) => {
            Failure::new(Outcome::SignIn, format!("{what}: {}", refusal.words())).hint(hint)
        }
        issuer::Error::Refused(refusal) => {
            let failure = |outcome| Failure {
                http_status: Some(refusal.status),
                ..Failure::new(outcome, format!("{what}: {}", refusal.words()))
            };
            match refusal.kind() {
                RefusalKind::SignIn => failure(Outcome::SignIn).hint(hint),
                RefusalKind::Forbidden if refusal.is_blocked() => {
                    failure(Outcome::Forbidden).hint(blocked(refusal.proxy.as_deref()))
                }
                RefusalKind::Forbidden => failure(Outcome::Forbidden)
                    .hint("the service does not allow this from your network, or for this account"),
                RefusalKind::Unreachable if refusal.page => failure(Outcome::Unreachable).hint(
                    "check for a proxy, firewall or captive portal between you and the service",
                ),
                RefusalKind::Unreachable => failure(Outcome::Unreachable)
                    .hint("the service cannot do this right now: try again later"),
            }
        }
    }
}

/// A credentials file that cannot be used.
fn of_store(error: &store::Error) -> Failure {
    let words = error.to_string();
    match error {
        store::Error::Locked(_, process) => locked(&words, *process),
        store::Error::Unwritable(..) | store::Error::Lock(..) => Failure::new(Outcome::Io, words)
            .hint("free some space there, or make it writable; CODEX_RUN_HOME sets a different directory")
            .for_want_of(error.exhausted()),
        store::Error::Malformed(..) => Failure::usage(words)
            .hint("repair it or move it away; it was not overwritten"),
        store::Error::NotOurs(..) => Failure::usage(words).hint(
            "codex-run neither overwrites nor removes it: change it with that program, or omit --auth-file to use codex-run's own file",
        ),
        store::Error::Unreadable(..) => Failure::usage(words)
            .hint("make it readable, or name another file with --auth-file")
            .for_want_of(error.exhausted()),
        store::Error::NotAFile(_) | store::Error::Blank(_) => Failure::usage(words)
            .hint("--auth-file, CODEX_RUN_AUTH_FILE and CODEX_RUN_HOME set its location"),
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        of_store(&error)
    }
}
