//! `POST /oauth/token`: a code or a refresh token in, tokens out. A refresh token is spent under
//! the lock, so of two clients that send the same one concurrently exactly one gets new ones.

use serde_json::{Value, json};

pub(super) use super::super::token::{AUTH_CLAIM, encoded, now_unix};

use super::book::{Family, Worthless};
use super::form::{Fields, Kind};
use super::{CLIENT_ID, Issuer, Recorded, Reply, State, refusal};

/// The service's message for a refused client.
const GARBAGE: &str = "<!doctype html><title>Just a moment...</title>";

pub(super) fn answer(issuer: &Issuer, request: &Recorded) -> Reply {
    let mut state = issuer.state();
    let state = &mut *state;
    let read = Fields::body(request);
    let grant = match &read {
        Ok((fields, _)) => fields.get("grant_type").unwrap_or_default(),
        Err(_) => "",
    };
    match grant {
        "authorization_code" => state.counts.exchanges += 1,
        "refresh_token" => state.counts.refreshes += 1,
        _ => {}
    }
    if let Some(failure) = state.knobs.failures.pop_front() {
        return failure;
    }
    let reply = match &read {
        Err(sentence) => wrong("invalid_request", sentence),
        Ok((fields, kind)) => match grant {
            "authorization_code" => exchange(state, fields, *kind),
            "refresh_token" => refresh(state, fields),
            "" => wrong("invalid_request", "grant_type is missing"),
            other => wrong("unsupported_grant_type", other),
        },
    };
    reply.pause_before_headers(state.knobs.pause)
}

fn exchange(state: &mut State, fields: &Fields, kind: Kind) -> Reply {
    if kind == Kind::Json {
        return wrong("invalid_request", "a code is exchanged with a form");
    }
    let read = || {
        fields.is("client_id", CLIENT_ID)?;
        let verifier = fields.need("code_verifier")?;
        let unreserved = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        if !(43..=128).contains(&verifier.len()) || !verifier.chars().all(unreserved) {
            return Err("code_verifier is not 43 to 128 unreserved characters".to_owned());
        }
        Ok((fields.need("code")?, fields.need("redirect_uri")?, verifier))
    };
    let (code, redirect_uri, verifier) = match read() {
        Ok(read) => read,
        Err(sentence) => return wrong("invalid_request", &sentence),
    };
    match state.book.exchange(code, redirect_uri, verifier) {
        Ok(family) => {
            state.counts.exchanged += 1;
            Reply::json(200, &tokens(state, family, true))
        }
        Err(sentence) => wrong("invalid_grant", sentence),
    }
}

fn refresh(state: &mut State, fields: &Fields) -> Reply {
    if let Err(sentence) = fields.is("client_id", CLIENT_ID) {
        return wrong("invalid_request", &sentence);
    }
    let token = match fields.need("refresh_token") {
        Ok(token) => token,
        Err(sentence) => return wrong("invalid_request", &sentence),
    };
    let rotates = state.knobs.rotates;
    let (code, message) = match state.book.redeem(token, rotates) {
        Ok(family) => {
            state.counts.refreshed += 1;
            let body = tokens(state, family, rotates);
            return spoilt(state).unwrap_or_else(|| Reply::json(200, &body));
        }
        Err(Worthless::Unknown) => (
            "token_expired",
            "Could not validate your token. Please try signing in again.",
        ),
        Err(Worthless::Spent) => (
            "refresh_token_reused",
            "Your refresh token has already been used to generate a new access token. Please try \
             signing in again.",
        ),
        Err(Worthless::Ended) => (
            "refresh_token_invalidated",
            "Your refresh token has been invalidated. Please try signing in again.",
        ),
    };
    refusal(401, code, message)
}

/// The response instead, if a test has requested that the real one is lost.
fn spoilt(state: &mut State) -> Option<Reply> {
    let due = |count: &mut usize| {
        let due = *count > 0;
        *count -= usize::from(due);
        due
    };
    if due(&mut state.knobs.swallowed) {
        return Some(Reply::raw(""));
    }
    due(&mut state.knobs.garbled).then(|| Reply::status(200, &[], GARBAGE))
}

fn tokens(state: &mut State, family: Family, with_refresh: bool) -> Value {
    let now = now_unix();
    let lifetime = state.knobs.lifetime;
    let tokens = state.book.mint(family, now + lifetime, now);
    let mut body = json!({
        "access_token": tokens.access,
        "expires_in": lifetime,
        "token_type": "bearer",
        "scope": state.book.person(family).scope,
    });
    if with_refresh {
        body["refresh_token"] = tokens.refresh.into();
    }
    if !state.knobs.omits_id_token {
        body["id_token"] = tokens.id.into();
    }
    body
}

/// 400 in the format of RFC 6749 section 5.2.
fn wrong(error: &str, description: &str) -> Reply {
    Reply::json(
        400,
        &json!({"error": error, "error_description": description}),
    )
}
