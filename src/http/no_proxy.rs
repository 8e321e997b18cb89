//! The hosts that bypass the proxy: the `NO_PROXY` list, parsed like curl does. Pure.

use std::net::IpAddr;

/// The hosts in a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Exempt(Vec<Rule>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    Everything,
    /// This name and its subdomains, at this port or at any.
    Name(String, Option<u16>),
    /// The addresses that share this many leading bits with this address.
    Block(IpAddr, u8),
}

impl Exempt {
    /// Parses a list separated by commas or blanks. Unrecognised entries are ignored.
    pub(super) fn parse(list: &str) -> Self {
        let parts = list.split([',', ' ', '\t']).filter(|part| !part.is_empty());
        Self(parts.filter_map(Rule::parse).collect())
    }

    /// Whether this host, at this port, bypasses the proxy.
    pub(super) fn covers(&self, host: &str, port: Option<u16>) -> bool {
        let host = bare(host).trim_end_matches('.').to_ascii_lowercase();
        self.0.iter().any(|rule| rule.covers(&host, port))
    }
}

/// An address without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(host)
}

impl Rule {
    fn parse(part: &str) -> Option<Self> {
        if part == "*" {
            return Some(Self::Everything);
        }
        if let Some((address, bits)) = part.split_once('/') {
            let (address, bits) = (bare(address).parse().ok()?, bits.parse().ok()?);
            return Some(Self::Block(address, bits));
        }
        if let Ok(address) = bare(part).parse::<IpAddr>() {
            return Some(Self::Name(address.to_string(), None));
        }
        let (name, at) = match part.rsplit_once(':') {
            Some((name, digits)) => (name, Some(digits.parse().ok()?)),
            None => (part, None),
        };
        let name = name.strip_prefix('*').unwrap_or(name);
        let name = bare(name).trim_matches('.').to_ascii_lowercase();
        (!name.is_empty()).then_some(Self::Name(name, at))
    }

    fn covers(&self, host: &str, port: Option<u16>) -> bool {
        match self {
            Self::Everything => true,
            Self::Name(name, at) => {
                let below = host.strip_suffix(name.as_str());
                let named = below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                named && at.is_none_or(|at| port == Some(at))
            }
            Self::Block(block, bits) => host
                .parse()
                .is_ok_and(|address| within(address, *block, *bits)),
        }
    }
}

fn within(address: IpAddr, block: IpAddr, bits: u8) -> bool {
    let same = |a: &[u8], b: &[u8]| {
        let bit = |bytes: &[u8], n: usize| bytes[n / 8] >> (7 - n % 8) & 1;
        usize::from(bits) <= a.len() * 8 && (0..usize::from(bits)).all(|n| bit(a, n) == bit(b, n))
    };
    match (address, block) {
        (IpAddr::V4(a), IpAddr::V4(b)) => same(&a.octets(), &b.octets()),
        (IpAddr::V6(a), IpAddr::V6(b)) => same(&a.octets(), &b.octets()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_parsed_like_curl_does() {
        let check = |list: &str, host: &str, expected: bool| {
            let covered = Exempt::parse(list).covers(host, Some(443));
            assert_eq!(covered, expected, "{list:?} {host}");
        };
        check("", "a.example", false);
        check("*", "a.example", true);
        check("a.example", "a.example", true);
        check("a.example", "A.Example.", true);
        check("a.example", "b.a.example", true);
        check("a.example", "ba.example", false);
        check(".a.example", "b.a.example", true);
        check("*.a.example", "b.a.example", true);
        check("x, a.example:443", "a.example", true);
        check("x a.example:8443", "a.example", false);
        check("10.0.0.1", "10.0.0.1", true);
        check("10.0.0.0/8", "10.1.2.3", true);
        check("10.0.0.0/8", "11.1.2.3", false);
        check("10.0.0.0/99", "10.1.2.3", false);
        check("[2001:db8::1]", "[2001:db8::1]", true);
        check("2001:db8::/32", "2001:db8:1::2", true);
        check("2001:db8::/32", "10.0.0.1", false);
        check(",, :", "a.example", false);
    }
}
