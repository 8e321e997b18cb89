//! `codex mcp list`.

use std::fs;

use serde_json::{Value, json};

use crate::home::{Home, processes, until};
use crate::servers::{command, entry};
use crate::standin::{Script, Server};

#[test]
fn servers_and_their_tools_are_listed_for_people_and_for_programs() {
    let home = Home::new();
    let remote = Server::start(Script::default().mcp("session,tools:2,name:wiki"));
    let url = format!("{}/mcp", remote.url());
    let directory = home.root().join(".codex-run");
    fs::create_dir(&directory).expect("a directory");
    let mut local = entry("version:2024-11-05,pages:10");
    local["tools"] = json!(["add", "echo"]);
    let servers = json!({"mcpServers": {"local": local, "wiki": {"url": url, "network": true, "tools": ["tool_*"]}}});
    fs::write(directory.join("mcp.json"), servers.to_string()).expect("a file");

    let list = home.offline().args(["mcp", "list", "--network"]).run();
    list.exits(0).stderr("");
    let text = list.text();
    let lines: Vec<Vec<&str>> = text
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(lines[0], ["server", "program", "protocol", "tools", "size"]);
    assert_eq!(
        lines[1][..5],
        ["local", "standin", "1.2.3", "2024-11-05", "2"]
    );
    assert_eq!(lines[2][..5], ["wiki", "wiki", "1.2.3", "2025-11-25", "2"]);
    let names: Vec<&str> = lines[5..].iter().map(|line| line[0]).collect();
    assert_eq!(
        names,
        [
            "mcp__local__echo",
            "mcp__local__add",
            "mcp__wiki__tool_1",
            "mcp__wiki__tool_2"
        ]
    );
    assert_eq!(
        remote.requests().last().expect("a request").method,
        "DELETE"
    );

    let broken = format!("broken={}", command("exits"));
    let list = home
        .offline()
        .args(["mcp", "list", "--json", "--network", "--mcp", &broken])
        .run();
    list.exits(2)
        .says("codex: cannot start the MCP server broken: ")
        .says("the database is locked");
    let all: Value = serde_json::from_slice(&list.stdout).expect("JSON");
    let servers = all["servers"].as_array().expect("an array");
    assert_eq!(servers.len(), 3);
    assert_eq!(servers[0]["tools"][0]["tool"], "echo");
    assert!(servers[0]["bytes"].as_u64() > servers[0]["tools"][0]["bytes"].as_u64());
    assert!(
        servers[2]["error"]
            .as_str()
            .expect("an error")
            .contains("the database is locked")
    );

    let missing = ["mcp", "list", "--no-mcp", "--mcp", "a=./missing -x"];
    home.offline()
        .args(missing)
        .run()
        .exits(2)
        .says("cannot run ./missing: No such file or directory");
    home.offline()
        .args(["mcp", "list", "--no-mcp"])
        .run()
        .exits(0)
        .stdout("")
        .says("there are no MCP servers");
}

#[test]
fn servers_start_at_the_same_time() {
    let home = Home::new();
    let servers: serde_json::Map<String, Value> = (1..=8)
        .map(|n| (format!("s{n}"), entry("meets:8")))
        .collect();
    let file = home.root().join("servers.json");
    fs::write(&file, json!({"mcpServers": servers}).to_string()).expect("a file");
    let file = file.to_str().expect("UTF-8");
    let list = home
        .offline()
        .args(["mcp", "list", "--json", "--mcp", file])
        .run();
    let all: Value = serde_json::from_slice(&list.exits(0).stdout).expect("JSON");
    assert_eq!(all["servers"].as_array().map(Vec::len), Some(8));
}

#[test]
fn a_signal_ends_the_list_and_the_servers() {
    let home = Home::new();
    let server = format!("s={}", command("silent,forks:86331"));
    let mut running = home
        .offline()
        .args(["mcp", "list", "--mcp", &server])
        .start();
    until("it starts", || !processes("sleep 86331").is_empty());
    running.signal(15);
    let status = running.wait().expect("it ends");
    assert_ne!(status.code(), Some(0));
    assert!(processes("sleep 86331").is_empty());
    assert_eq!(crate::home::names(&home.tmp()), Vec::<String>::new());
}
