//! A sign-in that stays valid, however many processes use it and whatever happens meanwhile: a refresh token is spent once,
//! and its successor is never lost.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::home::{Cmd, Home, finish};
use crate::standin::{Reply, Scenarios, Script, Server, now_unix};

/// A server that echoes the prompt, and pauses between spending a refresh token and responding.
pub(crate) fn slow(pause: u64) -> Server {
    let server = Server::start(Script::prompts(Scenarios::default()));
    server.issuer().pause(Duration::from_millis(pause));
    server
}

pub(crate) fn ask(home: &Home, server: &Server) -> Cmd {
    home.codex(server).args(["run", "--no-tools", "hello"])
}

/// The requests to the backend.
pub(crate) fn asked(server: &Server) -> usize {
    let requests = server.requests();
    let asked = |path: &str| path.ends_with("/responses");
    requests
        .iter()
        .filter(|request| asked(request.bare_path()))
        .count()
}

/// Replaces the stored access token by an expired one.
pub(crate) fn expire(home: &Home) {
    let mut file = home.auth_json();
    file["openai-codex"]["expires"] = json!(1000);
    home.write_auth(&file.to_string());
}

#[test]
fn a_hundred_concurrent_runs_spend_one_token() {
    let server = slow(300);
    let (home, _) = Home::expired(&server);
    let over = Arc::new(AtomicBool::new(false));
    let reader = {
        let (over, path) = (Arc::clone(&over), home.auth());
        thread::spawn(move || {
            let mut reads = 0;
            while !over.load(Ordering::Relaxed) {
                let text = std::fs::read_to_string(&path).expect("it is there at every moment");
                let file: Value = serde_json::from_str(&text).expect("it is JSON at every moment");
                assert!(file["openai-codex"]["refresh"].is_string());
                reads += 1;
            }
            reads
        })
    };
    let running: Vec<_> = (0..100).map(|_| ask(&home, &server).start()).collect();
    for running in running {
        finish(running, "codex run hello".to_owned())
            .exits(0)
            .stdout("You said: hello\n")
            .stderr("");
    }
    over.store(true, Ordering::Relaxed);
    assert!(reader.join().expect("every read was good") > 10);
    assert_eq!((server.issuer().refreshes(), asked(&server)), (1, 100));
    assert!(server.issuer().is_live(&home.refresh_token()));
    assert_eq!(home.left(), ["auth.json", "auth.json.lock"]);
    home.is_private();
}

#[test]
fn a_token_is_renewed_five_minutes_before_its_end() {
    let check = |left: u64, refreshes: usize| {
        let server = slow(0);
        let expires = now_unix() + left;
        let tokens = server.issuer().grant_until("acct-test", expires);
        let home = Home::with_tokens(&tokens, expires);
        ask(&home, &server).run().exits(0).stderr("");
        assert_eq!(
            server.issuer().refreshes(),
            refreshes,
            "{left} s before its end"
        );
        let bearer = server
            .requests()
            .pop()
            .and_then(|r| r.header("authorization").map(str::to_owned));
        assert_eq!(
            bearer == Some(format!("Bearer {}", tokens.access)),
            refreshes == 0
        );
        let refresh = server
            .requests()
            .iter()
            .find(|r| r.path == "/oauth/token")
            .cloned();
        if let Some(refresh) = refresh {
            let form = String::from_utf8_lossy(&refresh.body).into_owned();
            assert!(form.starts_with(
                "grant_type=refresh_token&client_id=app_EMoamEEZ73f0CkXaXp7hrann&refresh_token="
            ));
        }
    };
    check(400, 0);
    check(290, 1);
    check(5, 1);
}

#[test]
fn a_token_that_is_still_valid_is_used_if_renewal_fails() {
    let refusal = json!({"error": {"message": "No.", "code": "refresh_token_invalidated"}});
    for (reply, words, again) in [
        (Reply::status(500, &[], "oops"), "oops [HTTP 500]", 1),
        (
            Reply::json(401, &refusal),
            "No. (refresh_token_invalidated) [HTTP 401]",
            0,
        ),
    ] {
        let server = slow(0);
        let expires = now_unix() + 100;
        let tokens = server.issuer().grant_until("acct-test", expires);
        let home = Home::with_tokens(&tokens, expires);
        let before = home.auth_text();
        server.issuer().fail(1, reply);
        let ran = ask(&home, &server).run();
        ran.exits(0)
            .stdout("You said: hello\n")
            .says("the sign-in cannot be renewed: ")
            .says(words);
        ran.says("its access token is valid until 20");
        assert_eq!(home.auth_text(), before);
        // A failure is retried after a while, a refusal never.
        thread::sleep(Duration::from_millis(1100));
        ask(&home, &server).run().exits(0);
        assert_eq!(server.issuer().refreshes(), 1 + again);
    }
}

#[test]
fn a_401_leads_to_one_renewal_and_one_retry() {
    let server = slow(0);
    let (home, old) = Home::signed_in(&server);
    server.issuer().invalidate(&old.access);
    ask(&home, &server)
        .run()
        .exits(0)
        .stdout("You said: hello\n")
        .stderr("");
    assert_eq!((server.issuer().refreshes(), asked(&server)), (1, 2));
    assert!(server.issuer().is_live(&home.refresh_token()));

    // Concurrently: still one renewal.
    let access = home.auth_json()["openai-codex"]["access"]
        .as_str()
        .expect("a token")
        .to_owned();
    server.issuer().pause(Duration::from_millis(200));
    server.issuer().invalidate(&access);
    let running: Vec<_> = (0..20).map(|_| ask(&home, &server).start()).collect();
    for running in running {
        finish(running, "codex run hello".to_owned()).exits(0);
    }
    assert_eq!(server.issuer().refreshes(), 2);

    // And if the service refuses the new token too, the failure is final.
    let refusal = json!({"error": {"message": "No.", "code": "token_invalidated"}, "status": 401});
    let server = Server::start(Script::replies([
        Reply::json(401, &refusal),
        Reply::json(401, &refusal),
    ]));
    let (home, _) = Home::signed_in(&server);
    ask(&home, &server)
        .run()
        .exits(4)
        .says("No. (token_invalidated) [HTTP 401");
    assert_eq!((server.issuer().refreshes(), asked(&server)), (1, 2));
}

#[test]
fn concurrent_changes_of_the_credentials_file_are_seen() {
    // The run waits for its standard input while the file changes.
    let changed = |change: &dyn Fn(&Server, &Home)| {
        let server = slow(0);
        let (home, old) = Home::signed_in(&server);
        let mut running = home
            .codex(&server)
            .piped()
            .args(["run", "--no-tools", "-"])
            .start();
        let mut stderr = [0; 16];
        // After three seconds it reports that it is waiting, so it has read the file by then.
        running
            .stderr
            .as_mut()
            .expect("a pipe")
            .read_exact(&mut stderr)
            .expect("it says so");
        server.issuer().invalidate(&old.access);
        change(&server, &home);
        let mut stdin = running.stdin.take().expect("a pipe");
        stdin.write_all(b"hello").expect("it reads");
        drop(stdin);
        (finish(running, "codex run -".to_owned()), server)
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            let (ran, server) = changed(&|server, home| {
                let new = server.issuer().grant("acct-test");
                let file = json!({"openai-codex": {"type": "oauth", "access": new.access,
                    "refresh": new.refresh, "expires": 1e16, "accountId": "acct-test"}});
                home.write_auth(&file.to_string());
            });
            ran.exits(0).stdout("You said: hello\n");
            assert_eq!(
                server.issuer().refreshes(),
                0,
                "another process has renewed it"
            );
        });
        scope.spawn(|| {
            let (ran, server) = changed(&|server, home| {
                let new = server.issuer().grant("acct-other");
                let file = json!({"openai-codex": {"type": "oauth", "access": new.access,
                    "refresh": new.refresh, "expires": 1e16, "accountId": "acct-other"}});
                home.write_auth(&file.to_string());
            });
            ran.exits(4)
                .stdout("")
                .says("the account has changed")
                .says("the credentials of a different account");
            assert_eq!((server.issuer().refreshes(), asked(&server)), (0, 1));
        });
        scope.spawn(|| {
            let (ran, _) = changed(&|_, home| home.write_auth("{}"));
            ran.exits(4).says("no sign-in is stored in ");
        });
        scope.spawn(|| {
            let (ran, _) = changed(&|_, home| home.write_auth("{\n\n  torn"));
            ran.exits(2).says(":3:3 is not a JSON object");
        });
    });
}

#[test]
fn a_renewal_without_a_new_refresh_token_keeps_the_old_one() {
    let server = slow(0);
    let (home, old) = Home::expired(&server);
    server.issuer().rotate(false);
    server.issuer().omit_id_token();
    ask(&home, &server).run().exits(0);
    assert_eq!(home.refresh_token(), old.refresh);
    let file = home.auth_json();
    assert!(file["openai-codex"]["expires"].as_u64() > Some(now_unix() * 1000));
    assert!(file["openai-codex"]["access"] != old.access.as_str());
}

#[test]
fn a_lost_renewal_response_is_retried_and_explained() {
    let server = slow(0);
    let (home, old) = Home::expired(&server);
    server.issuer().swallow(1);
    let before = home.auth_text();
    let ran = ask(&home, &server).run();
    ran.exits(4)
        .says("has already been used")
        .says("refresh_token_reused")
        .says("codex login");
    assert_eq!((home.auth_text(), server.issuer().refreshes()), (before, 2));
    assert!(!server.issuer().is_live(&old.refresh));
    ask(&home, &server)
        .run()
        .exits(4)
        .says("refresh_token_reused");
    assert_eq!(
        server.issuer().refreshes(),
        2,
        "what was refused for good is not asked again"
    );
    assert_eq!(asked(&server), 0);
}
