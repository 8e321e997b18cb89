//! All known errors, in every form of HTTP response.

use super::*;

const NOW: u64 = 1_795_178_100;

fn after(millis: u64) -> Retry {
    Retry::After(Duration::from_millis(millis))
}

pub(super) fn code_and_message(fault: &Fault) -> (&str, &str) {
    let texts = [&fault.code, &fault.message].map(|words| words.as_deref().unwrap_or_default());
    (texts[0], texts[1])
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Fault {
    from_response(&FaultHead::of(status, headers), body.as_bytes(), NOW)
}

#[track_caller]
fn check(status: u16, body: &str, cause: Cause, retry: Retry) -> Fault {
    let fault = answer(status, &[], body);
    assert_eq!(
        (fault.cause, fault.kind, fault.retry),
        (cause, cause.kind(), retry),
        "{status} {body}"
    );
    assert_eq!(fault.status, Some(status));
    fault
}

fn error(code: &str, message: &str) -> String {
    serde_json::json!({"error": {"message": message, "type": "x", "code": code}}).to_string()
}

#[test]
fn the_status_alone_gives_a_cause() {
    use Cause::{Broken, Credential, Denied, Moved, Place, Rate, Request, Size};
    for (status, cause) in [
        (302, Moved),
        (304, Moved),
        (400, Request),
        (401, Credential),
        (402, Denied),
        (403, Denied),
        (404, Place),
        (413, Size),
        (418, Request),
        (422, Request),
        (451, Request),
    ] {
        for body in ["", "words", r#"{"error":{"type":"invalid_request_error"}}"#] {
            check(status, body, cause, Retry::Never);
        }
    }
    for (status, cause) in [
        (408, Broken),
        (409, Broken),
        (429, Rate),
        (500, Broken),
        (502, Broken),
        (503, Broken),
        (529, Broken),
    ] {
        for body in ["", "words", r#"{"error":null}"#, "<html>"] {
            check(status, body, cause, Retry::Backoff);
        }
    }
}

#[test]
fn the_code_is_more_precise_than_the_status() {
    let never = |status: u16, code: &str, cause: Cause| {
        check(status, &error(code, "words"), cause, Retry::Never)
    };
    never(400, "model_not_found", Cause::Model);
    never(404, "model_not_found", Cause::Model);
    never(400, "invalid_api_key", Cause::Credential);
    never(401, "token_expired", Cause::Credential);
    never(403, "unsupported_country_region_territory", Cause::Country);
    never(402, "deactivated_workspace", Cause::Workspace);
    never(429, "usage_not_included", Cause::Plan);
    never(400, "cyber_policy", Cause::Policy);
    never(400, "misalignment_policy", Cause::Policy);
    never(400, "context_length_exceeded", Cause::Context);
    never(400, "invalid_base64_image", Cause::Image);
    never(400, "image_content_policy_violation", Cause::Image);
    never(400, "data_residency_mismatch", Cause::Residency);
    never(400, "unheard_of", Cause::Request);
    never(429, "context_length_exceeded", Cause::Context);
    // A temporary cause is not retried if the status says that the request is wrong.
    never(400, "server_is_overloaded", Cause::Capacity);
    never(403, "rate_limit_exceeded", Cause::Denied);
    for code in [
        "insufficient_quota",
        "quota_exceeded",
        "billing_hard_limit_reached",
        "credit_balance_exhausted",
        "organization_spend_limit_exceeded",
        "project_spend_limit_exceeded",
        "organization_usage_limit_exceeded",
    ] {
        for status in [402, 403, 429, 500] {
            never(status, code, Cause::Quota);
        }
    }
    let passes = |status: u16, code: &str, cause: Cause| {
        check(status, &error(code, "words"), cause, Retry::Backoff)
    };
    passes(429, "rate_limit_exceeded", Cause::Rate);
    passes(429, "slow_down", Cause::Capacity);
    passes(503, "slow_down", Cause::Capacity);
    passes(503, "server_is_overloaded", Cause::Capacity);
    passes(500, "invalid_api_key", Cause::Broken);
    passes(200, "server_error", Cause::Broken);
    passes(200, "rate_limit_exceeded", Cause::Rate);
}

#[test]
fn every_form_of_body_is_parsed() {
    let check = |body: &str, cause: Cause, code: &str, message: &str| {
        let fault = check(400, body, cause, Retry::Never);
        assert_eq!(code_and_message(&fault), (code, message), "{body}");
    };
    let request = Cause::Request;
    check(
        r#"{"detail":"Store must be set to false"}"#,
        request,
        "",
        "Store must be set to false",
    );
    check(
        r#"{"detail":{"code":"deactivated_workspace"}}"#,
        Cause::Workspace,
        "deactivated_workspace",
        "",
    );
    check(
        r#"{"detail":{"code":"x","message":"m"}}"#,
        request,
        "x",
        "m",
    );
    check(
        r#"{"detail":[{"loc":["body"],"msg":"field required"}]}"#,
        request,
        "",
        "body: field required",
    );
    let xai = r#"{"code":"invalid-argument","error":"Model not found: grok"}"#;
    check(
        xai,
        Cause::Model,
        "invalid-argument",
        "Model not found: grok",
    );
    let key = r#"{"error":"Incorrect API key provided. Look."}"#;
    check(
        key,
        Cause::Credential,
        "",
        "Incorrect API key provided. Look.",
    );
    check(r#"{"message":"m","code":"c"}"#, request, "c", "m");
    check(r#"{"error":{"message":"m","code":7}}"#, request, "", "m");
    check(r#""just words""#, request, "", "just words");
    check("[1]", request, "", "[1]");
    check("{", request, "", "{");
    check("too\r\n\u{1b}[1mbig\0", request, "", "too ^[[1mbig^@");
    for (message, cause) in [
        (
            "The 'gpt-5' model is not supported when using Codex with a ChatGPT account.",
            Cause::Model,
        ),
        (
            "The model `x` does not exist or you do not have access to it.",
            Cause::Model,
        ),
        (
            "The model needs more: it requires a newer version of Codex.",
            Cause::Version,
        ),
        (
            "The image data you provided does not represent a valid image.",
            Cause::Image,
        ),
        (
            "Your input exceeds the context window of this model.",
            Cause::Context,
        ),
        ("Your workspace has been deactivated.", Cause::Workspace),
        (
            "Country, region, or territory not supported",
            Cause::Country,
        ),
        ("He said: Model not found", request),
    ] {
        check(
            &serde_json::json!({ "detail": message }).to_string(),
            cause,
            "",
            message,
        );
    }
}

#[test]
fn a_rate_limit_is_retried_and_an_allowance_is_not() {
    let check = |message: &str, cause: Cause, retry: Retry| {
        check(429, &error("rate_limit_exceeded", message), cause, retry);
    };
    check("Please try again in 3.89s.", Cause::Rate, after(3890));
    check("slower", Cause::Rate, Retry::Backoff);
    check(
        "Request too large for x. Try again in 2s",
        Cause::Allowance,
        Retry::Never,
    );
    check(
        "You exceeded your current quota, please check",
        Cause::Quota,
        Retry::Never,
    );
}

#[test]
fn headers_control_the_retry() {
    let check = |status: u16, headers: &[(&str, &str)], retry: Retry| {
        let body = error("", "Try again in 9s");
        let fault = answer(status, headers, &body);
        assert_eq!(fault.retry, retry, "{status} {headers:?}");
    };
    check(429, &[], after(9000));
    check(429, &[("retry-after", "2")], after(2000));
    check(503, &[("retry-after", "0.25")], after(250));
    check(
        503,
        &[("retry-after-ms", "300"), ("retry-after", "2")],
        after(300),
    );
    check(
        503,
        &[("retry-after", "Fri, 20 Nov 2026 12:35:07 GMT")],
        after(7000),
    );
    check(503, &[("x-should-retry", "true")], after(9000));
    for status in [408, 409, 429, 500, 503] {
        check(status, &[("x-should-retry", "false")], Retry::Never);
    }
    // No header makes a wrong request retryable.
    for status in [302, 400, 401, 403, 404, 413, 422] {
        check(
            status,
            &[("x-should-retry", "true"), ("retry-after", "1")],
            Retry::Never,
        );
    }
}

#[test]
fn a_usage_limit_has_its_kind_and_reset_time() {
    let check =
        |headers: &[(&str, &str)], body: &str, cause: Cause, at: Option<u64>, plan: &str| {
            let fault = answer(429, headers, body);
            assert_eq!(
                (
                    fault.cause,
                    fault.resets_at,
                    fault.details.plan.as_deref().unwrap_or_default()
                ),
                (cause, at, plan),
                "{body}"
            );
            assert_eq!(
                (fault.kind, fault.retry),
                (FaultKind::UsageLimit, Retry::Never)
            );
        };
    let window = Cause::Window;
    for key in ["type", "code"] {
        let body = |more: &str| format!(r#"{{"error":{{"{key}":"usage_limit_reached"{more}}}}}"#);
        let both = r#","plan_type":"plus","resets_at":1795198800,"resets_in_seconds":60"#;
        check(&[], &body(both), window, Some(1_795_198_800), "plus");
        let older = r#","resets_in_seconds":3600.5"#;
        check(&[], &body(older), window, Some(NOW + 3600), "");
        for absurd in [
            "-1",
            "0",
            "1e300",
            "null",
            "\"soon\"",
            "18446744073709551615",
        ] {
            check(
                &[],
                &body(&format!(r#","resets_at":{absurd}"#)),
                window,
                None,
                "",
            );
        }
    }
    let used = [
        ("x-codex-plan-type", "team\u{7}"),
        ("x-codex-primary-used-percent", "100"),
        ("x-codex-primary-reset-after-seconds", "50"),
    ];
    let body = r#"{"error":{"type":"usage_limit_reached"}}"#;
    check(&used, body, window, Some(NOW + 50), "team^G");
    // The headers of an exhausted window suffice if the body does not name the limit.
    check(&used, "", window, Some(NOW + 50), "team^G");
    for (kind, cause) in [
        ("rate_limit_reached", window),
        ("workspace_owner_credits_depleted", Cause::OwnerCredits),
        ("workspace_member_credits_depleted", Cause::MemberCredits),
        ("workspace_owner_usage_limit_reached", Cause::OwnerLimit),
        ("workspace_member_usage_limit_reached", Cause::MemberLimit),
        ("something_new", window),
    ] {
        check(
            &[("x-codex-rate-limit-reached-type", kind)],
            body,
            cause,
            None,
            "",
        );
    }
    let both = r#"{"error":{"type":"usage_limit_reached","code":"rate_limit_exceeded"}}"#;
    check(&[], both, window, None, "");
}

#[test]
fn a_web_page_is_described() {
    let check = |status: u16, headers: &[(&str, &str)], body: &str, cause: Cause, words: &str| {
        let fault = answer(status, headers, body);
        assert_eq!(
            (fault.cause, fault.page, fault.reason().as_deref()),
            (cause, true, Some(words)),
            "{status} {body}"
        );
        // The service sent neither code nor message.
        assert_eq!(code_and_message(&fault), ("", ""), "{status} {body}");
    };
    let cloudflare = "<!DOCTYPE html>\n<title>Attention Required! | Cloudflare</title>\n";
    let ray = [("cf-ray", "8d2df03dbbcd60fd-LHR"), ("server", "cloudflare")];
    let from = "a web page from Cloudflare instead of an answer";
    check(403, &[], cloudflare, Cause::Blocked, from);
    check(
        403,
        &ray,
        "<html>",
        Cause::Blocked,
        &format!("{from} (ray 8d2df03dbbcd60fd-LHR)"),
    );
    let page = "a web page instead of an answer";
    check(503, &[], "\n <!doctype html>", Cause::Broken, page);
    check(200, &[], "\u{feff}<HTML>", Cause::Page, page);
    check(
        404,
        &[("cf-ray", "a\nb")],
        "<!-- x -->",
        Cause::Place,
        &format!("{page} (ray a b)"),
    );
}

#[test]
fn other_documents_are_not_answers() {
    check(200, "hello", Cause::Document, Retry::Never);
    check(200, r#"{"id":"resp_1"}"#, Cause::Document, Retry::Never);
    check(200, r#"{"detail":"no"}"#, Cause::Request, Retry::Never);
    let moved = answer(307, &[("location", "https://x/\u{1b}y")], "<html>");
    let reason = Some("it redirects to https://x/^[y");
    assert_eq!(moved.reason().as_deref(), reason);
}

#[test]
fn errors_in_headers_alone() {
    // {"error":{"code":"token_expired","message":"Ex\u001bpired."}}
    let json = "eyJlcnJvciI6eyJjb2RlIjoidG9rZW5fZXhwaXJlZCIsIm1lc3NhZ2UiOiJFeFx1MDAxYnBpcmVkLiJ9fQ";
    for padding in ["", "=="] {
        let headers = [
            ("x-error-json", &*format!("{json}{padding}")),
            ("x-openai-authorization-error", "bad\ttoken"),
            ("x-oai-request-id", "req_2"),
        ];
        let fault = answer(401, &headers, "");
        assert_eq!(code_and_message(&fault), ("token_expired", "Ex^[pired."));
        assert_eq!(fault.details.authorization.as_deref(), Some("bad token"));
        assert_eq!(fault.request_id.as_deref(), Some("req_2"));
        let both = answer(401, &headers, &error("invalid_api_key", "Who?"));
        assert_eq!(code_and_message(&both), ("invalid_api_key", "Who?"));
    }
    let fault = answer(401, &[("x-error-json", "!"), ("x-request-id", "")], "");
    assert_eq!((fault.reason(), &fault.request_id), (None, &None));
}

#[test]
fn text_is_truncated_and_leaves_no_part_of_a_secret() {
    let check = |message: String, expected: &str| {
        let fault = answer(
            400,
            &[],
            &serde_json::json!({ "detail": message }).to_string(),
        );
        assert_eq!(fault.message.as_deref(), Some(expected));
    };
    let secret = "sk-invented-0123456789";
    let before = format!("{} end", "x".repeat(980));
    check(
        format!("{before} {secret} {secret}"),
        &format!("{before} ..."),
    );
    check("x".repeat(2000), "...");
    check("é".repeat(2000), &format!("{} ...", "é".repeat(500)));
    let long = "p ".repeat(500);
    let headers = [("x-request-id", &*long), ("cf-ray", &*long)];
    let mut fault = answer(429, &headers, &error(&long, &long));
    assert!(fault.words().all(|words| words.len() <= 1004));
}
