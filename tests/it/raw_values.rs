//! Values from env files, unit files and containers, which no shell has expanded: homes with variables, homes that cannot be
//! entered, and keys with quotes or other text around them.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};

use crate::home::{Cmd, Home, KEY};
use crate::needs::{Need, lacks};
use crate::standin::{Reply, Server};

fn ask(cmd: Cmd) -> Cmd {
    cmd.args(["run", "--no-tools", "--retries", "0", "hi"])
}

#[test]
fn a_home_with_a_tilde_or_a_variable_is_expanded() {
    for value in ["~/.other", "$HOME/.other", "${HOME}/.other"] {
        let home = Home::new();
        let cmd = home.offline().env("CODEX_RUN_HOME", value);
        cmd.args(["login", "--with-api-key"])
            .input(KEY)
            .run()
            .exits(0);
        assert!(home.root().join(".other/auth.json").exists(), "{value}");
        let left: Vec<_> = fs::read_dir(home.work()).expect("a directory").collect();
        assert!(left.is_empty(), "{left:?}");
    }
    let home = Home::new();
    home.write_auth(&format!(
        r#"{{"openai": {{"type": "api_key", "key": "{KEY}"}}}}"#
    ));
    let cmd = home
        .offline()
        .env("CODEX_RUN_AUTH_FILE", "$HOME/.codex-run/auth.json");
    cmd.args(["status"]).run().exits(0);
}

#[test]
fn a_home_that_is_not_absolute_is_exit_2() {
    let home = Home::with_key();
    for value in ["other", "./other", "~ada/.other", "$HOMER/x"] {
        for args in [
            &["status"][..],
            &["login", "--with-api-key"],
            &["run", "--no-tools", "hi"],
            &["sessions"],
        ] {
            let mut cmd = home.offline().env("CODEX_RUN_HOME", value).input(KEY);
            cmd.command.args(args);
            cmd.run()
                .exits(2)
                .stdout("")
                .says(&format!(
                    "cannot use CODEX_RUN_HOME={value}: it is a relative path"
                ))
                .says("codex: hint: ");
        }
    }
    // Commands that need no home are not affected.
    home.offline()
        .env("CODEX_RUN_HOME", "other")
        .args(["--version"])
        .run()
        .exits(0);
    let cmd = Home::new().offline().env("HOME", "other");
    cmd.args(["login", "--with-api-key"])
        .input(KEY)
        .run()
        .exits(2)
        .says("it is a relative path");
    let left: Vec<_> = fs::read_dir(home.work()).expect("a directory").collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_inaccessible_home_is_only_a_warning_if_a_key_is_given() {
    let server = Server::start(vec![Reply::text("ok"); 2]);
    let check = |cmd: &dyn Fn() -> Cmd, why: &str| {
        let key = || cmd().env("OPENAI_API_KEY", KEY);
        ask(key())
            .run()
            .exits(0)
            .stdout("ok\n")
            .says("cannot access ")
            .says(why);
        ask(key()).args(["--resume", "x"]).run().exits(2);
        ask(cmd())
            .run()
            .exits(2)
            .says("cannot access ")
            .says("codex: hint: ");
        for args in [
            &["login", "--with-api-key"][..],
            &["logout"],
            &["sessions"],
            &["status"],
        ] {
            let mut cmd = cmd().input(KEY);
            cmd.command.args(args);
            cmd.run().exits(2).says("cannot access ").says(why);
        }
        let status = key().args(["status"]).run();
        status.exits(0).says("cannot access ");
    };
    let home = Home::new();
    check(
        &|| home.codex(&server).env("HOME", "/dev/null"),
        "Not a directory",
    );
    if lacks(&Need::OTHER_USER) {
        return;
    }
    // As in a container whose HOME is root's.
    let closed = home.root().join("closed");
    fs::create_dir(&closed).expect("a directory");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    fs::set_permissions(&closed, mode).expect("a mode");
    let user = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
    let as_nobody = || {
        let cmd = home.codex(&server).within("setpriv", user);
        cmd.env("HOME", &closed.to_string_lossy())
    };
    check(&as_nobody, "Permission denied");
}

#[test]
fn a_key_that_is_not_bare_is_exit_2_and_not_sent() {
    let server = Server::start([]);
    let quoted = [
        format!("\"{KEY}\""),
        format!("'{KEY}'"),
        format!("OPENAI_API_KEY={KEY}"),
        format!("{KEY}\\n"),
        "null".to_owned(),
        "undefined".to_owned(),
        "your-api-key-here".to_owned(),
    ];
    for key in &quoted {
        for variable in ["OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_ACCESS_TOKEN"] {
            let home = Home::new().env(variable, key);
            ask(home.codex(&server))
                .run()
                .exits(2)
                .says(&format!(
                    "cannot use the credential: {variable} does not contain a bare key or token: "
                ))
                .says("codex: hint: ");
        }
        let home = Home::new();
        let login = home.codex(&server).args(["login", "--with-api-key"]);
        login.input(format!("{key}\n")).run().exits(2);
        assert!(home.auth_text().is_none());
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn organization_and_project_are_sent_as_headers() {
    let server = Server::start(vec![Reply::text("ok"); 3]);
    let sent = |server: &Server| {
        let request = server.requests().pop().expect("a request");
        let header = |name: &str| request.header(name).map(str::to_owned);
        (header("openai-organization"), header("openai-project"))
    };
    let named = |home: Home| {
        home.env("OPENAI_ORGANIZATION", "org-1")
            .env("OPENAI_PROJECT", " proj_1\n")
    };
    let home = named(Home::with_key());
    ask(home.codex(&server)).run().exits(0);
    let both = (Some("org-1".to_owned()), Some("proj_1".to_owned()));
    assert_eq!(sent(&server), both);
    let shown = ask(home.codex(&server)).args(["--dry-run"]).run();
    assert!(
        shown.text().contains(r#""openai-organization": "org-1""#),
        "{}",
        shown.text()
    );
    ask(Home::with_key()
        .env("OPENAI_ORGANIZATION", "")
        .codex(&server))
    .run()
    .exits(0);
    assert_eq!(sent(&server), (None, None));
    // A sign-in has its own account.
    ask(named(Home::with_token()).codex(&server)).run().exits(0);
    assert_eq!(sent(&server), (None, None));
    let odd = Home::with_key().env("OPENAI_PROJECT", "a b");
    ask(odd.codex(&server))
        .run()
        .exits(2)
        .says("cannot use OPENAI_PROJECT");
}

#[test]
fn files_that_root_creates_in_a_home_belong_to_its_owner() {
    if lacks(&Need::ROOT) {
        return;
    }
    let server = Server::start(vec![Reply::text("ok"); 3]);
    let home = Home::new();
    // As with `sudo`, which may keep HOME.
    chown(home.root(), Some(65534), Some(65534)).expect("root may");
    let login = home.codex(&server).args(["login", "--with-access-token"]);
    let token = crate::standin::jwt("acct-1", crate::standin::now_unix() + 5000);
    login.input(token).run().exits(0);
    ask(home.codex(&server)).run().exits(0);
    let personal = server.issuer().personal("acct-2");
    let given = home.codex(&server).env("CODEX_ACCESS_TOKEN", &personal);
    ask(given).run().exits(0);
    let mut left = vec![home.own()];
    let mut seen = 0;
    while let Some(path) = left.pop() {
        let found = fs::symlink_metadata(&path).expect("it is there");
        assert_eq!(
            (found.uid(), found.gid()),
            (65534, 65534),
            "{}",
            path.display()
        );
        seen += 1;
        if found.is_dir() {
            left.extend(
                fs::read_dir(&path)
                    .expect("a directory")
                    .flatten()
                    .map(|entry| entry.path()),
            );
        }
    }
    assert!(
        seen >= 8,
        "credentials, a lock, a list and conversations: {seen}"
    );
}
