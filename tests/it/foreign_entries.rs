//! Entries of other programs in place of ours: pi keeps a sign-in of a different kind under `openai`. They are named, and
//! never overwritten or removed.

use serde_json::json;

use crate::foreign::{place, read};
use crate::home::{Cmd, Home, KEY};
use crate::standin::{Reply, Server, jwt, now_unix};

/// pi's file after "Sign in with ChatGPT", as pi writes it.
const PI: &str = r#"{
  "openai": {
    "type": "oauth",
    "access": "eat_58ab4e9111938965",
    "refresh": "ert_x",
    "expires": 1895928202892,
    "clientId": "oaiapp_siwc0001",
    "scopes": ["chatgpt.tokens.use.direct"]
  }
}"#;

const NAMED: &str = r#"an entry "openai" of type oauth, which belongs to another program"#;

fn with(home: &Home, server: &Server, args: &[&str]) -> Cmd {
    let mut cmd = home.codex(server);
    let file = home.work().join("auth.json");
    cmd.command.args(args).arg("--auth-file").arg(file);
    cmd
}

#[test]
fn a_key_does_not_overwrite_the_sign_in_of_another_program() {
    let (server, home) = (Server::start([]), Home::new());
    let path = place(&home, PI);
    let cmd = with(&home, &server, &["login", "--with-api-key"]);
    cmd.input(KEY)
        .run()
        .exits(2)
        .says(NAMED)
        .says("codex: hint: ");
    for args in [
        &["logout"][..],
        &["logout", "--all"],
        &["logout", "--local"],
    ] {
        with(&home, &server, args).run().exits(2).says(NAMED);
    }
    assert_eq!(read(&path).0, PI);
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_foreign_entry_is_named_and_other_credentials_are_used() {
    let server = Server::start([Reply::text("ok")]);
    let home = Home::new();
    let path = place(&home, PI);
    let ran = with(&home, &server, &["status"]).run();
    ran.exits(4).says(NAMED);
    assert!(
        ran.text().contains(NAMED) && !ran.text().contains("nobody"),
        "{}",
        ran.text()
    );
    for args in [&["run", "--no-tools", "hi"][..], &["token"], &["models"]] {
        let ran = with(&home, &server, args).run();
        ran.exits(4).says(NAMED);
        assert!(
            !ran.stderr.contains("you are not signed in"),
            "{}",
            ran.stderr
        );
    }
    with(&home, &server, &["run", "--no-tools", "--dry-run", "hi"])
        .run()
        .exits(0);
    let cmd = with(&home, &server, &["run", "--no-tools", "hi"]).env("OPENAI_API_KEY", KEY);
    cmd.run().exits(0).stdout("ok\n").stderr("");
    assert_eq!(read(&path).0, PI);
}

#[test]
fn our_entry_is_added_and_removed_next_to_a_foreign_one() {
    let (server, home) = (Server::start([]), Home::new());
    let path = place(&home, PI);
    let token = jwt("acct-9", now_unix() + 5000);
    let cmd = with(&home, &server, &["login", "--with-access-token"]);
    cmd.input(token).run().exits(0);
    let file = read(&path).1;
    assert_eq!(file["openai-codex"]["accountId"], "acct-9");
    assert_eq!(file["openai"]["clientId"], "oaiapp_siwc0001");
    for args in [&["logout", "--local", "--all"][..], &["status"]] {
        let ran = with(&home, &server, args).run();
        ran.exits(if args[0] == "status" { 4 } else { 0 })
            .says(NAMED);
    }
    assert_eq!(read(&path).0, PI);
}

#[test]
fn every_entry_must_have_its_expected_type() {
    let server = Server::start([]);
    let token = jwt("acct-9", now_unix() + 5000);
    for (text, place_of_key) in [
        (
            r#"{"openai-codex": {"type": "api_key", "key": "sk-of-pi"}}"#,
            false,
        ),
        (r#"{"openai-codex": "text"}"#, false),
        (r#"{"openai": {"type": 7, "key": "sk-of-pi"}}"#, true),
        (r#"{"openai": ["sk-of-pi"]}"#, true),
        (
            r#"{"auth_mode": "agentIdentity", "agent_identity": {"a": 1}}"#,
            true,
        ),
        (r#"{"auth_mode": "bedrockApiKey", "tokens": null}"#, false),
    ] {
        let home = Home::new();
        // In our own file too.
        home.write_auth(text);
        let (way, secret) = if place_of_key {
            ("--with-api-key", KEY)
        } else {
            ("--with-access-token", &*token)
        };
        let cmd = home.codex(&server).args(["login", way]);
        cmd.input(secret)
            .run()
            .exits(2)
            .says("which belongs to another program");
        home.codex(&server).args(["logout"]).run().exits(2);
        assert_eq!(home.auth_text().as_deref(), Some(text));
    }
    // An entry without a type counts as ours.
    for text in [
        r#"{"openai": null}"#,
        r#"{"openai": {"key": "sk-old"}}"#,
        r#"{"openai": {}}"#,
    ] {
        let home = Home::new();
        home.write_auth(text);
        let cmd = home.codex(&server).args(["login", "--with-api-key"]);
        cmd.input(KEY).run().exits(0);
        assert_eq!(
            home.auth_json(),
            json!({"openai": {"type": "api_key", "key": KEY}})
        );
    }
    assert_eq!(server.connections(), 0);
}
