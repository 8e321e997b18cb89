//! What goes wrong with credentials, in words.

use super::credential::About;
use super::fault::blocked;
use super::service::of_http;
use super::{Failure, of_output, of_stdin, of_thread};
use crate::auth::refusal::Kind;
use crate::auth::{self, issuer, sign_in, store};
use crate::clock::date;
use crate::command::{login, models, status, token};
use crate::outcome::Outcome;
use crate::stdin;

/// What signs in again.
const AGAIN: &str = "run `codex login` to sign in again";

/// What to do about an access token of a workspace that the issuer does not know.
const WITHDRAWN: &str = "it may have been withdrawn: make another one in the workspace's settings";

/// What to do where a device code is refused.
const SWITCHED_OFF: &str = "device codes may be switched off: they are allowed in the account's security settings, or by the \
     workspace's administrator; `codex login --no-browser` is the other way";

/// There is no usable credential.
pub(super) fn of_credential(error: &auth::Error) -> Failure {
    match error {
        auth::Error::Missing => Failure::new(
            Outcome::SignIn,
            "no credentials: nobody is signed in and no key is set",
        )
        .hint(
            "run `codex login`, or set OPENAI_API_KEY (API) or CODEX_ACCESS_TOKEN (ChatGPT subscription), or use \
             --api-key-file FILE",
        ),
        auth::Error::NotOurs(..) => Failure::new(
            Outcome::SignIn,
            format!("no credentials that codex-run can use: {error}"),
        )
        .hint("`codex login` signs in here, in a file of its own without --auth-file; or set OPENAI_API_KEY"),
        auth::Error::NotAKey(..) | auth::Error::NotBare(..) | auth::Error::Empty(_) => {
            Failure::usage(format!("cannot use the credential: {error}"))
                .hint("it is the text of the key or token alone, without quotes or blanks")
        }
        auth::Error::NotUsable(..) => Failure::usage(format!("cannot use the credential: {error}"))
            .hint("put the key itself there, or into CODEX_API_KEY"),
        auth::Error::TokenAsKey(_) => Failure::usage(format!("cannot use the credential: {error}"))
            .hint("it belongs in CODEX_ACCESS_TOKEN, or `codex login --with-access-token` stores it"),
        auth::Error::NotAToken(..) => {
            Failure::new(Outcome::SignIn, format!("cannot use the credential: {error}"))
                .hint("an API key belongs in CODEX_API_KEY or OPENAI_API_KEY; `codex login` signs in")
        }
    }
}

/// The sign-in gives no valid token.
pub(super) fn of_sign_in(error: &sign_in::Error) -> Failure {
    use sign_in::Error;
    let told = error.to_string();
    let ended = |what: &str| Failure {
        about: Some(Box::new(About::Ended)),
        ..Failure::new(Outcome::SignIn, format!("{what}: {told}")).hint(AGAIN)
    };
    match error {
        Error::Store(error) => of_store(error),
        Error::NotSpent(store) => Failure::new(
            Outcome::Io,
            format!("cannot renew the sign-in: {told}; the saved token was not spent"),
        )
        .hint("free some space there, or make it writable; nothing is lost")
        .for_want_of(store.exhausted()),
        Error::Gone(_) => ended("not signed in any more"),
        Error::OtherAccount(_) => Failure {
            about: None,
            ..ended("the account has changed")
        }
        .hint("another sign-in was made meanwhile; start again to use it"),
        Error::Refused(_) => ended("cannot renew the sign-in"),
        Error::Ended => ended("the sign-in has ended"),
        Error::Failed(Some(error)) => of_issuer("cannot renew the sign-in", error, AGAIN),
        Error::Whose(issuer::Error::Refused(refusal)) if refusal.kind() == Kind::SignIn => {
            Failure::refused(refusal.words(), WITHDRAWN)
        }
        Error::Whose(error) => of_issuer(
            "cannot find out whose the access token is",
            error,
            WITHDRAWN,
        ),
        Error::Failed(None) => Failure::new(
            Outcome::Unreachable,
            format!("cannot renew the sign-in: {told}"),
        )
        .hint("the sign-in is kept; try again in a minute"),
    }
}

fn locked(told: &str, process: Option<u32>) -> Failure {
    let failure = Failure::new(
        Outcome::Unreachable,
        format!(
            "cannot use the sign-in: {told}, for longer than the {} s that a renewal takes at most",
            store::HOLD.as_secs()
        ),
    );
    match process {
        Some(process) => failure.hint(format!(
            "look at process {process}: it may be stopped; then try again"
        )),
        None => {
            failure.hint("another program may be stopped while it writes there; then try again")
        }
    }
}

/// An access token that nothing renews is over.
fn of_ended(source: &str, when: u64) -> Failure {
    let told = format!("the access token of {source} ended at {}", date(when));
    Failure::new(Outcome::SignIn, told)
        .hint("put a new one there: `codex token` prints one where you are signed in; or remove it")
}

/// The issuer of tokens did not do what it was asked.
fn of_issuer(what: &str, error: &issuer::Error, hint: &str) -> Failure {
    match error {
        issuer::Error::Http(error) => of_http(what, error),
        issuer::Error::Unreadable => {
            Failure::new(Outcome::Unreachable, format!("{what}: {error}")).hint("try again later")
        }
        issuer::Error::Declined(refusal) => {
            Failure::new(Outcome::SignIn, format!("{what}: {}", refusal.words())).hint(hint)
        }
        issuer::Error::Refused(refusal) => {
            let failure = |outcome| Failure::new(outcome, format!("{what}: {}", refusal.words()));
            match refusal.kind() {
                Kind::SignIn => failure(Outcome::SignIn).hint(hint),
                Kind::Forbidden if refusal.is_blocked() => {
                    failure(Outcome::Forbidden).hint(blocked(refusal.proxy.as_deref()))
                }
                Kind::Forbidden => failure(Outcome::Forbidden)
                    .hint("the service does not allow this here, or for this account"),
                Kind::Unreachable if refusal.page => failure(Outcome::Unreachable)
                    .hint("look at what stands between: a proxy, a firewall, a sign-in page"),
                Kind::Unreachable => failure(Outcome::Unreachable)
                    .hint("the service cannot do it now; try again later"),
            }
        }
    }
}

/// The credentials file cannot be used.
fn of_store(error: &store::Error) -> Failure {
    let words = error.to_string();
    match error {
        store::Error::Locked(_, process) => locked(&words, *process),
        store::Error::Unwritable(..) | store::Error::Lock(..) => Failure::new(Outcome::Io, words)
            .hint("free some space there, or make it writable; CODEX_RUN_HOME names another place")
            .for_want_of(error.exhausted()),
        store::Error::Malformed(..) => Failure::usage(words)
            .hint("repair it or move it away; it is not overwritten, so nothing in it is lost"),
        store::Error::NotOurs(..) => Failure::usage(words).hint(
            "it is neither written over nor removed: change it with that program, or leave out --auth-file for a file of codex-run's own",
        ),
        store::Error::Unreadable(..) => Failure::usage(words)
            .hint("make it readable for you, or name another with --auth-file")
            .for_want_of(error.exhausted()),
        store::Error::NotAFile(_) | store::Error::Blank(_) => Failure::usage(words)
            .hint("--auth-file, CODEX_RUN_AUTH_FILE and CODEX_RUN_HOME say where it is"),
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        of_store(&error)
    }
}

impl From<token::Error> for Failure {
    fn from(error: token::Error) -> Self {
        match error {
            token::Error::Credential(error) => of_credential(&error),
            token::Error::Key(source) => Self::new(
                Outcome::SignIn,
                format!("no access token: there is only the API key of {source}"),
            )
            .hint("`codex login` signs in with a ChatGPT account"),
            token::Error::Ended(source, when) => of_ended(&source, when),
            token::Error::SignIn(error) => of_sign_in(&error),
            token::Error::Output(error) => of_output(&error),
        }
    }
}

impl From<models::Error> for Failure {
    fn from(error: models::Error) -> Self {
        match error {
            models::Error::Credential(error) => of_credential(&error),
            models::Error::Refused(error) => super::of_api(&error),
            models::Error::Output(error) => of_output(&error),
        }
    }
}

impl From<status::Error> for Failure {
    fn from(error: status::Error) -> Self {
        match error {
            status::Error::NotSignedIn(error) => Self {
                outcome: Outcome::SignIn,
                ..of_credential(&error)
            },
            status::Error::SignIn(error) => of_sign_in(&error),
            status::Error::Ended(source, when) => of_ended(&source, when),
            status::Error::Limits(error) => super::of_api(&error),
            status::Error::Output(error) => of_output(&error),
        }
    }
}

impl From<login::Error> for Failure {
    fn from(error: login::Error) -> Self {
        use login::Error;
        let told = error.to_string();
        let refused =
            |hint: &str| Self::new(Outcome::SignIn, format!("not signed in: {told}")).hint(hint);
        match error {
            Error::Store(error) => error.into(),
            Error::Exchange(error) => {
                of_issuer("not signed in", &error, "start again with `codex login`")
            }
            Error::Whose(error) => of_issuer("not signed in", &error, WITHDRAWN),
            Error::Device(issuer::Error::Refused(refusal)) if refusal.status == 404 => refused(
                &format!("this service has no sign-in with a code, or {SWITCHED_OFF}"),
            ),
            Error::Device(error @ issuer::Error::Declined(_)) => of_issuer(
                "not signed in",
                &error,
                "start again with `codex login --device-auth`",
            ),
            Error::Device(error) => of_issuer("not signed in", &error, SWITCHED_OFF),
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
                error => of_credential(&error),
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
            Error::Stdin(error) => of_stdin(&error),
            Error::Random(error) => Self::from(crate::command::run::Error::Random(error)),
            Error::Thread(error) => of_thread(&error),
        }
    }
}
