//! Whole sign-ins, as a browser, a program and a device go through them.

use serde_json::{Value, json};

use super::super::book::{challenge, random};
use super::super::form::{Fields, encode};
use super::super::{CLIENT_ID, Decision};
use super::{FORM, Got, JSON, ask, server, text, usage};
use crate::standin::Server;

const CALLBACK: &str = "http://127.0.0.1:1455/auth/callback";

const BROWSER: &str = "accept: text/html,*/*\r\nuser-agent: Mozilla/5.0\r\n";

fn authorize(verifier: &str) -> Vec<(&'static str, String)> {
    [
        ("response_type", "code"),
        ("client_id", CLIENT_ID),
        ("redirect_uri", CALLBACK),
        ("scope", "openid profile email offline_access"),
        ("code_challenge", &challenge(verifier)),
        ("code_challenge_method", "S256"),
        ("state", "st&te +1"),
        ("originator", "<test>"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .to_vec()
}

fn begin(server: &Server, pairs: &[(&str, String)], headers: &str) -> Got {
    let pairs: Vec<(&str, &str)> = pairs.iter().map(|(n, v)| (*n, &**v)).collect();
    let what = format!("GET /oauth/authorize?{}", encode(&pairs));
    ask(server, &what, headers, "")
}

/// The request that arrived at the callback.
fn came_back(location: &str) -> Fields {
    assert!(location.starts_with(&format!("{CALLBACK}?")), "{location}");
    Fields::query(location).expect("it is well-formed")
}

fn code(server: &Server, verifier: &str) -> String {
    let got = begin(server, &authorize(verifier), "");
    assert_eq!(got.status, 302, "{}", got.text);
    let fields = came_back(&got.location());
    assert_eq!(fields.get("state"), Some("st&te +1"));
    fields.need("code").expect("a code").to_owned()
}

fn exchange(server: &Server, code: &str, verifier: &str, redirect_uri: &str) -> Got {
    let body = encode(&[
        ("grant_type", "authorization_code"),
        ("client_id", CLIENT_ID),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", verifier),
    ]);
    ask(server, "POST /oauth/token", FORM, &body)
}

#[test]
fn a_sign_in_returns_tokens_that_the_backends_accept() {
    let server = server();
    server.issuer().account("acct-7");
    let verifier = random(64);
    let code = code(&server, &verifier);
    let got = exchange(&server, &code, &verifier, CALLBACK).json();
    let (access, refreshed) = (text(&got["access_token"]), text(&got["refresh_token"]));
    assert!(refreshed.starts_with("rt_"));
    assert_eq!(
        (&got["expires_in"], &got["token_type"]),
        (&json!(864_000), &json!("bearer"))
    );
    let claims = crate::standin::token::claims(text(&got["id_token"])).expect("claims");
    assert_eq!(claims["email"], "ada@example.com");

    let used = usage(&server, access, "acct-7").json();
    assert_eq!(used["plan_type"], "plus");
    assert_eq!(
        used["rate_limit"]["primary_window"]["limit_window_seconds"],
        18_000
    );
    usage(&server, access, "acct-8").refused(401, "token_invalidated");
    let headers = format!("authorization: Bearer {access}\r\nchatgpt-account-id: acct-7\r\n");
    let accounts = ask(
        &server,
        "GET /backend-api/wham/accounts/check",
        &headers,
        "",
    );
    assert_eq!(accounts.json()["default_account_id"], "acct-7");

    exchange(&server, &code, &verifier, CALLBACK).refused(400, "invalid_grant");
    assert_eq!(
        (server.issuer().exchanges(), server.issuer().exchanged()),
        (2, 1)
    );
    let log = server.log();
    for secret in [&*verifier, &*code, access, refreshed] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn a_code_requires_its_verifier_and_redirect_uri() {
    let server = server();
    let verifier = random(64);
    for (verifier_sent, uri) in [
        (&*random(64), CALLBACK),
        (&verifier, "http://localhost:1455/auth/callback"),
        (&verifier, "http://127.0.0.1:1455/auth/callback/"),
    ] {
        let code = code(&server, &verifier);
        exchange(&server, &code, verifier_sent, uri).refused(400, "invalid_grant");
        exchange(&server, &code, &verifier, CALLBACK).refused(400, "invalid_grant");
    }
    exchange(&server, "ac_x", "short", CALLBACK).refused(400, "invalid_request");
    let body = json!({"grant_type": "authorization_code"}).to_string();
    ask(&server, "POST /oauth/token", JSON, &body).refused(400, "invalid_request");
}

#[test]
fn an_invalid_authorization_request_is_explained() {
    let server = server();
    for (name, value) in [
        ("response_type", "token"),
        ("client_id", "app_other"),
        ("redirect_uri", "http://127.0.0.1:1456/auth/callback"),
        ("redirect_uri", "https://127.0.0.1:1455/auth/callback"),
        ("state", ""),
        ("code_challenge", "abc"),
        ("code_challenge_method", "plain"),
        ("scope", "openid"),
        ("scope", "offline_access"),
    ] {
        let mut pairs = authorize("v");
        let pair = pairs.iter_mut().find(|(n, _)| *n == name);
        value.clone_into(&mut pair.expect("it is there").1);
        let got = begin(&server, &pairs, "");
        got.refused(400, "invalid_request");
        assert!(
            text(&got.json()["error_description"]).contains(name),
            "{}",
            got.text
        );
        pairs.retain(|(n, _)| *n != name);
        let page = begin(&server, &pairs, BROWSER);
        assert_eq!(page.status, 400);
        assert!(
            page.body().contains(&format!("{name} is missing")),
            "{}",
            page.text
        );
    }
}

#[test]
fn people_get_a_page_and_programs_are_redirected() {
    let server = server();
    let page = begin(&server, &authorize("v"), BROWSER);
    assert_eq!(page.status, 200);
    assert!(page.text.contains("text/html") && page.body().contains("&lt;test&gt;"));
    let link = |id: &str| {
        let start = format!("<a id=\"{id}\" href=\"");
        let (_, rest) = page.body().split_once(&start).expect("a link");
        let (href, _) = rest.split_once('"').expect("its end");
        came_back(&href.replace("&amp;", "&"))
    };
    assert_eq!(link("allow").get("state"), Some("st&te +1"));
    assert!(link("allow").get("code").is_some());
    assert_eq!(link("deny").get("error"), Some("access_denied"));
    assert_eq!(
        link("deny").get("error_description"),
        Some("The person said no.")
    );
    assert_eq!(link("deny").get("state"), Some("st&te +1"));
    assert_ne!(link("tamper").get("state"), Some("st&te +1"));

    server.issuer().decide(Decision::Deny);
    let denied = begin(&server, &authorize("v"), "").location();
    assert!(denied.contains("?error=access_denied&error_description=The+person+said+no.&state="));
    server.issuer().decide(Decision::Tamper);
    let tampered = came_back(&begin(&server, &authorize("v"), "").location());
    assert_ne!(tampered.get("state"), Some("st&te +1"));
}

#[test]
fn a_device_signs_in_once_its_code_is_entered() {
    let server = server();
    let issuer = server.issuer();
    issuer.interval(1);
    let begin = || {
        let body = json!({"client_id": CLIENT_ID}).to_string();
        let what = "POST /api/accounts/deviceauth/usercode";
        ask(&server, what, JSON, &body).json()
    };
    let poll = |device: &Value| {
        let body = json!({"device_auth_id": device["device_auth_id"],
            "user_code": device["user_code"]});
        let what = "POST /api/accounts/deviceauth/token";
        ask(&server, what, JSON, &body.to_string())
    };
    let device = begin();
    assert_eq!(device["interval"], "1");
    let user_code = text(&device["user_code"]);
    assert_eq!(issuer.user_codes(), [user_code]);
    poll(&device).refused(403, "deviceauth_authorization_pending");
    issuer.slow_down(1);
    poll(&device).refused(400, "slow_down");

    let page = ask(&server, "GET /codex/device?user_code=AB%22", BROWSER, "");
    assert!(page.body().contains("value=\"AB&quot;\""));
    let enter = |user_code: &str, answer: &str| {
        let body = encode(&[("user_code", user_code), ("answer", answer)]);
        ask(&server, "POST /codex/device", FORM, &body)
    };
    assert_eq!(enter("ABCD-XXXXX", "allow").status, 400);
    assert_eq!(enter(&user_code.to_lowercase(), "allow").status, 200);
    let got = poll(&device).json();
    let verifier = text(&got["code_verifier"]);
    assert_eq!(challenge(verifier), text(&got["code_challenge"]));
    let callback = format!("{}/deviceauth/callback", server.url());
    let code = text(&got["authorization_code"]);
    assert_eq!(exchange(&server, code, verifier, &callback).status, 200);

    let (second, third, fourth) = (begin(), begin(), begin());
    enter(text(&second["user_code"]), "deny");
    poll(&second).refused(400, "access_denied");
    assert!(issuer.expire(text(&third["user_code"])));
    poll(&third).refused(403, "deviceauth_expired");
    issuer.approve_devices();
    poll(&fourth).refused(403, "deviceauth_authorization_pending");
    assert_eq!(poll(&fourth).status, 200);
    issuer.device_disabled();
    let what = "POST /api/accounts/deviceauth/usercode";
    assert_eq!(ask(&server, what, JSON, "{}").status, 404);
    assert!(!server.log().contains(user_code), "{}", server.log());
}
