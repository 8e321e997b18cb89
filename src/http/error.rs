//! Why there is no answer, or no more of it: ureq's errors, sorted.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use super::limit::CONNECT_TIMEOUT;
use super::network::{Through, Unusable};
use super::resolver::NoSuchProxy;
use crate::exhausted::Exhausted;

/// Why there is no answer, or no more of it.
#[derive(Debug)]
pub enum Error {
    /// The host has no address.
    NoSuchHost,
    /// The proxy's host has no address.
    NoSuchProxy,
    /// No connection came about.
    Connect(io::Error),
    /// No connection came about in this time.
    ConnectTimeout(Duration),
    /// Not a byte came in this time.
    Silent(Duration),
    /// The whole of it took longer than it may.
    Late,
    /// The connection could not be made secure.
    Tls(String),
    /// The server's certificate is not accepted, for this reason; these roots were used.
    Certificate(Distrust, String),
    /// The proxy of this host and port does not let the request through.
    Proxy(String, Refused),
    /// A setting that the request needs cannot be used. Nothing was sent.
    Setup(Unusable),
    /// The system has no more of what the request needs: a thread or a descriptor. Nothing was sent.
    Exhausted(io::Error),
    /// The connection broke.
    Broken(io::Error),
    /// What came is not HTTP as we know it.
    Protocol(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchHost | Self::NoSuchProxy => {
                f.write_str("the host's name leads to no address")
            }
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::ConnectTimeout(time) => write!(f, "no connection within {} s", time.as_secs()),
            Self::Silent(time) => write!(f, "not a byte within {} s", time.as_secs()),
            Self::Late => f.write_str("no whole answer in the time that it may take"),
            Self::Tls(why) => write!(f, "no secure connection: {why}"),
            Self::Certificate(why, roots) => {
                write!(f, "no secure connection: {why}; trusted are {roots}")
            }
            Self::Proxy(name, why) => write!(f, "the proxy {name} {why}"),
            Self::Setup(Unusable { variable, why }) => write!(f, "cannot use {variable}: {why}"),
            Self::Exhausted(error) => error.fmt(f),
            Self::Broken(error) => write!(f, "the connection broke: {error}"),
            Self::Protocol(why) => write!(f, "the answer is not HTTP as expected: {why}"),
        }
    }
}

/// Why a certificate is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It leads to no root that is trusted: the issuer's certificate is missing.
    Issuer,
    /// Its time is over, or has not begun.
    Time,
    /// It is for another host.
    Name,
    /// It is one of an authority, and was put into the server in place of one of its own.
    Authority,
    /// Something else, in the words of the library.
    Other(String),
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Issuer => {
                "the server's certificate leads to no trusted root, since its issuer's certificate is missing"
            }
            Self::Time => "the server's certificate is not valid at this time",
            Self::Name => "the server's certificate is for another host",
            Self::Authority => "the server shows the certificate of an authority as its own",
            Self::Other(why) => return write!(f, "the server's certificate is refused ({why})"),
        })
    }
}

impl Distrust {
    fn of(why: &str) -> Self {
        let begins = |words: &[&str]| words.iter().any(|word| why.starts_with(word));
        if begins(&["UnknownIssuer"]) {
            Self::Issuer
        } else if begins(&[
            "Expired",
            "certificate expired",
            "NotValidYet",
            "certificate not valid yet",
        ]) {
            Self::Time
        } else if begins(&["NotValidForName", "certificate not valid for name"]) {
            Self::Name
        } else if why.contains("CaUsedAsEndEntity") {
            Self::Authority
        } else {
            Self::Other(why.to_owned())
        }
    }
}

/// Why a proxy does not let a request through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It cannot be reached.
    Unreachable(String),
    /// It wants a name and a password, or others than it was given.
    Password,
    /// It wants a sign-in of these kinds, none of which we have.
    Kind(String),
    /// The name of the server leads to no address on this machine, where it is looked up for this proxy.
    Name,
    /// It does not speak SOCKS.
    NotSocks,
    /// It answered with this status.
    Status(u16),
    /// Something else, in the words of the library.
    Other(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "cannot be reached: {why}"),
            Self::Password => {
                f.write_str("wants a name and a password, or does not accept those it was given")
            }
            Self::Kind(kinds) => write!(
                f,
                "wants a sign-in of a kind that codex-run does not have ({kinds})"
            ),
            Self::Name => f.write_str(
                "is given an address, and the server's name leads to none on this machine",
            ),
            Self::NotSocks => f.write_str("does not speak SOCKS at this port"),
            Self::Status(status) => write!(f, "does not let the request through (HTTP {status})"),
            Self::Other(why) => write!(f, "does not let the request through: {why}"),
        }
    }
}

impl Refused {
    /// A proxy that wants a sign-in and offers these kinds.
    fn wanting(offers: &[String]) -> Self {
        let is_ours = |kind: &String| kind.eq_ignore_ascii_case("basic");
        if offers.is_empty() || offers.iter().any(is_ours) {
            Self::Password
        } else {
            Self::Kind(offers.join(", "))
        }
    }

    /// What the library says of the beginning of a SOCKS connection, if that is what failed.
    fn of_socks(error: &Error) -> Option<Self> {
        let words = match error {
            Error::Broken(error) | Error::Connect(error) => error.to_string(),
            Error::Tls(words) => words.clone(),
            _ => return None,
        };
        Some(match &*words {
            "password authentication failed"
            | "no acceptable auth methods"
            | "invalid username"
            | "invalid password" => Self::Password,
            "invalid response version"
            | "invalid response code"
            | "invalid reserved byte"
            | "unknown auth method"
            | "unsupported address type"
            | "failed to fill whole buffer" => Self::NotSocks,
            "general SOCKS server failure"
            | "connection not allowed by ruleset"
            | "network unreachable"
            | "host unreachable"
            | "connection refused"
            | "TTL expired"
            | "command not supported"
            | "address kind not supported"
            | "unknown error"
            | "request rejected or failed"
            | "SOCKS4 does not support IPv6"
            | "domain name too long" => Self::Other(words),
            words if words.starts_with("request rejected because") => Self::Other(words.to_owned()),
            _ => return None,
        })
    }

    /// What the library says about a CONNECT that failed: it puts the status before a slash.
    fn of(words: &str) -> Self {
        let status = words
            .rsplit(' ')
            .next()
            .and_then(|last| last.split('/').next());
        match status.and_then(|status| status.parse().ok()) {
            // Some answer so to a wrong password.
            Some(401 | 407) => Self::Password,
            Some(status) => Self::Status(status),
            None => Self::Other(words.to_owned()),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::Connect(error) | Self::Exhausted(error) | Self::Broken(error) => Some(error),
            _ => None,
        }
    }
}

impl Error {
    /// Whether this machine has no more of what the request needs.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        matches!(self, Self::Exhausted(_))
    }

    /// Sorts ureq's error. `connected` tells whether an answer had begun; `silence` is what was allowed.
    pub(super) fn of(error: ureq::Error, connected: bool, silence: Duration) -> Self {
        match error {
            ureq::Error::HostNotFound => Self::NoSuchHost,
            ureq::Error::Timeout(ureq::Timeout::Connect | ureq::Timeout::Resolve) => {
                Self::ConnectTimeout(CONNECT_TIMEOUT)
            }
            ureq::Error::Timeout(ureq::Timeout::Global) => Self::Late,
            ureq::Error::Timeout(_) => Self::Silent(silence),
            ureq::Error::Io(error) => Self::of_io(error, connected, silence),
            ureq::Error::Tls(why) => Self::Tls(why.to_owned()),
            ureq::Error::Rustls(error) => Self::of_tls(error.to_string()),
            ureq::Error::ConnectProxyFailed(why) => Self::Proxy(String::new(), Refused::of(&why)),
            ureq::Error::Other(error) if error.is::<NoSuchProxy>() => Self::NoSuchProxy,
            ureq::Error::ConnectionFailed => Self::Connect(io::ErrorKind::NotConnected.into()),
            other => Self::Protocol(other.to_string()),
        }
    }

    fn of_tls(why: String) -> Self {
        // What comes is no TLS at all: commonly plain HTTP.
        if why.contains("InvalidContentType") {
            return Self::Tls("the server does not speak TLS at this port".to_owned());
        }
        // This is how rustls begins what it says of certificates.
        match why.strip_prefix("invalid peer certificate: ") {
            None => Self::Tls(why),
            Some(why) => Self::Certificate(Distrust::of(why), String::new()),
        }
    }

    /// The error of a request that trusted these roots.
    pub(super) fn trusting(self, roots: impl FnOnce() -> String) -> Self {
        match self {
            Self::Certificate(why, _) => Self::Certificate(why, roots()),
            error => error,
        }
    }

    /// The error of a request that went through this proxy, if any, which has offered these kinds of sign-in.
    pub(super) fn through(self, proxy: Option<&Through>, offers: &[String]) -> Self {
        let Some(proxy) = proxy else {
            return match self {
                Self::Proxy(_, why) => Self::Proxy(String::new(), why),
                error => error,
            };
        };
        let refused = |why| Self::Proxy(proxy.name.clone(), why);
        match self {
            Self::Proxy(_, Refused::Password) => refused(Refused::wanting(offers)),
            Self::Proxy(_, why) => refused(why),
            Self::NoSuchHost if proxy.looks_up => refused(Refused::Name),
            // Its own name is all that is looked up, and it is all that is connected to.
            error @ (Self::NoSuchProxy
            | Self::NoSuchHost
            | Self::Connect(_)
            | Self::ConnectTimeout(_)) => refused(Refused::Unreachable(error.to_string())),
            error if proxy.is_socks => match Refused::of_socks(&error) {
                Some(why) => refused(why),
                None => error,
            },
            error => error,
        }
    }

    pub(super) fn of_io(error: io::Error, connected: bool, silence: Duration) -> Self {
        // While a body is read, ureq's own error travels inside an io::Error.
        if error
            .get_ref()
            .is_some_and(<dyn StdError + Send + Sync>::is::<ureq::Error>)
        {
            return Self::of(ureq::Error::from(error), connected, silence);
        }
        if Exhausted::of(&error).is_some() {
            return Self::Exhausted(error);
        }
        match error.kind() {
            // The resolver's own words come in a kind that std does not name.
            _ if !connected && error.to_string().starts_with("failed to lookup address") => {
                Self::NoSuchHost
            }
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable => Self::Connect(error),
            // This is how rustls tells of certificates, and of a peer that does not speak TLS.
            io::ErrorKind::InvalidData if !connected => Self::of_tls(error.to_string()),
            io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => Self::Silent(silence),
            _ => Self::Broken(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;
    use crate::exhausted::at_start;

    #[test]
    fn a_proxy_is_blamed_for_what_it_does_and_for_nothing_else() {
        let proxy = |is_socks, looks_up| Through {
            name: "p:1".to_owned(),
            is_socks,
            looks_up,
        };
        let (http, local, remote) = (proxy(false, false), proxy(true, true), proxy(true, false));
        let words = |error: Error, proxy: &Through, offers: &[&str]| {
            let offers: Vec<String> = offers.iter().map(|kind| (*kind).to_owned()).collect();
            error.through(Some(proxy), &offers).to_string()
        };
        let wants = || Error::Proxy(String::new(), Refused::Password);
        let ntlm = "the proxy p:1 wants a sign-in of a kind that codex-run does not have (Negotiate, NTLM)";
        assert_eq!(words(wants(), &http, &["Negotiate", "NTLM"]), ntlm);
        for offers in [&[][..], &["Basic"], &["NTLM", "basic"]] {
            let told = words(wants(), &http, offers);
            assert!(told.contains("wants a name and a password"), "{told}");
        }
        let told = words(Error::NoSuchHost, &local, &[]);
        assert!(
            told.contains("the server's name leads to none on this machine"),
            "{told}"
        );
        for proxy in [&http, &local, &remote] {
            let told = words(Error::NoSuchProxy, proxy, &[]);
            assert_eq!(
                told,
                "the proxy p:1 cannot be reached: the host's name leads to no address"
            );
        }
        let socks = |words: &str, kind: io::ErrorKind| {
            let error = io::Error::new(kind, words.to_owned());
            Error::of_io(error, false, CONNECT_TIMEOUT)
                .through(Some(&remote), &[])
                .to_string()
        };
        let told = socks("invalid response version", io::ErrorKind::InvalidData);
        assert_eq!(told, "the proxy p:1 does not speak SOCKS at this port");
        let told = socks(
            "password authentication failed",
            io::ErrorKind::PermissionDenied,
        );
        assert!(told.contains("wants a name and a password"), "{told}");
        let told = socks("host unreachable", io::ErrorKind::Other);
        assert_eq!(
            told,
            "the proxy p:1 does not let the request through: host unreachable"
        );
        let told = socks("reset by peer", io::ErrorKind::ConnectionReset);
        assert_eq!(told, "the connection broke: reset by peer");
    }

    #[test]
    fn what_this_machine_lacks_is_told_apart_from_the_network() {
        let check = |error: &dyn Fn() -> io::Error, exhausted: bool| {
            for connected in [false, true] {
                let of_io = Error::of_io(error(), connected, CONNECT_TIMEOUT);
                let of_ureq = Error::of(ureq::Error::Io(error()), connected, CONNECT_TIMEOUT);
                // This is how it comes while a body is read.
                let inside = ureq::Error::Io(error()).into_io();
                let inside = Error::of_io(inside, connected, CONNECT_TIMEOUT);
                for error in [of_io, of_ureq, inside] {
                    assert_eq!(error.is_exhausted(), exhausted, "{error:?}");
                    let proxy = Through {
                        name: "proxy.example:80".to_owned(),
                        is_socks: true,
                        looks_up: true,
                    };
                    let through = error.through(Some(&proxy), &[]);
                    assert_eq!(through.is_exhausted(), exhausted, "{through:?}");
                }
            }
        };
        check(&|| Errno::MFILE.into(), true);
        check(&|| Errno::NFILE.into(), true);
        check(&|| at_start(Errno::AGAIN.into()), true);
        check(&|| Errno::AGAIN.into(), false);
        check(&|| Errno::CONNREFUSED.into(), false);
        check(&|| io::ErrorKind::ConnectionReset.into(), false);
    }
}
