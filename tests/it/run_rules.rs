//! The rules of a run's sandbox, which all of its calls share: no program can add to them, and what changes between two
//! calls counts for the second.

use std::fs;

use serde_json::json;

use crate::escapes::intruder;
use crate::home::{Home, finish, until};
use crate::standin::{Item, Reply, Server};
use crate::tools::{bash, outputs};

#[test]
fn no_program_finds_the_rules_while_other_calls_start() {
    let home = Home::with_key();
    fs::create_dir(home.root().join("outside")).expect("a directory");
    fs::copy(intruder(), home.root().join("intruder")).expect("a program");
    let write = |n: usize| format!("echo x > ../outside/{n} && echo wrote");
    // Eight run at the same time; the next ones start as the first ones end.
    let searches = (0..12).map(|n| bash(&format!("../intruder rules 12; {}", write(n))));
    let server = Server::start([
        Reply::items(searches.collect::<Vec<Item>>()),
        Reply::items([bash(&write(99))]),
        Reply::text("done"),
    ]);
    let ran = home.codex(&server).args(["run", "go"]).run();
    ran.exits(0).stdout("done\n");
    let outputs = outputs(&server);
    assert_eq!(outputs.len(), 13);
    for output in &outputs[..12] {
        assert!(output.starts_with("looked nothing\n"), "{output}");
    }
    for output in &outputs {
        assert!(!output.contains("wrote"), "{output}");
    }
}

#[test]
fn what_changes_between_two_calls_counts_for_the_second() {
    let home = Home::with_key();
    let root = home.root().to_owned();
    for (name, text) in [("old", "as it was"), ("key", "sk-first")] {
        fs::write(root.join(name), text).expect("a file");
    }
    let waits = "cat ../old; : > ready; until [ -e go ]; do sleep 0.01; done";
    let reads =
        "cat ../late ../old; cat ../first ../second ../.codex-run.copy/auth.json ../key.copy";
    let server = Server::start([
        Reply::items([bash(waits)]),
        Reply::items([bash(reads)]),
        Reply::items([Item::call("read", json!({"path": "../late"}))]),
        Reply::text("done"),
    ]);
    let key = root.join("key").display().to_string();
    let flags = ["run", "-s", "workspace-write", "--api-key-file", &key, "go"];
    let running = home.codex(&server).args(flags).start();
    until("the first call runs", || home.work().join("ready").exists());
    let place = |name: &str| root.join(name);
    fs::write(place("late"), "new\n").expect("a file");
    fs::write(place("other"), "replaced\n").expect("a file");
    fs::rename(place("other"), place("old")).expect("it is ours");
    // Other names of what is hidden, before and after it is replaced.
    fs::hard_link(place("key"), place("first")).expect("a link");
    fs::write(place("new-key"), "sk-second").expect("a file");
    fs::rename(place("new-key"), place("key")).expect("it is ours");
    fs::hard_link(place("key"), place("second")).expect("a link");
    fs::create_dir(place(".codex-run.copy")).expect("a directory");
    fs::write(place(".codex-run.copy/auth.json"), "sk-third").expect("a file");
    fs::write(place("key.copy"), "sk-fourth").expect("a file");
    fs::write(home.work().join("go"), "").expect("a file");
    finish(running, String::new()).exits(0);
    let outputs = outputs(&server);
    assert!(outputs[0].starts_with("as it was"), "{}", outputs[0]);
    assert!(outputs[1].starts_with("new\nreplaced\n"), "{}", outputs[1]);
    assert!(outputs[2].starts_with("new\n"), "{}", outputs[2]);
    for secret in ["sk-second", "sk-third", "sk-fourth"] {
        assert!(!outputs[1].contains(secret), "{}", outputs[1]);
    }
}
