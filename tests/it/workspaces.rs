//! Workspaces restricted to a region, to `FedRAMP` or to a routing: the headers of requests, and how refusals are reported.

use std::fs;

use serde_json::json;

use crate::home::{Cmd, Home};
use crate::standin::{Bounds, Reply, Script, Server};

const REGION: &str = "Workspace is not authorized in this region.";

fn ask(home: &Home, server: &Server) -> Cmd {
    home.codex(server).args(["run", "--no-tools", "hi"])
}

/// Number of requests to this path.
fn asked(server: &Server, path: &str) -> usize {
    let requests = server.requests();
    requests
        .iter()
        .filter(|request| request.bare_path() == path)
        .count()
}

fn in_us() -> Bounds {
    Bounds {
        residency: Some("us".to_owned()),
        ..Bounds::default()
    }
}

#[test]
fn requests_of_a_restricted_workspace_carry_its_headers() {
    let server = Server::start(vec![Reply::text("ok"); 3]);
    server.issuer().bind(in_us());
    let (home, _) = Home::signed_in(&server);
    ask(&home, &server).run().exits(0).stdout("ok\n").stderr("");
    home.codex(&server).args(["models"]).run().exits(0);
    for request in server.requests().iter().chain(&server.lists()) {
        let sent = request.header("x-openai-internal-codex-residency");
        assert_eq!(sent, Some("us"), "{}", request.path);
        assert_eq!(request.header("x-openai-fedramp"), None);
    }
    assert!(!server.lists().is_empty());
    let shown = ask(&home, &server).args(["--dry-run"]).run();
    shown.exits(0);
    assert!(
        shown
            .text()
            .contains(r#""x-openai-internal-codex-residency": "us""#)
    );

    server.issuer().bind(Bounds {
        residency: Some("no_constraint".to_owned()),
        ..Bounds::default()
    });
    let (free, _) = Home::signed_in(&server);
    ask(&free, &server).run().exits(0);
    let request = server.requests().pop().expect("a request");
    assert_eq!(request.header("x-openai-internal-codex-residency"), None);
    let key = Home::with_key();
    ask(&key, &server).run().exits(0);
    let request = server.requests().pop().expect("a request");
    assert_eq!(request.header("x-openai-internal-codex-residency"), None);
}

#[test]
fn the_fedramp_claim_is_kept_across_renewals() {
    let server = Server::start(vec![Reply::text("ok"); 2]);
    server.issuer().interval(1);
    server.issuer().approve_devices();
    server.issuer().bind(Bounds {
        fedramp: true,
        ..in_us()
    });
    // Soon to be renewed.
    server.issuer().lifetime(200);
    let home = Home::new();
    home.codex(&server)
        .args(["login", "--device-auth"])
        .run()
        .exits(0);
    let entry = &home.auth_json()["openai-codex"];
    assert_eq!(
        entry["fedramp"], true,
        "our file has no place for the id token"
    );
    assert_eq!(
        entry.get("residency"),
        None,
        "the access token says it itself"
    );
    server.issuer().omit_id_token();
    ask(&home, &server).run().exits(0).stdout("ok\n");
    assert_eq!(server.issuer().refreshed(), 1);
    assert_eq!(home.auth_json()["openai-codex"]["fedramp"], true);
    let request = server.requests().pop().expect("a request");
    assert_eq!(request.header("x-openai-fedramp"), Some("true"));
    ask(&home, &server).run().exits(0);
}

#[test]
fn a_region_refusal_does_not_blame_the_sign_in() {
    let path = "/backend-api/codex/responses";
    for (status, words, checks) in [
        (401, REGION, 1),
        (432, "Workspace routing is unavailable", 1),
        (
            400,
            "requested model snapshot is not available for your project's geography",
            0,
        ),
    ] {
        let refusal = Reply::json(status, &json!({ "detail": words }));
        let server = Server::start(Script::default().fix("POST", path, refusal));
        let (home, _) = Home::signed_in(&server);
        let before = home.auth_text();
        for _ in 0..3 {
            let ran = ask(&home, &server).run();
            ran.exits(5).says(words).says("codex: hint: ");
            assert!(!ran.stderr.contains("login"), "{}", ran.stderr);
        }
        assert_eq!(server.issuer().refreshes(), 0, "{status}");
        assert_eq!(asked(&server, path), 3 * (1 + checks), "{status}");
        assert_eq!(
            asked(&server, "/backend-api/wham/accounts/check"),
            3 * checks
        );
        assert_eq!(home.auth_text(), before);
    }
}

#[test]
fn the_routing_of_a_workspace_is_fetched_once_per_run_and_not_stored() {
    let call = r#"{"command":"echo hi"}"#;
    let replies = [
        Reply::items(vec![crate::standin::Item::call("bash", call)]),
        Reply::text("ok"),
        Reply::text("ok"),
    ];
    let server = Server::start(replies);
    server.issuer().bind(Bounds {
        routing: Some("us_cr".to_owned()),
        ..in_us()
    });
    let (home, _) = Home::signed_in(&server);
    home.codex(&server)
        .args(["run", "-s", "danger-full-access", "hi"])
        .run()
        .exits(0)
        .stdout("ok\n");
    let check = "/backend-api/wham/accounts/check";
    assert_eq!(asked(&server, check), 1);
    assert_eq!(asked(&server, "/backend-api/codex/responses"), 3);
    let last = server.requests().pop().expect("a request");
    assert_eq!(
        last.header("x-openai-account-routing-override"),
        Some("us_cr")
    );
    let mut stored = String::new();
    for entry in fs::read_dir(home.own()).expect("a directory").flatten() {
        stored += &fs::read_to_string(entry.path()).unwrap_or_default();
    }
    assert!(!stored.contains("us_cr"), "{stored}");
    ask(&home, &server).run().exits(0);
    assert_eq!(asked(&server, check), 2, "the next run asks again");
}

#[test]
fn a_server_cannot_redirect_requests_to_another_host() {
    let elsewhere = Server::start([Reply::text("stolen")]);
    for (origin, routing) in [
        (elsewhere.url(), None),
        ("https://gov.chatgpt.com".to_owned(), None),
        (
            "https://gov.chatgpt.com".to_owned(),
            Some("us\r\nx-evil: 1"),
        ),
    ] {
        let server = Server::start([Reply::text("ok")]);
        server.issuer().bind(Bounds {
            routing: Some(routing.unwrap_or("us").to_owned()),
            origin: Some(origin),
            ..Bounds::default()
        });
        let (home, _) = Home::signed_in(&server);
        let ran = ask(&home, &server).run();
        ran.exits(if routing.is_some() { 5 } else { 0 });
        assert_eq!(asked(&server, "/backend-api/wham/accounts/check"), 1);
        let evil = |request: &crate::standin::Recorded| request.header("x-evil").is_some();
        assert!(!server.requests().iter().any(|request| evil(request)));
    }
    assert_eq!(elsewhere.connections(), 0);
}
