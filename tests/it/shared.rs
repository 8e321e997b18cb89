//! A credentials file that is shared with another program: its locks, and its changes meanwhile.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::foreign::{ask, ended, official, pi_file, place, read, server};
use crate::home::{Home, finish, until};
use crate::needs::{Need, lacks};
use crate::standin::Tokens;

#[test]
fn many_runs_share_a_file_of_another_program() {
    for text in [pi_file, official] {
        let server = server();
        server.issuer().pause(Duration::from_millis(200));
        let home = Home::new();
        let path = place(&home, &text(&ended(&server)));
        let running: Vec<_> = (0..30)
            .map(|_| ask(&home, &server, &path).start())
            .collect();
        for running in running {
            finish(running, "codex run hello".to_owned()).exits(0);
        }
        assert_eq!(server.issuer().refreshes(), 1);
        read(&path);
    }
}

#[test]
fn a_stale_lock_of_pi_is_taken_over_and_a_live_one_waited_for() {
    let server = server();
    let home = Home::new();
    let path = place(&home, &pi_file(&ended(&server)));
    let lock = home.work().join("auth.json.lock");
    fs::create_dir(&lock).expect("a directory");
    let then = FileTimes::new().set_modified(SystemTime::now() - Duration::from_secs(31));
    File::open(&lock)
        .and_then(|lock| lock.set_times(then))
        .expect("a time");
    ask(&home, &server, &path).run().exits(0);
    assert!(!lock.exists() && server.issuer().refreshes() == 1);

    let path = place(&home, &pi_file(&ended(&server)));
    fs::create_dir(&lock).expect("a directory");
    let mut running = ask(&home, &server, &path).start();
    running.wait_for_message("waiting for it");
    assert_eq!(server.issuer().refreshes(), 1, "it waits");
    fs::remove_dir(&lock).expect("it is there");
    finish(running, "codex run hello".to_owned()).exits(0);
    assert_eq!(server.issuer().refreshes(), 2);
}

#[test]
fn the_second_lock_of_the_official_client_is_not_held_while_a_token_is_spent() {
    if lacks(&Need::FLOCK) {
        return;
    }
    let server = server();
    server.issuer().pause(Duration::from_secs(3));
    let home = Home::new();
    let path = place(&home, &official(&ended(&server)));
    let running = ask(&home, &server, &path).start();
    until("it asks", || server.issuer().refreshes() == 1);
    // `flock` of util-linux, like any other program.
    let held = |lock: &str| {
        let lock = home.work().join(lock);
        let mut flock = Command::new("flock");
        let status = flock.args(["-n", "-x"]).arg(lock).arg("true").status();
        !status.expect("flock").success()
    };
    let (first, second) = (held("auth.lock"), held("auth.json.lock"));
    assert!(first && !second, "{first} {second}");
    finish(running, "codex run hello".to_owned()).exits(0);
}

#[test]
fn tokens_stored_meanwhile_by_another_program_are_used() {
    if lacks(&Need::FLOCK) {
        return;
    }
    // The official client takes no lock before it spends a token.
    let server = server();
    let (home, old) = (Home::new(), ended(&server));
    let path = place(&home, &official(&old));
    let new = server.issuer().grant("acct-test");
    server.issuer().end(&old.refresh);
    server.issuer().pause_before(Duration::from_millis(300));
    let running = ask(&home, &server, &path).start();
    until("it asks", || server.issuer().refreshes() == 1);
    // And it waits for the first of its locks before it stores the new tokens.
    let theirs = official(&new);
    home.file("theirs", &theirs);
    let mut flock = Command::new("flock");
    flock.args(["auth.lock", "mv", "theirs", "auth.json"]);
    let status = flock.current_dir(home.work()).status();
    assert!(status.expect("flock").success());
    finish(running, "codex run hello".to_owned())
        .exits(0)
        .stdout("You said: hello\n");
    assert_eq!(read(&path).0, theirs);
}

#[test]
fn a_link_to_another_programs_file_takes_its_lock() {
    let server = server();
    for (text, lock) in [
        (pi_file as fn(&Tokens) -> String, None),
        (official, Some("auth.lock")),
    ] {
        let (home, old) = (Home::new(), ended(&server));
        let path = place(&home, &text(&old));
        fs::create_dir(home.own()).expect("a directory");
        symlink(&path, home.auth()).expect("a link");
        home.codex(&server)
            .args(["run", "--no-tools", "hello"])
            .run()
            .exits(0);
        assert!(!read(&path).0.contains(&old.refresh));
        let made = fs::metadata(home.work().join("auth.json.lock"));
        assert_eq!(made.is_ok_and(|made| made.is_file()), lock.is_some());
    }
}

#[test]
fn the_credentials_file_of_another_codex_run_home_uses_its_lock() {
    let server = server();
    let (other, old) = Home::expired(&server);
    fs::write(other.own().join("auth.json.lock"), "").expect("a file");
    let home = Home::new();
    ask(&home, &server, &other.auth()).run().exits(0);
    assert!(other.refresh_token() != old.refresh);
    assert!(other.own().join("auth.json.lock").is_file());
}

#[test]
fn tokens_stored_by_the_official_client_under_its_lock_are_not_overwritten() {
    if lacks(&Need::FLOCK) {
        return;
    }
    let server = server();
    server.issuer().pause(Duration::from_secs(1));
    let (home, old) = (Home::new(), ended(&server));
    let path = place(&home, &official(&old));
    let other = official(&server.issuer().grant("acct-other")).replace("acct-test", "acct-other");
    home.file("theirs", &other);
    let running = ask(&home, &server, &path).start();
    until("it asks", || server.issuer().refreshes() == 1);
    // Its second lock is free until the file is written, so the official client may hold it at that moment.
    let mut flock = Command::new("flock");
    flock.args(["auth.json.lock", "sh", "-c", "sleep 2; mv theirs auth.json"]);
    let status = flock.current_dir(home.work()).status();
    assert!(status.expect("flock").success());
    finish(running, "codex run hello".to_owned())
        .exits(4)
        .says("the credentials of a different account");
    assert_eq!(read(&path).0, other);
}
