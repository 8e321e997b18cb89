//! What the service says when it says no, sorted once: HTTP error bodies and the errors inside a stream.
//! The words for people are found elsewhere; here it is decided what kind of no it is.

use std::time::Duration;

use serde_json::Value;

/// What kind of no it is. Each kind has one exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// This request, or this model's answer to it, cannot be.
    Failed,
    /// The credential is not accepted.
    SignIn,
    /// The credential is good but may not do this, or the model is not to be had.
    Forbidden,
    /// The plan's window, quota or credits are used up.
    UsageLimit,
    /// The service is overloaded, broken or not what answered.
    Unreachable,
}

/// Whether trying the same again may help, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// It will not.
    Never,
    /// It may, after a while that the client chooses.
    Backoff,
    /// The service says after how long.
    After(Duration),
}

/// A refusal or failure, as the service told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What kind of no it is.
    pub kind: Kind,
    /// The service's own words, without control characters and at most 1,000 bytes; maybe empty.
    pub message: String,
    /// The service's code for it; maybe empty.
    pub code: String,
    /// The HTTP status, where it was one.
    pub status: Option<u16>,
    /// What the service calls this request, to be named in a report to it.
    pub request_id: Option<String>,
    /// It is a web page: something that stands between has answered.
    pub page: bool,
    /// When the usage limit ends, in Unix seconds.
    pub resets_at: Option<u64>,
    /// Whether trying the same again may help.
    pub retry: Retry,
}

/// The most of a body that is shown, in bytes.
const SHOWN: usize = 1000;

/// Sorts an HTTP answer that is no success.
#[must_use]
pub fn of_answer(status: u16, request_id: Option<&str>, body: &[u8]) -> Fault {
    let (told, page) = match serde_json::from_slice::<Value>(body) {
        Ok(json) => (Told::read(&json), false),
        Err(_) => (Told::default(), looks_like_a_page(body)),
    };
    let message = if !told.message.is_empty() {
        plain(&told.message)
    } else if page {
        "a web page instead of an answer".to_owned()
    } else if told.code.is_empty() {
        plain(&String::from_utf8_lossy(&body[..body.len().min(2 * SHOWN)]))
    } else {
        String::new()
    };
    let kind = match status {
        401 => Kind::SignIn,
        402 | 403 => Kind::Forbidden,
        // A page in place of a stream comes from something that stands between.
        200 if page => Kind::Unreachable,
        408 | 409 | 300..=399 | 500..=599 => Kind::Unreachable,
        _ => told.kind().unwrap_or(if status == 429 {
            Kind::Unreachable
        } else {
            Kind::Failed
        }),
    };
    Fault {
        kind,
        message,
        code: plain(&told.code),
        status: Some(status),
        request_id: request_id.map(plain),
        page,
        resets_at: told.resets_at,
        retry: match kind {
            Kind::Unreachable if status >= 400 => Retry::Backoff,
            _ => Retry::Never,
        },
    }
}

/// Sorts an `error` event, in both shapes that it comes in.
#[must_use]
pub fn of_event(frame: &[u8]) -> Fault {
    of_stream(&serde_json::from_slice(frame).unwrap_or_default())
}

/// Sorts the response object of `response.failed`.
#[must_use]
pub fn of_response(response: &str) -> Fault {
    of_stream(&serde_json::from_str(response).unwrap_or_default())
}

fn of_stream(json: &Value) -> Fault {
    let told = Told::read(json);
    let status = ["status_code", "status"]
        .iter()
        .find_map(|key| json[key].as_u64());
    let kind = told.kind().unwrap_or(match (status, &*told.code) {
        (Some(401), _) => Kind::SignIn,
        (Some(402 | 403), _) => Kind::Forbidden,
        (Some(429 | 500..=599), _) | (_, "server_error") => Kind::Unreachable,
        _ => Kind::Failed,
    });
    Fault {
        kind,
        message: plain(&told.message),
        code: plain(&told.code),
        status: None,
        request_id: None,
        page: false,
        resets_at: told.resets_at,
        retry: match kind {
            Kind::Unreachable => Retry::Backoff,
            _ => Retry::Never,
        },
    }
}

/// What a body says, whichever of its shapes it has.
#[derive(Default)]
struct Told {
    message: String,
    code: String,
    resets_at: Option<u64>,
}

impl Told {
    fn read(json: &Value) -> Self {
        let error = match &json["error"] {
            Value::Null => json,
            error => error,
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let first = |values: [&Value; 4]| values.into_iter().map(text).find(|t| !t.is_empty());
        // The plan's limit is named in `type`, most others in `code`. A type that only says "error" says nothing.
        let kind = text(&error["type"]);
        let code = if kind.starts_with("usage_") || kind == "insufficient_quota" {
            Some(kind)
        } else {
            None
        };
        Self {
            message: first([&error["message"], error, &json["detail"], &json["message"]])
                .unwrap_or_default(),
            code: code
                .or_else(|| {
                    first([
                        &error["code"],
                        &json["detail"]["code"],
                        &json["code"],
                        &Value::Null,
                    ])
                })
                .unwrap_or_default(),
            resets_at: error["resets_at"].as_u64(),
        }
    }

    /// What the code, or failing that the message, says by itself.
    fn kind(&self) -> Option<Kind> {
        let message = &self.message;
        Some(match &*self.code {
            "usage_limit_reached"
            | "insufficient_quota"
            | "quota_exceeded"
            | "billing_hard_limit_reached"
            | "credit_balance_exhausted"
            | "organization_spend_limit_exceeded"
            | "project_spend_limit_exceeded"
            | "organization_usage_limit_exceeded" => Kind::UsageLimit,
            "usage_not_included" | "model_not_found" | "deactivated_workspace" => Kind::Forbidden,
            // Waiting helps against a rate, not against a request that is larger than the whole allowance.
            "rate_limit_exceeded" if message.starts_with("Request too large") => Kind::Failed,
            "rate_limit_exceeded" | "slow_down" | "server_is_overloaded" => Kind::Unreachable,
            "invalid_api_key" | "token_expired" | "token_invalidated" => Kind::SignIn,
            _ if message.contains("is not supported when using Codex")
                || message.starts_with("Model not found") =>
            {
                Kind::Forbidden
            }
            _ => return None,
        })
    }
}

fn looks_like_a_page(body: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&body[..body.len().min(200)])
        .trim_start()
        .to_ascii_lowercase();
    start.starts_with("<!doctype") || start.starts_with("<html")
}

/// The text on one line, without control characters, cut where it gets long.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for word in text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
    {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(word);
        if plain.len() > SHOWN {
            let end = (0..=SHOWN).rev().find(|at| plain.is_char_boundary(*at));
            plain.truncate(end.unwrap_or_default());
            plain.push_str(" ...");
            break;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, body: &str, expected: (Kind, &str, &str)) {
        let fault = of_answer(status, None, body.as_bytes());
        assert_eq!(
            (fault.kind, &*fault.code, &*fault.message),
            expected,
            "{status} {body}"
        );
    }

    #[test]
    fn answers_are_sorted_by_status_and_code() {
        let detail = r#"{"detail":"Store must be set to false"}"#;
        check(
            400,
            detail,
            (Kind::Failed, "", "Store must be set to false"),
        );
        let expired = r#"{"error":{"message":"Expired.","type":"invalid_request_error","code":"token_expired"},"status":401}"#;
        check(401, expired, (Kind::SignIn, "token_expired", "Expired."));
        check(
            402,
            r#"{"detail":{"code":"deactivated_workspace"}}"#,
            (Kind::Forbidden, "deactivated_workspace", ""),
        );
        check(
            404,
            r#"{"error":{"code":"model_not_found","message":"No."}}"#,
            (Kind::Forbidden, "model_not_found", "No."),
        );
        check(
            404,
            r#"{"detail":"Not Found"}"#,
            (Kind::Failed, "", "Not Found"),
        );
        let plan = "The 'gpt-5' model is not supported when using Codex with a ChatGPT account.";
        check(
            400,
            &format!(r#"{{"detail":"{plan}"}}"#),
            (Kind::Forbidden, "", plan),
        );
        check(
            429,
            r#"{"error":{"code":"rate_limit_exceeded","message":"slower"}}"#,
            (Kind::Unreachable, "rate_limit_exceeded", "slower"),
        );
        check(
            429,
            r#"{"error":{"code":"rate_limit_exceeded","message":"Request too large for x"}}"#,
            (
                Kind::Failed,
                "rate_limit_exceeded",
                "Request too large for x",
            ),
        );
        check(
            429,
            r#"{"error":{"type":"insufficient_quota","code":"credit_balance_exhausted"}}"#,
            (Kind::UsageLimit, "insufficient_quota", ""),
        );
        check(500, "", (Kind::Unreachable, "", ""));
        check(
            413,
            "too\r\n\u{1b}[1mlarge",
            (Kind::Failed, "", "too [1mlarge"),
        );
        check(302, "", (Kind::Unreachable, "", ""));
    }

    #[test]
    fn a_page_becomes_a_sentence() {
        let fault = of_answer(503, Some("req_1"), b"\n<!DOCTYPE html><title>x</title>");
        assert!(fault.message.starts_with("a web page instead of an answer"));
        assert_eq!(
            (fault.status, fault.request_id.as_deref()),
            (Some(503), Some("req_1"))
        );
    }

    #[test]
    fn a_usage_limit_says_when_it_ends() {
        let body = r#"{"error":{"type":"usage_limit_reached","message":"The usage limit has been reached","plan_type":"plus","resets_at":1795198800}}"#;
        let fault = of_answer(429, None, body.as_bytes());
        assert_eq!(
            (fault.kind, fault.resets_at),
            (Kind::UsageLimit, Some(1_795_198_800))
        );
        let event = of_event(format!(r#"{{"type":"error",{}"#, &body[1..]).as_bytes());
        assert_eq!(
            (event.kind, event.resets_at),
            (Kind::UsageLimit, Some(1_795_198_800))
        );
    }

    #[test]
    fn errors_inside_a_stream_come_in_both_shapes() {
        let flat = of_event(br#"{"type":"error","code":"server_error","message":"oops"}"#);
        assert_eq!(
            (flat.kind, &*flat.code, &*flat.message),
            (Kind::Unreachable, "server_error", "oops")
        );
        let nested =
            of_response(r#"{"status":"failed","error":{"code":"cyber_policy","message":"no"}}"#);
        assert_eq!(
            (nested.kind, &*nested.code, &*nested.message),
            (Kind::Failed, "cyber_policy", "no")
        );
        let wrapped = of_event(br#"{"type":"error","status":401,"error":{"message":"who"}}"#);
        assert_eq!(wrapped.kind, Kind::SignIn);
        assert_eq!(of_response("null").kind, Kind::Failed);
        assert_eq!(of_event(br#"{"error":"just words"}"#).message, "just words");
    }
}
