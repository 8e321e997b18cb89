//! What the issuer says when it says no, sorted once (pure). The words for people are found elsewhere; here it
//! is decided whether the refresh token is lost for good.

use serde_json::Value;

use super::form;
use crate::secret::Secret;

/// The most of the issuer's words that is kept, in bytes.
const SHOWN: usize = 500;

/// Codes that end a sign-in, whatever the status they come with.
const PERMANENT: &[&str] = &[
    "refresh_token_expired",
    "refresh_token_reused",
    "refresh_token_invalidated",
    "invalid_grant",
];

/// A no of the issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The issuer's code for it, in lower case; maybe empty.
    pub code: String,
    /// The issuer's own words on one line; maybe empty.
    pub message: String,
    /// It is a web page: something that stands between has answered.
    pub page: bool,
    /// This process had begun to spend the token before, and was ended before anything was stored.
    pub interrupted: Option<u32>,
}

impl Refusal {
    /// Sorts an answer that is no success. Bodies come in several shapes; the first that fits is taken.
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
            interrupted: None,
        }
    }

    /// Takes these secrets out, in whatever spelling they were repeated.
    pub fn redact(&mut self, secrets: &[&Secret]) {
        for secret in secrets.iter().map(|secret| secret.expose()) {
            for text in [&mut self.message, &mut self.code] {
                for spelling in [
                    secret.to_owned(),
                    form::encode(&[(secret, "")]).replace('=', ""),
                ] {
                    *text = without(text, &spelling);
                }
            }
        }
    }

    /// Whether the token that was refused is lost for good, so that asking again is of no use.
    #[must_use]
    pub fn permanent(&self) -> bool {
        (self.status == 401 && !self.page) || PERMANENT.contains(&&*self.code)
    }

    /// The issuer's words with its code, status last: `words (code) [HTTP 401]`.
    #[must_use]
    pub fn words(&self) -> String {
        let words = match (&*self.message, &*self.code) {
            ("", "") => "it gave no reason".to_owned(),
            ("", code) => code.to_owned(),
            (message, "") => message.to_owned(),
            (message, code) => format!("{message} ({code})"),
        };
        format!("{words} [HTTP {}]", self.status)
    }
}

/// The text with stars in place of this secret, whatever the case of its letters.
fn without(text: &str, secret: &str) -> String {
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

/// The text on one line, without control characters, cut where it gets long.
#[must_use]
pub fn plain(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let mut text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.len() > SHOWN {
        let end = (0..=SHOWN).rev().find(|at| text.is_char_boundary(*at));
        text.truncate(end.unwrap_or_default());
        text.push_str(" ...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_of_a_refusal_is_read() {
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
    fn a_secret_that_is_repeated_is_taken_out_however_it_is_spelled() {
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
    fn what_is_told_fits_a_line() {
        let refusal = Refusal::of(503, &format!("a\u{1b}[31m\n b {}", "\u{e9}".repeat(600)));
        let words = refusal.words();
        assert!(
            words.starts_with("a [31m b \u{e9}") && words.ends_with(" ... [HTTP 503]"),
            "{words}"
        );
        assert!(words.len() < 600 && !words.contains(char::is_control));
        assert_eq!(Refusal::of(401, "").words(), "it gave no reason [HTTP 401]");
    }
}
