//! Resolves names through the system's resolver, on a thread so that the wait has a timeout. A missing thread or file
//! descriptor is distinguished from a name that does not resolve.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::network::Through;
use crate::exhausted::{Exhausted, at_start, check_descriptors};

/// File descriptors that a lookup may need at once.
const MIN_DESCRIPTORS: usize = 4;

/// The system's resolver, which also keeps the guarantee of `BaseUrl`: `http` stays on this machine, whatever
/// `localhost` resolves to.
#[derive(Debug, Default)]
pub(super) struct Addresses(DefaultResolver);

impl Resolver for Addresses {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = if is_literal(uri) {
            // A literal address needs no lookup.
            self.0.resolve(uri, config, NextTimeout::default())
        } else {
            look_up(uri, config, timeout)
        };
        // A proxy's name is resolved without the configuration that names the proxy; the connection through it is
        // secured end to end.
        let proxy = config.proxy();
        let is_proxy = proxy.is_some_and(|proxy| proxy.uri() == uri);
        if is_proxy {
            return found.map_err(mark_as_proxy_error);
        }
        let found = found?;
        if uri.scheme_str() != Some("http") {
            let is_given = proxy.is_some_and(|proxy| Through::of(proxy).looks_up);
            return Ok(if is_given {
                self.ipv4_first(&found)
            } else {
                found
            });
        }
        let mut local = self.empty();
        for address in found.iter().filter(|address| address.ip().is_loopback()) {
            local.push(*address);
        }
        if local.is_empty() {
            Err(ureq::Error::HostNotFound)
        } else {
            Ok(local)
        }
    }
}

impl Addresses {
    /// The same addresses, IPv4 before IPv6: a SOCKS proxy is given only the first one, and reaches IPv4 most reliably.
    fn ipv4_first(&self, found: &ResolvedSocketAddrs) -> ResolvedSocketAddrs {
        let mut ordered = self.empty();
        for is_older in [true, false] {
            for address in found.iter().filter(|address| address.is_ipv4() == is_older) {
                ordered.push(*address);
            }
        }
        ordered
    }
}

/// The proxy's name does not resolve, as opposed to the server's.
#[derive(Clone, Copy, Debug)]
pub(super) struct NoSuchProxy;

impl fmt::Display for NoSuchProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the proxy's name does not resolve")
    }
}

impl StdError for NoSuchProxy {}

/// Marks a resolution error as the proxy's.
fn mark_as_proxy_error(error: ureq::Error) -> ureq::Error {
    let is_other = |error: &io::Error| Exhausted::of(error).is_some();
    match error {
        ureq::Error::HostNotFound => ureq::Error::Other(Box::new(NoSuchProxy)),
        ureq::Error::Io(error) if !is_other(&error) => ureq::Error::Other(Box::new(NoSuchProxy)),
        error => error,
    }
}

/// Whether the host is a literal address.
fn is_literal(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.parse::<IpAddr>().is_ok()
}

/// Looks up on a separate thread, which is abandoned at the timeout.
fn look_up(
    uri: &Uri,
    config: &Config,
    timeout: NextTimeout,
) -> Result<ResolvedSocketAddrs, ureq::Error> {
    let (sender, found) = mpsc::channel();
    let (uri, config) = (uri.clone(), config.clone());
    let asked = thread::Builder::new().spawn(move || {
        let _ =
            sender.send(DefaultResolver::default().resolve(&uri, &config, NextTimeout::default()));
    });
    asked.map_err(|error| ureq::Error::Io(at_start(error)))?;
    match found.recv_timeout(*timeout.after) {
        Ok(Ok(found)) => Ok(found),
        // The resolver needs files and sockets, and does not report that none were available.
        Ok(Err(error)) => Err(match check_descriptors(MIN_DESCRIPTORS) {
            Ok(()) => error,
            Err(exhausted) => ureq::Error::Io(io::Error::other(exhausted)),
        }),
        Err(RecvTimeoutError::Timeout) => Err(ureq::Error::Timeout(timeout.reason)),
        Err(RecvTimeoutError::Disconnected) => Err(ureq::Error::HostNotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv4_comes_first_if_a_proxy_is_given_one_address() {
        let addresses = Addresses::default();
        let mut found = addresses.empty();
        for text in ["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1"] {
            found.push(text.parse().expect("an address"));
        }
        let ordered = addresses.ipv4_first(&found);
        let ordered: Vec<String> = ordered.iter().map(ToString::to_string).collect();
        assert_eq!(ordered, ["1.1.1.1:1", "1.1.1.2:1", "[::1]:1", "[::2]:1"]);
    }

    #[test]
    fn only_names_are_looked_up() {
        let check = |uri: &str, literal: bool| {
            let uri: Uri = uri.parse().expect("an address");
            assert_eq!(is_literal(&uri), literal, "{uri}");
        };
        check("http://127.0.0.1:8080/v1", true);
        check("https://[::1]/v1", true);
        check("https://[2001:db8::7]:443/", true);
        check("http://localhost:8080/v1", false);
        check("https://127.0.0.1.example/", false);
    }
}
