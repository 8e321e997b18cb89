//! A sign-in that stays valid, however many use it and whatever happens meanwhile: a refresh token is spent once,
//! and its successor is never lost.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::ends::TERM;
use crate::home::{Cmd, Home, Ran, finish, until};
use crate::standin::{Reply, Scenarios, Script, Server, now_unix};

const KILL: i32 = 9;
const STOP: i32 = 19;
const CONTINUE: i32 = 18;

/// A server that repeats what it is told, and takes a while between spending a refresh token and saying so.
fn slow(pause: u64) -> Server {
    let server = Server::start(Script::prompts(Scenarios::default()));
    server.issuer().pause(Duration::from_millis(pause));
    server
}

fn ask(home: &Home, server: &Server) -> Cmd {
    home.codex(server).args(["run", "--no-tools", "hello"])
}

/// What was asked of the backend.
fn asked(server: &Server) -> usize {
    let requests = server.requests();
    let asked = |path: &str| path.ends_with("/responses");
    requests
        .iter()
        .filter(|request| asked(request.bare_path()))
        .count()
}

/// Makes the stored access token one that has ended.
fn expire(home: &Home) {
    let mut file = home.auth_json();
    file["openai-codex"]["expires"] = json!(1000);
    home.write_auth(&file.to_string());
}

#[test]
fn a_hundred_at_once_spend_one_token() {
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
fn whoever_is_killed_holds_up_nobody() {
    let killed = |after: u64| {
        let server = slow(200);
        let (home, old) = Home::expired(&server);
        let holder = ask(&home, &server).start();
        thread::sleep(Duration::from_millis(after));
        holder.signal(KILL);
        finish(holder, "codex run hello".to_owned());
        let next = ask(&home, &server).run();
        let spent = !server.issuer().is_live(&old.refresh) && server.issuer().refreshed() == 1;
        match next.status.code() {
            Some(0) => assert!(
                server.issuer().is_live(&home.refresh_token()),
                "after {after} ms"
            ),
            // The token was spent, and what came for it died with the one who had asked.
            _ => {
                assert!(spent, "after {after} ms");
                next.exits(4)
                    .says("refresh_token_reused")
                    .says("codex login");
                assert_eq!(home.refresh_token(), old.refresh, "nothing is thrown away");
            }
        }
        assert_eq!(
            home.left(),
            ["auth.json", "auth.json.lock"],
            "after {after} ms"
        );
    };
    thread::scope(|scope| {
        let killed = &killed;
        for after in [0, 5, 20, 50, 100, 150, 200, 220, 250, 300] {
            scope.spawn(move || killed(after));
        }
    });
}

#[test]
fn whoever_stands_still_is_named_after_half_a_minute() {
    let server = slow(300);
    let (home, old) = Home::expired(&server);
    let holder = ask(&home, &server).start();
    until("it has the lock and has asked", || {
        server.issuer().refreshes() == 1
    });
    holder.signal(STOP);
    let ran = ask(&home, &server).run();
    ran.exits(7)
        .stdout("")
        .says(&format!("process {} holds the lock of", holder.id()));
    assert_eq!(server.issuer().refreshes(), 1);
    holder.signal(CONTINUE);
    finish(holder, "codex run hello".to_owned())
        .exits(0)
        .stdout("You said: hello\n");
    assert!(home.refresh_token() != old.refresh && server.issuer().is_live(&home.refresh_token()));
}

/// Ends a command in every phase of a renewal. The token that came, if one did, is the one that is stored.
fn ended(how: impl Fn(Cmd, Duration) -> Ran + Sync, check: impl Fn(&Ran) + Sync) {
    thread::scope(|scope| {
        for after in [5, 30, 60, 120, 180, 260] {
            let (how, check) = (&how, &check);
            scope.spawn(move || {
                let server = slow(150);
                let (home, old) = Home::expired(&server);
                let ran = how(ask(&home, &server), Duration::from_millis(after));
                check(&ran);
                let stored = home.refresh_token();
                assert!(
                    server.issuer().is_live(&stored),
                    "after {after} ms: {}",
                    server.log()
                );
                assert!(stored == old.refresh || server.issuer().refreshed() == 1);
                let left = home.left();
                assert!(
                    left.iter()
                        .all(|name| name.starts_with("auth.json") && !name.ends_with(".new")),
                    "{left:?}"
                );
                ask(&home, &server).run().exits(0);
            });
        }
    });
}

#[test]
fn a_signal_waits_for_the_token() {
    ended(
        |cmd, after| {
            let running = cmd.start();
            thread::sleep(after);
            let _ = Command::new("kill")
                .arg(running.id().to_string())
                .stderr(Stdio::null())
                .status();
            thread::sleep(Duration::from_millis(10));
            // A second one does not break it either.
            let _ = Command::new("kill")
                .arg(running.id().to_string())
                .stderr(Stdio::null())
                .status();
            finish(running, "codex run hello".to_owned())
        },
        |ran| {
            assert!(
                ran.status.code() == Some(0) || {
                    ran.ends_by(TERM);
                    true
                }
            )
        },
    );
}

#[test]
fn the_clock_waits_for_the_token() {
    ended(
        |mut cmd, after| {
            cmd.command
                .args(["--timeout", &format!("{}ms", after.as_millis())]);
            cmd.run()
        },
        |ran| assert!(matches!(ran.status.code(), Some(0 | 124))),
    );
}

#[test]
fn a_reader_that_goes_away_waits_for_the_token() {
    ended(
        |cmd, after| {
            let mut running = cmd.start();
            thread::sleep(after);
            drop(running.stdout.take());
            finish(running, "codex run hello".to_owned())
        },
        |ran| assert!(matches!(ran.status.code(), Some(0 | 141))),
    );
}

#[test]
fn a_signal_waits_for_the_token_in_other_commands_too() {
    for args in [&["token"][..], &["status", "--limits"]] {
        let server = slow(200);
        let (home, old) = Home::expired(&server);
        let mut cmd = home.codex(&server);
        cmd.command.args(args);
        let running = cmd.start();
        until("it asks", || server.issuer().refreshes() == 1);
        running.signal(TERM);
        finish(running, format!("codex {args:?}")).ends_by(TERM);
        assert!(
            home.refresh_token() != old.refresh && server.issuer().is_live(&home.refresh_token())
        );
    }
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
fn a_token_that_is_still_good_is_used_when_it_cannot_be_renewed() {
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
        ran.says("its token is good until 20");
        assert_eq!(home.auth_text(), before);
        // A failure is tried again after a while, a refusal never.
        thread::sleep(Duration::from_millis(1100));
        ask(&home, &server).run().exits(0);
        assert_eq!(server.issuer().refreshes(), 1 + again);
    }
}

#[test]
fn a_401_is_answered_by_one_renewal_and_one_more_try() {
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

    // All at once: still one renewal.
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

    // And if the service refuses whatever it is shown, that is the end.
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
fn what_changes_in_the_file_meanwhile_is_seen() {
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
        // After three seconds it says that it waits, so it has read the file by then.
        use std::io::{Read, Write};
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
                .says("another account");
            assert_eq!((server.issuer().refreshes(), asked(&server)), (0, 1));
        });
        scope.spawn(|| {
            let (ran, _) = changed(&|_, home| home.write_auth("{}"));
            ran.exits(4).says("holds no sign-in any more");
        });
        scope.spawn(|| {
            let (ran, _) = changed(&|_, home| home.write_auth("{\n\n  torn"));
            ran.exits(2).says("is not JSON at line 3, column 3");
        });
    });
}

#[test]
fn the_answer_is_taken_as_it_comes() {
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
fn an_answer_that_is_lost_is_asked_for_again_and_told() {
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

#[test]
fn nothing_is_spent_where_the_new_tokens_would_have_no_place() {
    let server = slow(0);
    let (home, old) = Home::expired(&server);
    // What stands in the place of the lock cannot be opened, even by root.
    std::fs::create_dir(home.own().join("auth.json.lock")).expect("a directory");
    let ran = ask(&home, &server).run();
    ran.exits(74)
        .stdout("")
        .says("the saved token was not spent")
        .says("nothing is lost");
    assert_eq!((server.issuer().refreshes(), asked(&server)), (0, 0));
    assert!(server.issuer().is_live(&old.refresh));
    // With a token that is good for a little longer, the run goes on with it.
    let expires = now_unix() + 60;
    let tokens = server.issuer().grant_until("acct-test", expires);
    let home = Home::with_tokens(&tokens, expires);
    std::fs::create_dir(home.own().join("auth.json.lock")).expect("a directory");
    ask(&home, &server)
        .run()
        .exits(0)
        .says("the sign-in cannot be renewed: cannot lock");
    assert_eq!(server.issuer().refreshes(), 0);
}

#[test]
fn a_full_disk_costs_no_token() {
    let server = slow(0);
    let (home, old) = Home::expired(&server);
    let script = home.file(
        "full.sh",
        "set -e\nmount -t tmpfs -o size=64k none \"$CODEX_RUN_HOME\" 2> /dev/null || exit 99\n\
         cp auth.json \"$CODEX_RUN_HOME/auth.json\"\n\
         dd if=/dev/zero of=\"$CODEX_RUN_HOME/filler\" bs=1k count=$1 2> /dev/null || true\n\
         code=0; \"$2\" run --no-tools hello || code=$?\n\
         cp \"$CODEX_RUN_HOME/auth.json\" auth.json; ls \"$CODEX_RUN_HOME\" > left; exit $code\n",
    );
    std::fs::copy(home.auth(), home.work().join("auth.json")).expect("a copy");
    for (filled, code) in [(64, 74), (58, 74), (0, 0)] {
        let mut cmd = home.codex(&server);
        let own = home.own();
        let mut unshared = Command::new("unshare");
        unshared
            .args(["-rm", "sh"])
            .arg(&script)
            .arg(filled.to_string())
            .arg(cmd.command.get_program());
        unshared.current_dir(home.work()).env_clear();
        for (name, value) in cmd.command.get_envs() {
            unshared.env(name, value.expect("a value"));
        }
        unshared.env("CODEX_RUN_HOME", &own);
        cmd.command = unshared;
        let ran = cmd.run();
        if matches!(ran.status.code(), Some(99) | Some(1)) {
            eprintln!(
                "skipped: no file system of its own can be mounted here: {}",
                ran.stderr
            );
            return;
        }
        ran.exits(code);
        if code == 74 {
            ran.says("was not spent");
            assert!(server.issuer().is_live(&old.refresh) && server.issuer().refreshes() == 0);
            assert!(!home.read("left").contains(".new"));
        }
    }
    let file: Value = serde_json::from_str(&home.read("auth.json")).expect("JSON");
    assert!(
        server
            .issuer()
            .is_live(file["openai-codex"]["refresh"].as_str().expect("a token"))
    );
}

#[test]
fn what_a_killed_process_had_made_ready_is_taken_over() {
    let server = slow(0);
    let (home, old) = Home::expired(&server);
    let renewed = server.issuer().grant("acct-test");
    let left = json!({"openai-codex": {"type": "oauth", "access": renewed.access, "refresh": renewed.refresh,
        "expires": (now_unix() + 5000) * 1000, "accountId": "acct-test"}});
    let place = home.own().join("auth.json.999999.new");
    std::fs::write(&place, left.to_string()).expect("a file");
    ask(&home, &server).run().exits(0);
    assert_eq!(
        (home.refresh_token(), server.issuer().refreshes()),
        (renewed.refresh, 0)
    );
    assert_eq!(home.left(), ["auth.json", "auth.json.lock"]);
    // But not what it had only begun, nor somebody else's.
    expire(&home);
    std::fs::write(&place, left.to_string().replace('}', " ")).expect("a file");
    let other = left
        .to_string()
        .replace("acct-test", "acct-other")
        .replace(&old.refresh, "rt_other");
    std::fs::write(home.own().join("auth.json.999998.new"), other).expect("a file");
    ask(&home, &server).run().exits(0);
    assert_eq!(server.issuer().refreshes(), 1);
    assert_eq!(home.left(), ["auth.json", "auth.json.lock"]);
}
