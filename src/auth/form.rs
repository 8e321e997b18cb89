//! Forms and queries: `application/x-www-form-urlencoded`, both ways (pure).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// What stays as it is beside letters and digits (RFC 3986, section 2.3).
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The pairs as one line.
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

/// The pairs of such a line, in their order.
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
    fn what_is_encoded_comes_back() {
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
    fn whatever_comes_is_read() {
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
