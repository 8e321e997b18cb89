//! `GET /oauth/authorize`: where a sign-in in the browser begins. People get a page that asks them;
//! other clients are redirected at once, as if the person had pressed a button.

use serde_json::json;

use super::book::{Code, Person, random};
use super::form::{self, Fields};
use super::{CLIENT_ID, Issuer, Recorded, Reply, page};

/// The registered ports of the client.
const PORTS: [u16; 2] = [1455, 1457];

/// The length of a challenge: SHA-256 as base64url without padding.
const CHALLENGE: usize = 43;

/// What the person does if no page is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Decision {
    #[default]
    Allow,
    /// Redirects with `error=access_denied`.
    Deny,
    /// Redirects with a code and a wrong state.
    Tamper,
}

/// A valid request.
struct Asked {
    redirect_uri: String,
    state: String,
    challenge: String,
    scope: String,
    originator: String,
}

pub(super) fn answer(issuer: &Issuer, request: &Recorded) -> Reply {
    let asked = match Fields::query(&request.path).and_then(|fields| read(&fields)) {
        Ok(asked) => asked,
        Err(sentence) if is_browser(request) => return page::mistake(&sentence),
        Err(sentence) => {
            let body = json!({"error": "invalid_request", "error_description": sentence});
            return Reply::json(400, &body);
        }
    };
    let mut state = issuer.state();
    let (account, plan) = (state.knobs.account.clone(), state.knobs.plan.clone());
    let bounds = state.knobs.bounds.clone();
    let code = state.book.code(Code {
        redirect_uris: vec![asked.redirect_uri.clone()],
        challenge: asked.challenge,
        person: Person {
            account,
            plan,
            scope: asked.scope,
            bounds,
        },
    });
    let back = |pairs: &[(&str, &str)]| format!("{}?{}", asked.redirect_uri, form::encode(pairs));
    let allow = back(&[("code", &code), ("state", &asked.state)]);
    let deny = back(&[
        ("error", "access_denied"),
        ("error_description", "The person said no."),
        ("state", &asked.state),
    ]);
    let tamper = back(&[("code", &code), ("state", &random(32))]);
    if is_browser(request) {
        return page::consent(&asked.originator, &allow, &deny, &tamper);
    }
    let location = match state.knobs.decision {
        Decision::Allow => allow,
        Decision::Deny => deny,
        Decision::Tamper => tamper,
    };
    Reply::status(302, &[("location", &location)], "")
}

fn read(fields: &Fields) -> Result<Asked, String> {
    fields.is("response_type", "code")?;
    fields.is("client_id", CLIENT_ID)?;
    let redirect_uri = fields.need("redirect_uri")?;
    let allowed = |host: &str, port: u16| format!("http://{host}:{port}/auth/callback");
    let known = PORTS
        .iter()
        .flat_map(|port| ["localhost", "127.0.0.1"].map(|host| allowed(host, *port)));
    if !known.into_iter().any(|uri| uri == redirect_uri) {
        return Err(format!("redirect_uri {redirect_uri:?} is not registered"));
    }
    let state = fields.need("state")?;
    fields.is("code_challenge_method", "S256")?;
    let challenge = fields.need("code_challenge")?;
    let is_base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if challenge.len() != CHALLENGE || !challenge.chars().all(is_base64url) {
        return Err(format!(
            "code_challenge is not {CHALLENGE} characters of base64url"
        ));
    }
    let scope = fields.need("scope")?;
    for wanted in ["openid", "offline_access"] {
        if !scope.split(' ').any(|word| word == wanted) {
            return Err(format!("scope lacks {wanted}"));
        }
    }
    Ok(Asked {
        redirect_uri: redirect_uri.to_owned(),
        state: state.to_owned(),
        challenge: challenge.to_owned(),
        scope: scope.to_owned(),
        originator: fields.get("originator").unwrap_or("unnamed").to_owned(),
    })
}

/// Whether a person sees the response.
fn is_browser(request: &Recorded) -> bool {
    let says = |header, word| {
        let value = request.header(header);
        value.is_some_and(|value| value.contains(word))
    };
    says("accept", "text/html") && says("user-agent", "Mozilla")
}
