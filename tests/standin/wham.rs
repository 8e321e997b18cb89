//! The subscription's side services: which accounts there are, and how much of their limits is
//! used.

use serde_json::{Value, json};

use super::http::Recorded;
use super::issuer::Issuer;
use super::reply::Reply;
use super::token;

/// Their path prefix.
pub(super) const WHAM: &str = "/backend-api/wham";

/// The answer to a request that has passed the checks, if there is one at this path.
pub(super) fn answer(issuer: &Issuer, request: &Recorded) -> Option<Reply> {
    let rest = request.bare_path().strip_prefix(WHAM)?;
    match (request.method.as_str(), rest) {
        ("GET", "/usage") => Some(usage(request)),
        ("GET", "/accounts/check") => Some(accounts(issuer, request)),
        _ => None,
    }
}

fn usage(request: &Recorded) -> Reply {
    let now = token::now_unix();
    let window = |percent: f64, seconds: u64, left: u64| {
        json!({"used_percent": percent, "limit_window_seconds": seconds,
            "reset_after_seconds": left, "reset_at": now + left})
    };
    Reply::json(
        200,
        &json!({
            "plan_type": claim(request, "chatgpt_plan_type"),
            "rate_limit": {
                "allowed": true,
                "limit_reached": false,
                "primary_window": window(12.5, 5 * 3600, 3 * 3600),
                "secondary_window": window(40.0, 7 * 24 * 3600, 4 * 24 * 3600),
            },
            "credits": {"has_credits": false, "unlimited": false, "balance": "0"},
        }),
    )
}

fn accounts(issuer: &Issuer, request: &Recorded) -> Reply {
    let bearer = token::bearer(request).unwrap_or_default();
    let personal = issuer.personal_account(bearer).map(Value::from);
    let account = personal.unwrap_or_else(|| claim(request, "chatgpt_account_id"));
    let mut own = json!({
        "id": account,
        "plan_type": claim(request, "chatgpt_plan_type"),
        "name": "Personal",
        "structure": "personal",
    });
    issuer.bounds(bearer).tell(&mut own);
    Reply::json(
        200,
        &json!({
            "accounts": [own],
            "account_ordering": [account],
            "default_account_id": account,
        }),
    )
}

/// The token's account field of this name.
fn claim(request: &Recorded, name: &str) -> Value {
    let claims = token::bearer(request).and_then(token::claims);
    claims.map_or(Value::Null, |claims| {
        claims[token::AUTH_CLAIM][name].clone()
    })
}
