//! Faults of the service as failures: what happened, why (in the service's own words), and what to do.

use std::time::Duration;

use super::credential::Used;
use super::value::Failure;
use crate::clock::{seconds, until};
use crate::outcome::Outcome;
use crate::wire::fault::{Cause, Fault, FaultKind, Retry};

/// The shortest requested delay that is reported; a shorter one has passed by the time the message is read.
const MIN_REPORTED_DELAY: Duration = Duration::from_secs(60);

/// The failure of a request that was made with this credential.
pub(crate) fn of_fault(fault: &Fault, used: Option<&Used>) -> Failure {
    failure_at(fault, used, seconds())
}

/// The failure at a given time, in Unix seconds.
fn failure_at(fault: &Fault, used: Option<&Used>, now: u64) -> Failure {
    let outcome = match fault.kind {
        FaultKind::Failed => Outcome::Failed,
        FaultKind::SignIn => Outcome::SignIn,
        FaultKind::Forbidden => Outcome::Forbidden,
        FaultKind::UsageLimit => Outcome::UsageLimit,
        FaultKind::Unreachable => Outcome::Unreachable,
    };
    let (what, why, marks) = (what(fault), why(fault), marks(fault));
    let mut failure = match fault.cause {
        Cause::Credential => Failure::refused(&format!("{why}{marks}"), used, &hint(fault, now)),
        _ => Failure::new(outcome, format!("{what}: {why}{marks}")).hint(hint(fault, now)),
    };
    if fault.status == Some(404) && used.is_some_and(Used::is_of_server) {
        failure = failure.hint("check its \"baseUrl\", which usually ends in /v1");
    }
    failure.http_status = fault.status;
    failure.provider = used.and_then(Used::provider).map(Box::from);
    failure.retry_at = fault.resets_at;
    failure.request_id.clone_from(&fault.request_id);
    failure
}

fn what(fault: &Fault) -> String {
    let words = match (fault.kind, fault.cause) {
        (_, Cause::Window) => return limit(fault),
        (_, Cause::OwnerCredits | Cause::MemberCredits) => "the workspace has no credits left",
        (_, Cause::OwnerLimit | Cause::MemberLimit) => {
            "the usage limit of the workspace has been reached"
        }
        (_, Cause::Quota) => "the account's quota is used up",
        (FaultKind::UsageLimit, _) => "the usage limit has been reached",
        (FaultKind::Failed, _) => "the service could not complete this request",
        (FaultKind::SignIn, _) => "the service refused the credential",
        (FaultKind::Forbidden, _) => "the service does not allow this",
        (FaultKind::Unreachable, _) => "the service cannot answer right now",
    };
    words.to_owned()
}

/// Which limit was reached, as far as the service reported it.
fn limit(fault: &Fault) -> String {
    let named = |words: &str, name: &Option<String>, more: &str| match name {
        Some(name) => format!(" {words}{name}{more}"),
        None => String::new(),
    };
    let plan = named("of the ", &fault.details.plan, " plan");
    let name = named("for ", &fault.details.limit, "");
    format!("the usage limit{plan}{name} has been reached")
}

fn why(fault: &Fault) -> String {
    match (fault.reason(), &fault.code) {
        (None, None) => "no reason given".to_owned(),
        (None, Some(code)) => code.clone(),
        (Some(reason), None) => reason.into_owned(),
        // LiteLLM repeats the HTTP status as the code.
        (Some(reason), Some(code))
            if fault
                .status
                .is_some_and(|status| status.to_string() == *code) =>
        {
            reason.into_owned()
        }
        (Some(reason), Some(code)) => format!("{reason} ({code})"),
    }
}

/// The identifiers that a report to the service should include.
fn marks(fault: &Fault) -> String {
    let details = &fault.details;
    let mut marks = Vec::new();
    if let Some(status) = fault.status {
        marks.push(format!("HTTP {status}"));
    }
    match (&fault.request_id, &details.ray) {
        (Some(id), _) => marks.push(format!("request {id}")),
        // For a page, the reason already includes it.
        (None, Some(ray)) if !fault.page => marks.push(format!("ray {ray}")),
        _ => {}
    }
    if let Some(authorization) = &details.authorization {
        marks.push(format!("authorization {authorization}"));
    }
    if marks.is_empty() {
        String::new()
    } else {
        format!(" [{}]", marks.join(", "))
    }
}

/// The hint.
fn hint(fault: &Fault, now: u64) -> String {
    if let Retry::After(time) = fault.retry
        && time >= MIN_REPORTED_DELAY
    {
        let then = now.saturating_add(time.as_secs());
        return format!(
            "the service asks clients to wait: try again {}",
            until(then, now)
        );
    }
    let words = match fault.cause {
        Cause::Moved => {
            "redirects are not followed: set the service's real address, or sign in to the network if it shows a sign-in page"
        }
        Cause::Place => {
            "check the address: OPENAI_BASE_URL usually ends in /v1, CODEX_RUN_BASE_URL in /codex"
        }
        Cause::Blocked | Cause::Country => {
            return blocked(fault.details.proxy.as_deref());
        }
        Cause::Region => {
            "the workspace can be used only from its region: use a network there, or ask its administrator"
        }
        _ if fault.page => {
            "check for a proxy, firewall or captive portal between you and the service"
        }
        Cause::Document => "something else may have answered: check the address",
        Cause::Request => "change the request: retrying will not help",
        Cause::Context => {
            "the input is longer than the model accepts: send less, or use a model that accepts more (-m)"
        }
        Cause::Size => "the request is too large: send less",
        Cause::Allowance => {
            "this request alone exceeds the account's rate limit: send less, or use another model (-m)"
        }
        Cause::Policy => {
            "the service's policy does not allow it: rephrase the question; retrying will not help"
        }
        Cause::Image => "use a different image, or omit it",
        Cause::Residency => {
            "the project is bound to a region: set OPENAI_BASE_URL to that region's address, or use another model (-m)"
        }
        Cause::Unknown => "try again later; if that does not help, change the request",
        Cause::Credential => {
            "it may have expired or been revoked: run `codex login` to sign in again, or renew a key or token where it was issued"
        }
        Cause::Model => {
            "check the model's name, or use another model (-m) or account: this account does not have access to it"
        }
        Cause::Version => "use another model (-m), or a newer version of codex-run",
        Cause::Plan => "the plan does not include this: use another account, or an API key",
        Cause::Workspace => {
            "the workspace is deactivated: ask its owner, or use another workspace or account"
        }
        Cause::Denied => "use another model (-m) or another account",
        Cause::OwnerCredits => "add credits to the workspace, or use another account",
        Cause::MemberCredits => "ask the workspace's owner to add credits, or use another account",
        Cause::Quota => {
            "check the account's billing and spending limits, or use another key; waiting may not help"
        }
        Cause::Window | Cause::OwnerLimit | Cause::MemberLimit => return reset(fault, now),
        Cause::Rate => "try again later, or send less at once",
        Cause::Capacity => "the model is at capacity: try again later, or use another model (-m)",
        Cause::Proxy => "a proxy between you and the service requires authentication",
        Cause::Broken | Cause::Page => "try again later",
    };
    words.to_owned()
}

/// The hint if the service does not serve the network or country of the request, which went through this proxy,
/// if any.
pub(crate) fn blocked(proxy: Option<&str>) -> String {
    let words =
        "your network or region may be blocked: try another network, or turn off a VPN or proxy";
    match proxy {
        Some(proxy) => format!("{words}; this request went through the proxy {proxy}"),
        None => words.to_owned(),
    }
}

/// When the limit resets, as far as the service reported it, and what else to do.
fn reset(fault: &Fault, now: u64) -> String {
    let raise = match fault.cause {
        Cause::OwnerLimit => "raise the workspace's limit",
        Cause::MemberLimit => "ask the workspace's owner to raise it",
        _ => "use another account",
    };
    match fault.resets_at {
        Some(at) if at > now => format!(
            "it resets {}; --wait-for-reset waits until then, or {raise}",
            until(at, now)
        ),
        Some(_) => format!("it should already have reset: try again, or {raise}"),
        None => format!("wait for the plan's next window, or {raise}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::fault::{self, FaultHead};

    /// 2026-11-20 12:35:00 UTC
    const NOW: u64 = 1_795_178_100;

    fn check(status: u16, headers: &[(&str, &str)], body: &str, what: &str, hint: &str) {
        let head = FaultHead::read(status, |name| {
            let (_, value) = headers.iter().find(|(key, _)| *key == name)?;
            Some((*value).to_owned())
        });
        let fault = fault::from_response(&head, body.as_bytes(), NOW);
        assert_eq!(
            failure_at(&fault, None, NOW).words(),
            format!("{what}\nhint: {hint}"),
            "{status} {body}"
        );
    }

    #[test]
    fn a_service_message_carries_status_and_request() {
        check(
            404,
            &[("x-request-id", "req_1"), ("cf-ray", "abc-FRA")],
            r#"{"error":{"message":"No such thing.","code":"x"}}"#,
            "the service could not complete this request: No such thing. (x) [HTTP 404, request req_1]",
            "check the address: OPENAI_BASE_URL usually ends in /v1, CODEX_RUN_BASE_URL in /codex",
        );
        check(
            401,
            &[
                ("cf-ray", "abc-FRA"),
                ("x-openai-authorization-error", "missing"),
            ],
            "",
            "the service refused the credential: no reason given [HTTP 401, ray abc-FRA, authorization missing]",
            "it may have expired or been revoked: run `codex login` to sign in again, or renew a key or token where it was issued",
        );
    }

    #[test]
    fn a_usage_limit_says_which_plan_and_until_when() {
        let body = |more: &str| {
            format!(
                r#"{{"error":{{"type":"usage_limit_reached","message":"The usage limit has been reached"{more}}}}}"#
            )
        };
        let check = |headers: &[(&str, &str)], more: &str, what: &str, hint: &str| {
            let why = "The usage limit has been reached (usage_limit_reached) [HTTP 429]";
            check(
                429,
                headers,
                &body(more),
                &format!("{what} has been reached: {why}"),
                hint,
            );
        };
        let plus = "the usage limit of the plus plan";
        check(
            &[],
            &format!(r#","plan_type":"plus","resets_at":{}"#, NOW + 5400),
            plus,
            "it resets in 1 h 30 min, 14:05 UTC; --wait-for-reset waits until then, or use another account",
        );
        check(
            &[("x-codex-plan-type", "pro"), ("x-codex-limit-name", "gpt")],
            r#","plan_type":"plus","resets_in_seconds":264600"#,
            "the usage limit of the plus plan for gpt",
            "it resets in 3 days 2 h, 2026-11-23 14:05 UTC; --wait-for-reset waits until then, or use another account",
        );
        check(
            &[("x-codex-plan-type", "plus")],
            &format!(r#","resets_at":{}"#, NOW - 1),
            plus,
            "it should already have reset: try again, or use another account",
        );
        check(
            &[],
            "",
            "the usage limit",
            "wait for the plan's next window, or use another account",
        );
        check(
            &[(
                "x-codex-rate-limit-reached-type",
                "workspace_member_usage_limit_reached",
            )],
            r#","resets_in_seconds":60"#,
            "the usage limit of the workspace",
            "it resets in 1 min, 12:36 UTC; --wait-for-reset waits until then, or ask the workspace's owner to raise it",
        );
    }

    #[test]
    fn a_service_that_asks_for_a_long_time_says_until_when() {
        let what = "the service cannot answer right now: no reason given [HTTP 503]";
        let check = |seconds: &str, hint: &str| {
            check(503, &[("retry-after", seconds)], "", what, hint);
        };
        check("5", "try again later");
        check(
            "5400",
            "the service asks clients to wait: try again in 1 h 30 min, 14:05 UTC",
        );
    }

    #[test]
    fn the_proxy_is_named_where_the_network_is_refused() {
        let words = "try another network, or turn off a VPN or proxy";
        assert!(blocked(None).ends_with(words));
        let hint = blocked(Some("proxy.example:3128"));
        assert!(hint.ends_with("; this request went through the proxy proxy.example:3128"));
        let body = r#"{"error":{"code":"unsupported_country_region_territory"}}"#;
        let head = FaultHead::read(403, |_| None);
        let mut fault = fault::from_response(&head, body.as_bytes(), NOW);
        fault.details.proxy = Some("proxy.example:3128".to_owned());
        assert!(super::failure_at(&fault, None, NOW).words().contains(&hint));
    }

    #[test]
    fn a_page_is_one_sentence() {
        let headers = [("server", "cloudflare"), ("cf-ray", "8d2df03dbbcd60fd-LHR")];
        check(
            403,
            &headers,
            "<!DOCTYPE html>\n<title>Attention Required! | Cloudflare</title>\n",
            "the service does not allow this: a web page from Cloudflare instead of an answer \
             (ray 8d2df03dbbcd60fd-LHR) [HTTP 403]",
            "your network or region may be blocked: try another network, or turn off a VPN or proxy",
        );
        check(
            502,
            &[],
            "<html>",
            "the service cannot answer right now: a web page instead of an answer [HTTP 502]",
            "check for a proxy, firewall or captive portal between you and the service",
        );
    }
}
