//! Which request gets which answer: the table of paths, and for model requests the steps from
//! the checks to the bytes of the body.

use std::sync::Arc;

use serde_json::{Value, json};

use super::bound;
use super::check::{self, Refusal};
use super::compaction;
use super::http::Recorded;
use super::issuer::personal;
use super::mcp;
use super::models;
use super::prompt;
use super::reply::{Content, Reply};
use super::stream::{self, Context};
use super::token;
use super::wham;
use super::{Shared, lock};

/// The path prefix of the subscription's backend.
pub(super) const SUBSCRIPTION: &str = "/backend-api/codex";

/// The path prefix of the public API.
pub(super) const API: &str = "/v1";

/// The two services that are simulated here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backend {
    Subscription,
    Api,
}

/// A reply and the bytes of its body.
pub(super) fn answer(shared: &Shared, request: &Recorded) -> (Reply, Arc<[u8]>) {
    let mut context = Context::new(&shared.ids);
    let reply = choose(shared, request, &mut context);
    let body = match &reply.content {
        Content::Bytes(bytes) | Content::Raw(bytes) => Arc::clone(bytes),
        Content::Answer(answer) if answer.is_large() => shared.bulk.get(answer, &context),
        Content::Answer(answer) => stream::render(answer, &context).into(),
    };
    if request.method == "POST"
        && !matches!(&reply.content, Content::Answer(answer) if answer.is_large())
    {
        shared.ids.answered(&body);
    }
    let body = match reply.newline {
        Some(newline) => newline.reframe(&body).into(),
        None => body,
    };
    (reply, body)
}

/// Finds the reply, and records in the context what is needed to make its events.
fn choose(shared: &Shared, request: &Recorded, context: &mut Context<'_>) -> Reply {
    if let Some(reply) = shared.script.fixed(&request.method, request.bare_path()) {
        return reply;
    }
    if let Some(remote) = shared
        .script
        .remote()
        .filter(|_| request.bare_path() == mcp::PATH)
    {
        return remote.answer(request);
    }
    if let Some(reply) = shared.issuer.answer(request) {
        return reply;
    }
    if let Some(reply) = wham::answer(&shared.issuer, request) {
        return match checked(shared, Backend::Subscription, request) {
            Ok(()) => reply,
            Err(refusal) => refusal.into(),
        };
    }
    let path = request.bare_path();
    let (backend, rest) = if let Some(rest) = path.strip_prefix(SUBSCRIPTION) {
        (Backend::Subscription, rest)
    } else if let Some(rest) = path.strip_prefix(API) {
        (Backend::Api, rest)
    } else {
        return not_found();
    };
    context.backend = backend;
    match (request.method.as_str(), rest) {
        ("POST", "/responses") => {
            let number = shared.ids.number();
            let reply = match responses(shared, backend, request, context) {
                Ok(reply) => reply,
                Err(refusal) => refusal.into(),
            };
            let reply = match backend {
                // This tells clients that their list is out of date.
                Backend::Subscription => reply.or_header("x-models-etag", &shared.models.etag()),
                Backend::Api => reply,
            };
            reply.or_header("x-request-id", &format!("req_standin_{number}"))
        }
        ("GET", "/models") => match list(shared, backend, request) {
            Ok(reply) => reply,
            Err(refusal) => refusal.into(),
        },
        // Clients that try the WebSocket first fall back to HTTP after this.
        ("GET", "/responses") if request.header("upgrade").is_some() => {
            Reply::json(426, &json!({"detail": "Upgrade Required"}))
        }
        _ => not_found(),
    }
}

fn not_found() -> Reply {
    Reply::json(404, &json!({"detail": "Not Found"}))
}

fn checked(shared: &Shared, backend: Backend, request: &Recorded) -> Result<(), Refusal> {
    if !shared.script.is_checked() {
        return Ok(());
    }
    let bearer = token::bearer(request).unwrap_or_default();
    if backend == Backend::Subscription && bearer.starts_with(personal::PREFIX) {
        let account = shared.issuer.personal_account(bearer);
        return token::personal(account.as_deref(), request);
    }
    token::check(backend, request, token::now_unix())?;
    if shared.issuer.refuses(bearer) {
        return Err(token::invalidated());
    }
    Ok(())
}

/// The same for the backend itself, which requires the headers of a restricted workspace.
fn bounded(shared: &Shared, backend: Backend, request: &Recorded) -> Result<(), Refusal> {
    checked(shared, backend, request)?;
    if backend == Backend::Subscription && shared.script.is_checked() {
        let bearer = token::bearer(request).unwrap_or_default();
        let claims = token::claims(bearer).unwrap_or_default();
        bound::region(&claims[token::AUTH_CLAIM], request)?;
        shared.issuer.bounds(bearer).check(request)?;
    }
    Ok(())
}

fn list(shared: &Shared, backend: Backend, request: &Recorded) -> Result<Reply, Refusal> {
    bounded(shared, backend, request)?;
    if backend == Backend::Subscription && shared.script.is_checked() {
        models::version(request)?;
    }
    Ok(shared.models.answer(backend, request))
}

fn responses(
    shared: &Shared,
    backend: Backend,
    request: &Recorded,
    context: &mut Context<'_>,
) -> Result<Reply, Refusal> {
    bounded(shared, backend, request)?;
    let body = if shared.script.is_checked() {
        check::body(backend, request, &shared.models, &shared.ids)?
    } else {
        serde_json::from_slice(&request.body).unwrap_or(Value::Null)
    };
    for item in body["input"].as_array().into_iter().flatten() {
        for id in ["id", "call_id"] {
            shared.ids.seen(item[id].as_str().unwrap_or_default());
        }
    }
    context.read(&body);
    if let Some(tokens) = shared.script.reported() {
        context.input_tokens = tokens;
    }
    if compaction::is_requested(&body["input"]) {
        let reply = shared.script.compaction();
        return reply.ok_or_else(|| compaction::unknown(&body["input"]));
    }

    let (reply, choice) = shared.script.next(&body).map_err(|message| {
        let error = json!({"message": message, "type": "standin_error",
            "param": null, "code": "standin_script"});
        Refusal::new(500, &json!({ "error": error }))
    })?;
    lock(&shared.log).note(&format!("connection {}: {choice}", request.connection));
    Ok(match backend {
        Backend::Subscription => with_limits(reply),
        Backend::Api => reply,
    })
}

/// The limits that the subscription's backend reports with every answer.
fn with_limits(reply: Reply) -> Reply {
    let now = token::now_unix();
    let five_hours = (now + 3 * 3600).to_string();
    let week = (now + 4 * 24 * 3600).to_string();
    [
        ("x-codex-primary-used-percent", "12.5"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-primary-reset-at", &five_hours),
        ("x-codex-secondary-used-percent", "40.0"),
        ("x-codex-secondary-window-minutes", "10080"),
        ("x-codex-secondary-reset-at", &week),
        ("x-codex-credits-has-credits", "false"),
        ("x-codex-credits-unlimited", "false"),
    ]
    .iter()
    .fold(reply, |reply, (name, value)| reply.or_header(name, value))
}

impl Context<'_> {
    /// Reads what the events repeat or depend on from the request.
    fn read(&mut self, body: &Value) {
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        self.model = text("model");
        self.tier = match text("service_tier").as_str() {
            "" | "auto" => "default".to_owned(),
            other => other.to_owned(),
        };
        self.parallel = body["parallel_tool_calls"].as_bool().unwrap_or(true);
        let include = body["include"].as_array().into_iter().flatten();
        self.encrypted = include
            .filter_map(Value::as_str)
            .any(|wanted| wanted == "reasoning.encrypted_content");
        self.input_tokens = stream::tokens(body["input"].to_string().len());
        self.cached_tokens = if prompt::has_history(&body["input"]) {
            self.input_tokens / 128 * 128 // the cache works in blocks
        } else {
            0
        };
    }
}
