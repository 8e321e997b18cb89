//! Parses and classifies a refusal by the issuer (pure). Messages are left to other modules; this one decides whether
//! the refresh token is permanently unusable.

use std::time::Duration;

use serde_json::Value;

use super::form;
use crate::secret::Secret;
use crate::text::{one_line, shortened};

/// Length limit of the issuer's message, in bytes.
const MAX_MESSAGE_BYTES: usize = 500;

/// Error codes that end a sign-in, whatever the status.
const PERMANENT: &[&str] = &[
    "refresh_token_expired",
    "refresh_token_reused",
    "refresh_token_invalidated",
    "invalid_grant",
];

/// Subjects of codes such as `app_session_expired`, which with HTTP 400 or 403 mean that a sign-in has ended.
const ENDED_SUBJECTS: &[&str] = &["session", "token", "grant", "account", "user", "login"];

/// States of those subjects.
const ENDED_STATES: &[&str] = &[
    "expired",
    "terminated",
    "ended",
    "revoked",
    "invalidated",
    "invalid",
    "reused",
    "deactivated",
    "disabled",
    "suspended",
    "deleted",
    "required",
];

/// The kind of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// The token or code was not accepted.
    SignIn,
    /// Not allowed from this network, or for this account.
    Forbidden,
    /// The issuer is unavailable, or an intermediary answered.
    Unreachable,
}

/// A refusal by the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The issuer's error code, in lower case; may be empty.
    pub code: String,
    /// The issuer's message on one line; may be empty.
    pub message: String,
    /// The body is a web page: an intermediary has answered instead of the issuer.
    pub page: bool,
    /// The issuer's `Retry-After`.
    pub retry_after: Option<Duration>,
    /// The proxy that the request went through.
    pub proxy: Option<String>,
    /// The process that sent the token earlier and ended before anything was stored.
    pub interrupted: Option<u32>,
}

impl Refusal {
    /// Parses an error response. Bodies have several forms; the first that fits is used.
    #[must_use]
    pub fn of(status: u16, body: &str) -> Self {
        let json: Value = serde_json::from_str(body).unwrap_or_default();
        let text = |value: &Value| value.as_str().map(plain).filter(|text| !text.is_empty());
        let page = json.is_null() && body.trim_start().starts_with('<');
        let error = &json["error"];
        let code = text(&error["code"])
            .or_else(|| text(error))
            .or_else(|| text(&json["code"]))
            .unwrap_or_default()
            .to_lowercase();
        let message = text(&json["error_description"])
            .or_else(|| text(&error["message"]))
            .or_else(|| text(&json["message"]))
            .or_else(|| text(&json["detail"]))
            .unwrap_or_else(|| match json {
                Value::Null if page => "a web page instead of an answer".to_owned(),
                Value::Null => plain(body),
                _ => String::new(),
            });
        Self {
            status,
            code,
            message,
            page,
            retry_after: None,
            proxy: None,
            interrupted: None,
        }
    }

    /// Replaces these secrets, plain or URL-encoded, ignoring case.
    pub fn redact(&mut self, secrets: &[&Secret]) {
        for secret in secrets.iter().map(|secret| secret.expose()) {
            for text in [&mut self.message, &mut self.code] {
                for encoded in [
                    secret.to_owned(),
                    form::encode(&[(secret, "")]).replace('=', ""),
                ] {
                    *text = mask(text, &encoded);
                }
            }
        }
    }

    /// Returns whether the refused token is permanently unusable, so that a retry is pointless.
    #[must_use]
    pub fn permanent(&self) -> bool {
        let ended = || {
            let words = || self.code.split('_');
            words().any(|word| ENDED_SUBJECTS.contains(&word))
                && words().any(|word| ENDED_STATES.contains(&word))
        };
        match self.status {
            _ if PERMANENT.contains(&&*self.code) => true,
            401 => !self.page,
            400 | 403 => ended(),
            _ => false,
        }
    }

    /// Returns the kind of the refusal.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        match self.status {
            _ if self.permanent() => RefusalKind::SignIn,
            403 => RefusalKind::Forbidden,
            _ if self.page || self.may_pass() => RefusalKind::Unreachable,
            409 | 300..=399 => RefusalKind::Unreachable,
            _ => RefusalKind::SignIn,
        }
    }

    /// Returns whether a retry may succeed.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        !self.permanent() && matches!(self.status, 408 | 429 | 500..=599)
    }

    /// Returns whether the network or country of the request is blocked.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.status == 403 && (self.page || self.code == "unsupported_country_region_territory")
    }

    /// Formats the message: `message (code) [HTTP 401]`.
    #[must_use]
    pub fn words(&self) -> String {
        let words = match (&*self.message, &*self.code) {
            ("", "") => "no reason given".to_owned(),
            ("", code) => code.to_owned(),
            (message, "") => message.to_owned(),
            (message, code) => format!("{message} ({code})"),
        };
        format!("{words} [HTTP {}]", self.status)
    }
}

/// Replaces each occurrence of a secret with `***`, ignoring case.
fn mask(text: &str, secret: &str) -> String {
    let mut text = text.to_owned();
    let secret = secret.to_ascii_lowercase();
    if secret.is_empty() {
        return text;
    }
    while let Some(at) = text.to_ascii_lowercase().find(&secret) {
        text.replace_range(at..at + secret.len(), "***");
    }
    text
}

/// Returns the text on one line, without control characters, shortened to the limit.
#[must_use]
pub fn plain(text: &str) -> String {
    shortened(&one_line(text), MAX_MESSAGE_BYTES).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_refusal_is_parsed() {
        let check = |status: u16, body: &str, code: &str, message: &str, permanent: bool| {
            let refusal = Refusal::of(status, body);
            assert_eq!(
                (&*refusal.code, &*refusal.message, refusal.permanent()),
                (code, message, permanent),
                "{status} {body}"
            );
        };
        check(
            401,
            r#"{"error":{"message":"Used.","code":"refresh_token_reused"}}"#,
            "refresh_token_reused",
            "Used.",
            true,
        );
        check(
            400,
            r#"{"error":{"message":"Used.","code":"Refresh_Token_Reused"}}"#,
            "refresh_token_reused",
            "Used.",
            true,
        );
        check(
            400,
            r#"{"error":"invalid_grant","error_description":"Gone."}"#,
            "invalid_grant",
            "Gone.",
            true,
        );
        check(
            403,
            r#"{"code":"refresh_token_expired"}"#,
            "refresh_token_expired",
            "",
            true,
        );
        check(
            400,
            r#"{"code":"refresh_token_invalidated","message":"Revoked."}"#,
            "refresh_token_invalidated",
            "Revoked.",
            true,
        );
        check(401, "", "", "", true);
        check(401, "nope\n", "", "nope", true);
        let page = "a web page instead of an answer";
        check(401, "<html>sign in to the hotel</html>", "", page, false);
        check(
            403,
            r#"{"error":{"code":"unsupported_country_region_territory","message":"No."}}"#,
            "unsupported_country_region_territory",
            "No.",
            false,
        );
        check(
            400,
            r#"{"error":"invalid_request"}"#,
            "invalid_request",
            "",
            false,
        );
        for (status, code, ended) in [
            (400, "app_session_expired", true),
            (403, "app_session_terminated", true),
            (400, "session_revoked", true),
            (403, "account_deactivated", true),
            (400, "token_expired", true),
            (500, "app_session_expired", false),
            (429, "token_invalid", false),
            (400, "invalid_request", false),
            (400, "unsupported_grant_type", false),
            (403, "session_limit", false),
        ] {
            check(
                status,
                &format!(r#"{{"error":{{"code":"{code}"}}}}"#),
                code,
                "",
                ended,
            );
        }
        check(500, r#"{"detail":"Oops"}"#, "", "Oops", false);
        check(
            502,
            "<html>bad</html>",
            "",
            "a web page instead of an answer",
            false,
        );
        check(429, "[]", "", "", false);
    }

    #[test]
    fn an_echoed_secret_is_masked_in_every_encoding() {
        let secret = Secret::new("Rt+1".to_owned());
        let body = r#"{"error":{"code":"no_Rt+1","message":"Rt+1 rt%2B1 \u0052t+1"}}"#;
        let mut refusal = Refusal::of(400, body);
        refusal.redact(&[&secret]);
        assert_eq!(
            (&*refusal.message, &*refusal.code),
            ("*** *** ***", "no_***")
        );
    }

    #[test]
    fn a_message_fits_on_one_line() {
        let refusal = Refusal::of(503, &format!("a\u{1b}[31m\n b {}", "\u{e9}".repeat(600)));
        let words = refusal.words();
        assert!(
            words.starts_with("a^[[31m b \u{e9}") && words.ends_with(" ... [HTTP 503]"),
            "{words}"
        );
        assert!(words.len() < 600 && !words.contains(char::is_control));
        assert_eq!(Refusal::of(401, "").words(), "no reason given [HTTP 401]");
    }
}
