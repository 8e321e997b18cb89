//! A renewal that is interrupted: by a kill, a stop, a signal, the clock, a reader that goes away, a full disk.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::ends::TERM;
use crate::home::{Cmd, Home, Ran, finish, skipped, until};
use crate::refresh::{ask, asked, expire, slow};
use crate::standin::now_unix;

const KILL: i32 = 9;
const STOP: i32 = 19;
const CONTINUE: i32 = 18;

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
        if next.status.code() == Some(0) {
            let stored = home.refresh_token();
            assert!(server.issuer().is_live(&stored), "after {after} ms");
        } else {
            // The token was spent, and what came for it died with the one who had asked.
            assert!(spent, "after {after} ms");
            next.exits(4)
                .says("refresh_token_reused")
                .says("had begun to renew it, and ended before anything was stored")
                .says("codex login");
            assert_eq!(home.refresh_token(), old.refresh, "nothing is thrown away");
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
    let server = slow(5000);
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
                        .all(|name| ["auth.json", "auth.json.lock"].contains(&&**name)),
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
        let server = slow(2000);
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
        if matches!(ran.status.code(), Some(99 | 1)) {
            skipped("no file system of its own can be mounted here");
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
    let mark = |token: &str| -> String {
        let hash = Sha256::digest(token);
        hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    };
    let place = home
        .own()
        .join(format!("auth.json.999999-{}.new", mark(&old.refresh)));
    std::fs::write(&place, left.to_string()).expect("a file");
    ask(&home, &server).run().exits(0);
    assert_eq!(
        (home.refresh_token(), server.issuer().refreshes()),
        (renewed.refresh, 0)
    );
    assert_eq!(home.left(), ["auth.json", "auth.json.lock"]);
    // But not what it had only begun, nor somebody else's, nor what came for another token.
    expire(&home);
    let now = home.refresh_token();
    let leave = |process: u32, token: &str, text: String| {
        let name = format!("auth.json.{process}-{}.new", mark(token));
        std::fs::write(home.own().join(name), text).expect("a file");
    };
    leave(999_999, &now, left.to_string().replace('}', " "));
    leave(
        999_998,
        &now,
        left.to_string().replace("acct-test", "acct-other"),
    );
    leave(999_997, "rt_other", left.to_string());
    ask(&home, &server).run().exits(0);
    assert_eq!(server.issuer().refreshes(), 1);
    assert_eq!(home.left(), ["auth.json", "auth.json.lock"]);
}
