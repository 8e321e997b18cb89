//! A renewal that is interrupted: by a kill, a stop, a signal, a timeout, a closed reader, a full disk.

use std::fs::File;
use std::io::Write;
use std::thread;
use std::time::Duration;

use crate::home::{Cmd, CommandOutput, Home, finish, signal_process, until};
use crate::refresh::{ask, slow};
use crate::standin::now_unix;
use crate::stops::TERM;

const KILL: i32 = 9;
const STOP: i32 = 19;
const CONTINUE: i32 = 18;

#[test]
fn a_killed_lock_holder_does_not_block_others() {
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
            // The token was spent, and its successor was lost with the process that had requested it.
            assert!(spent, "after {after} ms");
            next.exits(4)
                .says("refresh_token_reused")
                .says("started to renew it but ended before storing the new tokens")
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

/// Records in the lock file that this process has held the lock for so many seconds.
fn record_lock_age(home: &Home, process: u32, seconds: u64) {
    let since = (now_unix() - seconds) * 1000;
    let line = format!("{{\"holder\":{process},\"since\":{since}}}\n");
    let path = home.own().join("auth.json.lock");
    let mut file = File::options().append(true).open(path).expect("the lock");
    file.write_all(line.as_bytes()).expect("it is ours");
}

#[test]
fn a_lock_holder_past_its_time_limit_is_named() {
    let server = slow(5000);
    let (home, old) = Home::expired(&server);
    let holder = ask(&home, &server).start();
    until("it has the lock and has asked", || {
        server.issuer().refreshes() == 1
    });
    holder.signal(STOP);
    // It is stopped for longer than a renewal may take.
    record_lock_age(&home, holder.id(), 140);
    let held = format!("process {} holds the lock on", holder.id());
    let waits = ask(&home, &server).run();
    waits
        .exits(7)
        .stdout("")
        .says(&format!("cannot use the sign-in: {held}"))
        .says("and has not released it for more than 130 s, the longest a renewal takes")
        .says("which may be suspended");
    // A second command of the same kind says the same.
    let logout = home.codex(&server).args(["logout", "--local"]).run();
    logout.exits(7).says(&held);
    assert_eq!(server.issuer().refreshes(), 1);
    holder.signal(CONTINUE);
    finish(holder, "codex run hello".to_owned())
        .exits(0)
        .stdout("You said: hello\n");
    assert!(home.refresh_token() != old.refresh && server.issuer().is_live(&home.refresh_token()));
}

#[test]
fn a_busy_lock_holder_is_waited_for_with_a_message() {
    let server = slow(3000);
    let (home, _) = Home::expired(&server);
    let holder = ask(&home, &server).start();
    until("it has the lock and has asked", || {
        server.issuer().refreshes() == 1
    });
    let said = format!("codex: process {} holds the lock on", holder.id());
    let other = home.codex(&server).args(["models"]).start();
    let waits = ask(&home, &server).run();
    waits.exits(0).stdout("You said: hello\n").says(&said);
    waits.says("; waiting for it\n");
    finish(other, "codex models".to_owned())
        .exits(0)
        .says(&said);
    finish(holder, "codex run hello".to_owned())
        .exits(0)
        .stderr("codex: renewing the sign-in; the service has not responded for a second\n");
    assert_eq!(server.issuer().refreshes(), 1);
}

/// Ends a command in every phase of a renewal. If a new token arrived, it is the one that is stored.
fn ended(
    how: impl Fn(Cmd, Duration) -> CommandOutput + Sync,
    check: impl Fn(&CommandOutput) + Sync,
) {
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
fn a_signal_waits_for_a_renewal_in_progress() {
    ended(
        |cmd, after| {
            let running = cmd.start();
            thread::sleep(after);
            let _ = signal_process(running.id(), TERM);
            thread::sleep(Duration::from_millis(10));
            // A second signal does not break it either.
            let _ = signal_process(running.id(), TERM);
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
fn a_timeout_waits_for_a_renewal_in_progress() {
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
fn a_closed_reader_waits_for_a_renewal_in_progress() {
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
fn a_signal_waits_for_a_renewal_in_other_commands_too() {
    for args in [&["token"][..], &["status", "--limits"]] {
        let server = slow(5000);
        let (home, old) = Home::expired(&server);
        let mut cmd = home.codex(&server);
        cmd.command.args(args);
        let running = cmd.start();
        until("it asks", || server.issuer().refreshes() == 1);
        running.signal(TERM);
        finish(running, format!("codex {args:?}"))
            .ends_by(TERM)
            .says("the sign-in is being renewed and would be lost");
        assert!(
            home.refresh_token() != old.refresh && server.issuer().is_live(&home.refresh_token())
        );
    }
}

/// The issuer may take 120 s; the limit was once 15 s.
#[test]
fn a_signal_waits_for_a_slow_renewal() {
    let server = slow(17_000);
    let (home, old) = Home::expired(&server);
    let running = ask(&home, &server).start();
    until("it asks", || server.issuer().refreshes() == 1);
    running.signal(TERM);
    finish(running, "codex run hello".to_owned())
        .ends_by(TERM)
        .says("the sign-in is being renewed and would be lost");
    let stored = home.refresh_token();
    assert!(stored != old.refresh && server.issuer().is_live(&stored));
}

#[test]
fn a_kill_before_the_token_is_spent_loses_nothing_and_a_later_one_is_explained() {
    let server = slow(0);
    server.issuer().pause_before(Duration::from_secs(20));
    let (home, old) = Home::expired(&server);
    let holder = ask(&home, &server).start();
    // It is counted once it is handled, which is still to come.
    until("it asks", || !server.requests().is_empty());
    holder.signal(KILL);
    until("the issuer notices", || {
        server.log().contains("left before it was answered")
    });
    server.issuer().pause_before(Duration::ZERO);
    ask(&home, &server).run().exits(0).stderr("");
    assert!(server.issuer().is_live(&home.refresh_token()) && home.refresh_token() != old.refresh);

    let server = slow(20_000);
    let (home, old) = Home::expired(&server);
    let holder = ask(&home, &server).start();
    until("the token is spent", || server.issuer().refreshed() == 1);
    holder.signal(KILL);
    let ran = ask(&home, &server).run();
    ran.exits(4)
        .says("refresh_token_reused")
        .says(&format!("process {} started to renew it", holder.id()));
    assert_eq!(home.refresh_token(), old.refresh, "nothing is thrown away");
}
