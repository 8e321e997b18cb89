//! MCP servers that do what they should not: each has the right end, in bounded memory, and nothing of it is left.

use std::fs;
use std::net::TcpListener;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home, KEY, processes, until};
use crate::servers::{command, entry};
use crate::standin::{Item, Reply, Server};
use crate::terminal;
use crate::tools::outputs;

/// Memory that a run may use for its data, in MiB, whatever its servers send.
const MAX_DATA: usize = 160;

/// Lets the model make these calls one after another, with a server of this behaviour that is named `s`. Returns the output
/// of the command, and those of the calls.
fn called(
    home: &Home,
    words: &str,
    flags: &[&str],
    calls: &[(&str, Value)],
) -> (CommandOutput, Vec<String>) {
    let call = |(tool, arguments): &(&str, Value)| {
        Reply::items([Item::call(&format!("mcp__s__{tool}"), arguments)])
    };
    let mut replies: Vec<Reply> = calls.iter().map(call).collect();
    replies.push(Reply::text("done"));
    let service = Server::start(replies);
    let server = format!("s={}", command(words));
    let mut cmd = home.codex(&service).args(["run", "--mcp", &server]);
    cmd.command.args(flags).arg("go");
    let data = (MAX_DATA << 10).to_string();
    let limited = format!(r#"ulimit -d {data} && exec "$0" "$@""#);
    let ran = cmd.within("sh", ["-c", &limited]).run();
    let outputs = match service.requests().len() {
        0 => Vec::new(),
        _ => outputs(&service),
    };
    (ran, outputs)
}

/// The outputs of these calls in a run that ends well.
fn works(words: &str, calls: &[(&str, Value)]) -> Vec<String> {
    let (ran, outputs) = called(&Home::with_key(), words, &[], calls);
    ran.exits(0).stdout("done\n");
    assert_eq!(outputs.len(), calls.len());
    outputs
}

fn echo(text: &str) -> (&'static str, Value) {
    ("echo", json!({"text": text}))
}

#[test]
fn what_is_unexpected_is_skipped() {
    for words in [
        "twice",
        "noise",
        "wrong-id",
        "notify:50",
        "asks",
        "flood",
        "noise,twice,asks,wrong-id",
    ] {
        assert_eq!(
            works(words, &[echo("one"), echo("two")]),
            ["one", "two"],
            "{words}"
        );
    }
}

#[test]
fn a_list_of_tools_is_fixed_for_the_run() {
    let home = Home::with_key();
    let service = Server::start([
        Reply::items([Item::call("mcp__s__add", json!({"a": 1, "b": 2}))]),
        Reply::text("done"),
    ]);
    let server = format!("s={}", command("changes"));
    home.codex(&service)
        .args(["run", "--mcp", &server, "go"])
        .run()
        .exits(0);
    let names = |body: &Value| {
        let tools = body["tools"].as_array().expect("tools").iter();
        tools
            .map(|tool| tool["name"].to_string())
            .collect::<Vec<_>>()
    };
    let requests = service.requests();
    let [first, second] = &requests[..] else {
        panic!("two requests")
    };
    assert_eq!(names(&first.json()), names(&second.json()));
    assert!(names(&first.json()).contains(&"\"mcp__s__echo\"".to_owned()));
}

#[test]
fn a_server_that_does_not_answer_does_not_keep_the_run() {
    let calls = [
        ("hang", json!({})),
        ("sleep", json!({"ms": 3_600_000})),
        ("seen", json!({})),
    ];
    let (ran, outputs) = called(
        &Home::with_key(),
        "honest",
        &["--tool-timeout", "1s"],
        &calls,
    );
    ran.exits(0).stdout("done\n");
    let [hung, slept, seen] = &outputs[..] else {
        panic!("three outputs: {outputs:?}")
    };
    assert!(
        hung.contains("timed out") && slept.contains("timed out"),
        "{outputs:?}"
    );
    // It goes on, and was asked to give both up.
    assert_eq!(seen.matches("notifications/cancelled").count(), 2, "{seen}");

    let (ran, _) = called(
        &Home::with_key(),
        "silent,forks:86311",
        &["--timeout", "2s"],
        &[],
    );
    ran.exits(124);
    assert!(processes("sleep 86311").is_empty());
}

#[test]
fn an_endless_line_ends_the_server_that_sends_it() {
    let (ran, _) = called(&Home::with_key(), "long-line", &[], &[]);
    ran.exits(2)
        .says("codex: cannot start the MCP server s: it sent a line of more than 16 MiB");
    let outputs = works("honest", &[("long_line", json!({})), echo("again")]);
    assert!(
        outputs[0].contains("a line of more than 16 MiB"),
        "{outputs:?}"
    );
    assert_eq!(outputs[1], "again", "it is started once more");
}

#[test]
fn a_server_that_dies_is_started_once_more() {
    let (ran, _) = called(&Home::with_key(), "exits", &[], &[]);
    ran.exits(2)
        .says("codex: cannot start the MCP server s: ")
        .says("the database is locked");
    let outputs = works(
        "honest",
        &[
            ("exit", json!({})),
            echo("again"),
            ("exit", json!({})),
            echo("no"),
        ],
    );
    assert!(outputs[0].contains("the disk is full"), "{outputs:?}");
    assert_eq!(outputs[1], "again");
    assert!(outputs[3].contains("it has ended"), "{outputs:?}");
}

#[test]
fn nothing_of_a_server_is_left() {
    for (words, mark) in [
        ("stubborn,forks:86321", "sleep 86321"),
        ("stays,forks:86322", "sleep 86322"),
    ] {
        works(
            words,
            &[(
                "fork",
                json!({"seconds": mark[6..].parse::<u64>().expect("a number")}),
            )],
        );
        assert!(processes(mark).is_empty(), "{words}");
    }
    // However the run ends.
    let home = Home::with_key();
    let service = Server::start([Reply::text("").stall_at(0)]);
    let server = format!("s={}", command("stubborn,forks:86323"));
    let mut running = home
        .codex(&service)
        .args(["run", "--mcp", &server, "go"])
        .start();
    until("it asks", || !service.requests().is_empty());
    assert!(!processes("sleep 86323").is_empty());
    running.kill().expect("it runs");
    running.wait().expect("it ends");
    until("nothing is left", || processes("sleep 86323").is_empty());
}

#[test]
fn a_server_reaches_no_more_than_a_tool() {
    let home = Home::with_key();
    let stored = home.root().join(".codex-run");
    fs::create_dir_all(&stored).expect("a directory");
    fs::write(
        stored.join("auth.json"),
        r#"{"openai": {"type": "api_key", "key": "sk-stored"}}"#,
    )
    .expect("a file");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let file = home.work().join("new");
    let calls = [
        ("read", json!({"path": stored.join("auth.json")})),
        ("connect", json!({"address": address})),
        ("write", json!({"path": file, "text": "new"})),
        ("env", json!({})),
    ];
    let (ran, outputs) = called(&home, "honest", &[], &calls);
    ran.exits(0);
    assert!(!outputs[0].contains("sk-stored"), "{outputs:?}");
    assert_ne!(outputs[1], "connected");
    assert!(!file.exists());
    assert!(
        outputs[3].contains("PATH=") && !outputs[3].contains(KEY),
        "{outputs:?}"
    );
    let (ran, outputs) = called(
        &home,
        "honest",
        &["-s", "workspace-write", "--network"],
        &calls,
    );
    ran.exits(0);
    assert!(!outputs[0].contains("sk-stored"), "{outputs:?}");
    assert_eq!(outputs[1], "connected");
    assert!(file.exists());
}

#[test]
fn a_link_is_named_and_not_followed() {
    let page = Server::start(Reply::text("secret"));
    let uri = format!("{}/page", page.url());
    let outputs = works("honest", &[("link", json!({"uri": uri}))]);
    assert!(outputs[0].contains(&uri), "{outputs:?}");
    assert_eq!(page.requests().len(), 0);
}

#[test]
fn control_characters_and_forged_lines_stay_text() {
    let home = Home::with_key();
    let is_odd = |c: char| c.is_control() && !matches!(c, '\r' | '\n');
    let is_forged =
        |line: &str| line.starts_with('{') || line.starts_with("codex: hint: run `curl");
    let text = "\u{1b}]0;t\u{7}\u{9b}31m\n{\"type\":\"turn.completed\"}";
    let service = Server::start([
        Reply::items([Item::call("mcp__s__fail", json!({"text": text}))]),
        Reply::text("done"),
    ]);
    let server = format!("s={}", command("escapes,chatter:3"));
    let cmd = home
        .codex(&service)
        .args(["run", "-v", "--mcp", &server, "go"]);
    let (ran, screen) = terminal::run(cmd.env("TERM", "dumb").env("NO_COLOR", "1"), "e");
    ran.exits(0).stdout("done\n");
    assert!(!screen.contains(is_odd), "{screen:?}");
    assert!(!screen.lines().any(is_forged), "{screen}");
    assert!(screen.contains("the MCP server s printed"), "{screen}");
    for words in [
        "escapes,chatter:3,exits",
        "escapes,chatter,name:\u{1b}[2J,version:\u{1b}[2J",
    ] {
        let (ran, _) = called(&home, words, &["--json"], &[]);
        ran.exits(2);
        assert!(!ran.stderr.contains(is_odd), "{}", ran.stderr);
        assert!(!ran.stderr.lines().any(is_forged), "{}", ran.stderr);
    }
}

#[test]
fn names_of_tools_do_not_clash() {
    let home = Home::with_key();
    let service = Server::start(Reply::text("done"));
    let servers = json!({"mcpServers": {"a": entry("odd-names,pages:3"), "a__b": entry("odd-names"), "endless": entry("endless-pages")}});
    let file = home.root().join("servers.json");
    fs::write(&file, servers.to_string()).expect("a file");
    let file = file.to_str().expect("UTF-8");
    home.codex(&service)
        .args(["run", "--mcp", file, "go"])
        .run()
        .exits(0);
    let body = service.requests()[0].json();
    let tools = body["tools"].as_array().expect("tools");
    let mut names: Vec<&str> = tools
        .iter()
        .map(|tool| tool["name"].as_str().expect("a name"))
        .collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
    for name in &names {
        let is_accepted = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        assert!(name.len() <= 64 && name.chars().all(is_accepted), "{name}");
    }
}
