//! MCP servers of a run: how they are declared, what their tools are called, and what a run says about them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::home::{Home, KEY};
use crate::servers::{command, entry};
use crate::standin::{Item, Reply, Server};
use crate::tools::outputs;
use crate::turns::Driver;

/// The names of the tools in a request, without the built-in ones.
fn offered(service: &Server, request: usize) -> Vec<String> {
    let body = service.requests()[request].json();
    let tools = body["tools"].as_array().expect("tools").iter();
    let names = tools.map(|tool| tool["name"].as_str().expect("a name").to_owned());
    names.filter(|name| name.starts_with("mcp__")).collect()
}

/// The path of `mcp.json`.
fn file_of(home: &Home) -> PathBuf {
    home.root().join(".codex-run/mcp.json")
}

/// Writes `mcp.json`.
fn declare(home: &Home, servers: &Value) {
    let file = json!({"mcpServers": servers});
    let path = file_of(home);
    fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
    fs::write(path, file.to_string()).expect("a file");
}

fn echo(text: &str) -> Item {
    Item::call("mcp__s__echo", json!({"text": text}))
}

#[test]
fn the_calls_of_a_server_are_items_as_those_of_the_official_client() {
    let service = Server::start([
        Reply::items([
            echo("hi"),
            Item::call("mcp__s__picture", json!({})),
            Item::call("mcp__s__fail", json!({"text": "no"})),
            Item::call("mcp__s__echo", json!({"words": 7})),
        ]),
        Reply::text("done"),
    ]);
    let server = format!("s={}", command("honest"));
    let ran = Home::with_key()
        .codex(&service)
        .args([
            "run",
            "--json",
            "--fail-on",
            "tool-error",
            "--mcp",
            &server,
            "go",
        ])
        .run();
    ran.exits(1)
        .says("codex: 2 tool calls failed, and --fail-on tool-error is set");
    ran.says("codex: mcp__s__echo: {\"text\":\"hi\"} (ok, ")
        .says("codex: mcp__s__fail: {\"text\":\"no\"} (failed, ");
    let mut items: Vec<Value> = ran
        .events()
        .into_iter()
        .filter(|event| event["type"] == "item.completed")
        .map(|event| event["item"].clone())
        .filter(|item| item["type"] == "mcp_tool_call")
        .collect();
    items.sort_by_key(|item| item["id"].to_string());
    let short = |item: &Value| {
        json!([
            item["server"],
            item["tool"],
            item["status"],
            item["error"].is_null()
        ])
    };
    let short: Vec<Value> = items.iter().map(short).collect();
    assert_eq!(
        short,
        [
            json!(["s", "echo", "completed", true]),
            json!(["s", "picture", "completed", true]),
            json!(["s", "fail", "failed", true]),
            json!(["s", "echo", "failed", false]),
        ]
    );
    let result = json!({"content": [{"type": "text", "text": "hi"}], "structured_content": null});
    assert_eq!(
        (&items[0]["arguments"], &items[0]["result"]),
        (&json!({"text": "hi"}), &result)
    );
    assert_eq!(items[1]["result"]["content"][0]["type"], "image");
    assert_eq!(items[2]["result"]["content"][0]["text"], "no");

    // The model gets the same.
    let body = service.requests()[1].json();
    let input = body["input"].as_array().expect("items").iter();
    let outputs: Vec<&Value> = input
        .filter(|item| item["type"] == "function_call_output")
        .map(|item| &item["output"])
        .collect();
    assert_eq!((outputs[0], outputs[2]), (&json!("hi"), &json!("no")));
    assert_eq!(outputs[1][1]["type"], "input_image");
    assert!(
        outputs[3]
            .as_str()
            .is_some_and(|text| text.contains("do not match"))
    );
}

#[test]
fn servers_of_the_home_are_named_and_can_be_left_out() {
    let home = Home::with_key();
    let mut optional = entry("exits");
    optional["required"] = false.into();
    let mut some = entry("honest");
    some["tools"] = json!(["p*", "echo"]);
    declare(&home, &json!({"s": some, "gone": optional}));
    let service = Server::start([
        Reply::text("done"),
        Reply::text("done"),
        Reply::text("done"),
        Reply::text("done"),
    ]);
    let file = file_of(&home).display().to_string();
    let ran = home.codex(&service).args(["run", "--json", "go"]).run();
    ran.exits(0)
        .says(&format!("codex: starting the MCP servers of {file}: "));
    let why =
        "cannot start the MCP server gone: it ended before it answered: the database is locked";
    ran.says(why);
    let is_reported = |event: &Value| {
        event["item"]["type"] == "error"
            && event["item"]["message"]
                .as_str()
                .is_some_and(|message| message.starts_with(why))
    };
    assert!(ran.events().iter().any(is_reported));
    let names = offered(&service, 0);
    assert!(
        names.contains(&"mcp__s__echo".to_owned())
            && names
                .iter()
                .all(|name| name.ends_with("echo") || name.contains("__p"))
    );

    home.codex(&service)
        .args(["run", "--mcp-tools", "s:a??", "go"])
        .run()
        .exits(0);
    assert_eq!(offered(&service, 1), ["mcp__s__add", "mcp__s__ask"]);
    for flag in ["--no-mcp", "--no-tools"] {
        let ran = home.codex(&service).args(["run", flag, "go"]).run();
        ran.exits(0);
        assert!(!ran.stderr.contains("MCP"), "{}", ran.stderr);
    }
    let last = service.requests().pop().expect("a request").json();
    assert!(!last.to_string().contains("mcp__"));

    // The request of a dry run has the tools, and nothing is sent.
    let ran = home.codex(&service).args(["run", "--dry-run", "go"]).run();
    ran.exits(0);
    let shown: Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    assert!(shown["body"]["tools"].to_string().contains("mcp__s__echo"));
    assert_eq!(service.requests().len(), 4);
}

#[test]
fn a_mistake_in_a_declaration_ends_the_run_before_it_begins() {
    let home = Home::with_key();
    let service = Server::start([]);
    let loader = home.file("npx", "#!/bin/sh\necho offline >&2; exit 1\n");
    fs::set_permissions(loader, fs::Permissions::from_mode(0o755)).expect("its mode");
    let check = |args: &[&str], words: &str| {
        let mut cmd = home.codex(&service).args(["run"]);
        cmd.command.args(args).arg("go");
        cmd.run().exits(2).says(words);
    };
    check(
        &["--mcp", "server 'x"],
        "codex: invalid value for --mcp: server 'x: a ' is not closed",
    );
    check(&["--mcp", "Git=server"], "\"Git\" is not a name");
    check(&["--mcp", "a | b"], "| has a meaning in a shell only");
    check(
        &["--mcp", "gone.json"],
        "codex: cannot read gone.json, named by --mcp",
    );
    check(
        &["--mcp", "a=true", "--mcp", "a=false"],
        "codex: two MCP servers are named a: --mcp a=true and --mcp a=false",
    );
    check(
        &["--mcp-tools", "s:*"],
        "codex: unknown MCP server in --mcp-tools: \"s\"",
    );
    check(
        &["--mcp", "a=true", "--mcp-tools", "a"],
        "codex: invalid value for --mcp-tools: \"a\"",
    );
    check(
        &["--mcp", "gone-program"],
        "codex: cannot start the MCP server gone-program: ",
    );
    check(&["--mcp", "a=./npx x"], "allow the network with --network");
    check(&["--mcp", "a=true", "--no-tools"], "--no-tools");
    declare(&home, &json!({"s": {"command": 7}}));
    let file = file_of(&home).display().to_string();
    check(
        &[],
        &format!("codex: cannot use the MCP servers in {file}:1:"),
    );
    assert_eq!(service.requests().len(), 0);
}

#[test]
fn what_decides_about_servers_lies_where_tools_cannot_write() {
    let home = Home::with_key();
    let service = Server::start([]);
    let check = |args: &[&str], words: &str| {
        let mut cmd = home
            .codex(&service)
            .args(["run", "-s", "workspace-write", "--no-tmp"]);
        cmd.command.args(args).arg("go");
        cmd.run().exits(2).says(words);
    };
    let work = home.work();
    let servers = json!({"mcpServers": {"s": entry("honest")}});
    fs::write(work.join("servers.json"), servers.to_string()).expect("a file");
    check(
        &["--mcp", "servers.json"],
        "a file of MCP servers, named by --mcp",
    );

    fs::write(work.join("server.sh"), "exit 0").expect("a file");
    declare(
        &home,
        &json!({"s": {"command": "sh", "args": ["server.sh"], "env": {"A": "b"}}}),
    );
    check(
        &[],
        "which is part of the command of the MCP server s, which receives A",
    );

    let link = file_of(&home);
    fs::remove_file(&link).expect("it is there");
    std::os::unix::fs::symlink(work.join("servers.json"), &link).expect("a link");
    check(&[], "codex: cannot let tools write to ");
}

#[test]
fn a_server_gets_its_variables_and_no_key() {
    let home = Home::with_key()
        .env("APP_COPY", KEY)
        .env("APP_MODE", "fast")
        .env("APP_REST", "x");
    let service = Server::start([
        Reply::items([Item::call("mcp__s__env", json!({}))]),
        Reply::text("done"),
    ]);
    let with = |env: Value| {
        let mut server = entry("honest");
        server["env"] = env;
        declare(&home, &json!({"s": server}));
        home.codex(&service).args(["run", "go"]).run()
    };
    with(json!({"A": "$OPENAI_API_KEY"}))
        .exits(2)
        .says("OPENAI_API_KEY is reserved for codex-run");
    with(json!({"CODEX_RUN_HOME": "x"}))
        .exits(2)
        .says("CODEX_RUN_HOME is reserved for codex-run");
    with(json!({"A": "$APP_COPY"}))
        .exits(2)
        .says("codex: cannot pass APP_COPY to the MCP server s: its value holds a credential");
    with(json!({"A": format!("Bearer {KEY}")}))
        .exits(2)
        .says("codex: cannot pass A to the MCP server s");
    with(json!({"MODE": "$APP_MODE", "TEXT": "a b", "GONE": "$APP_GONE"}))
        .exits(0)
        .says("APP_GONE, named by the MCP server s, is not set");
    let seen = outputs(&service).remove(0);
    for line in ["MODE=fast", "TEXT=a b"] {
        assert!(seen.lines().any(|seen| seen == line), "{line}: {seen}");
    }
    assert!(
        !seen.contains(KEY) && !seen.contains("APP_") && !seen.contains("CODEX_"),
        "{seen}"
    );
}

#[test]
fn a_conversation_goes_on_without_its_server() {
    let home = Home::with_key();
    let service = Server::start([
        Reply::items([echo("one")]),
        Reply::text("done"),
        Reply::items([echo("two")]),
        Reply::text("done"),
    ]);
    let server = format!("s={}", command("honest"));
    home.codex(&service)
        .args(["run", "--mcp", &server, "go"])
        .run()
        .exits(0);
    home.codex(&service)
        .args(["run", "--last", "on"])
        .run()
        .exits(0);
    let outputs = outputs(&service);
    assert_eq!(outputs[0], "one");
    assert!(
        outputs[1].starts_with("there is no tool \"mcp__s__echo\""),
        "{outputs:?}"
    );
}

#[test]
fn an_interrupted_turn_leaves_its_server_running() {
    let home = Home::with_key();
    let pid = || Reply::items([Item::call("mcp__s__pid", json!({}))]);
    let service = Server::start([
        pid(),
        Reply::items([Item::call("mcp__s__hang", json!({}))]),
        pid(),
        Reply::text("done"),
    ]);
    let server = format!("s={}", command("honest"));
    let mut driver = Driver::start(&home, &service, &["--mcp", &server]);
    driver.user("one");
    while driver.next_of("item.started")["item"]["tool"] != "hang" {}
    driver.send(&json!({"type": "interrupt"}));
    assert_eq!(
        driver.next_of("turn.failed")["error"]["code"],
        "interrupted"
    );
    driver.user("two");
    driver.next_of("turn.completed");
    let (ran, _) = driver.end();
    ran.exits(0);
    let outputs = outputs(&service);
    assert_eq!(
        (outputs.len(), &outputs[0]),
        (3, &outputs[2]),
        "the same process"
    );
}

#[test]
fn several_servers_run_in_their_own_directories() {
    let home = Home::with_key();
    fs::create_dir(home.work().join("sub")).expect("a directory");
    let mut below = entry("honest");
    below["cwd"] = "sub".into();
    let file = home.root().join("servers.json");
    fs::write(&file, json!({"mcpServers": {"below": below}}).to_string()).expect("a file");
    let service = Server::start([
        Reply::items([
            Item::call("mcp__here__cwd", json!({})),
            Item::call("mcp__below__cwd", json!({})),
        ]),
        Reply::text("done"),
    ]);
    let (server, file) = (
        format!("here={}", command("modern")),
        file.display().to_string(),
    );
    home.codex(&service)
        .args(["run", "--mcp", &server, "--mcp", &file, "go"])
        .run()
        .exits(0);
    let names: Vec<String> = outputs(&service)
        .iter()
        .map(|path| {
            Path::new(path)
                .file_name()
                .expect("a name")
                .display()
                .to_string()
        })
        .collect();
    let work = home
        .work()
        .file_name()
        .expect("a name")
        .display()
        .to_string();
    assert_eq!(names, [work, "sub".to_owned()]);
}
