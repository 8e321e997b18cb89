//! The table of refusals: for each row the exit code, the message, and that the request is made only once, since a retry
//! cannot help. Refusals that are retried are in `fault_delays`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::home::{CommandOutput, Home, KEY};
use crate::standin::{Reply, Server, now_unix};

/// The reply: a status, headers and a body; or, with 200 and no headers, an event inside a stream.
pub(crate) type Said<'a> = (u16, &'a [(&'a str, &'a str)], &'a str);

pub(crate) fn reply((status, headers, body): Said<'_>) -> Reply {
    if status == 200 && headers.is_empty() {
        return Reply::sse(format!("data: {body}\n\n"));
    }
    Reply::status(status, headers, body)
}

/// Sends one request. There is no reply for a second one, which would show in the message.
pub(crate) fn ask<const N: usize>(reply: Reply, flags: [&str; N]) -> CommandOutput {
    let server = Server::start([reply]);
    let home = Home::with_key();
    let cmd = home.codex(&server).args(["run", "--no-tools", "x"]);
    let ran = cmd.args(flags).run();
    assert_eq!(server.requests().len(), 1, "{}", ran.stderr);
    ran
}

/// A fault that a retry does not change: one request, with the default number of retries.
#[track_caller]
fn check(said: Said<'_>, code: i32, what: &str, hint: &str) {
    let ran = ask(reply(said), []);
    ran.exits(code).stdout("");
    let status = said.0;
    ran.says(&format!(
        "codex: {what} [HTTP {status}, request req_standin_1]\n"
    ));
    ran.says(&format!("codex: hint: {hint}"));
    assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
}

const REQUEST: &str = "the service could not complete this request";
const DENIED: &str = "the service does not allow this";

fn error(code: &str) -> String {
    json!({"error": {"message": "Words.", "code": code, "type": "x", "param": null}}).to_string()
}

#[test]
fn invalid_requests() {
    let check = |status: u16, body: &str, why: &str, hint: &str| {
        check((status, &[], body), 1, &format!("{REQUEST}: {why}"), hint);
    };
    let change = "change the request";
    check(
        400,
        r#"{"detail":"Store must be set to false"}"#,
        "Store must be set to false",
        change,
    );
    check(
        422,
        r#"{"detail":[{"msg":"field required"}]}"#,
        "field required",
        change,
    );
    check(413, "", "no reason given", "the request is too large");
    check(
        404,
        r#"{"detail":"Not Found"}"#,
        "Not Found",
        "check the address: ",
    );
    check(
        400,
        &error("context_length_exceeded"),
        "Words. (context_length_exceeded)",
        "the input is longer than",
    );
    check(
        400,
        &error("cyber_policy"),
        "Words. (cyber_policy)",
        "the service's policy does not allow it",
    );
    check(
        400,
        &error("invalid_image_format"),
        "Words. (invalid_image_format)",
        "use a different image",
    );
    check(
        429,
        &error("bio_policy"),
        "Words. (bio_policy)",
        "the service's policy",
    );
    let large = json!({"error": {"message": "Request too large for x. Try again in 1s.", "type": "tokens",
        "code": "rate_limit_exceeded"}});
    check(
        429,
        &large.to_string(),
        "Request too large for x. Try again in 1s. (rate_limit_exceeded)",
        "this request alone exceeds the account's rate limit",
    );
}

#[test]
fn forbidden_requests() {
    let check = |status: u16, body: &str, why: &str, hint: &str| {
        check((status, &[], body), 5, &format!("{DENIED}: {why}"), hint);
    };
    let model = "check the model's name";
    check(
        404,
        &error("model_not_found"),
        "Words. (model_not_found)",
        model,
    );
    check(
        404,
        r#"{"detail":"Model not found x"}"#,
        "Model not found x",
        model,
    );
    let plan = "The 'x' model is not supported when using Codex with a ChatGPT account.";
    check(400, &json!({ "detail": plan }).to_string(), plan, model);
    check(
        402,
        r#"{"detail":{"code":"deactivated_workspace"}}"#,
        "deactivated_workspace",
        "the workspace is",
    );
    check(
        403,
        "",
        "no reason given",
        "use another model (-m) or another account",
    );
    let country = "unsupported_country_region_territory";
    check(
        403,
        &error(country),
        &format!("Words. ({country})"),
        "your network or region may be blocked",
    );
    let not_included = r#"{"error":{"type":"usage_not_included","message":"No."}}"#;
    check(
        429,
        not_included,
        "No. (usage_not_included)",
        "the plan does not include this",
    );
}

#[test]
fn refused_credentials() {
    let what = "the service refused the credential from OPENAI_API_KEY";
    let check = |status: u16, body: &str, why: &str| {
        check(
            (status, &[], body),
            4,
            &format!("{what}: {why}"),
            "check OPENAI_API_KEY: the key may be mistyped, revoked",
        );
    };
    check(401, "", "no reason given");
    check(401, &error("token_expired"), "Words. (token_expired)");
    check(400, &error("invalid_api_key"), "Words. (invalid_api_key)");
    check(
        400,
        r#"{"code":"x","error":"Incorrect API key provided."}"#,
        "Incorrect API key provided. (x)",
    );
}

#[test]
fn exhausted_limits() {
    let at = now_unix() + 5400;
    let left = "it resets in 1 h 30 min, ";
    let time = format!(
        "{:02}:{:02} UTC; --wait-for-reset waits until then",
        at % 86_400 / 3600,
        at % 3600 / 60
    );
    let why = "The usage limit has been reached (usage_limit_reached)";
    let limit = |key: &str, more: Value| {
        let mut error =
            json!({key: "usage_limit_reached", "message": "The usage limit has been reached"});
        error
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().cloned().unwrap_or_default());
        json!({"type": "error", "error": error}).to_string()
    };
    let window = [
        ("x-codex-plan-type", "plus"),
        ("x-codex-primary-used-percent", "100"),
        ("x-codex-primary-reset-at", &*at.to_string()),
    ];
    let body = json!({"plan_type": "plus", "resets_at": at, "resets_in_seconds": 1});
    let older = json!({"plan_type": "plus", "resets_in_seconds": 5400});
    for (said, plan) in [
        (
            (429, &[][..], &*limit("type", body.clone())),
            " of the plus plan",
        ),
        (
            (429, &[], &limit("code", body.clone())),
            " of the plus plan",
        ),
        (
            (429, &[], &limit("type", older.clone())),
            " of the plus plan",
        ),
        (
            (429, &window, &limit("type", Value::Null)),
            " of the plus plan",
        ),
        ((429, &window[1..], &limit("type", Value::Null)), ""),
        ((200, &[], &limit("type", body)), " of the plus plan"),
        ((200, &[], &limit("code", older)), " of the plus plan"),
    ] {
        let ran = ask(reply(said), []);
        ran.exits(6).stdout("");
        let status = said.0;
        ran.says(&format!("codex: the usage limit{plan} has been reached: {why} [HTTP {status}, request req_standin_1]\n"));
        ran.says(left);
        // The older form counts from when it is read, and a minute may have begun since then.
        if !said.2.contains(":5400") {
            ran.says(&time);
        }
    }
    for (kind, what, hint) in [
        (
            "workspace_owner_credits_depleted",
            "the workspace has no credits left",
            "add credits",
        ),
        (
            "workspace_member_credits_depleted",
            "the workspace has no credits left",
            "ask the workspace's owner",
        ),
        (
            "workspace_owner_usage_limit_reached",
            "the usage limit of the workspace has been reached",
            "wait for",
        ),
    ] {
        let headers = [("x-codex-rate-limit-reached-type", kind)];
        check(
            (429, &headers, &limit("type", Value::Null)),
            6,
            &format!("{what}: {why}"),
            hint,
        );
    }
    for code in [
        "insufficient_quota",
        "credit_balance_exhausted",
        "project_spend_limit_exceeded",
    ] {
        let what = format!("the account's quota is used up: Words. ({code})");
        check(
            (429, &[("retry-after", "1")], &error(code)),
            6,
            &what,
            "check the account's billing",
        );
    }
}

#[test]
fn pages_and_other_bodies_that_are_not_an_answer() {
    let page = "a web page instead of an answer";
    let html = [("content-type", "text/html")];
    let ray = [("server", "cloudflare"), ("cf-ray", "8d2df03dbbcd60fd-LHR")];
    let cloudflare = "a web page from Cloudflare instead of an answer (ray 8d2df03dbbcd60fd-LHR)";
    check(
        (
            403,
            &ray,
            "<!DOCTYPE html>\n<title>Attention Required!</title>",
        ),
        5,
        &format!("{DENIED}: {cloudflare}"),
        "your network or region may be blocked",
    );
    let between = "check for a proxy, firewall or captive portal between you and the service";
    let now = "the service cannot answer right now";
    check(
        (200, &html, "<!doctype html><p>Please sign in"),
        7,
        &format!("{now}: {page}"),
        between,
    );
    let moved = [("location", "https://elsewhere.example/")];
    check(
        (302, &moved, "<html>"),
        7,
        &format!("{now}: it redirects to https://elsewhere.example/"),
        "redirects",
    );
    let json = [("content-type", "application/json")];
    check(
        (200, &json, r#"{"id":"resp_1"}"#),
        1,
        &format!("{REQUEST}: {{\"id\":\"resp_1\"}}"),
        "something else may",
    );
    check(
        (200, &json, &error("cyber_policy")),
        1,
        &format!("{REQUEST}: Words. (cyber_policy)"),
        "the service's",
    );
}

#[test]
fn errors_inside_a_stream() {
    for (code, exit, hint) in [
        ("context_length_exceeded", 1, "the input is longer than"),
        ("insufficient_quota", 6, "check the account's billing"),
        ("usage_not_included", 5, "the plan does not include this"),
        ("cyber_policy", 1, "the service's policy"),
        ("bio_policy", 1, "the service's policy"),
        ("invalid_prompt", 1, "change the request"),
        ("data_residency_mismatch", 5, "the project is bound to"),
        ("invalid_image", 1, "use a different image"),
        ("failed_to_download_image", 1, "use a different image"),
        ("image_content_policy_violation", 1, "use a different image"),
        ("usage_limit_reached", 6, "wait for the plan's next window"),
    ] {
        let error = json!({"code": code, "message": "Words."});
        for event in [
            json!({"type": "error", "error": error}),
            json!({"type": "error", "code": code, "message": "Words."}),
            json!({"type": "response.failed", "response": {"status": "failed", "error": error}}),
        ] {
            let ran = ask(reply((200, &[], &event.to_string())), []);
            ran.exits(exit).stdout("");
            ran.says(&format!(
                ": Words. ({code}) [HTTP 200, request req_standin_1]\n"
            ));
            ran.says(&format!("codex: hint: {hint}"));
        }
    }
}

#[test]
fn echoed_text_shows_no_secret_and_no_control_characters() {
    let said = format!("{KEY} a\u{1b}[2J\u{7}");
    let json = json!({"error": {"code": said, "message": said, "plan_type": said, "type": "usage_limit_reached"}});
    let in_base64 = STANDARD.encode(json.to_string());
    let headers = [
        ("x-request-id", KEY),
        ("cf-ray", KEY),
        ("x-openai-authorization-error", KEY),
        ("x-codex-plan-type", KEY),
        ("x-codex-limit-name", KEY),
        ("x-codex-active-limit", KEY),
        ("x-error-json", &*in_base64),
        ("location", KEY),
    ];
    for status in [302, 400, 401, 403, 429] {
        for body in [
            json.to_string(),
            String::new(),
            "<html>".to_owned(),
            said.clone(),
        ] {
            // `exits` checks for the secret.
            let ran = ask(Reply::status(status, &headers, body), ["--retries", "0"]);
            ran.exits(ran.status.code().unwrap_or_default()).stdout("");
            assert_no_controls(&ran);
        }
    }
    let long = "y".repeat(980);
    let event = json!({"type": "error", "error": {"code": KEY, "message": format!("{long} {KEY} {KEY}"),
        "plan_type": KEY, "type": "usage_limit_reached"}, "headers": {"X-Codex-Limit-Name": KEY}});
    let ran = ask(reply((200, &[], &event.to_string())), []);
    ran.exits(6)
        .says("the usage limit of the *** plan for *** has been reached");
    assert!(!ran.stderr.contains("sk-"), "{}", ran.stderr);
}

pub(crate) fn assert_no_controls(ran: &CommandOutput) {
    let control = |c: char| c.is_control() && c != '\n';
    assert!(!ran.stderr.contains(control), "{:?}", ran.stderr);
}
