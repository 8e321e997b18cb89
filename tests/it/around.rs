//! What goes into a tool and what it leaves behind: the environment, and what git runs by itself.

use std::fs;

use crate::ends::TERM;
use crate::home::{Home, KEY, finish, until};
use crate::standin::{Reply, Server};
use crate::tools::{bash, called};

#[test]
fn no_variable_whose_value_is_a_credential_is_handed_on() {
    let names = [
        "OPENAI_API_KEY",
        "CODEX_API_KEY",
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "MY_TOKEN",
    ];
    let mut home = Home::new().env("HTTPS_PROXY", &format!("http://me:{KEY}@proxy.invalid:1"));
    for name in names {
        home = home.env(name, KEY);
    }
    for flags in [
        &[][..],
        &["--network"],
        &["-s", "danger-full-access"],
        &["-s", "workspace-write"],
    ] {
        // The proxy is for tools only: this request goes to this machine.
        let (_, told) = called(&home, flags, vec![bash("env")]);
        assert!(
            !told[0].contains(KEY) && told[0].contains("PATH="),
            "{flags:?}: {}",
            told[0]
        );
    }
}

#[test]
fn a_change_of_what_git_runs_is_told_once() {
    let home = Home::with_key();
    for path in [".git/hooks", "sub"] {
        fs::create_dir_all(home.work().join(path)).expect("a directory");
    }
    home.file(".git/config", "[core]\n");
    let run = |flags: &[&str]| {
        let server = Server::start([
            Reply::items([
                bash("echo x > .git/index"),
                bash("echo x >> .git/config; echo x > .git/hooks/pre-commit"),
            ]),
            Reply::items([bash("echo x > .git/index")]),
            Reply::text("done"),
        ]);
        let mut cmd = home.codex(&server).args(["run"]);
        cmd.command.args(flags).arg("go");
        cmd.run()
    };
    let told = format!(
        "codex: tools changed {0}/config and {0}/hooks: review before running git, which executes programs named there\n",
        home.work().join(".git").display()
    );
    for flags in [
        &["-s", "workspace-write"][..],
        &["-s", "danger-full-access"],
    ] {
        let ran = run(flags);
        ran.exits(0);
        assert_eq!(ran.stderr.matches(&told).count(), 1, "{}", ran.stderr);
    }
    let ran = run(&[]);
    assert!(!ran.stderr.contains("have changed"), "{}", ran.stderr);
    let before = home.read(".git/config");
    // From a directory below, and where the run ends before the round does.
    let server = Server::start([Reply::items([bash("echo x >> ../.git/config; sleep 60")])]);
    let cmd = home
        .codex(&server)
        .args(["run", "-s", "workspace-write", "-C", "sub"]);
    let work = home.work().display().to_string();
    let running = cmd.args(["--add-dir", &work, "go"]).start();
    until("it has changed", || home.read(".git/config") != before);
    running.signal(TERM);
    let ran = finish(running, "codex run go".to_owned());
    ran.ends_by(TERM)
        .says("/.git/config: review before running git");
    assert!(home.read(".git/config").len() > before.len());
}
