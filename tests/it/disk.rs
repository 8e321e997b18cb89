//! Full disks, mounts that cannot be replaced, and files left on them.

use std::os::unix::fs::symlink;
use std::process::Command;
use std::thread;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::home::{CommandOutput, Home, finish, until};
use crate::needs::{Need, lacks};
use crate::refresh::{ask, asked, expire, slow};
use crate::standin::{Reply, Server, Tokens, now_unix};

/// Runs a script as root of a separate namespace, where it can mount things. `$1` is the command under test, and exit
/// code 99 means that it cannot.
fn unshared(home: &Home, server: &Server, script: &str) -> CommandOutput {
    let script = home.file("script.sh", format!("set -e\n{script}"));
    let mut cmd = home.codex(server);
    let mut unshared = Command::new("unshare");
    let program = cmd.command.get_program();
    unshared.args(["-rm", "sh"]).arg(script).arg(program);
    unshared.current_dir(home.work()).env_clear();
    for (name, value) in cmd.command.get_envs() {
        unshared.env(name, value.expect("a value"));
    }
    cmd.command = unshared;
    let ran = cmd.run();
    let mounted = ran.status.code() != Some(99) && !ran.stderr.contains("unshare:");
    assert!(mounted, "{}", ran.stderr);
    ran
}

/// The part of a leftover file's name that identifies the token.
fn mark(token: &str) -> String {
    let hash = Sha256::digest(token);
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A credentials file with these tokens.
fn file(tokens: &Tokens) -> Value {
    json!({"openai-codex": {"type": "oauth", "access": tokens.access, "refresh": tokens.refresh,
        "expires": (now_unix() + 5000) * 1000, "accountId": "acct-test"}})
}

#[test]
fn a_full_disk_loses_no_token() {
    if lacks(&Need::OWN_MOUNTS) {
        return;
    }
    let server = slow(0);
    let (home, old) = Home::expired(&server);
    std::fs::copy(home.auth(), home.work().join("auth.json")).expect("a copy");
    for (filled, code) in [(64, 74), (58, 74), (0, 0)] {
        let script = format!(
            "own=$HOME/.codex-run\nmount -t tmpfs -o size=64k none $own 2> /dev/null || exit 99\n\
             cp auth.json $own/auth.json\n\
             dd if=/dev/zero of=$own/tools.tar bs=1k count={filled} 2> /dev/null || true\n\
             code=0; $1 run --no-tools hello || code=$?\n\
             cp $own/auth.json auth.json; ls $own > left; exit $code\n"
        );
        let ran = unshared(&home, &server, &script);
        ran.exits(code);
        if code == 74 {
            ran.says("was not used");
            assert!(server.issuer().is_live(&old.refresh) && server.issuer().refreshes() == 0);
            assert!(!home.read("left").contains(".new"));
        }
    }
    let file: Value = serde_json::from_str(&home.read("auth.json")).expect("JSON");
    let stored = file["openai-codex"]["refresh"].as_str().expect("a token");
    assert!(server.issuer().is_live(stored));
}

#[test]
fn a_bind_mounted_credentials_file_is_written_or_no_token_is_spent() {
    if lacks(&Need::OWN_MOUNTS) {
        return;
    }
    let server = slow(0);
    let (home, old) = Home::expired(&server);
    let mount = "cd $HOME/.codex-run\nmount --bind auth.json auth.json 2> /dev/null || exit 99\n";
    let read_only = format!("{mount}mount -o remount,bind,ro auth.json 2> /dev/null || exit 99\n");
    let run = "$1 run --no-tools --no-stdin hello";
    let ran = unshared(&home, &server, &format!("{read_only}{run}"));
    ran.exits(74).says("was not used");
    assert!(server.issuer().is_live(&old.refresh));
    let ran = unshared(&home, &server, &format!("{mount}{run}"));
    ran.exits(0).stderr("");
    assert!(server.issuer().is_live(&home.refresh_token()) && server.issuer().refreshes() == 1);
    // A leftover there is used in the same way, and a stored sign-in there can be removed.
    expire(&home);
    let renewed = server.issuer().grant("acct-test");
    let name = format!("auth.json.999999-{}.new", mark(&home.refresh_token()));
    std::fs::write(home.own().join(name), file(&renewed).to_string()).expect("a file");
    let ran = unshared(&home, &server, &format!("{mount}{run}\n"));
    ran.exits(0).stderr("");
    assert_eq!(
        (home.refresh_token(), server.issuer().refreshes()),
        (renewed.refresh, 1)
    );
    let ran = unshared(&home, &server, &format!("{mount}$1 logout"));
    ran.exits(0);
    assert_eq!(home.auth_text().as_deref(), Some("{}\n"));
}

#[test]
fn the_last_message_is_written_completely_or_the_file_is_unchanged() {
    if lacks(&Need::OWN_MOUNTS) {
        return;
    }
    let run = "$1 run --no-tools --no-stdin --ephemeral -o out/note.md x";
    let long = "word ".repeat(20_000);
    // A disk with room only for the old file, and a file that is a mount point.
    let full = "mkdir out\nmount -t tmpfs -o size=64k none out 2> /dev/null || exit 99\n\
        echo before > out/note.md\n";
    let mount = "mkdir out\necho before > out/note.md\n\
        mount --bind out/note.md out/note.md 2> /dev/null || exit 99\n";
    let end = "code=0; RUN || code=$?\ncp out/note.md note.md; ls -A out > left; exit $code\n";
    for (before, code) in [(full, 74), (mount, 0)] {
        let (server, home) = (Server::start([Reply::text(&long)]), Home::with_key());
        let script = format!("{before}{}", end.replace("RUN", run));
        let ran = unshared(&home, &server, &script);
        ran.exits(code);
        let expected = if code == 0 {
            &*format!("{long}\n")
        } else {
            "before\n"
        };
        assert_eq!(home.read("note.md"), expected);
        assert_eq!(home.read("left"), "note.md\n");
    }
}

#[test]
fn tokens_that_could_not_be_stored_are_stored_by_the_next_run() {
    let spoilt = |how: &(dyn Fn(&Home) + Sync), exit: i32| {
        let server = slow(1000);
        let (home, _) = Home::expired(&server);
        let whole = home.auth_text().expect("it is there");
        let running = ask(&home, &server).start();
        until("it asks", || server.issuer().refreshes() == 1);
        how(&home);
        let now = home.auth_text();
        let ran = finish(running, "codex run hello".to_owned());
        ran.exits(0)
            .stdout("You said: hello\n")
            .says("was renewed but could not be stored");
        assert_eq!(home.auth_text(), now, "it is not overwritten");
        ask(&home, &server).run().exits(exit);
        home.write_auth(&whole);
        ask(&home, &server).run().exits(0).stderr("");
        assert!(server.issuer().is_live(&home.refresh_token()));
        assert_eq!(server.issuer().refreshes(), 1);
        assert_eq!(home.left(), ["auth.json", "auth.json.lock"]);
    };
    thread::scope(|scope| {
        let spoilt = &spoilt;
        scope.spawn(move || spoilt(&|home| home.write_auth("{ torn"), 2));
        scope.spawn(move || spoilt(&|home| home.write_auth(""), 4));
        scope.spawn(move || {
            let remove = |home: &Home| std::fs::remove_file(home.auth()).expect("it is there");
            spoilt(&remove, 4);
        });
    });
}

#[test]
fn a_concurrent_sign_in_or_sign_out_is_not_overwritten() {
    let changed = |text: &(dyn Fn(&Server) -> String + Sync), reported: &str| {
        let server = slow(1000);
        let (home, _) = Home::expired(&server);
        let running = ask(&home, &server).start();
        until("it asks", || server.issuer().refreshes() == 1);
        let text = text(&server);
        home.write_auth(&text);
        finish(running, "codex run hello".to_owned())
            .exits(4)
            .says(reported);
        assert_eq!(home.auth_text(), Some(text));
    };
    thread::scope(|scope| {
        let changed = &changed;
        scope.spawn(move || {
            let other = |server: &Server| {
                let text = file(&server.issuer().grant("acct-other")).to_string();
                text.replace("acct-test", "acct-other")
            };
            changed(&other, "the credentials of a different account");
        });
        scope.spawn(move || changed(&|_| "{}".to_owned(), "no sign-in is stored in "));
    });
}

#[test]
fn no_token_is_spent_if_its_successor_could_not_be_stored() {
    let server = slow(0);
    let (home, old) = Home::expired(&server);
    // A link in place of the lock is not followed, not even by root.
    symlink("/elsewhere", home.own().join("auth.json.lock")).expect("a link");
    let ran = ask(&home, &server).run();
    ran.exits(74)
        .stdout("")
        .says("the refresh token was not used")
        .says("the sign-in is still valid");
    assert_eq!((server.issuer().refreshes(), asked(&server)), (0, 0));
    assert!(server.issuer().is_live(&old.refresh));
    // With a token that is valid for a little longer, the run continues with it.
    let expires = now_unix() + 60;
    let tokens = server.issuer().grant_until("acct-test", expires);
    let home = Home::with_tokens(&tokens, expires);
    symlink("/elsewhere", home.own().join("auth.json.lock")).expect("a link");
    ask(&home, &server)
        .run()
        .exits(0)
        .says("the sign-in cannot be renewed: cannot lock");
    assert_eq!(server.issuer().refreshes(), 0);
}

#[test]
fn tokens_prepared_by_a_killed_process_are_used() {
    let server = slow(0);
    let (home, old) = Home::expired(&server);
    let renewed = server.issuer().grant("acct-test");
    let left = file(&renewed);
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
    // But not an incomplete file, nor one of another user, nor one for a different token.
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
