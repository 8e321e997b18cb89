//! The response of the token endpoint, parsed as far as possible (pure).

use serde_json::Value;

use super::token::{Claims, claims, seconds};
use crate::secret::Secret;

/// Field names of the tokens.
const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";
const ID: &str = "id_token";

/// Assumed lifetime of a token without an expiry, in seconds.
const DEFAULT_LIFETIME_SECONDS: u64 = 3600;

/// The tokens of a response. A refresh response may omit what has not changed.
#[derive(Clone, Debug, Default)]
pub struct Issued {
    /// The access token.
    pub access: Option<Secret>,
    /// The refresh token, which replaces the one that was spent.
    pub refresh: Option<Secret>,
    /// The ID token.
    pub id: Option<Secret>,
    /// The lifetime of the access token, in seconds from now.
    expires_in: Option<u64>,
}

impl Issued {
    /// Parses a response as far as possible, even a damaged one, since the token it replaces is spent. Returns `None`
    /// if it contains no token.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}');
        // Text after a complete object is ignored.
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let json = match values.next() {
            Some(Ok(json)) => json,
            _ => from_truncated(text),
        };
        let secret = |name: &str| {
            let text = json[name].as_str()?.trim();
            // A token must fit in a header.
            let usable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
            usable.then(|| Secret::new(text.to_owned()))
        };
        let issued = Self {
            access: secret(ACCESS),
            refresh: secret(REFRESH),
            id: secret(ID),
            expires_in: seconds(&json["expires_in"]),
        };
        (issued.access.is_some() || issued.refresh.is_some()).then_some(issued)
    }

    /// Returns the expiry of the access token if its own claims lack one.
    pub(super) fn known(&self, now: u64) -> Claims {
        let own = self.access.as_ref().map(|token| claims(token.expose()));
        let has_expiry = own.is_some_and(|own| own.is_ok_and(|own| own.expires.is_some()));
        Claims {
            expires: (!has_expiry)
                .then(|| now.saturating_add(self.expires_in.unwrap_or(DEFAULT_LIFETIME_SECONDS))),
            ..Claims::default()
        }
    }

    /// Returns whether a truncated response can be used: it contains the refresh token.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.refresh.is_some()
    }
}

/// Extracts the complete tokens from the text of a truncated object.
fn from_truncated(text: &str) -> Value {
    let mut json = Value::Null;
    for name in [ACCESS, REFRESH, ID] {
        let quoted = format!("\"{name}\"");
        let Some(at) = text.find(&quoted) else {
            continue;
        };
        let rest = text[at + quoted.len()..].trim_start();
        let Some(rest) = rest.strip_prefix(':') else {
            continue;
        };
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        if let Some(Ok(value)) = values.next() {
            json[name] = value.into();
        }
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usable_token_of_a_response_is_read() {
        let check = |body: &str, access: Option<&str>, refresh: Option<&str>| {
            let issued = Issued::read(body.as_bytes()).unwrap_or_default();
            let text = |secret: Option<Secret>| secret.map(|secret| secret.expose().to_owned());
            let found = (text(issued.access), text(issued.refresh));
            let expected = (access.map(str::to_owned), refresh.map(str::to_owned));
            assert_eq!(found, expected, "{body}");
        };
        let both = r#""access_token":"a","refresh_token":"r""#;
        let whole = [
            format!("{{{both}}}"),
            format!("\u{feff}{{{both}}}\n"),
            format!("{{{both},\"id_token\":{{\"raw\":\"x\"}},\"expires_in\":\"soon\"}}"),
            format!(r#"{{"access_token":"old",{both}}}"#),
            r#"{"access_token":" a ","refresh_token":"r\n"}"#.to_owned(),
            format!("{{{both}}}{{\"more\":1}}"),
            format!("{{{both}}} trailing"),
            // Truncated, or not quite JSON.
            format!("{{{both}"),
            format!("{{{both},\"id_token\":\"eyJ"),
            format!("{{{both},}}"),
            format!("{{ {both}, \"scope\": NaN }}"),
        ];
        for body in whole {
            check(&body, Some("a"), Some("r"));
        }
        check(
            r#"{"access_token":"a","refresh_token":"rt_to"#,
            Some("a"),
            None,
        );
        check(r#"{"access_token":7,"refresh_token":"r"}"#, None, Some("r"));
        check(
            r#"{"access_token":"two words","refresh_token":"r"}"#,
            None,
            Some("r"),
        );
        for nothing in [
            "",
            "{}",
            "[]",
            "null",
            "<html>",
            r#"{"refresh_token"}"#,
            r#"{"access_token":"#,
        ] {
            check(nothing, None, None);
        }
        let torn = Issued::read(br#"{"access_token":"a","refresh_tok"#);
        assert!(torn.is_some_and(|torn| !torn.is_whole()));
        let mut odd = br#"{"access_token":"a","note":""#.to_vec();
        odd.extend([0xff, 0xfe]);
        odd.extend(br#"","refresh_token":"r"}"#);
        assert!(Issued::read(&odd).is_some_and(|odd| odd.is_whole()));
    }
}
