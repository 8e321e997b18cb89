//! Checks the addresses that a secret may be sent to.

use std::error::Error as StdError;
use std::fmt;
use std::net::IpAddr;

use ureq::http::Uri;

/// A base URL that requests may go to: `https`, or `http` to a loopback host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(String);

/// Why an address is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// Not of the form `https://host/path` or `http://host/path`.
    NotAnAddress,
    /// Plain `http` to another machine: a secret would cross the network in the clear.
    InTheClear,
    /// Contains a user name or password, which would appear in messages.
    Password,
    /// Has a query (`?`) or a fragment (`#`).
    Query,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotAnAddress => "it is not an https:// address",
            Self::InTheClear => {
                "http:// is accepted only for this machine (127.0.0.1, ::1, localhost); \
                 to any other host it would send the secret unencrypted"
            }
            Self::Password => "it contains a user name or a password",
            Self::Query => "it contains a ? or a #",
        })
    }
}

impl StdError for AddressError {}

impl BaseUrl {
    /// Parses and checks an address.
    ///
    /// # Errors
    /// When a secret must not be sent to the address, or it is invalid.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        if text.contains(['?', '#']) {
            return Err(AddressError::Query);
        }
        let uri: Uri = text.parse().map_err(|_| AddressError::NotAnAddress)?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(AddressError::NotAnAddress);
        };
        if authority.as_str().contains('@') {
            return Err(AddressError::Password);
        }
        match scheme {
            // The parser treats an empty or oversized port as absent.
            _ if authority.port_u16().is_none() && has_port(authority.as_str()) => {
                Err(AddressError::NotAnAddress)
            }
            _ if authority.host().is_empty() => Err(AddressError::NotAnAddress),
            "http" if !is_loopback(authority.host()) => Err(AddressError::InTheClear),
            "http" | "https" => Ok(Self(text.trim_end_matches('/').to_owned())),
            _ => Err(AddressError::NotAnAddress),
        }
    }

    /// The address as given, without a trailing slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// This address with `path`, which begins with a slash, appended.
    #[must_use]
    pub fn join(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

/// Whether something follows the host in the authority where a port would be, also after a bracketed IPv6 address.
fn has_port(authority: &str) -> bool {
    authority
        .rsplit(']')
        .next()
        .is_some_and(|rest| rest.contains(':'))
}

/// Whether a host, given by name or address, is the loopback of this machine.
#[must_use]
pub fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_goes_to_https_or_stays_on_this_machine() {
        let check = |text: &str, expected: Result<&str, AddressError>| {
            assert_eq!(
                BaseUrl::parse(text).map(|url| url.join("/x")),
                expected.map(str::to_owned),
                "{text}"
            );
        };
        check("https://api.example/v1/", Ok("https://api.example/v1/x"));
        check("http://127.0.0.1:8080/v1", Ok("http://127.0.0.1:8080/v1/x"));
        check("http://127.8.9.1", Ok("http://127.8.9.1/x"));
        check("http://[::1]:8080/v1", Ok("http://[::1]:8080/v1/x"));
        check("http://LocalHost:1/v1", Ok("http://LocalHost:1/v1/x"));
        check("http://api.example/v1", Err(AddressError::InTheClear));
        check("http://10.0.0.1/v1", Err(AddressError::InTheClear));
        check("http://localhost.example/v1", Err(AddressError::InTheClear));
        check("http://127.0.0.1.example/v1", Err(AddressError::InTheClear));
        check("http://[::ffff:10.0.0.1]/v1", Err(AddressError::InTheClear));
        check("http://localhost@10.0.0.1/v1", Err(AddressError::Password));
        check(
            "https://user:secret@api.example/v1",
            Err(AddressError::Password),
        );
        check("https://api.example/v1?key=x", Err(AddressError::Query));
        check("ftp://api.example/", Err(AddressError::NotAnAddress));
        check("api.example/v1", Err(AddressError::NotAnAddress));
        check("/v1", Err(AddressError::NotAnAddress));
        check("", Err(AddressError::NotAnAddress));
        check(
            "https://api.example:99999/v1",
            Err(AddressError::NotAnAddress),
        );
        check("https://api.example:/v1", Err(AddressError::NotAnAddress));
        check("https://[::1]/v1", Ok("https://[::1]/v1/x"));
    }
}
