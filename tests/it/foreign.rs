//! Credentials files of other programs, used in place: their format, and their other contents.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::home::{Cmd, Home, finish, until};
use crate::standin::{Scenarios, Script, Server, Tokens, now_unix};

pub(crate) fn server() -> Server {
    Server::start(Script::prompts(Scenarios::default()))
}

/// An expired sign-in.
pub(crate) fn ended(server: &Server) -> Tokens {
    server.issuer().grant_until("acct-test", now_unix() - 60)
}

/// pi's file, as pi writes it: without a line end.
pub(crate) fn pi_file(tokens: &Tokens) -> String {
    format!(
        "{{\n  \"anthropic\": {{\n    \"type\": \"api_key\",\n    \"key\": \"sk-ant\"\n  }},\n  \
         \"openai-codex\": {{\n    \"type\": \"oauth\",\n    \"access\": \"{}\",\n    \"refresh\": \"{}\",\n    \
         \"expires\": 1700000000000,\n    \"accountId\": \"acct-test\",\n    \"mine\": {{ \"odd\":1.50 }}\n  }},\n  \
         \"zed\": null\n}}",
        tokens.access, tokens.refresh
    )
}

/// The official client's.
pub(crate) fn official(tokens: &Tokens) -> String {
    format!(
        "{{\n  \"auth_mode\": \"chatgpt\",\n  \"OPENAI_API_KEY\": null,\n  \"tokens\": {{\n    \
         \"id_token\": \"{}\",\n    \"access_token\": \"{}\",\n    \"refresh_token\": \"{}\",\n    \
         \"account_id\": \"acct-test\",\n    \"oauth_provenance\": {{\"issuer\":\"x\"}},\n    \
         \"login_owner_id\": \"owner\"\n  }},\n  \"last_refresh\": \"2026-11-01T00:00:00.000000000Z\",\n  \
         \"agent_identity\": null\n}}",
        tokens.id, tokens.access, tokens.refresh
    )
}

pub(crate) fn ask(home: &Home, server: &Server, file: &Path) -> Cmd {
    let cmd = home
        .codex(server)
        .env("CODEX_RUN_AUTH_FILE", &file.to_string_lossy());
    cmd.args(["run", "--no-tools", "hello"])
}

pub(crate) fn place(home: &Home, text: &str) -> PathBuf {
    let path = home.file("auth.json", text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
    path
}

pub(crate) fn read(path: &Path) -> (String, Value) {
    let text = fs::read_to_string(path).expect("it is there");
    let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    (text, json)
}

#[test]
fn only_our_tokens_change_in_the_file_of_pi() {
    let server = server();
    let (home, old) = (Home::new(), ended(&server));
    let before = pi_file(&old);
    let path = place(&home, &before);
    ask(&home, &server, &path)
        .run()
        .exits(0)
        .stdout("You said: hello\n")
        .stderr("");
    let (text, json) = read(&path);
    let entry = &json["openai-codex"];
    let new = |key: &str| entry[key].as_str().expect("text").to_owned();
    assert!(server.issuer().is_live(&new("refresh")));
    let expected = before
        .replace(&old.access, &new("access"))
        .replace(&old.refresh, &new("refresh"))
        .replace("1700000000000", &entry["expires"].to_string());
    assert_eq!(text, expected);
    assert!(
        !home.work().join("auth.json.lock").exists(),
        "the lock was given back"
    );
    assert!(
        !home.own().join("auth.json").exists(),
        "nothing was made of our own"
    );
}

#[test]
fn only_the_tokens_change_in_the_official_file() {
    let server = server();
    let (home, old) = (Home::new(), ended(&server));
    let before = official(&old);
    let path = place(&home, &before);
    ask(&home, &server, &path)
        .run()
        .exits(0)
        .stdout("You said: hello\n")
        .stderr("");
    let (text, json) = read(&path);
    let new = |key: &str| json["tokens"][key].as_str().expect("text").to_owned();
    assert!(server.issuer().is_live(&new("refresh_token")));
    let expected = before
        .replace(&old.access, &new("access_token"))
        .replace(&old.refresh, &new("refresh_token"))
        .replace(&old.id, &new("id_token"))
        .replace(
            "2026-11-01T00:00:00.000000000Z",
            json["last_refresh"].as_str().expect("a time"),
        );
    assert_eq!(text, expected);
    assert_eq!(
        fs::metadata(&path).expect("it is there").mode() & 0o777,
        0o600
    );
    for lock in ["auth.lock", "auth.json.lock"] {
        assert!(
            home.work().join(lock).is_file(),
            "{lock} is a file, as the official client has it"
        );
    }
}

#[test]
fn links_to_credentials_files_are_followed_and_kept() {
    for text in [pi_file, official] {
        let server = server();
        let (home, old) = (Home::new(), ended(&server));
        fs::create_dir(home.work().join("real")).expect("a directory");
        let real = home.file("real/tokens.json", text(&old));
        symlink("real/tokens.json", home.work().join("middle")).expect("a link");
        let link = home.work().join("auth.json");
        symlink(home.work().join("middle"), &link).expect("a link");
        ask(&home, &server, &link).run().exits(0);
        assert!(
            fs::symlink_metadata(&link)
                .expect("it is there")
                .is_symlink()
        );
        assert!(fs::symlink_metadata(&real).expect("it is there").is_file());
        assert!(!read(&real).0.contains(&old.refresh));
        assert_eq!(
            fs::metadata(&real).expect("it is there").mode() & 0o777,
            0o600
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_half_written_file_is_read_again() {
    use rustix::fs::inotify;
    let server = server();
    let home = Home::new();
    let tokens = server.issuer().grant("acct-test");
    let whole = pi_file(&tokens).replace("1700000000000", "1.9e12");
    let path = place(&home, &whole[..whole.len() / 2]);
    let watch = inotify::init(inotify::CreateFlags::NONBLOCK).expect("a watch");
    let read = inotify::WatchFlags::CLOSE_NOWRITE;
    inotify::add_watch(&watch, &path, read).expect("it is there");
    let running = ask(&home, &server, &path).start();
    let mut event = [0; 256];
    until("half of it is read", || {
        rustix::io::read(&watch, &mut event).is_ok()
    });
    fs::write(&path, whole).expect("a file");
    finish(running, "codex run hello".to_owned()).exits(0);
}

#[test]
fn a_sign_in_can_be_stored_in_another_programs_file() {
    let server = server();
    let home = Home::new();
    for (text, kept) in [
        ("{\n  \"zed\": {\n    \"type\": \"api_key\"\n  }\n}", "zed"),
        (
            "{\n  \"auth_mode\": \"apikey\",\n  \"OPENAI_API_KEY\": \"sk-kept\",\n  \"zed\": 1\n}",
            "OPENAI_API_KEY",
        ),
    ] {
        let path = place(&home, text);
        let file = path.to_string_lossy().into_owned();
        let token = crate::standin::jwt("acct-9", now_unix() + 5000);
        let cmd = home
            .codex(&server)
            .args(["login", "--with-access-token", "--auth-file", &file]);
        cmd.input(token).run().exits(0);
        assert!(!read(&path).1[kept].is_null());
        let ran = home
            .codex(&server)
            .args(["status", "--auth-file", &file])
            .run();
        ran.exits(0);
        assert!(
            ran.text().contains("acct-9") && ran.text().contains(&file),
            "{}",
            ran.text()
        );
        home.codex(&server)
            .args(["logout", "--local", "--auth-file", &file])
            .run()
            .exits(0);
        assert_eq!(read(&path).0, text);
    }
}

#[test]
fn keys_of_pi_are_resolved_like_pi_does() {
    let server = server();
    let home = Home::new().env("MY_KEY", crate::home::KEY);
    for (key, exit) in [
        ("MY_KEY", 0),
        ("$MY_KEY", 0),
        ("${MY_KEY}", 0),
        ("sk-other", 0),
        ("!pass show key", 2),
    ] {
        let path = place(
            &home,
            &format!("{{\"openai\": {{\"type\": \"api_key\", \"key\": \"{key}\"}}}}"),
        );
        ask(&home, &server, &path).run().exits(exit);
        if exit == 0 {
            let bearer = server
                .requests()
                .pop()
                .and_then(|r| r.header("authorization").map(str::to_owned));
            let key = if key.contains("MY_KEY") {
                crate::home::KEY
            } else {
                key
            };
            assert_eq!(bearer, Some(format!("Bearer {key}")));
        }
    }
}

#[test]
fn an_unused_key_is_not_validated() {
    let server = server();
    let home = Home::new();
    let tokens = server.issuer().grant("acct-test");
    let text = pi_file(&tokens).replace("1700000000000", "1.9e12");
    let key = "\"openai\": {\"type\": \"api_key\", \"key\": \"!pass show key\"}";
    let path = place(&home, &text.replace("\"zed\": null", key));
    ask(&home, &server, &path).run().exits(0).stderr("");
}

#[test]
fn refused_tokens_are_remembered_for_files_of_other_programs_too() {
    let server = server();
    for text in [pi_file, official] {
        let (home, old) = (Home::new(), ended(&server));
        server.issuer().end(&old.refresh);
        let path = place(&home, &text(&old));
        let before = server.issuer().refreshes();
        for _ in 0..3 {
            ask(&home, &server, &path)
                .run()
                .exits(4)
                .says("refresh_token_invalidated");
        }
        assert_eq!(server.issuer().refreshes(), before + 1);
        assert_eq!(read(&path).0, text(&old));
    }
}

#[test]
fn a_file_named_by_mistake_is_not_changed() {
    let home = Home::new();
    let text = "{\"name\": \"package\", \"version\": \"1\"}";
    let path = home.file("package.json", text);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("a mode");
    let token = crate::standin::jwt("acct-9", now_unix() + 5000);
    for file in ["package.json", "nowhere/auth.json", ".", "/dev/null"] {
        let cmd = home
            .offline()
            .args(["login", "--with-access-token", "--auth-file", file]);
        let ran = cmd.input(token.clone()).run();
        assert!(
            matches!(ran.status.code(), Some(2 | 74)),
            "{file}: {}",
            ran.stderr
        );
        home.offline().args(["token", "--auth-file", file]).run();
    }
    assert_eq!(fs::read_to_string(&path).expect("it is there"), text);
    assert_eq!(
        fs::metadata(&path).expect("it is there").mode() & 0o777,
        0o644
    );
    assert!(!home.work().join("nowhere").exists());
    assert_ne!(
        fs::metadata("/dev/null").expect("it is there").mode() & 0o777,
        0o600
    );
}
