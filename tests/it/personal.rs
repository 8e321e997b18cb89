//! Access tokens that a workspace issues (`at-...`), from every source: the issuer is asked once for their account, and
//! they are never renewed.

use std::fs;

use serde_json::{Value, json};

use crate::foreign::{place, read};
use crate::home::{Cmd, CommandOutput, Home};
use crate::standin::{Bounds, Reply, Server};

fn server(replies: usize) -> Server {
    let server = Server::start(vec![Reply::text("ok"); replies]);
    server.issuer().plan("enterprise");
    server
}

fn ask(home: &Home, server: &Server) -> Cmd {
    home.codex(server).args(["run", "--no-tools", "hi"])
}

#[track_caller]
fn is_hidden(ran: &CommandOutput, token: &str) {
    let text = ran.text();
    assert!(!text.contains(token) && !ran.stderr.contains(token));
}

/// The last model request.
fn last(server: &Server) -> (Option<String>, Option<String>) {
    let request = server.requests().pop().expect("a request");
    assert_eq!(request.bare_path(), "/backend-api/codex/responses");
    let header = |name: &str| request.header(name).map(str::to_owned);
    (header("authorization"), header("chatgpt-account-id"))
}

#[test]
fn the_account_of_a_token_in_a_variable_is_looked_up_once() {
    let server = server(2);
    let token = server.issuer().personal("acct-9");
    let home = Home::new().env("CODEX_ACCESS_TOKEN", &token);
    let status = || {
        let ran = home.codex(&server).args(["status", "--json"]).run();
        ran.exits(0);
        is_hidden(&ran, &token);
        serde_json::from_str::<Value>(&ran.text()).expect("JSON")
    };
    let before = status();
    assert_eq!(
        (&before["method"], &before["account"]),
        (&json!("access_token"), &Value::Null)
    );
    assert_eq!(server.connections(), 0, "status requests nothing");
    for _ in 0..2 {
        let ran = ask(&home, &server).run();
        ran.exits(0).stdout("ok\n").stderr("");
        let (bearer, account) = last(&server);
        assert_eq!(bearer, Some(format!("Bearer {token}")));
        assert_eq!(account.as_deref(), Some("acct-9"));
    }
    assert_eq!(server.issuer().whoamis(), 1);
    let after = status();
    assert_eq!(after["account"], "acct-9");
    assert_eq!(
        (&after["email"], &after["plan"]),
        (&json!("ada@example.com"), &json!("enterprise"))
    );
    let ran = home.codex(&server).args(["status"]).run();
    assert!(
        ran.text()
            .starts_with("method    ChatGPT access token of a workspace\n"),
        "{}",
        ran.text()
    );
    let kept = fs::read_to_string(home.own().join("auth.json.lock")).expect("it is there");
    assert!(!kept.contains(&token) && !home.auth().exists(), "{kept}");
    let ran = home.codex(&server).args(["token"]).run();
    assert_eq!(ran.text(), format!("{token}\n"));
    // Without a home every run asks.
    let bare = home
        .codex(&server)
        .without("HOME")
        .env("CODEX_ACCESS_TOKEN", &token);
    bare.args(["status"]).run().exits(0);
}

#[test]
fn a_dry_run_looks_nothing_up() {
    let server = server(0);
    let home = Home::new().env("CODEX_ACCESS_TOKEN", "at-invented0123456789abcdef");
    let ran = ask(&home, &server).args(["--dry-run"]).run();
    ran.exits(0);
    is_hidden(&ran, "at-invented");
    assert!(
        ran.text().contains("/backend-api/codex/responses"),
        "{}",
        ran.text()
    );
    assert!(ran.text().contains(r#""chatgpt-account-id": "***""#));
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_stored_token_is_stored_with_its_account() {
    let server = server(1);
    server.issuer().bind(Bounds {
        fedramp: true,
        ..Bounds::default()
    });
    let token = server.issuer().personal("acct-9");
    let home = Home::new();
    let login = || home.codex(&server).args(["login", "--with-access-token"]);
    let ran = login().input(format!("{token}\n")).run();
    ran.exits(0)
        .says("Signed in as ada@example.com (enterprise)")
        .says("The token is not renewed");
    is_hidden(&ran, &token);
    let expected = json!({"openai-codex": {"type": "oauth", "access": token, "accountId": "acct-9",
        "email": "ada@example.com", "plan": "enterprise", "fedramp": true}});
    assert_eq!(home.auth_json(), expected);
    ask(&home, &server).run().exits(0).stdout("ok\n").stderr("");
    let request = server.requests().pop().expect("a request");
    assert_eq!(request.header("x-openai-fedramp"), Some("true"));
    let ran = home.codex(&server).args(["status"]).run();
    ran.exits(0);
    for words in [
        "access token of a workspace",
        "ada@example.com (acct-9)",
        "enterprise",
    ] {
        assert!(ran.text().contains(words), "{words}: {}", ran.text());
    }
    assert_eq!(server.issuer().whoamis(), 1);
    login()
        .input(token.clone())
        .run()
        .exits(0)
        .says("This sign-in is already stored in ");
    home.codex(&server)
        .args(["logout"])
        .run()
        .exits(0)
        .says("It was not revoked");
    assert_eq!(server.issuer().revocations(), []);
    assert!(home.auth_text().is_none());
}

#[test]
fn a_token_in_the_official_clients_file_is_used() {
    let server = server(2);
    let (home, token) = (Home::new(), server.issuer().personal("acct-9"));
    let text = format!(
        "{{\n  \"OPENAI_API_KEY\": null,\n  \"personal_access_token\": \"{token}\",\n  \"more\": 1\n}}"
    );
    let path = place(&home, &text);
    let file = path.to_string_lossy().into_owned();
    let cmd = |args: &[&str]| {
        let mut cmd = home.codex(&server);
        cmd.command.args(args).args(["--auth-file", &*file]);
        cmd
    };
    for _ in 0..2 {
        cmd(&["run", "--no-tools", "hi"])
            .run()
            .exits(0)
            .stdout("ok\n")
            .stderr("");
    }
    assert_eq!(
        (last(&server).1.as_deref(), server.issuer().whoamis()),
        (Some("acct-9"), 1)
    );
    let ran = cmd(&["status"]).run();
    ran.exits(0);
    assert!(
        ran.text().contains("ada@example.com (acct-9)"),
        "{}",
        ran.text()
    );
    assert!(
        ran.text().contains("the personal access token in "),
        "{}",
        ran.text()
    );
    assert_eq!(read(&path).0, text, "nothing changes in it");
    cmd(&["logout"]).run().exits(0).says("It was not revoked");
    assert_eq!(read(&path).1, json!({"more": 1}));
    // And it is written in the format of that client.
    let other = server.issuer().personal("acct-8");
    let before = json!({"auth_mode": "apikey", "OPENAI_API_KEY": "sk-kept", "tokens": {"access_token": "a", "account_id": "b"}});
    place(&home, &before.to_string());
    cmd(&["login", "--with-access-token"])
        .input(other.clone())
        .run()
        .exits(0);
    let expected = json!({"auth_mode": "personalAccessToken", "OPENAI_API_KEY": "sk-kept", "personal_access_token": other});
    assert_eq!(read(&path).1, expected);
    let asked = server.issuer().whoamis();
    let ran = cmd(&["status"]).run();
    assert!(ran.text().contains("(acct-8)"), "{}", ran.text());
    assert_eq!(server.issuer().whoamis(), asked);
}

#[test]
fn an_unknown_token_is_reported_and_not_stored() {
    let server = server(2);
    let home = Home::new();
    let login = |token: &str| {
        let cmd = home.codex(&server).args(["login", "--with-access-token"]);
        cmd.input(token.to_owned()).run()
    };
    login("at-unknown0123456789")
        .exits(4)
        .says("not signed in: This access token is not valid. (invalid_token) [HTTP 401]")
        .says("create a new one in the workspace settings");
    assert!(home.auth_text().is_none());
    let given = Home::new().env("CODEX_ACCESS_TOKEN", "at-unknown0123456789");
    ask(&given, &server)
        .run()
        .exits(4)
        .says("refused the credential from CODEX_ACCESS_TOKEN: This access token is not valid.");
    server
        .issuer()
        .fail(1, Reply::json(200, &json!({"email": "a@example.com"})));
    login(&server.issuer().personal("acct-9"))
        .exits(7)
        .says("cannot be parsed");
    // A token that is revoked later is refused by the service, and nothing is renewed.
    let token = server.issuer().personal("acct-9");
    login(&token).exits(0);
    server.issuer().withdraw(&token);
    let ran = ask(&home, &server).run();
    ran.exits(4).says("[HTTP 401");
    is_hidden(&ran, &token);
    assert_eq!(server.issuer().refreshes(), 0);
}
