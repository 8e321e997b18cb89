//! What becomes of requests and of answers, in words. What the service itself says is told in `fault`.

use std::path::Path;

use super::fault::of_fault;
use super::{Failure, sign_in};
use crate::api;
use crate::clock::span;
use crate::http::{self, Distrust, Refused};
use crate::outcome::Outcome;
use crate::wire::answer::Trouble;

pub(super) fn of_api(error: &api::Error) -> Failure {
    match error {
        api::Error::Fault(fault) => of_fault(fault),
        api::Error::TooLong(error) => Failure::new(
            Outcome::Incomplete,
            format!("cannot read the answer: {error}"),
        ),
        api::Error::Cut(http::Error::Silent(time)) => Failure::new(
            Outcome::Incomplete,
            format!("the answer was cut: not a byte came for {}", span(*time)),
        ),
        api::Error::Cut(error) => {
            Failure::new(Outcome::Incomplete, format!("the answer was cut: {error}"))
        }
        api::Error::SignIn(error) => sign_in::of_sign_in(error),
        api::Error::Unreadable => Failure::new(
            Outcome::Unreachable,
            format!("cannot use the service's answer: {error}"),
        )
        .hint("something else may have answered; look at the address"),
        api::Error::Http(host, http::Error::Silent(time)) => Failure::new(
            Outcome::Unreachable,
            format!(
                "the service at {host} has not answered within {}",
                span(*time)
            ),
        )
        .hint("try again later, or give it more time with --idle-timeout"),
        api::Error::Http(host, error) => {
            of_http(&format!("cannot reach the service at {host}"), error)
        }
    }
}

/// A request that did not come through.
pub(super) fn of_http(what: &str, error: &http::Error) -> Failure {
    let failure = Failure::new(Outcome::Unreachable, format!("{what}: {error}"));
    match error {
        http::Error::Exhausted(error) => failure.because_of(error),
        http::Error::NoSuchHost | http::Error::NoSuchProxy => {
            failure.hint("check the network, and the address if you set one")
        }
        http::Error::Connect(_) | http::Error::ConnectTimeout(_) => {
            failure.hint("check the network, and the address and port if you set them")
        }
        http::Error::Tls(_) => failure
            .hint("look at the address and port; a proxy or a wrong clock may be in the way, too"),
        http::Error::Certificate(Distrust::Issuer, _) => failure.hint(authority(bundle())),
        http::Error::Certificate(why, _) => failure.hint(match why {
            Distrust::Time => "look at the clock of this machine, and at the certificate of the server",
            Distrust::Name => "look at the address; something else may answer there",
            Distrust::Authority => "make the server one with CA:FALSE, signed by that authority",
            Distrust::Issuer | Distrust::Other(_) => "look at the certificate of the server",
        }),
        http::Error::Proxy(_, why) => failure.hint(match why {
            Refused::Password => {
                "they are written into the proxy's address: http://NAME:PASSWORD@HOST:PORT, with %40 for an @ in them"
            }
            Refused::Kind(_) => {
                "a helper on this machine, such as cntlm or px, can sign in to it; or name the host in NO_PROXY"
            }
            Refused::Name => {
                "with socks5h:// in place of socks5:// the proxy looks the name up itself"
            }
            Refused::NotSocks => "look at the port; a proxy of HTTP is written http://HOST:PORT",
            Refused::Unreachable(_) => {
                "look at https_proxy and all_proxy; NO_PROXY names hosts that need no proxy"
            }
            Refused::Status(_) | Refused::Other(_) => {
                "ask whoever runs the proxy to let it through, or name the host in NO_PROXY"
            }
        }),
        http::Error::Setup(_) => Failure::usage(format!("{error}"))
            .hint("correct it, or unset it"),
        http::Error::Protocol(_) => {
            failure.hint("look at the address and port; something else may answer there")
        }
        http::Error::Silent(_) | http::Error::Late | http::Error::Broken(_) => {
            failure.hint("try again later")
        }
    }
}

/// Where systems keep the certificates that they trust, all in one file.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The file of this system.
fn bundle() -> Option<&'static str> {
    BUNDLES
        .iter()
        .copied()
        .find(|file| Path::new(file).is_file())
}

/// What to do about an authority that is not known. `bundle` is the file of those that the system trusts.
fn authority(bundle: Option<&str>) -> String {
    let words =
        "a proxy of your company, or a server of your own, may have an authority of its own: ";
    match bundle {
        Some(file) => format!(
            "{words}if this system trusts it, set CODEX_CA_CERTIFICATE={file}; else name a file with its certificate, in \
             PEM form"
        ),
        None => format!(
            "{words}put its certificate, in PEM form, into a file and name that by CODEX_CA_CERTIFICATE"
        ),
    }
}

pub(super) fn of_trouble(trouble: &Trouble, error: Option<&api::Error>) -> Failure {
    let incomplete = |what: &str| {
        Failure::new(
            Outcome::Incomplete,
            format!("the answer is incomplete: {what}"),
        )
    };
    match (trouble, error) {
        (Trouble::Cut, Some(error)) => {
            of_api(error).hint("try again; what was printed, if anything, is a part of the answer")
        }
        (Trouble::Cut, None) => {
            incomplete("the stream ended before the service said that it is complete")
                .hint("try again")
        }
        (Trouble::Differs, _) => {
            incomplete("what was printed is not the message that the service sent in the end")
                .hint("try again; with --buffer an answer is printed only once it is complete")
        }
        (Trouble::TooMuch(excess), _) => Failure::new(
            Outcome::Incomplete,
            format!("cannot read the answer: {excess}"),
        )
        .hint("what was printed is a part of the answer; try again"),
        (Trouble::Another, _) => {
            incomplete("it broke off, and asked for again it does not begin with what was printed")
                .hint("try again; with --buffer an answer is printed only once it is complete")
        }
        (Trouble::Repeats(name), _) => incomplete(&format!(
            "asked to go on, the service sent a call of the tool {name} again that has run"
        ))
        .hint("try again; the tool was not run a second time"),
        (Trouble::Unfinished, _) => {
            incomplete("a message or a call in it has no end").hint("try again")
        }
        (Trouble::Empty, _) => {
            incomplete("it holds no text").hint("try again, or put the question differently")
        }
        (Trouble::Incomplete(reason), _) => match reason.as_deref() {
            Some("max_output_tokens") => {
                incomplete("it reached the model's output limit").hint("ask for less at once")
            }
            Some("content_filter") => {
                incomplete("the content filter stopped it").hint("put the question differently")
            }
            None => incomplete("the service stopped it").hint("try again"),
            Some(other) => {
                incomplete(&format!("the service stopped it ({other})")).hint("try again")
            }
        },
        (Trouble::Refused(words), _) => {
            Failure::new(Outcome::Failed, format!("the model declined: {words}"))
                .hint("put the question differently")
        }
        (Trouble::Waits(kind), _) => Failure::new(
            Outcome::Failed,
            format!(
                "the answer waits for something that codex-run cannot give ({})",
                kind.as_deref().unwrap_or("an item without a type")
            ),
        )
        .hint("ask without hosted tools that need it"),
        (Trouble::Failed(fault), _) => of_fault(fault),
    }
}
