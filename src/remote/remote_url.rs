//! The URL of a server and the headers for it, both validated: nothing secret crosses a network unencrypted, and no
//! header replaces one of the protocol.

use std::fmt;

use super::error::HeaderError;
use crate::http::{AddressError, BaseUrl, host};
use crate::secret::Secret;

/// Headers of a request that the protocol or HTTP decides, in lower case.
const RESERVED: &[&str] = &[
    "accept",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "expect",
    "host",
    "last-event-id",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The shortest value in a query or in a message that counts as a secret, in bytes.
pub(super) const MIN_SECRET_BYTES: usize = 8;

/// Beginning of the headers of the protocol.
const PROTOCOL_PREFIX: &str = "mcp-";

/// The URL of a server: `https`, or `http` to a loopback host. It may have a query, which may hold a secret.
#[derive(Clone, PartialEq, Eq)]
pub struct RemoteUrl(String);

impl RemoteUrl {
    /// Parses and checks a URL.
    ///
    /// # Errors
    /// If a secret must not be sent to it, or it is invalid.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (base, query) = text.split_once('?').unwrap_or((text, ""));
        if query.contains(|c: char| c == '#' || c.is_whitespace() || c.is_control()) {
            return Err(AddressError::NotAnAddress);
        }
        BaseUrl::parse(base).map(|_| Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// The values in the query, any of which may be a key.
    pub(super) fn secrets(&self) -> Vec<Secret> {
        let query = self.0.split_once('?').map_or("", |(_, query)| query);
        let values = query.split('&').filter_map(|pair| pair.split_once('='));
        values
            .filter(|(_, value)| value.len() >= MIN_SECRET_BYTES)
            .map(|(_, value)| Secret::new(value.to_owned()))
            .collect()
    }

    pub(super) fn host(&self) -> String {
        host(&self.0)
    }
}

impl fmt::Debug for RemoteUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RemoteUrl({}..)", self.host())
    }
}

/// A header for a server, whose value is a secret.
#[derive(Clone, Debug)]
pub struct RemoteHeader {
    pub(super) name: String,
    pub(super) value: Secret,
}

impl RemoteHeader {
    /// Validates a header.
    ///
    /// # Errors
    /// If its name is not one, or belongs to the protocol, or its value cannot be sent.
    pub fn parse(name: &str, value: Secret) -> Result<Self, HeaderError> {
        let lower = name.to_ascii_lowercase();
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(HeaderError::Name);
        }
        if RESERVED.contains(&&*lower) || lower.starts_with(PROTOCOL_PREFIX) {
            return Err(HeaderError::Reserved);
        }
        let text = value.expose();
        let can_be_sent = text.bytes().all(|byte| (b' '..0x7f).contains(&byte));
        if text.trim() != text || text.is_empty() || !can_be_sent {
            return Err(HeaderError::Value);
        }
        Ok(Self { name: lower, value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_https_or_loopback_and_may_have_a_query() {
        let check = |text: &str, expected: Result<&str, AddressError>| {
            let parsed = RemoteUrl::parse(text);
            assert_eq!(
                parsed.as_ref().map(RemoteUrl::as_str),
                expected.as_ref().map(|url| *url),
                "{text}"
            );
        };
        check("https://mcp.example/mcp/", Ok("https://mcp.example/mcp/"));
        check(
            "https://mcp.example/mcp?key=a",
            Ok("https://mcp.example/mcp?key=a"),
        );
        check("http://127.0.0.1:3000/mcp", Ok("http://127.0.0.1:3000/mcp"));
        check("http://mcp.example/mcp", Err(AddressError::InTheClear));
        check(
            "http://mcp.example?@127.0.0.1/",
            Err(AddressError::InTheClear),
        );
        check("https://me:word@mcp.example/", Err(AddressError::Password));
        check("https://mcp.example/#a", Err(AddressError::Query));
        check("https://mcp.example/?a#a", Err(AddressError::NotAnAddress));
        check("https://mcp.example/?a b", Err(AddressError::NotAnAddress));
        check("mcp.example", Err(AddressError::NotAnAddress));
        let url = RemoteUrl::parse("https://mcp.example/?key=secret").expect("it is right");
        assert_eq!(format!("{url:?}"), "RemoteUrl(mcp.example..)");
    }

    #[test]
    fn a_header_is_one_line_and_not_one_of_the_protocol() {
        let check = |name: &str, value: &str, expected: Result<&str, HeaderError>| {
            let parsed = RemoteHeader::parse(name, Secret::new(value.to_owned()));
            assert_eq!(
                parsed.map(|header| header.name),
                expected.map(str::to_owned),
                "{name}: {value}"
            );
        };
        check("Authorization", "Bearer a", Ok("authorization"));
        check("X-Key", "a", Ok("x-key"));
        for name in ["", "a b", "a:", "a\n", "ä"] {
            check(name, "a", Err(HeaderError::Name));
        }
        for name in ["Host", "MCP-Session-Id", "content-length", "Accept"] {
            check(name, "a", Err(HeaderError::Reserved));
        }
        for value in ["", " a", "a\r\nb: c", "a\n", "ä", "\u{7f}"] {
            check("a", value, Err(HeaderError::Value));
        }
    }
}
