//! Signing in without a browser: with a code, or with a secret on standard input.

use std::io::Write;

use serde_json::{Value, json};

use crate::home::{Home, finish, until};
use crate::standin::{Reply, Server, jwt, now_unix};

#[test]
fn a_device_code_signs_in() {
    let (server, home) = (Server::start([]), Home::new());
    server.issuer().interval(1);
    server.issuer().slow_down(0);
    let running = home.codex(&server).args(["login", "--device-auth"]).start();
    until("there is a code", || {
        !server.issuer().user_codes().is_empty()
    });
    let code = server.issuer().user_codes().remove(0);
    until("it waits", || server.requests().len() > 1);
    assert!(server.issuer().approve(&code));
    let ran = finish(running, "codex login --device-auth".to_owned());
    ran.exits(0)
        .stdout("")
        .says(&code)
        .says("/codex/device")
        .says("expires in 15 minutes");
    ran.says("anyone who sends you a code wants to sign in as you")
        .says("Signed in as ada@example.com");
    assert!(!ran.stderr.contains("No browser can be opened"));
    home.is_private();
}

#[test]
fn a_refused_expired_or_unavailable_code_is_reported() {
    let check =
        |prepare: fn(&Server), decide: fn(&Server, &str) -> bool, exit: i32, reported: &str| {
            let (server, home) = (Server::start([]), Home::new());
            server.issuer().interval(1);
            prepare(&server);
            let running = home.codex(&server).args(["login", "--device-auth"]).start();
            until("it asks", || !server.requests().is_empty());
            if reported != "may not support device codes" {
                until("there is a code", || {
                    !server.issuer().user_codes().is_empty()
                });
                assert!(decide(&server, &server.issuer().user_codes()[0]));
            }
            let ran = finish(running, "codex login --device-auth".to_owned());
            ran.exits(exit).says(reported);
            assert!(home.auth_text().is_none());
        };
    check(
        |_| {},
        |server, code| server.issuer().deny(code),
        4,
        "access_denied",
    );
    check(
        |_| {},
        |server, code| server.issuer().expire(code),
        4,
        "has expired",
    );
    check(
        |server| server.issuer().device_disabled(),
        |_, _| true,
        4,
        "may not support device codes",
    );
}

#[test]
fn without_a_browser_a_device_code_is_used_and_the_reason_given() {
    let check = |variable: &str, why: &str| {
        let (server, home) = (Server::start([]), Home::new());
        server.issuer().device_disabled();
        let ran = home.codex(&server).env(variable, "1").args(["login"]).run();
        ran.exits(4).says(&format!("Cannot open a browser ({why})"));
    };
    check("SSH_CONNECTION", "this is an SSH session");
    check("CI", "CI is set");
    check("container", "this is a container");
}

#[test]
fn secrets_are_accepted_only_on_standard_input() {
    let server = Server::start([Reply::text("ok")]);
    let home = Home::new();
    let key = home
        .codex(&server)
        .args(["login", "--with-api-key"])
        .input(" sk-invented-0123456789\n")
        .run();
    key.exits(0).says("The key is stored in");
    home.is_private();
    assert_eq!(
        home.auth_json(),
        json!({"openai": {"type": "api_key", "key": crate::home::KEY}})
    );
    home.codex(&server)
        .args(["run", "--no-tools", "hi"])
        .run()
        .exits(0)
        .stdout("ok\n");

    let token = jwt("acct-1", now_unix() + 5000);
    let cmd = || home.codex(&server).args(["login", "--with-access-token"]);
    cmd()
        .input(format!("{token}\n"))
        .run()
        .exits(0)
        .says("valid until")
        .says("is not renewed");
    let file = home.auth_json();
    assert_eq!(file["openai"]["key"], crate::home::KEY);
    assert_eq!(file["openai-codex"]["access"], Value::from(token));
    assert!(file["openai-codex"].get("refresh").is_none());

    let before = home.auth_text();
    cmd()
        .input("sk-not-a-token")
        .run()
        .exits(4)
        .says("does not contain a ChatGPT access token");
    cmd()
        .input(jwt("acct-1", 1000))
        .run()
        .exits(4)
        .says("it expired at 1970-01-01 00:16 UTC");
    cmd().run().exits(2).says("standard input is empty");
    let key = || home.codex(&server).args(["login", "--with-api-key"]);
    key().input("two words").run().exits(2).says("white space");
    key()
        .input(jwt("acct-1", now_unix() + 60))
        .run()
        .exits(2)
        .says("a ChatGPT access token where an API key belongs");
    key()
        .args(["--device-auth"])
        .run()
        .exits(2)
        .says("are mutually exclusive");
    assert_eq!(home.auth_text(), before);
}

#[test]
fn an_unusable_credentials_file_is_reported_before_the_sign_in() {
    let server = Server::start([]);
    let home = Home::new();
    home.write_auth("{\n  \"openai-codex\": oops\n}");
    let ran = home.codex(&server).args(["login", "--no-browser"]).run();
    ran.exits(2)
        .says("auth.json:2:19 is not a JSON object")
        .says("not overwritten");
    assert_eq!(
        home.auth_text().as_deref(),
        Some("{\n  \"openai-codex\": oops\n}")
    );
    let nowhere = home.codex(&server).args(["login"]).without("HOME").run();
    nowhere.exits(2).says("HOME is not set");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_given_token_that_cannot_be_stored_is_not_revoked() {
    let (server, home) = (Server::start([]), Home::new());
    let token = server.issuer().grant("acct-1");
    let mut running = home
        .codex(&server)
        .piped()
        .args(["login", "--with-access-token"])
        .start();
    until("the file was looked at", || {
        home.own().join("auth.json.lock").exists() && home.left() == ["auth.json.lock"]
    });
    home.write_auth("{ torn");
    let mut stdin = running.stdin.take().expect("a pipe");
    stdin.write_all(token.access.as_bytes()).expect("it reads");
    drop(stdin);
    let ran = finish(running, "codex login --with-access-token".to_owned());
    ran.exits(2).says("is not a JSON object");
    assert_eq!(server.issuer().revocations(), []);
}
