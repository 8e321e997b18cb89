//! The credentials file itself: its permissions, contents and location.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use serde_json::Value;

use crate::home::{Home, KEY};
use crate::standin::{Reply, Server};

#[test]
fn a_mode_that_is_too_open_is_restricted_with_a_warning() {
    let server = Server::start([Reply::text("ok")]);
    let (home, _) = Home::signed_in(&server);
    let widen = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode")
    };
    widen(&home.own(), 0o755);
    widen(&home.auth(), 0o644);
    let ran = home.codex(&server).args(["run", "--no-tools", "hi"]).run();
    ran.exits(0).stdout("ok\n");
    ran.says("was readable by others")
        .says("(mode 644)")
        .says("(mode 755)");
    home.is_private();
    // Commands that only read change nothing, and neither does one if the directory has other contents.
    widen(&home.own(), 0o755);
    home.codex(&server)
        .args(["status"])
        .run()
        .exits(0)
        .stderr("");
    home.codex(&server)
        .args(["run", "--no-tools", "--dry-run", "hi"])
        .run()
        .exits(0);
    fs::write(home.own().join("notes.txt"), "").expect("a file");
    server.push(Reply::text("ok"));
    home.codex(&server)
        .args(["run", "--no-tools", "hi"])
        .run()
        .exits(0)
        .stderr("");
    assert_eq!(
        fs::metadata(home.own()).expect("it is there").mode() & 0o777,
        0o755
    );
    // A renewed file is private whatever the umask is.
    let (home, _) = Home::expired(&server);
    let mut cmd = home.codex(&server);
    let program = cmd.command.get_program().to_owned();
    let mut shell = std::process::Command::new("sh");
    shell
        .args(["-c", "umask 0; exec \"$0\" token"])
        .arg(program)
        .env_clear()
        .current_dir(home.work());
    for (name, value) in cmd.command.get_envs() {
        shell.env(name, value.expect("a value"));
    }
    cmd.command = shell;
    assert_eq!(cmd.run().status.code(), Some(0));
    home.is_private();
    for file in home.left() {
        assert_eq!(
            fs::metadata(home.own().join(file))
                .expect("it is there")
                .mode()
                & 0o777,
            0o600
        );
    }
}

#[test]
fn an_invalid_file_is_reported_and_left_unchanged() {
    let server = Server::start([]);
    let home = Home::new();
    for (text, exit, reported) in [
        (
            "{\"openai-codex\": ",
            2,
            "auth.json:1:17 is not a JSON object",
        ),
        ("[]", 2, " is not a JSON object"),
        (
            "{\"openai-codex\": {\"access\": \"opaque\"}}",
            4,
            "does not contain a ChatGPT access token",
        ),
        ("", 4, "you are not signed in"),
        ("{}", 4, "you are not signed in"),
        (
            "{\"openai-codex\": 7}",
            4,
            "which belongs to another program",
        ),
    ] {
        home.write_auth(text);
        for args in [&["run", "--no-tools", "hi"][..], &["status"], &["token"]] {
            let mut cmd = home.codex(&server);
            cmd.command.args(args);
            cmd.run().exits(exit).says(reported);
        }
        assert_eq!(home.auth_text().as_deref(), Some(text));
    }
    fs::remove_file(home.auth()).expect("it is there");
    fs::create_dir(home.auth()).expect("a directory");
    home.codex(&server)
        .args(["run", "--no-tools", "hi"])
        .run()
        .exits(2)
        .says("is not a credentials file");
    // It is not read if a different credential takes precedence.
    let other = Server::start([Reply::text("ok")]);
    let ran = home.codex(&other).env("CODEX_API_KEY", KEY);
    ran.args(["run", "--no-tools", "hi"]).run().exits(0);
    assert_eq!(server.connections(), 0);
}

#[test]
fn the_home_can_be_moved_and_the_credentials_file_can_be_a_link() {
    let server = Server::start([Reply::text("ok"), Reply::text("ok")]);
    let (home, _) = Home::expired(&server);
    let moved = home.work().join("elsewhere");
    fs::create_dir(&moved).expect("a directory");
    let real = home.work().join("real.json");
    fs::rename(home.auth(), &real).expect("it moves");
    symlink("../real.json", moved.join("auth.json")).expect("a link");
    let cmd = home
        .codex(&server)
        .env("CODEX_RUN_HOME", &moved.to_string_lossy());
    cmd.args(["run", "--no-tools", "hi"]).run().exits(0);
    assert!(
        fs::symlink_metadata(moved.join("auth.json"))
            .expect("it is there")
            .is_symlink()
    );
    let file: Value = serde_json::from_slice(&fs::read(&real).expect("it is there")).expect("JSON");
    assert!(
        server
            .issuer()
            .is_live(file["openai-codex"]["refresh"].as_str().expect("a token"))
    );
    // And an own file that is named like another program's is still our own.
    let named = moved.join("auth.json").to_string_lossy().into_owned();
    let cmd = home
        .codex(&server)
        .env("CODEX_RUN_HOME", &moved.to_string_lossy());
    cmd.args(["run", "--no-tools", "--auth-file", &named, "hi"])
        .run()
        .exits(0);
}

#[test]
fn a_dry_run_shows_no_secret_and_sends_nothing() {
    let server = Server::start([]);
    let (home, _) = Home::expired(&server);
    let ran = home
        .codex(&server)
        .args(["run", "--no-tools", "--dry-run", "-v", "hi"])
        .run();
    ran.exits(0);
    assert!(
        ran.text().contains("\"authorization\": \"Bearer ***\"")
            && !ran.text().contains("acct-test")
    );
    assert_eq!(server.connections(), 0);
}
