//! Failures reported by the service: classifies error responses and error events, and decides whether and when the same
//! request may be retried. Wording is left to other modules. Reads no clock: callers pass the time.

mod cause;
mod delay;
mod fault_body;
mod head;
mod kind;
mod resets;
mod text;

use std::borrow::Cow;
use std::time::Duration;

use serde_json::Value;

pub use cause::Cause;
use fault_body::FaultBody;
pub use head::{FaultHead, RateWindow};
pub use kind::FaultKind;
use resets::Resets;
use text::{is_web_page, shown};

/// Whether and when a retry may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// A retry will not help.
    Never,
    /// A retry may help, after a delay that the client chooses.
    Backoff,
    /// A retry may help after this delay, which the service requests.
    After(Duration),
}

/// A failure as reported by the service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The kind of failure; follows from the cause.
    pub kind: FaultKind,
    /// The cause: a separate one for each remedy.
    pub cause: Cause,
    /// The service's message, if any: without control characters, at most 1,000 bytes.
    pub message: Option<String>,
    /// The service's error code, if any.
    pub code: Option<String>,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// The service's request id, for bug reports.
    pub request_id: Option<String>,
    /// Whether the body is a web page, sent by an intermediary.
    pub page: bool,
    /// When the usage limit resets, in Unix seconds.
    pub resets_at: Option<u64>,
    /// Whether and when a retry may help.
    pub retry: Retry,
    /// Details for messages only. Boxed, so that a fault is cheap to move.
    pub details: Box<FaultDetails>,
}

/// Further details, ready for display.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FaultDetails {
    /// The target of a redirect.
    pub location: Option<String>,
    /// Whether the web page comes from Cloudflare.
    pub cloudflare: bool,
    /// The plan with the usage limit.
    pub plan: Option<String>,
    /// The name of the usage limit.
    pub limit: Option<String>,
    /// Cloudflare's request id.
    pub ray: Option<String>,
    /// The authorization error from a header.
    pub authorization: Option<String>,
    /// The proxy that the request went through; set by the client, which knows it.
    pub proxy: Option<String>,
    /// Seconds from the response until the usage limit resets, for a caller that knows the response's time.
    resets_after: Option<u64>,
}

/// Size limit for a message in bytes.
const MAX_MESSAGE_BYTES: usize = 1000;

/// Size limit for any other text in bytes.
const MAX_SHORT_BYTES: usize = 100;

impl Fault {
    /// Completes the fault with its response head; `now` in Unix seconds.
    pub fn set_head(&mut self, head: &FaultHead, now: u64) {
        self.status = head.status;
        self.request_id = head.request_id().or_else(|| self.request_id.take());
        if self.kind == FaultKind::UsageLimit {
            let plan = || head.shown("x-codex-plan-type", MAX_SHORT_BYTES);
            self.details.plan = self.details.plan.take().or_else(plan);
            let after = self.details.resets_after.map(Resets::After);
            let at = |resets| match resets {
                Resets::At(at) => at,
                Resets::After(seconds) => now.saturating_add(seconds),
            };
            self.resets_at = self
                .resets_at
                .or_else(|| after.or_else(|| head.resets()).map(at));
        }
    }

    /// The service's message, or a description of what came instead; `None` without either.
    #[must_use]
    pub fn reason(&self) -> Option<Cow<'_, str>> {
        if let Some(location) = &self.details.location {
            return Some(format!("it redirects to {location}").into());
        }
        if !self.page {
            return self.message.as_deref().map(Cow::Borrowed);
        }
        let from = if self.details.cloudflare {
            " from Cloudflare"
        } else {
            ""
        };
        let ray = self.details.ray.as_ref();
        let ray = ray.map_or(String::new(), |ray| format!(" (ray {ray})"));
        Some(format!("a web page{from} instead of an answer{ray}").into())
    }

    /// Whether the service rejects the shape of the request. For some models that require a different shape, the
    /// subscription backend only reports that they are not found (openai/codex, earendil-works/pi#6516).
    #[must_use]
    pub fn is_about_shape(&self) -> bool {
        let message = self.message.as_deref().unwrap_or_default();
        let message = message.to_ascii_lowercase();
        let names = |words: &[&str]| words.iter().any(|words| message.contains(words));
        match self.status {
            Some(404) => message.starts_with("model not found"),
            Some(400 | 422) => names(&[
                "responses-lite",
                "responses lite",
                "reasoning.context",
                "all_turns",
                "additional_tools",
                "parallel_tool_calls",
                "instructions are required",
                // The first input item belongs to the shape, not to the conversation.
                "'input[0]'",
                "'input[0].type'",
                "'input[0].role'",
                "'input[0].tools'",
            ]),
            _ => false,
        }
    }

    /// Whether the service says that the reasoning from earlier answers cannot be decrypted, or that items are unusable
    /// without it.
    #[must_use]
    pub fn is_about_reasoning(&self) -> bool {
        let message = self.message.as_deref().unwrap_or_default();
        let message = message.to_ascii_lowercase();
        self.status == Some(400)
            && (self.code.as_deref() == Some("invalid_encrypted_content")
                || message.contains("encrypted content")
                || message.contains("without its required 'reasoning' item"))
    }

    /// All text in it that comes from the server.
    pub fn words(&mut self) -> impl Iterator<Item = &mut String> {
        let details = &mut *self.details;
        [
            &mut self.message,
            &mut self.code,
            &mut self.request_id,
            &mut details.location,
            &mut details.plan,
            &mut details.limit,
            &mut details.ray,
            &mut details.authorization,
        ]
        .into_iter()
        .flatten()
    }
}

/// Classifies an HTTP response that is an error, or not a stream; `now` in Unix seconds.
#[must_use]
pub fn from_response(head: &FaultHead, body: &[u8], now: u64) -> Fault {
    let status = head.status.unwrap_or_default();
    let json = serde_json::from_slice::<Value>(body);
    let page = json.is_err() && is_web_page(body);
    let mut error = json.map(|json| FaultBody::read(&json)).unwrap_or_default();
    if let Some(json) = head.error_json() {
        error.complete(FaultBody::read(&json));
    }
    let cause = cause_of_response(status, &error, head, page);
    let mut fault = sort(cause, &error, head, Some(now));
    if matches!(status, 400..=407 | 410..=428 | 430..=499) {
        fault.retry = Retry::Never;
    }
    fault.page = page;
    if let 300..=399 = status {
        fault.details.location = head.shown("location", MAX_MESSAGE_BYTES);
    }
    fault.details.cloudflare = page && is_from_cloudflare(head, body);
    if !page && !error.has_content() {
        fault.message = shown(&String::from_utf8_lossy(body), MAX_MESSAGE_BYTES);
    }
    fault.set_head(head, now);
    fault
}

/// Classifies an `error` event, in either of its forms.
#[must_use]
pub fn from_event(frame: &[u8]) -> Fault {
    from_json(&serde_json::from_slice(frame).unwrap_or_default())
}

/// Classifies the response object of `response.failed`.
#[must_use]
pub fn from_response_object(response: &str) -> Fault {
    from_json(&serde_json::from_str(response).unwrap_or_default())
}

fn from_json(json: &Value) -> Fault {
    let (error, head) = (FaultBody::read(json), FaultHead::in_event(json));
    let status = ["status_code", "status"]
        .iter()
        .find_map(|key| json[key].as_u64());
    let by_status = || {
        Some(match status? {
            401 => error.region().unwrap_or(Cause::Credential),
            432 => Cause::Region,
            402 | 403 => Cause::Denied,
            408 | 409 | 500..=599 => Cause::Broken,
            413 => Cause::Size,
            429 => head.reached().unwrap_or(Cause::Rate),
            400..=499 => Cause::Request,
            _ => return None,
        })
    };
    let by_type = || error.is_request_error().then_some(Cause::Request);
    let cause = error.cause().or_else(by_status).or_else(by_type);
    sort(cause.unwrap_or(Cause::Unknown), &error, &head, None)
}

/// The cause of an error response. The body decides, unless the status is unambiguous.
fn cause_of_response(status: u16, error: &FaultBody, head: &FaultHead, page: bool) -> Cause {
    let word = error.cause();
    let is_final = |cause: &Cause| !cause.may_pass();
    let is_limit = |cause: &Cause| cause.kind() == FaultKind::UsageLimit;
    match status {
        200 if page => Cause::Page,
        200 if !error.has_content() => Cause::Document,
        300..=399 => Cause::Moved,
        401 => error.region().unwrap_or(Cause::Credential),
        432 => Cause::Region,
        402 | 403 if page => Cause::Blocked,
        402 | 403 => word.filter(is_final).unwrap_or(Cause::Denied),
        404 => word.filter(is_final).unwrap_or(Cause::Place),
        413 => word.filter(is_final).unwrap_or(Cause::Size),
        407 => Cause::Proxy,
        408 | 409 => word.unwrap_or(Cause::Broken),
        429 => word.or_else(|| head.reached()).unwrap_or(Cause::Rate),
        // A failing gateway may wrap any error; only usage limits keep their meaning. llama.cpp and Ollama also report
        // a conversation that is too long this way.
        500..=599 => word
            .filter(|cause| is_limit(cause) || *cause == Cause::Context || cause.may_pass())
            .unwrap_or(Cause::Broken),
        _ => word.unwrap_or(Cause::Request),
    }
}

/// Builds the fault for a cause, with a retry delay if the cause may pass.
fn sort(cause: Cause, error: &FaultBody, head: &FaultHead, now: Option<u64>) -> Fault {
    let cause = match cause {
        // Only a header says which limit of a workspace has been reached.
        Cause::Window => head.reached_kind().unwrap_or(cause),
        cause => cause,
    };
    let message = error.message.as_deref().unwrap_or_default();
    let retry = match delay::requested(|name| head.get(name), message, now) {
        _ if !cause.may_pass() || head.forbids_retry() => Retry::Never,
        Some(time) => Retry::After(time),
        None => Retry::Backoff,
    };
    let resets = error.resets.or_else(|| head.resets());
    let is_limit = cause.kind() == FaultKind::UsageLimit;
    let (resets_at, resets_after) = match resets.filter(|_| is_limit) {
        Some(Resets::At(at)) => (Some(at), None),
        Some(Resets::After(seconds)) => (None, Some(seconds)),
        None => (None, None),
    };
    Fault {
        kind: cause.kind(),
        cause,
        message: shown(message, MAX_MESSAGE_BYTES),
        code: error
            .shown_code()
            .and_then(|code| shown(code, MAX_SHORT_BYTES)),
        status: None,
        request_id: head.request_id(),
        page: false,
        resets_at,
        retry,
        details: Box::new(FaultDetails {
            location: None,
            cloudflare: false,
            plan: (error
                .plan
                .as_deref()
                .and_then(|plan| shown(plan, MAX_SHORT_BYTES)))
            .or_else(|| head.shown("x-codex-plan-type", MAX_SHORT_BYTES)),
            limit: head.shown("x-codex-limit-name", MAX_SHORT_BYTES),
            ray: head.shown("cf-ray", MAX_SHORT_BYTES),
            authorization: head.shown("x-openai-authorization-error", 2 * MAX_SHORT_BYTES),
            proxy: None,
            resets_after,
        }),
    }
}

fn is_from_cloudflare(head: &FaultHead, body: &[u8]) -> bool {
    head.is_from_cloudflare() || String::from_utf8_lossy(body).contains("Cloudflare")
}

#[cfg(test)]
mod server_tests;
#[cfg(test)]
mod stream_tests;
#[cfg(test)]
mod tests;
