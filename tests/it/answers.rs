//! Every kind of refusal in every command: the exit code is the one in the table, and a refusal by the network has the
//! same hint everywhere.

use std::fs;
use std::thread;

use serde_json::json;

use crate::browser::{SignIn, ports};
use crate::home::{CommandOutput, Home, finish, until};
use crate::standin::{Reply, Script, Server, browse};

/// The hint for a blocked network or region.
const BLOCKED: &str = "codex: hint: your network or region may be blocked: try another network";

const TOKEN: &str = "/oauth/token";
const USER_CODE: &str = "/api/accounts/deviceauth/usercode";
const POLL: &str = "/api/accounts/deviceauth/token";
const RESPONSES: &str = "/backend-api/codex/responses";
const MODELS: &str = "/backend-api/codex/models";

/// A request of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Login,
    Device,
    Poll,
    Refresh,
    Models,
    Run,
}

use Way::{Device, Login, Models, Poll, Refresh, Run};

/// Makes this request to a service that always sends this reply.
fn send(way: Way, reply: Reply) -> CommandOutput {
    let (method, path) = match way {
        Login | Refresh => ("POST", TOKEN),
        Device => ("POST", USER_CODE),
        Poll => ("POST", POLL),
        Models => ("GET", MODELS),
        Run => ("POST", RESPONSES),
    };
    let server = Server::start(Script::default().fix(method, path, reply));
    server.issuer().interval(1);
    match way {
        Login => {
            let home = Home::new();
            let sign_in =
                SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
            let address = sign_in.address.clone();
            let browser = thread::spawn(move || browse(&address));
            let ran = sign_in.end();
            browser.join().expect("it does not panic").expect("a page");
            assert!(home.auth_text().is_none());
            ran
        }
        Device | Poll => {
            let home = Home::new();
            let running = home.codex(&server).args(["login", "--device-auth"]).start();
            until("it asks", || !server.requests().is_empty());
            let ran = finish(running, format!("{way:?}"));
            assert!(home.auth_text().is_none());
            ran
        }
        Refresh => {
            let (home, old) = Home::expired(&server);
            let before = home.auth_text();
            let ran = home.codex(&server).args(["token"]).run();
            assert_eq!(home.auth_text(), before);
            assert!(server.issuer().is_live(&old.refresh));
            ran
        }
        Models | Run => {
            let (home, _) = Home::signed_in(&server);
            let cmd = home.codex(&server);
            match way {
                Models => cmd.args(["models"]).run(),
                _ => cmd
                    .args(["run", "--no-tools", "--retries", "0", "hi"])
                    .run(),
            }
        }
    }
}

/// The exit code for each request; `codex models` falls back to the list that it has if the service fails.
fn check(name: &str, reply: &Reply, codes: [(Way, i32); 6]) {
    thread::scope(|scope| {
        for (way, code) in codes {
            let reply = reply.clone();
            scope.spawn(move || {
                let _turn = (way == Login).then(ports);
                let ran = send(way, reply);
                assert_eq!(
                    ran.status.code(),
                    Some(code),
                    "{name} by {way:?}: {}",
                    ran.stderr
                );
                ran.exits(code);
                assert!(
                    ran.stderr.contains("codex: "),
                    "{name} by {way:?} says nothing"
                );
                if code == 5 {
                    assert!(
                        ran.stderr.contains(BLOCKED),
                        "{name} by {way:?}: {}",
                        ran.stderr
                    );
                }
                if code != 4 {
                    assert!(!ran.stderr.contains("sign in again"), "{}", ran.stderr);
                }
            });
        }
    });
}

fn codes(issuer: i32, models: i32, run: i32) -> [(Way, i32); 6] {
    [
        (Login, issuer),
        (Device, issuer),
        (Poll, issuer),
        (Refresh, issuer),
        (Models, models),
        (Run, run),
    ]
}

fn error(status: u16, code: &str) -> Reply {
    Reply::json(
        status,
        &json!({"error": {"message": "Words.", "code": code}}),
    )
}

#[test]
fn permanent_refusals_have_their_exit_code_in_every_command() {
    check(
        "403 region",
        &error(403, "unsupported_country_region_territory"),
        codes(5, 5, 5),
    );
    let page = "<!DOCTYPE html><title>Attention Required! | Cloudflare</title>";
    check("403 page", &Reply::status(403, &[], page), codes(5, 5, 5));
    check(
        "400 with a code",
        &error(400, "app_session_expired"),
        codes(4, 0, 1),
    );
    check("401", &error(401, "token_invalidated"), codes(4, 4, 4));
}

#[test]
fn temporary_failures_have_their_exit_code_in_every_command() {
    // A delay longer than any command waits, so that this ends soon.
    for status in [429, 503] {
        let headers = [("retry-after", "121"), ("content-type", "application/json")];
        let reply = Reply::status(status, &headers, r#"{"error":{"message":"Busy."}}"#);
        let mut codes = codes(7, 0, 7);
        // A device code is polled at its own interval, and the delay exceeds the lifetime of the code.
        codes[2] = (Poll, 4);
        let reply_of_poll = Reply::status(status, &[("retry-after", "901")], "Busy.");
        check(
            &status.to_string(),
            &reply,
            [codes[0], codes[1], codes[1], codes[3], codes[4], codes[5]],
        );
        send(Poll, reply_of_poll)
            .exits(4)
            .says("the sign-in was not completed within 15 minutes");
    }
    check("a dropped connection", &Reply::raw(""), codes(7, 0, 7));
}

#[test]
fn temporary_failures_of_the_code_exchange_are_retried() {
    for reply in [
        Reply::status(429, &[("retry-after", "1")], "Busy."),
        Reply::status(503, &[], "Busy."),
        Reply::raw(""),
    ] {
        let server = Server::start([]);
        server.issuer().interval(1);
        server.issuer().approve_devices();
        server.issuer().fail(1, reply);
        let home = Home::new();
        let ran = home.codex(&server).args(["login", "--device-auth"]).run();
        ran.exits(0)
            .says("; trying again in 1 s")
            .says("Signed in as ada@example.com");
        assert_eq!(
            (server.issuer().exchanges(), server.issuer().exchanged()),
            (2, 1)
        );
    }
}

#[test]
fn a_refused_device_code_names_the_setting_that_allows_it() {
    let settings = "in the account's security settings";
    for (status, code, exit) in [(404, "", 4), (400, "device_code_disabled", 4), (403, "", 5)] {
        let ran = send(Device, error(status, code));
        assert_eq!(ran.status.code(), Some(exit), "{status}: {}", ran.stderr);
        if exit == 4 {
            ran.says(settings).says("login --no-browser");
        }
    }
    let server = Server::start([]);
    server.issuer().approve_devices();
    server.issuer().interval(1);
    let home = Home::new();
    home.codex(&server)
        .args(["login", "--device-auth"])
        .run()
        .exits(0)
        .says(settings);
}

#[test]
fn an_ended_session_is_remembered_and_shown() {
    for (status, code) in [
        (400, "app_session_expired"),
        (403, "app_session_terminated"),
    ] {
        let server = Server::start([]);
        let (home, _) = Home::expired(&server);
        server.issuer().fail(9, error(status, code));
        for _ in 0..2 {
            let ran = home.codex(&server).args(["run", "--no-tools", "hi"]).run();
            ran.exits(4)
                .says(code)
                .says("run `codex login` to sign in again");
        }
        let ran = home.codex(&server).args(["status"]).run();
        ran.exits(4);
        assert!(
            ran.text().contains("problem   ") && ran.text().contains(code),
            "{}",
            ran.text()
        );
        assert_eq!(server.issuer().refreshes(), 1);
    }
}

#[test]
fn waiting_for_a_renewal_is_reported_in_text_and_json() {
    let server = Server::start([Reply::text("ok"), Reply::text("ok")]);
    let (home, _) = Home::expired(&server);
    server.issuer().fail(1, Reply::status(503, &[], "Busy."));
    let ran = home
        .codex(&server)
        .args(["run", "--no-tools", "--json", "hi"])
        .run();
    ran.exits(0)
        .says("codex: the sign-in service failed: Busy. [HTTP 503]; trying again in ");
    let retries: Vec<_> = ran
        .events()
        .into_iter()
        .filter(|event| event["type"] == "retry")
        .collect();
    assert_eq!(retries.len(), 1, "{retries:?}");
    assert_eq!(retries[0]["attempt"], 0);
    assert!(
        retries[0]["delay_ms"]
            .as_u64()
            .is_some_and(|delay| delay >= 500)
    );
    // A renewal that is slow without failing.
    let (home, _) = Home::expired(&server);
    server
        .issuer()
        .pause_before(std::time::Duration::from_millis(1500));
    let ran = home.codex(&server).args(["run", "--no-tools", "hi"]).run();
    ran.exits(0).stdout("ok\n").says("renewing the sign-in");
    let (home, _) = Home::expired(&server);
    let ran = home.codex(&server).args(["token"]).run();
    assert!(
        ran.stderr.contains("codex: renewing the sign-in"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_refusal_names_the_credential() {
    let refusal = error(401, "token_invalidated");
    let script = Script::default()
        .fix("POST", RESPONSES, refusal.clone())
        .fix("POST", "/v1/responses", refusal);
    let server = Server::start(script);
    let token = crate::standin::jwt("acct-1", crate::standin::now_unix() + 5000);
    let check = |home: &Home, source: &str, hint: &str| {
        let ran = home.codex(&server).args(["run", "--no-tools", "hi"]).run();
        ran.exits(4)
            .says(&format!(
                "the service refused the credential from {source}: Words."
            ))
            .says(hint);
    };
    let key = Home::new().env("OPENAI_API_KEY", crate::home::KEY);
    check(
        &key,
        "OPENAI_API_KEY",
        "hint: check OPENAI_API_KEY: the key may be",
    );
    let both = Home::new()
        .env("CODEX_API_KEY", crate::home::KEY)
        .env("OPENAI_API_KEY", "sk-other-0123456789");
    check(&both, "CODEX_API_KEY", "or unset it to use OPENAI_API_KEY");
    let given = Home::new().env("CODEX_ACCESS_TOKEN", &token);
    check(
        &given,
        "CODEX_ACCESS_TOKEN",
        "put a new token in CODEX_ACCESS_TOKEN",
    );
    let home = Home::new();
    home.write_auth(&json!({"openai": {"type": "api_key", "key": crate::home::KEY}}).to_string());
    let file = home.auth().display().to_string();
    check(
        &home,
        &format!("the key in {file}"),
        "hint: check the key in ",
    );
    home.write_auth(&json!({"openai-codex": {"type": "oauth", "access": token}}).to_string());
    check(&home, &file, "store a new one");
    let (renewable, _) = Home::signed_in(&server);
    let file = renewable.auth().display().to_string();
    check(&renewable, &file, "run `codex login` to sign in again");
    let foreign = Home::new();
    let path = foreign.file("auth.json", fs::read(renewable.auth()).expect("a file"));
    let file = path.display().to_string();
    let foreign = foreign.env("CODEX_RUN_AUTH_FILE", &file);
    check(&foreign, &file, "sign in again with the program that owns ");
}
