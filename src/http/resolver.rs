//! Names to addresses: the system's resolver, asked on a thread so that the wait for it has an end. That a thread or a
//! descriptor is missing for it is told apart from a name that has no address.

use std::io;
use std::net::IpAddr;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use crate::exhausted::{at_start, room};

/// How many descriptors a lookup may need at the same time.
const DESCRIPTORS: usize = 4;

/// The system's resolver, held to what `BaseUrl` promises: `http` stays on this machine whatever
/// `localhost` is said to mean.
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
            // Nobody is asked.
            self.0.resolve(uri, config, NextTimeout::default())?
        } else {
            look_up(uri, config, timeout)?
        };
        // A proxy is asked for in its own name, without the configuration that names it; what goes through it is
        // secured beyond it.
        let is_proxy = config.proxy().is_some_and(|proxy| proxy.uri() == uri);
        if uri.scheme_str() != Some("http") || is_proxy {
            return Ok(found);
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

/// Whether the host is an address already.
fn is_literal(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let host = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host);
    host.parse::<IpAddr>().is_ok()
}

/// Asks on a thread of its own, which is left behind if the answer takes too long.
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
        // It needs files and sockets, and does not say that it could have none.
        Ok(Err(error)) => Err(match room(DESCRIPTORS) {
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
