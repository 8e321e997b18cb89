//! A token or key that cannot be printed by accident: it has no `Display` and no `Serialize`, and every use of the text
//! calls `expose()`, which is easy to search for.

use std::fmt;

use crate::text::ceil;

/// Minimum length in bytes of a prefix that counts as part of the secret. Shorter ones appear in the service's
/// names of keys.
const RECOGNISABLE: usize = 16;

/// A token or key. Its `Debug` output is always `Secret(..)`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps this text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Redacts this secret in a string, and any truncated copy of it.
    #[must_use]
    pub fn hide_in(&self, text: &str) -> String {
        if self.0.is_empty() {
            return text.to_owned();
        }
        // The whole secret first: one that repeats its own prefix may match inside itself.
        let text = text.replace(&self.0, "***");
        let whole = self.0.as_bytes();
        let begin = &whole[..whole.len().min(RECOGNISABLE)];
        let (mut hidden, mut rest) = (String::new(), &*text);
        while let Some(at) = find(rest.as_bytes(), begin) {
            let same = rest.as_bytes()[at..].iter().zip(whole);
            let end = ceil(rest, at + same.take_while(|(a, b)| a == b).count());
            hidden.push_str(&rest[..at]);
            hidden.push_str("***");
            rest = &rest[end..];
        }
        hidden + rest
    }

    /// The text itself, for the one header or file that it belongs in.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

fn find(text: &[u8], words: &[u8]) -> Option<usize> {
    text.windows(words.len()).position(|window| window == words)
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print_itself() {
        let secret = Secret::new("sk-invented".to_owned());
        assert_eq!(
            format!("{secret:?} {:?}", Some(&secret)),
            "Secret(..) Some(Secret(..))"
        );
        assert_eq!(secret.expose(), "sk-invented");
    }

    #[test]
    fn a_truncated_secret_is_redacted_too() {
        let check = |secret: &str, text: &str, expected: &str| {
            assert_eq!(Secret::new(secret.to_owned()).hide_in(text), expected);
        };
        let key = "sk-proj-0123456789abcdef";
        check(key, "", "");
        check(key, &format!("a {key} b {key}"), "a *** b ***");
        check(key, &format!("a {} ...", &key[..23]), "a *** ...");
        check(key, &format!("a {}", &key[..16]), "a ***");
        check(key, "a sk-proj-0123456", "a sk-proj-0123456");
        check(key, &format!("{}X é", &key[..20]), "***X é");
        check("short-key", "a short-key b short-ke", "a *** b short-ke");
        check("", "a", "a");
        let periodic = "aaaaaaaaaaaaaaaaaaaaaaaaSECRET";
        check(periodic, &format!("a{periodic}"), "a***");
    }
}
