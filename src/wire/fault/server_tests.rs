//! Errors of region-bound workspaces and of other servers, in their wording.

use super::*;

fn check(status: u16, body: &str, cause: Cause, message: &str) {
    let head = FaultHead::of(status, &[]);
    let fault = from_response(&head, body.as_bytes(), 0);
    let found = (fault.cause, fault.retry, fault.message.as_deref());
    assert_eq!(
        found,
        (cause, Retry::Never, Some(message)),
        "{status} {body}"
    );
    assert_eq!(fault.kind, cause.kind());
}

#[test]
fn a_region_error_is_not_a_credential_error() {
    let region = |status: u16, words: &str| {
        for body in [
            serde_json::json!({ "detail": words }),
            serde_json::json!({"error": {"message": words}}),
        ] {
            check(status, &body.to_string(), Cause::Region, words);
        }
    };
    let words = "Workspace is not authorized in this region.";
    for status in [400, 401, 403, 432] {
        region(status, words);
    }
    region(401, "This account cannot be used from your geography.");
    region(432, "Workspace routing is unavailable");
    assert_eq!(Cause::Region.kind(), FaultKind::Forbidden);
    let words = "requested model snapshot is not available for your project's geography";
    let body = serde_json::json!({"error": {"message": words, "code": "invalid_request"}});
    check(400, &body.to_string(), Cause::Residency, words);
    let words = "attempted to access resource with incorrect regional hostname";
    let body = serde_json::json!({"error": {"message": words, "code": "incorrect_hostname"}});
    check(401, &body.to_string(), Cause::Residency, words);
    assert_eq!(Cause::Residency.kind(), FaultKind::Forbidden);
    for other in ["Token expired.", "Your registration ended."] {
        let body = serde_json::json!({ "detail": other });
        check(401, &body.to_string(), Cause::Credential, other);
    }
}

#[test]
fn a_long_context_is_recognized_in_every_servers_wording() {
    let check = |status: u16, error: serde_json::Value| {
        let message = error["message"].as_str().or(error.as_str());
        let message = message.expect("words").to_owned();
        let body = serde_json::json!({ "error": error });
        check(status, &body.to_string(), Cause::Context, &message);
        if status == 400 {
            let event = serde_json::json!({"type": "error", "error": {"message": message}});
            let fault = from_event(event.to_string().as_bytes());
            assert_eq!((fault.cause, fault.retry), (Cause::Context, Retry::Never));
        }
    };
    let server = |status: u16, words: &str| {
        check(
            status,
            serde_json::json!({"code": status, "message": words, "type": "server_error"}),
        );
    };
    // LM Studio
    check(400, "Trying to keep the first 10136 tokens when context the overflows. However, the model is loaded with context length of only 7866 tokens, which is not enough. Try to load the model with a larger context length, or provide a shorter input".into());
    check(400, "The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 13055>= n_ctx: 4096).".into());
    check(
        400,
        "Reached context length of 4096 tokens with this model".into(),
    );
    // llama.cpp
    check(
        400,
        serde_json::json!({"code": 400, "message": "request (4390 tokens) exceeds the available context size (4096 tokens), try increasing it", "type": "exceed_context_size_error", "n_ctx": 4096}),
    );
    check(
        500,
        serde_json::json!({"code": 500, "message": "too much", "type": "exceed_context_size_error"}),
    );
    server(500, "Context size has been exceeded.");
    server(
        500,
        "the request exceeds the available context size. try increasing the context size",
    );
    check(
        400,
        "Requested tokens (2285) exceed context window of 2048".into(),
    );
    // Ollama
    check(400, "the input length exceeds the context length".into());
    check(
        400,
        "prompt too long; exceeded max context length by 42 tokens".into(),
    );
    check(500, "input exceeds context length".into());
    // vLLM
    for words in [
        "This model's maximum context length is 16384 tokens. However, you requested 122946 tokens",
        "You passed 5000 input tokens and requested 100 output tokens. However, the model's context length is only 4096 tokens",
        "The decoder prompt (length 5000) is longer than the maximum model length of 4096.",
        "The prompt (total length 25938) is too long to fit into the model (context length 4096).",
        "'max_tokens' is too large: 4096. This model's maximum context length is 4096 tokens and your request has 50 input tokens",
    ] {
        check(
            400,
            serde_json::json!({"message": words, "type": "BadRequestError", "code": 400}),
        );
    }
}

#[test]
fn mentioning_a_context_is_not_enough() {
    for words in [
        "The context is invalid.",
        "Set the context length.",
        "The answer is too long.",
    ] {
        let body = serde_json::json!({"error": {"message": words}});
        check(400, &body.to_string(), Cause::Request, words);
    }
}

#[test]
fn an_invalid_field_is_named_with_its_location() {
    let body = r#"{"detail":[{"type":"missing","loc":["body","input",0,"content"],"msg":"Field required","input":{}},
        {"type":"int","loc":["body","n"],"msg":"Input should be a valid integer"},{"msg":"Odd"},{"loc":["x"],"msg":"four"}]}"#;
    let message =
        "body.input.0.content: Field required; body.n: Input should be a valid integer; Odd";
    check(422, body, Cause::Request, message);
    check(
        422,
        r#"{"detail":[{"loc":[],"msg":"Bad"}]}"#,
        Cause::Request,
        "Bad",
    );
}
