//! Encodes and decodes forms and queries: `application/x-www-form-urlencoded` (pure).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Unreserved characters stay as they are (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Encodes the pairs.
pub(super) fn encode(pairs: &[(&str, &str)]) -> String {
    let mut line = String::new();
    for (name, value) in pairs {
        if !line.is_empty() {
            line.push('&');
        }
        line.extend(utf8_percent_encode(name, ENCODED));
        line.push('=');
        line.extend(utf8_percent_encode(value, ENCODED));
    }
    line
}

/// Decodes the pairs, in order.
pub(super) fn decode(line: &str) -> Vec<(String, String)> {
    let text = |part: &str| {
        let part = part.replace('+', " ");
        percent_decode_str(&part).decode_utf8_lossy().into_owned()
    };
    line.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (text(name), text(value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_pairs_round_trip() {
        let pairs = [("a b", "c&d=e"), ("\u{e9}", "100%"), ("empty", "")];
        let line = encode(&pairs);
        assert_eq!(line, "a%20b=c%26d%3De&%C3%A9=100%25&empty=");
        let back = decode(&line);
        assert!(
            back.iter()
                .map(|(n, v)| (n.as_str(), v.as_str()))
                .eq(pairs.iter().copied())
        );
    }

    #[test]
    fn malformed_input_is_decoded() {
        let check = |line: &str, expected: &[(&str, &str)]| {
            let pairs = decode(line);
            assert!(
                pairs
                    .iter()
                    .map(|(n, v)| (n.as_str(), v.as_str()))
                    .eq(expected.iter().copied()),
                "{line}"
            );
        };
        check("", &[]);
        check("a", &[("a", "")]);
        check("a+b=c%20d&&x=%zz%", &[("a b", "c d"), ("x", "%zz%")]);
        check("x=%ff", &[("x", "\u{fffd}")]);
    }
}
