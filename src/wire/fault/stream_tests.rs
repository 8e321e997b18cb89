//! Errors inside a stream.

use super::*;

const NOW: u64 = 1_795_178_100;

fn after(millis: u64) -> Retry {
    Retry::After(Duration::from_millis(millis))
}

#[test]
fn errors_inside_a_stream_are_classified_by_code() {
    let check = |code: &str, cause: Cause, retry: Retry| {
        let message = "Something. Try again in 1.5s.";
        let flat = serde_json::json!({"type": "error", "code": code, "message": message});
        let response =
            serde_json::json!({"status": "failed", "error": {"code": code, "message": message}});
        let nested = serde_json::json!({"type": "error", "error": {"type": "invalid_request", "code": code, "message": message}});
        for fault in [
            from_event(flat.to_string().as_bytes()),
            from_response_object(&response.to_string()),
            from_event(nested.to_string().as_bytes()),
        ] {
            let cause = match cause {
                Cause::Unknown if fault.cause == Cause::Request => continue,
                cause => cause,
            };
            assert_eq!(
                (fault.cause, fault.kind, fault.retry),
                (cause, cause.kind(), retry),
                "{code}"
            );
            assert_eq!(super::tests::code_and_message(&fault), (code, message));
        }
    };
    check("rate_limit_exceeded", Cause::Rate, after(1500));
    check("server_error", Cause::Broken, after(1500));
    check("slow_down", Cause::Capacity, after(1500));
    check("server_is_overloaded", Cause::Capacity, after(1500));
    check("vector_store_timeout", Cause::Unknown, after(1500));
    for (code, cause) in [
        ("context_length_exceeded", Cause::Context),
        ("insufficient_quota", Cause::Quota),
        ("usage_limit_reached", Cause::Window),
        ("usage_not_included", Cause::Plan),
        ("cyber_policy", Cause::Policy),
        ("bio_policy", Cause::Policy),
        ("invalid_prompt", Cause::Request),
        ("data_residency_mismatch", Cause::Residency),
        ("invalid_api_key", Cause::Credential),
        ("invalid_image", Cause::Image),
        ("invalid_image_format", Cause::Image),
        ("invalid_base64_image", Cause::Image),
        ("invalid_image_url", Cause::Image),
        ("image_too_large", Cause::Image),
        ("image_too_small", Cause::Image),
        ("image_parse_error", Cause::Image),
        ("image_content_policy_violation", Cause::Image),
        ("invalid_image_mode", Cause::Image),
        ("image_file_too_large", Cause::Image),
        ("unsupported_image_media_type", Cause::Image),
        ("empty_image_file", Cause::Image),
        ("failed_to_download_image", Cause::Image),
        ("image_file_not_found", Cause::Image),
    ] {
        check(code, cause, Retry::Never);
    }
}

#[test]
fn errors_inside_a_stream_have_optional_fields() {
    let check = |event: &str, cause: Cause, retry: Retry| {
        let fault = from_event(event.as_bytes());
        assert_eq!((fault.cause, fault.retry), (cause, retry), "{event}");
    };
    check("null", Cause::Unknown, Retry::Backoff);
    check("{}", Cause::Unknown, Retry::Backoff);
    check(r#"{"error":"words"}"#, Cause::Unknown, Retry::Backoff);
    check(
        r#"{"error":{"type":"invalid_request_error","message":"no"}}"#,
        Cause::Request,
        Retry::Never,
    );
    for (status, cause, retry) in [
        (400, Cause::Request, Retry::Never),
        (401, Cause::Credential, Retry::Never),
        (403, Cause::Denied, Retry::Never),
        (429, Cause::Rate, after(500)),
        (503, Cause::Broken, after(500)),
    ] {
        for key in ["status", "status_code"] {
            let event = format!(
                r#"{{"type":"error","{key}":{status},"error":{{"message":"x"}},"headers":{{"Retry-After-Ms":500}}}}"#
            );
            check(&event, cause, retry);
        }
    }
    let event = r#"{"type":"error","status_code":429,"error":{"type":"usage_limit_reached","resets_in_seconds":60},
        "headers":{"X-Codex-Plan-Type":"plus","X-Codex-Rate-Limit-Reached-Type":"workspace_owner_credits_depleted"}}"#;
    let mut fault = from_event(event.as_bytes());
    assert_eq!(
        (fault.cause, fault.resets_at),
        (Cause::OwnerCredits, None),
        "the time is unknown"
    );
    fault.set_head(&FaultHead::of(200, &[("x-request-id", "req_1")]), NOW);
    assert_eq!(
        (fault.status, fault.request_id.as_deref(), fault.resets_at),
        (Some(200), Some("req_1"), Some(NOW + 60))
    );
    assert_eq!(fault.details.plan.as_deref(), Some("plus"));

    let mut fault = from_event(br#"{"error":{"code":"usage_limit_reached"}}"#);
    let head = [
        ("x-codex-plan-type", "pro"),
        ("x-codex-secondary-used-percent", "100"),
        ("x-codex-secondary-reset-at", "1795198800"),
    ];
    fault.set_head(&FaultHead::of(200, &head), NOW);
    assert_eq!(
        (fault.resets_at, fault.details.plan.as_deref()),
        (Some(1_795_198_800), Some("pro"))
    );
}
