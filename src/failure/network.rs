//! Failed connections: DNS, TCP, TLS, certificates, proxies and HTTP.

use std::path::Path;

use super::value::Failure;
use crate::http::{self, Distrust, Refused};
use crate::outcome::Outcome;

/// A request without a usable response.
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
            .hint("check the address and port; a proxy or a wrong clock may also be the cause"),
        http::Error::Certificate(Distrust::Issuer, _) => failure.hint(authority(bundle())),
        http::Error::Certificate(why, _) => failure.hint(match why {
            Distrust::Time => "check this machine's clock and the server's certificate",
            Distrust::Name => "check the address: something else may answer there",
            Distrust::Authority => "give the server its own certificate (CA:FALSE), signed by that authority",
            Distrust::Issuer | Distrust::Other(_) => "check the server's certificate",
        }),
        http::Error::Proxy(_, why) => failure.hint(match why {
            Refused::Password => {
                "put them in the proxy's address: http://NAME:PASSWORD@HOST:PORT; write an @ in them as %40"
            }
            Refused::Kind(_) => {
                "use a local helper that can authenticate to it, such as cntlm or px, or list the host in NO_PROXY"
            }
            Refused::Name => {
                "use socks5h:// instead of socks5:// to let the proxy resolve the name"
            }
            Refused::NotSocks => "check the port; for an HTTP proxy, use http://HOST:PORT",
            Refused::Unreachable(_) => {
                "check https_proxy and all_proxy; NO_PROXY lists hosts that need no proxy"
            }
            Refused::Status(_) | Refused::Other(_) => {
                "ask the proxy's administrator to allow it, or list the host in NO_PROXY"
            }
        }),
        http::Error::Setup(_) => Failure::usage(format!("{error}"))
            .hint("correct it, or unset it"),
        http::Error::Protocol(_) => {
            failure.hint("check the address and port: something else may answer there")
        }
        http::Error::Silent(_) | http::Error::Late | http::Error::Broken(_) => {
            failure.hint("try again later")
        }
    }
}

/// A setting of the network that cannot be used.
pub(crate) fn of_http_setup(error: &http::Error) -> Failure {
    of_http("cannot connect", error)
}

/// Where Linux distributions keep their trusted certificates in a single file.
const BUNDLES: &[&str] = &[
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The system's certificate bundle.
fn bundle() -> Option<&'static str> {
    BUNDLES
        .iter()
        .copied()
        .find(|file| Path::new(file).is_file())
}

/// The hint for an unknown certificate authority. `bundle` is the file with those that the system trusts.
fn authority(bundle: Option<&str>) -> String {
    let words = "a company proxy or a private server may use a private certificate authority: ";
    match bundle {
        Some(file) => format!(
            "{words}if this system trusts it, set CODEX_CA_CERTIFICATE={file}; otherwise set it to a file with its certificate in \
             PEM form"
        ),
        None => format!(
            "{words}save its certificate in PEM form and set CODEX_CA_CERTIFICATE to that file"
        ),
    }
}
