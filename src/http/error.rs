//! Why a request got no response, or only part of one: ureq's errors, classified.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::time::Duration;

use super::limit::CONNECT_TIMEOUT;
use super::network::{Through, Unusable};
use super::resolver::NoSuchProxy;
use crate::exhausted::Exhausted;

/// Why a request got no response, or only part of one.
#[derive(Debug)]
pub enum Error {
    /// The host name does not resolve.
    NoSuchHost,
    /// The proxy's host name does not resolve.
    NoSuchProxy,
    /// The connection could not be established.
    Connect(io::Error),
    /// The connection was not established within this time.
    ConnectTimeout(Duration),
    /// No byte arrived within this time.
    Silent(Duration),
    /// The exchange exceeded its total time limit.
    Late,
    /// The TLS handshake failed.
    Tls(String),
    /// The server's certificate was rejected, for this reason; the text names the trusted roots.
    Certificate(Distrust, String),
    /// The proxy at this host and port did not let the request through.
    Proxy(String, Refused),
    /// A setting that the request needs is unusable. Nothing was sent.
    Setup(Unusable),
    /// The system is out of a resource that the request needs: a thread or a file descriptor. Nothing was sent.
    Exhausted(io::Error),
    /// The connection was lost.
    Broken(io::Error),
    /// The response is not valid HTTP.
    Protocol(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchHost | Self::NoSuchProxy => f.write_str("the host name does not resolve"),
            Self::Connect(error) => write!(f, "cannot connect: {error}"),
            Self::ConnectTimeout(time) => write!(f, "no connection within {} s", time.as_secs()),
            Self::Silent(time) => write!(f, "no data received within {} s", time.as_secs()),
            Self::Late => f.write_str("the response was not complete within its time limit"),
            Self::Tls(why) => write!(f, "cannot establish a secure connection: {why}"),
            Self::Certificate(why, roots) => {
                write!(
                    f,
                    "cannot establish a secure connection: {why}; trusted roots: {roots}"
                )
            }
            Self::Proxy(name, why) => write!(f, "the proxy {name} {why}"),
            Self::Setup(Unusable { variable, why }) => write!(f, "cannot use {variable}: {why}"),
            Self::Exhausted(error) => error.fmt(f),
            Self::Broken(error) => write!(f, "the connection was lost: {error}"),
            Self::Protocol(why) => write!(f, "unexpected HTTP response: {why}"),
        }
    }
}

/// Why a certificate was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Distrust {
    /// It does not chain to a trusted root: the issuer's certificate is missing.
    Issuer,
    /// Expired, or not valid yet.
    Time,
    /// Issued for another host.
    Name,
    /// The server presents a CA certificate as its own.
    Authority,
    /// Any other reason, in the library's words.
    Other(String),
}

impl fmt::Display for Distrust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Issuer => {
                "the server's certificate does not chain to a trusted root: its issuer's certificate is missing"
            }
            Self::Time => "the server's certificate has expired or is not valid yet",
            Self::Name => "the server's certificate is for another host",
            Self::Authority => "the server presents a CA certificate as its own",
            Self::Other(why) => return write!(f, "the server's certificate was rejected ({why})"),
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

/// Why a proxy did not let a request through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The proxy cannot be reached.
    Unreachable(String),
    /// The proxy requires a user name and password, or rejected the given ones.
    Password,
    /// The proxy requires authentication by one of these schemes, none of which is supported.
    Kind(String),
    /// The server's name does not resolve on this machine, which has to resolve it for this proxy.
    Name,
    /// The proxy does not speak SOCKS.
    NotSocks,
    /// The proxy responded with this HTTP status.
    Status(u16),
    /// Any other reason, in the library's words.
    Other(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "cannot be reached: {why}"),
            Self::Password => {
                f.write_str("requires a user name and password, or rejected the given ones")
            }
            Self::Kind(kinds) => write!(
                f,
                "requires an authentication scheme that codex-run does not support ({kinds})"
            ),
            Self::Name => f.write_str(
                "requires an IP address, but the server's name does not resolve on this machine",
            ),
            Self::NotSocks => f.write_str("does not speak SOCKS at this port"),
            Self::Status(status) => write!(f, "rejected the request (HTTP {status})"),
            Self::Other(why) => write!(f, "rejected the request: {why}"),
        }
    }
}

impl Refused {
    /// The error for a proxy that requires authentication and offers these schemes.
    fn wanting(offers: &[String]) -> Self {
        let is_supported = |kind: &String| kind.eq_ignore_ascii_case("basic");
        if offers.is_empty() || offers.iter().any(is_supported) {
            Self::Password
        } else {
            Self::Kind(offers.join(", "))
        }
    }

    /// The error for a failed SOCKS handshake, recognized by the library's words; `None` if something else failed.
    fn from_socks(error: &Error) -> Option<Self> {
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

    /// The error for a failed CONNECT. The library's message ends with the status, before a slash.
    fn of(words: &str) -> Self {
        let status = words
            .rsplit(' ')
            .next()
            .and_then(|last| last.split('/').next());
        match status.and_then(|status| status.parse().ok()) {
            // Some proxies answer a wrong password with 401.
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
    /// Whether this machine is out of a resource that the request needs.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        matches!(self, Self::Exhausted(_))
    }

    /// Classifies ureq's error. `connected`: a response had begun; `silence`: the idle timeout that was in effect.
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
        // The peer does not speak TLS: usually it is plain HTTP.
        if why.contains("InvalidContentType") {
            return Self::Tls("the server does not speak TLS at this port".to_owned());
        }
        // The prefix that rustls gives certificate errors.
        match why.strip_prefix("invalid peer certificate: ") {
            None => Self::Tls(why),
            Some(why) => Self::Certificate(Distrust::of(why), String::new()),
        }
    }

    /// Adds to a certificate error the roots that the request trusted.
    pub(super) fn trusting(self, roots: impl FnOnce() -> String) -> Self {
        match self {
            Self::Certificate(why, _) => Self::Certificate(why, roots()),
            error => error,
        }
    }

    /// Attributes the error to this proxy, if any, if the proxy caused it. `offers`: the authentication schemes that
    /// the proxy offered.
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
            // With a proxy, only its name is resolved, and only it is connected to.
            error @ (Self::NoSuchProxy
            | Self::NoSuchHost
            | Self::Connect(_)
            | Self::ConnectTimeout(_)) => refused(Refused::Unreachable(error.to_string())),
            error if proxy.is_socks => match Refused::from_socks(&error) {
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
            // std has no stable error kind for resolver errors.
            _ if !connected && error.to_string().starts_with("failed to lookup address") => {
                Self::NoSuchHost
            }
            io::ErrorKind::ConnectionRefused
            | io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::AddrNotAvailable => Self::Connect(error),
            // rustls reports certificate errors, and a peer that does not speak TLS, as this kind.
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
    fn only_errors_of_the_proxy_are_attributed_to_it() {
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
        let ntlm = "the proxy p:1 requires an authentication scheme that codex-run does not support (Negotiate, NTLM)";
        assert_eq!(words(wants(), &http, &["Negotiate", "NTLM"]), ntlm);
        for offers in [&[][..], &["Basic"], &["NTLM", "basic"]] {
            let text = words(wants(), &http, offers);
            assert!(text.contains("requires a user name and password"), "{text}");
        }
        let text = words(Error::NoSuchHost, &local, &[]);
        assert!(
            text.contains("the server's name does not resolve on this machine"),
            "{text}"
        );
        for proxy in [&http, &local, &remote] {
            let text = words(Error::NoSuchProxy, proxy, &[]);
            assert_eq!(
                text,
                "the proxy p:1 cannot be reached: the host name does not resolve"
            );
        }
        let socks = |words: &str, kind: io::ErrorKind| {
            let error = io::Error::new(kind, words.to_owned());
            Error::of_io(error, false, CONNECT_TIMEOUT)
                .through(Some(&remote), &[])
                .to_string()
        };
        let text = socks("invalid response version", io::ErrorKind::InvalidData);
        assert_eq!(text, "the proxy p:1 does not speak SOCKS at this port");
        let text = socks(
            "password authentication failed",
            io::ErrorKind::PermissionDenied,
        );
        assert!(text.contains("requires a user name and password"), "{text}");
        let text = socks("host unreachable", io::ErrorKind::Other);
        assert_eq!(text, "the proxy p:1 rejected the request: host unreachable");
        let text = socks("reset by peer", io::ErrorKind::ConnectionReset);
        assert_eq!(text, "the connection was lost: reset by peer");
    }

    #[test]
    fn a_resource_missing_on_this_machine_is_not_a_network_error() {
        let check = |error: &dyn Fn() -> io::Error, exhausted: bool| {
            for connected in [false, true] {
                let of_io = Error::of_io(error(), connected, CONNECT_TIMEOUT);
                let of_ureq = Error::of(ureq::Error::Io(error()), connected, CONNECT_TIMEOUT);
                // The form in which it arrives while a body is read.
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
