//! What the log may show of a request: tokens, codes and verifiers are masked wherever they are,
//! in the query and in the body.

use std::borrow::Cow;

use serde_json::Value;

use super::http::Recorded;
use super::token::masked;

/// Names whose values are never shown.
const SECRET: &[&str] = &[
    "access_token",
    "api_key",
    "authorization_code",
    "client_secret",
    "code",
    "code_verifier",
    "device_auth_id",
    "id_token",
    "key",
    "refresh_token",
    "requested_token",
    "state",
    "subject_token",
    "token",
    "user_code",
    "usercode",
];

/// Paths whose bodies may contain secrets. All others contain prompts, which can be large.
const PATHS: &[&str] = &["/oauth/", "/api/accounts/", "/codex/device"];

/// A request's target with its query masked.
pub(super) fn target(target: &str) -> Cow<'_, str> {
    match target.split_once('?') {
        Some((path, query)) => format!("{path}?{}", pairs(query)).into(),
        None => target.into(),
    }
}

/// A request's body as text, masked if it is one for the issuer.
pub(super) fn body(request: &Recorded) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(&request.body);
    let path = request.bare_path();
    if !PATHS.iter().any(|prefix| path.starts_with(prefix)) {
        return text;
    }
    match serde_json::from_str(&text) {
        Ok(mut value) => {
            json(&mut value);
            value.to_string().into()
        }
        Err(_) => pairs(&text).into(),
    }
}

fn json(value: &mut Value) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                match value {
                    Value::String(text) if is_secret(name) => *text = masked(text),
                    Value::String(_) => {}
                    _ => json(value),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(json),
        // A string without a name could be anything.
        Value::String(text) => *text = masked(text),
        _ => {}
    }
}

/// A query or a form. A part without a plain name or a value is masked as a whole.
fn pairs(text: &str) -> String {
    let pair = |pair: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        match pair.split_once('=') {
            Some((name, value)) if !name.is_empty() && name.chars().all(plain) => {
                if is_secret(name) {
                    return format!("{name}={}", masked(value));
                }
                format!("{name}={value}")
            }
            _ if pair.is_empty() => String::new(),
            _ => masked(pair),
        }
    };
    text.split('&').map(pair).collect::<Vec<_>>().join("&")
}

fn is_secret(name: &str) -> bool {
    SECRET.contains(&name.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_and_the_rest_is_shown() {
        let refresh = "refresh_token=rt_0123456789abcdefghij&grant_type=refresh_token";
        assert_eq!(
            pairs(refresh),
            "refresh_token=rt_0********ghij&grant_type=refresh_token"
        );
        assert_eq!(pairs("user_code=ABCD-12345"), "user_code=********");
        assert_eq!(
            target("/oauth/authorize?scope=openid+x&state=abc"),
            "/oauth/authorize?scope=openid+x&state=********"
        );
        assert_eq!(target("/v1/models"), "/v1/models");
        let mut value = serde_json::json!({"token": "rt_", "hint": "x", "deep": [{"code": "ac_"}]});
        json(&mut value);
        assert_eq!(
            value.to_string(),
            r#"{"deep":[{"code":"********"}],"hint":"x","token":"********"}"#
        );
    }

    #[test]
    fn malformed_text_is_masked_as_a_whole() {
        for text in [r#"{"token":"rt_=1"#, "rt_secret", "to%6ben=rt_secret"] {
            assert_eq!(pairs(text).matches("secret").count(), 0, "{text}");
            assert!(pairs(text).contains("********"), "{text}");
        }
    }
}
