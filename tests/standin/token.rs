//! Credentials: access tokens of the subscription and API keys, made and checked.
//! Signatures are never checked, because nothing here is secret.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::check::Refusal;
use super::http::Recorded;
use super::route::Backend;

/// The claim that holds the account fields of a subscription's token.
pub(super) const AUTH_CLAIM: &str = "https://api.openai.com/auth";

/// An invented, unsigned access token of this account, valid until `expires_unix` (seconds).
pub(crate) fn jwt(account_id: &str, expires_unix: u64) -> String {
    encoded(&json!({
        "exp": expires_unix,
        AUTH_CLAIM: {
            "chatgpt_account_id": account_id,
            "chatgpt_plan_type": "plus",
            "chatgpt_user_id": format!("user-of-{account_id}"),
        },
    }))
}

/// An unsigned token with these claims.
pub(super) fn encoded(claims: &Value) -> String {
    let head = json!({"alg": "none", "typ": "JWT"});
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode("not signed");
    format!("{}.{}.{signature}", part(&head), part(claims))
}

/// The seconds since 1970.
pub(crate) fn now_unix() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// Whether this request may use this backend.
pub(super) fn check(backend: Backend, request: &Recorded, now: u64) -> Result<(), Refusal> {
    let bearer = bearer(request);
    match backend {
        Backend::Api => key(bearer),
        Backend::Subscription => {
            let Some(claims) = bearer.and_then(claims) else {
                return Err(no_session(
                    "token_invalidated",
                    "Could not parse your authentication token. Please try signing in again.",
                ));
            };
            session(&claims, request.header("chatgpt-account-id"), now)
        }
    }
}

pub(super) fn bearer(request: &Recorded) -> Option<&str> {
    let value = request.header("authorization")?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// The claims of what looks like a JWT: three parts, the middle one base64url of a JSON object.
pub(super) fn claims(token: &str) -> Option<Value> {
    let parts: Vec<&str> = token.split('.').collect();
    let [head, middle, signature] = parts.as_slice() else {
        return None;
    };
    if head.is_empty() || signature.is_empty() {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(middle).ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    claims.is_object().then_some(claims)
}

/// Whether a workspace's own token, which belongs to this account, may be used.
pub(super) fn personal(account: Option<&str>, request: &Recorded) -> Result<(), Refusal> {
    let claims = account.map(|account| json!({AUTH_CLAIM: {"chatgpt_account_id": account}}));
    let claims = claims.ok_or_else(invalidated)?;
    session(&claims, request.header("chatgpt-account-id"), 0)
}

fn session(claims: &Value, account: Option<&str>, now: u64) -> Result<(), Refusal> {
    if claims["exp"].as_u64().is_some_and(|expires| expires <= now) {
        return Err(no_session(
            "token_expired",
            "Provided authentication token is expired. Please try signing in again.",
        ));
    }
    let wanted = claims[AUTH_CLAIM]["chatgpt_account_id"].as_str();
    match (account, wanted) {
        (None, _) => Err(no_session(
            "token_invalidated",
            "The chatgpt-account-id header is missing.",
        )),
        (Some(sent), Some(wanted)) if sent != wanted => Err(no_session(
            "token_invalidated",
            "The chatgpt-account-id header names another account than the token.",
        )),
        _ => Ok(()),
    }
}

fn key(bearer: Option<&str>) -> Result<(), Refusal> {
    let refuse = |message: &str, code: Value| {
        let error = json!({"message": message, "type": "invalid_request_error",
            "param": null, "code": code});
        Err(Refusal::new(401, &json!({ "error": error })))
    };
    match bearer {
        None => refuse(
            "You didn't provide an API key. You need to provide your API key in an \
             Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
            Value::Null,
        ),
        Some(token) if claims(token).is_some() => {
            let masked = masked(token);
            let message = format!(
                "Incorrect API key provided: {masked}. You can find your API key at \
                 https://platform.openai.com/account/api-keys."
            );
            refuse(&message, "invalid_api_key".into())
        }
        Some(_) => Ok(()),
    }
}

/// A token that can be shown: only its first and last four characters, and those only of a long one.
pub(super) fn masked(token: &str) -> String {
    let letters: Vec<char> = token.chars().collect();
    if letters.len() < 20 {
        return "********".to_owned();
    }
    let first: String = letters[..4].iter().collect();
    let last: String = letters[letters.len() - 4..].iter().collect();
    format!("{first}********{last}")
}

/// The refusal of a token that was once valid.
pub(super) fn invalidated() -> Refusal {
    no_session(
        "token_invalidated",
        "Your authentication token has been invalidated. Please try signing in again.",
    )
}

fn no_session(code: &str, message: &str) -> Refusal {
    let error = json!({"message": message, "type": "invalid_request_error",
        "code": code, "param": null});
    Refusal::new(401, &json!({"error": error, "status": 401}))
}
