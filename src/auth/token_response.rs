//! What the token endpoint answers, read as far as it can be (pure).

use serde_json::Value;

use super::token::{Claims, claims, seconds};
use crate::secret::Secret;

/// The names of the tokens in an answer.
const ACCESS: &str = "access_token";
const REFRESH: &str = "refresh_token";
const ID: &str = "id_token";

/// How long a token is taken to be good if nothing says otherwise, in seconds.
const HOUR: u64 = 3600;

/// What the token endpoint gave. To a refresh it may leave out whatever has not changed.
#[derive(Clone, Debug, Default)]
pub struct Issued {
    /// The access token.
    pub access: Option<Secret>,
    /// The refresh token, which replaces the one that was spent.
    pub refresh: Option<Secret>,
    /// The id token.
    pub id: Option<Secret>,
    /// How long the access token lasts, in seconds from now.
    expires_in: Option<u64>,
}

impl Issued {
    /// Reads the endpoint's answer, as far as there is anything in it that can be used: an answer that was damaged on
    /// the way is worth reading, since the token that it replaces is spent. Nothing if there is no token in it.
    #[must_use]
    pub fn read(body: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(body);
        let text = text.trim_start_matches('\u{feff}');
        // What follows a whole object is left aside.
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let json = match values.next() {
            Some(Ok(json)) => json,
            _ => torn(text),
        };
        let secret = |name: &str| {
            let text = json[name].as_str()?.trim();
            // What does not fit a header cannot be used.
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

    /// The end of the access token where it does not tell itself.
    pub(super) fn known(&self, now: u64) -> Claims {
        let own = self.access.as_ref().map(|token| claims(token.expose()));
        let told = own.is_some_and(|own| own.is_ok_and(|own| own.expires.is_some()));
        Claims {
            expires: (!told).then(|| now.saturating_add(self.expires_in.unwrap_or(HOUR))),
            ..Claims::default()
        }
    }

    /// Whether a renewal that brought this can be built on, although its answer broke off.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.refresh.is_some()
    }
}

/// The tokens in the text of an object that is not whole: those whose end is there.
fn torn(text: &str) -> Value {
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
    fn whatever_can_be_used_of_an_answer_is_used() {
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
            // Torn, or not quite JSON.
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
