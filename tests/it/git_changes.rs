//! Changes that tools make to what git executes by itself are reported.

use std::fs;

use crate::home::{Home, finish, until};
use crate::standin::{Reply, Server};
use crate::stops::TERM;
use crate::tools::bash;

#[test]
fn a_change_to_what_git_executes_is_reported_once() {
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
    let reported = format!(
        "codex: tools changed {0}/config and {0}/hooks: review it before you use git, which runs the programs named there\n",
        home.work().join(".git").display()
    );
    for flags in [
        &["-s", "workspace-write"][..],
        &["-s", "danger-full-access"],
    ] {
        let ran = run(flags);
        ran.exits(0);
        assert_eq!(ran.stderr.matches(&reported).count(), 1, "{}", ran.stderr);
    }
    let ran = run(&[]);
    assert!(!ran.stderr.contains("have changed"), "{}", ran.stderr);
    let before = home.read(".git/config");
    // From a subdirectory, and with the run ending before the round does.
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
        .says("/.git/config: review it before you use git");
    assert!(home.read(".git/config").len() > before.len());
}
