//! `POST /oauth/revoke`: ends a token and all its family (RFC 7009). An unknown token counts as
//! revoked.

use serde_json::json;

use super::form::Fields;
use super::{CLIENT_ID, Issuer, Recorded, Reply};

pub(super) fn answer(issuer: &Issuer, request: &Recorded) -> Reply {
    let mut state = issuer.state();
    let wrong = |sentence: String| {
        let body = json!({"error": "invalid_request", "error_description": sentence});
        Reply::json(400, &body)
    };
    let fields = match Fields::body(request) {
        Ok((fields, _)) => fields,
        Err(sentence) => return wrong(sentence),
    };
    let token = match fields.need("token") {
        Ok(token) => token.to_owned(),
        Err(sentence) => return wrong(sentence),
    };
    let hint = fields.get("token_type_hint").unwrap_or_default();
    let revocation = (token.clone(), hint.to_owned());
    state.counts.revocations.push(revocation);
    let pause = state.knobs.revoke_pause;
    if let Some(reply) = &state.knobs.revoke_answer {
        return reply.clone().pause_before_headers(pause);
    }
    let needs_client = hint == "refresh_token" || state.book.is_refresh(&token);
    if (needs_client || fields.get("client_id").is_some())
        && let Err(sentence) = fields.is("client_id", CLIENT_ID)
    {
        return wrong(sentence);
    }
    state.book.end(&token);
    Reply::json(200, &json!({})).pause_before_headers(pause)
}
