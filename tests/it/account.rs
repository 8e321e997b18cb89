//! `codex status`, `codex token` and `codex logout`.

use std::fs;

use serde_json::{Value, json};

use crate::home::{Cmd, Home, KEY};
use crate::shapes::write_models;
use crate::standin::{Reply, Server, jwt, now_unix};

#[test]
fn status_shows_the_credential_in_use_and_why() {
    let server = Server::start([]);
    let (home, _) = Home::signed_in(&server);
    let ran = home.codex(&server).args(["status"]).run();
    ran.exits(0).stderr("");
    let text = ran.text();
    for words in [
        "ChatGPT sign-in",
        "ada@example.com (acct-test)",
        "plus",
        "h; renewed automatically)",
        "auth.json: the only",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let ran = home
        .codex(&server)
        .args(["login", "status", "--json"])
        .env("OPENAI_API_KEY", KEY)
        .run();
    ran.exits(0);
    let status: Value = serde_json::from_str(&ran.text()).expect("JSON");
    let expires = status["expires_at"].as_u64().expect("a number");
    assert!(expires > now_unix() + 863_000 && expires <= now_unix() + 864_000);
    let expected = json!({"method": "chatgpt", "account": "acct-test", "email": "ada@example.com", "plan": "plus",
        "expires_at": expires, "source": home.auth().to_string_lossy(), "overridden": ["OPENAI_API_KEY"]});
    assert_eq!(status, expected);

    let token = jwt("acct-env", now_unix() + 60);
    let cmd = || home.codex(&server).env("CODEX_API_KEY", KEY);
    let ran = cmd()
        .args(["status"])
        .env("CODEX_ACCESS_TOKEN", &token)
        .run();
    ran.exits(0);
    assert!(
        ran.text()
            .contains("CODEX_ACCESS_TOKEN: takes precedence over CODEX_API_KEY, /"),
        "{}",
        ran.text()
    );
    let ran = cmd().args(["status"]).run();
    ran.exits(0);
    assert!(
        ran.text()
            .starts_with("method    API key\nfrom      CODEX_API_KEY: takes precedence over /"),
        "{}",
        ran.text()
    );
    assert_eq!(server.connections(), 0, "nothing is requested");
}

#[test]
fn status_without_a_sign_in_says_so() {
    let home = Home::new();
    let ran = home.offline().args(["status"]).run();
    ran.exits(4)
        .stdout("method    none: not signed in, and no API key is set\n")
        .says("codex login");
    let ran = home.offline().args(["status", "--json"]).run();
    ran.exits(4);
    let status: Value = serde_json::from_str(&ran.text()).expect("JSON");
    assert!(status["method"].is_null() && status["overridden"] == json!([]));
    // Credentials of other programs are named, but not used by default.
    for (variable, file) in [
        ("CODEX_HOME", "theirs/auth.json"),
        ("PI_CODING_AGENT_DIR", "pis/auth.json"),
    ] {
        let path = home.work().join(file);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(&path, "{}").expect("a file");
        let directory = path
            .parent()
            .expect("a directory")
            .to_string_lossy()
            .into_owned();
        let ran = home
            .offline()
            .args(["status"])
            .env(variable, &directory)
            .run();
        ran.exits(4);
        assert!(
            ran.text()
                .contains(&format!("{}, of another program", path.display())),
            "{}",
            ran.text()
        );
    }
    let ended = jwt("acct-1", 1000);
    home.offline()
        .args(["status"])
        .env("CODEX_ACCESS_TOKEN", &ended)
        .run()
        .exits(4)
        .says("expired at 1970-01-01");
}

#[test]
fn status_shows_the_limits_of_the_plan() {
    let server = Server::start([]);
    let (home, _) = Home::expired(&server);
    let ran = home.codex(&server).args(["status", "--limits"]).run();
    ran.exits(0).stderr("");
    let text = ran.text();
    let soon = text.contains("UTC (in 2 h 59 min)") || text.contains("UTC (in 3 h 0 min)");
    assert!(
        soon && text.contains("5 hours   [###.................]  12.5%  resets 20"),
        "{text}"
    );
    assert!(
        text.contains("; renewed automatically)"),
        "as it is now: {text}"
    );
    assert!(
        text.contains("week      [########............]    40%  resets 20"),
        "{text}"
    );
    assert_eq!(server.issuer().refreshes(), 1, "the token had ended");
    let ran = home
        .codex(&server)
        .args(["status", "--limits", "--json"])
        .run();
    let status: Value = serde_json::from_str(&ran.text()).expect("JSON");
    assert_eq!(status["limits"]["windows"][1]["used_percent"], 40.0);
    assert_eq!(status["limits"]["windows"][0]["window_seconds"], 18_000);
    let key = Home::with_key();
    key.codex(&server)
        .args(["status", "--limits"])
        .run()
        .exits(0)
        .says("an API key has no plan");
    let token = Home::new().env("CODEX_ACCESS_TOKEN", &jwt("acct-1", now_unix() + 60));
    let away = token.offline().args(["status", "--limits"]).run();
    away.exits(7).says("cannot reach the service");
    assert!(
        away.text().contains("acct-1"),
        "what is known is reported all the same"
    );
}

#[test]
fn token_prints_a_valid_token() {
    let server = Server::start([]);
    let (home, old) = Home::expired(&server);
    let ran = home.codex(&server).args(["token"]).run();
    assert_eq!(ran.status.code(), Some(0));
    let access = home.auth_json()["openai-codex"]["access"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_eq!(ran.text(), format!("{access}\n"));
    assert!(access != old.access && !ran.stderr.contains("eyJ"));
    ran.says("the token is valid until 20");
    // A key is not an access token; one that takes precedence is skipped.
    let ran = home
        .codex(&server)
        .args(["token"])
        .env("CODEX_API_KEY", KEY)
        .run();
    assert_eq!(ran.text(), format!("{access}\n"));
    let given = jwt("acct-env", now_unix() + 60);
    let ran = home
        .codex(&server)
        .args(["token"])
        .env("CODEX_ACCESS_TOKEN", &given)
        .run();
    assert_eq!(ran.text(), format!("{given}\n"));
    let ended = jwt("acct-env", 1000);
    let cmd = home.codex(&server).env("CODEX_ACCESS_TOKEN", &ended);
    cmd.args(["token"])
        .run()
        .exits(4)
        .stdout("")
        .says("expired at 1970-01-01");
    Home::with_key()
        .offline()
        .args(["token"])
        .run()
        .exits(4)
        .stdout("")
        .says("an API key, from OPENAI_API_KEY");
    Home::new()
        .offline()
        .args(["token"])
        .run()
        .exits(4)
        .stdout("")
        .says("you are not signed in");
}

#[test]
fn logout_removes_and_revokes() {
    let server = Server::start([]);
    let (home, old) = Home::signed_in(&server);
    let ran = home
        .codex(&server)
        .args(["logout"])
        .env("OPENAI_API_KEY", KEY)
        .run();
    ran.exits(0)
        .stdout("")
        .says("Signed out: ada@example.com (plus) was removed from")
        .says("is also signed out");
    ran.says("OPENAI_API_KEY is still set and will be used from now on");
    assert_eq!(
        server.issuer().revocations(),
        [(old.refresh.clone(), "refresh_token".to_owned())]
    );
    assert_eq!(home.left(), ["auth.json.lock"]);
    home.codex(&server)
        .args(["logout"])
        .run()
        .exits(0)
        .says("You are not signed in");
    assert_eq!(server.issuer().revocations().len(), 1);
    home.codex(&server)
        .args(["run", "--no-tools", "hi"])
        .run()
        .exits(4);

    let (home, kept) = Home::signed_in(&server);
    let ran = home.codex(&server).args(["logout", "--local"]).run();
    ran.exits(0).says("It was not revoked");
    assert!(server.issuer().is_live(&kept.refresh) && home.auth_text().is_none());
    let nobody = Home::new();
    nobody.codex(&server).args(["logout"]).run().exits(0);
    assert!(!nobody.own().exists(), "nothing was made");
}

#[test]
fn logout_continues_if_revoking_fails() {
    let server = Server::start([]);
    for reply in [
        Reply::status(500, &[], "oops"),
        Reply::status(400, &[], "no"),
    ] {
        let (home, old) = Home::signed_in(&server);
        server.issuer().revoke_answer(reply);
        let ran = home.codex(&server).args(["logout"]).run();
        ran.exits(0)
            .says("it could not be revoked: ")
            .says("may work until 20");
        assert!(home.auth_text().is_none() && server.issuer().is_live(&old.refresh));
    }
    let (home, _) = Home::signed_in(&server);
    home.offline()
        .args(["logout"])
        .run()
        .exits(0)
        .says("it could not be revoked: cannot connect");
    assert!(home.auth_text().is_none());
}

#[test]
fn logout_removes_the_sign_in_before_the_key_and_all_removes_both() {
    let server = Server::start([]);
    let both = || {
        let (home, _) = Home::signed_in(&server);
        let mut file = home.auth_json();
        file["openai"] = json!({"type": "api_key", "key": KEY});
        file["other"] = json!({"type": "api_key", "key": "sk-other"});
        home.write_auth(&file.to_string());
        home
    };
    let home = both();
    home.codex(&server)
        .args(["logout"])
        .run()
        .exits(0)
        .says("an API key is also stored there");
    assert_eq!(
        home.auth_json(),
        json!({"openai": {"type": "api_key", "key": KEY},
        "other": {"type": "api_key", "key": "sk-other"}})
    );
    home.codex(&server)
        .args(["logout"])
        .run()
        .exits(0)
        .says("The API key was removed");
    assert_eq!(
        home.auth_json(),
        json!({"other": {"type": "api_key", "key": "sk-other"}})
    );
    let home = both();
    home.codex(&server)
        .args(["logout", "--all"])
        .run()
        .exits(0)
        .says("The API key was removed");
    assert_eq!(
        home.auth_json(),
        json!({"other": {"type": "api_key", "key": "sk-other"}})
    );
}

#[test]
fn a_check_looks_at_everything_that_a_run_needs() {
    let home = Home::with_key();
    let server = Server::start([]);
    let check = |cmd: Cmd| cmd.args(["status", "--check"]).run();
    let ran = check(home.codex(&server));
    let text = ran.exits(0).text();
    for line in [
        "settings  ok: ",
        "home      ok: ",
        "sandbox   ok: tools can be confined (read-only)",
        "proxy     ok: none",
        "TLS roots ok: the service is on this machine",
        "service   ok: 127.0.0.1:",
        "clock     not checked: ",
    ] {
        assert!(
            text.lines().any(|found| found.starts_with(line)),
            "{line}: {text}"
        );
    }
    assert!(server.requests().is_empty(), "no model is asked");
    assert_eq!(server.lists().len(), 1);

    check(home.offline()).exits(7).says("cannot connect");
    let refused = check(Home::new().codex(&server));
    refused.exits(4).says("not signed in");
    assert!(refused.text().contains("service   not checked: "));
    let secure = |cmd: Cmd| cmd.env("OPENAI_BASE_URL", "https://127.0.0.1:9/v1");
    let roots = secure(home.offline()).env("CODEX_CA_CERTIFICATE", "/nonexistent");
    check(roots).exits(2).says("CODEX_CA_CERTIFICATE");

    fs::create_dir_all(home.own()).expect("a directory");
    fs::write(home.own().join("config.json"), r#"{"modle": "x"}"#).expect("a file");
    let ran = home
        .codex(&server)
        .args(["status", "--check", "--json"])
        .run();
    ran.exits(2).says("config.json:1:2");
    let report: Value = serde_json::from_str(&ran.text()).expect("JSON");
    let checks = report["checks"].as_array().expect("a list");
    let state = |name: &str| {
        let found = checks.iter().find(|item| item["name"] == name);
        found.map(|item| item["state"].clone())
    };
    assert_eq!(state("settings"), Some(json!("problem")));
    assert_eq!(state("sandbox"), Some(json!("skipped")));
    assert_eq!(state("service"), Some(json!("ok")));
    assert_eq!(checks[0]["exit_code"], 2);

    // A server in models.json needs no sign-in.
    let home = Home::new();
    let own = json!({"providers": {"box": {"baseUrl": server.api_url(), "apiKey": KEY}}});
    write_models(&home, &own);
    fs::write(home.own().join("config.json"), r#"{"model": "box/small"}"#).expect("a file");
    check(home.offline()).exits(0);
    home.offline().args(["status"]).run().exits(4);
}

#[test]
fn a_missing_directory_is_a_note_in_the_configuration_and_a_mistake_on_the_command_line() {
    let home = Home::with_key();
    let run = || {
        home.offline()
            .args(["run", "--dry-run", "-s", "workspace-write", "hi"])
    };
    run()
        .args(["--add-dir", "gone"])
        .run()
        .exits(2)
        .says("cannot work in gone");
    fs::create_dir_all(home.own()).expect("a directory");
    let config = home.own().join("config.json");
    fs::write(&config, r#"{"add-dir": ["/nonexistent/x", "/usr/lib"]}"#).expect("a file");
    run()
        .run()
        .says("ignoring /nonexistent/x, named by \"add-dir\" in ")
        .says(": it does not exist");
}
