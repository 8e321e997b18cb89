//! Connections that do not come about, in words.

use std::path::Path;

use super::value::Failure;
use crate::http::{self, Distrust, Refused};
use crate::outcome::Outcome;

/// A request that did not come through.
pub(crate) fn of_http(what: &str, error: &http::Error) -> Failure {
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
