//! JSON lines of successful runs: which events there are, in which order, and what they contain.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::home::Home;
use crate::reader::{Event, Tokens, read, short};
use crate::standin::{Item, Reply, Server};
use crate::tools::bash;

/// The first event of every run.
pub(crate) const HEAD: &str = "thread.started\nturn.started\n";

/// The lines of a successful run with these flags.
pub(crate) fn events_of<const N: usize>(
    home: &Home,
    replies: [Reply; N],
    flags: &[&str],
) -> Vec<Value> {
    let server = Server::start(replies);
    let mut cmd = home.codex(&server).args(["run", "--json"]);
    cmd.command.args(flags).arg("go");
    let ran = cmd.run();
    ran.exits(0);
    ran.events()
}

const ALL: [&str; 2] = ["-s", "danger-full-access"];

/// The events in short form, between the first and the last.
#[track_caller]
fn check(events: &[Value], expected: &str) {
    let all: String = events.iter().map(|event| short(event) + "\n").collect();
    let inner = all
        .strip_prefix(HEAD)
        .and_then(|rest| rest.strip_suffix("turn.completed\n"));
    let expected = expected.lines().map(str::trim);
    let expected: String = expected
        .filter(|line| !line.is_empty())
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(inner, Some(&*expected), "{events:#?}");
}

fn items<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let of_kind = events.iter().filter(|event| event["item"]["type"] == kind);
    of_kind.map(|event| &event["item"]).collect()
}

#[test]
fn a_plain_answer_is_one_item() {
    let home = Home::with_key();
    let events = events_of(
        &home,
        [Reply::text("hello\nthere")],
        &["--no-tools", "-m", "gpt-5.5"],
    );
    check(&events, "item.completed agent_message\nusage");
    assert_eq!(items(&events, "agent_message")[0]["text"], "hello\nthere");
    let begun = &events[0];
    assert_eq!(
        (&begun["schema"], &begun["model"]),
        (&json!(1), &json!("gpt-5.5"))
    );
    assert_eq!(begun["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(begun["cwd"], home.work().display().to_string());
    assert_eq!(begun["thread_id"].as_str().map(str::len), Some(36));
}

#[test]
fn messages_and_summaries_keep_the_order_of_the_model() {
    let answer = [
        Item::reasoning("First I think."),
        Item::commentary("one"),
        Item::reasoning(""),
        Item::text("two"),
    ];
    let flags = ["--no-tools", "--summary", "auto"];
    let events = events_of(&Home::with_key(), [Reply::items(answer)], &flags);
    let expected = "item.completed reasoning\nitem.completed agent_message\nitem.completed agent_message\nusage";
    check(&events, expected);
    assert_eq!(items(&events, "reasoning")[0]["text"], "First I think.");
    let ids: Vec<&Value> = events.iter().map(|event| &event["item"]["id"]).collect();
    assert_eq!(
        ids[2..5],
        [&json!("item_0"), &json!("item_1"), &json!("item_2")]
    );
}

#[test]
fn a_command_begins_and_ends() {
    let home = Home::with_key();
    let replies = [
        Reply::items([bash("echo out; echo err >&2")]),
        Reply::items([bash("echo bad; exit 3")]),
        Reply::text("done"),
    ];
    let events = events_of(&home, replies, &ALL);
    check(
        &events,
        "usage
         item.started command_execution in_progress
         item.completed command_execution completed
         usage
         item.started command_execution in_progress
         item.completed command_execution failed
         item.completed agent_message
         usage",
    );
    let found = items(&events, "command_execution");
    assert_eq!(found[0]["aggregated_output"], "");
    assert_eq!(found[0]["exit_code"], Value::Null);
    let output = found[1]["aggregated_output"].as_str().expect("a text");
    assert!(output.contains("out") && output.contains("err"), "{output}");
    assert_eq!(found[1]["exit_code"], 0);
    assert_eq!(found[1]["command"], "echo out; echo err >&2");
    assert_eq!(
        (&found[3]["exit_code"], &found[3]["command"]),
        (&json!(3), &json!("echo bad; exit 3"))
    );
    assert_eq!(found[0]["id"], found[1]["id"]);
    assert_ne!(found[1]["id"], found[2]["id"]);
}

#[test]
fn a_file_change_names_the_file_and_the_kind_of_change() {
    let home = Home::with_key();
    home.file("old", "a\n");
    let edit = json!({"path": "old", "edits": [{"old_text": "a", "new_text": "b"}]});
    let wrong = json!({"path": "old", "edits": [{"old_text": "zzz", "new_text": "b"}]});
    let replies = [
        Reply::items([Item::call("write", json!({"path": "new", "content": "x"}))]),
        Reply::items([Item::call("edit", edit)]),
        Reply::items([Item::call("edit", wrong)]),
        Reply::text("done"),
    ];
    let events = events_of(&home, replies, &["-s", "danger-full-access"]);
    let found = items(&events, "file_change");
    let path = |name: &str| home.work().join(name).display().to_string();
    let change = |name: &str, kind: &str| json!([{"path": path(name), "kind": kind}]);
    for (n, name, kind, status) in [
        (0, "new", "add", "completed"),
        (2, "old", "update", "completed"),
        (4, "old", "update", "failed"),
    ] {
        assert_eq!(found[n]["status"], "in_progress", "{found:#?}");
        for item in &found[n..n + 2] {
            assert_eq!(item["changes"], change(name, kind));
        }
        assert_eq!(found[n + 1]["status"], status, "{found:#?}");
    }
    assert_eq!(home.read("old"), "b\n");
}

/// Puts a user-defined tool into the home.
pub(crate) fn user_tool(home: &Home) {
    let folder = home.own().join("tools");
    fs::create_dir_all(&folder).expect("a directory");
    let program = folder.join("lookup.sh");
    fs::write(&program, "#!/bin/sh\ncat\necho\n").expect("a file");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let manifest = json!({"name": "lookup", "description": "Look a ticket up", "command": ["./lookup.sh"],
        "parameters": {"type": "object", "properties": {"id": {"type": "string"}}, "required": ["id"]}});
    fs::write(folder.join("lookup.json"), manifest.to_string()).expect("a file");
}

#[test]
fn other_tools_are_reported_with_arguments_and_output() {
    let home = Home::with_key();
    user_tool(&home);
    home.file("notes", "a line\n");
    let replies = [
        Reply::items([Item::call("lookup", json!({"id": "7"}))]),
        Reply::items([Item::call("read", json!({"path": "notes"}))]),
        Reply::items([Item::call("nonsense", json!({"a": [1]}))]),
        Reply::items([Item::call("lookup", "{not json")]),
        Reply::text("done"),
    ];
    let events = events_of(&home, replies, &ALL);
    let found = items(&events, "tool_call");
    let of = |name: &str, status: &str| {
        let wanted = |item: &&&Value| item["name"] == name && item["status"] == status;
        (*found
            .iter()
            .find(wanted)
            .unwrap_or_else(|| panic!("{name}, {status}: {found:#?}")))
        .clone()
    };
    let done = of("lookup", "completed");
    assert_eq!(done["arguments"], json!({"id": "7"}));
    assert_eq!(
        (&done["output"], &done["truncated"]),
        (&json!("{\"id\":\"7\"}\n"), &json!(false))
    );
    assert_eq!(
        of("read", "completed")["arguments"],
        json!({"path": "notes"})
    );
    assert_eq!(
        of("nonsense", "unknown_tool")["arguments"],
        json!({"a": [1]})
    );
    assert_ne!(of("lookup", "bad_arguments")["output"], "");
    // Every item that is started is completed under the same id.
    let count = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    assert_eq!(count("item.completed"), 5);
    for event in events
        .iter()
        .filter(|event| event["type"] == "item.started")
    {
        let ends = events.iter().filter(|end| {
            end["type"] == "item.completed" && end["item"]["id"] == event["item"]["id"]
        });
        assert_eq!(ends.count(), 1, "{event}");
    }
}

#[test]
fn concurrent_calls_keep_their_item_ids() {
    let wait = "while [ ! -e go ]; do :; done; echo slow";
    let calls = [bash(wait), bash("touch go; echo quick")];
    let events = events_of(
        &Home::with_key(),
        [Reply::items(calls), Reply::text("done")],
        &ALL,
    );
    let found = items(&events, "command_execution");
    assert_eq!(found.len(), 4);
    for (ran, output) in [(wait, "slow\n"), ("touch go; echo quick", "quick\n")] {
        let own: Vec<&&Value> = found.iter().filter(|item| item["command"] == ran).collect();
        assert_eq!(own[0]["id"], own[1]["id"]);
        assert_eq!(own[1]["aggregated_output"], output);
    }
}

#[test]
fn a_retry_is_reported_and_truncated_text_is_not() {
    let replies = [
        Reply::sse(
            "data: {\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"Hello wor\"}\n\n",
        ),
        Reply::status(503, &[], ""),
        Reply::text("Hello world"),
    ];
    let events = events_of(&Home::with_key(), replies, &["--no-tools"]);
    let retries: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "retry")
        .collect();
    assert_eq!(retries.len(), 2, "{events:#?}");
    assert_eq!(
        (&retries[0]["attempt"], &retries[1]["attempt"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(retries[0]["delay_ms"], 500);
    let text = items(&events, "agent_message");
    assert_eq!(text.len(), 1);
    assert_eq!(text[0]["text"], "Hello world");
}

#[test]
fn rate_limits_are_reported_if_the_service_sends_them() {
    let reply = Reply::text("hello")
        .header("x-codex-primary-used-percent", "12.5")
        .header("x-codex-primary-window-minutes", "300")
        .header("x-codex-primary-reset-at", "1900000000");
    let events = events_of(&Home::with_token(), [reply], &["--no-tools"]);
    let limits: Vec<&Value> = events
        .iter()
        .filter(|event| event["type"] == "limits")
        .collect();
    assert_eq!(limits.len(), 1, "{events:#?}");
    let window = &limits[0]["windows"][0];
    assert_eq!(window["used_percent"], 12.5);
    assert_eq!(
        (&window["window_minutes"], &window["resets_at"]),
        (&json!(300), &json!(1_900_000_000))
    );
}

#[test]
fn the_usage_of_all_requests_is_added_up() {
    let replies = [
        Reply::items([Item::reasoning("hm"), bash("true")]),
        Reply::items([bash("true")]),
        Reply::text("done"),
    ];
    let events = events_of(&Home::with_key(), replies, &ALL);
    let (mut sum, mut numbers) = (Tokens::default(), Vec::new());
    for event in &events {
        if let Event::Usage {
            request,
            input_tokens,
            cached_input_tokens,
            cache_write_input_tokens,
            output_tokens,
            reasoning_output_tokens,
        } = read(event)
        {
            numbers.push(request);
            sum.input_tokens += input_tokens;
            sum.cached_input_tokens += cached_input_tokens;
            sum.cache_write_input_tokens += cache_write_input_tokens;
            sum.output_tokens += output_tokens;
            sum.reasoning_output_tokens += reasoning_output_tokens;
        }
    }
    assert_eq!(numbers, [1, 2, 3]);
    let Event::TurnCompleted {
        usage,
        cost_usd,
        requests,
        ..
    } = read(&events[events.len() - 1])
    else {
        panic!("{events:#?}");
    };
    assert_eq!(usage, sum);
    assert!(sum.input_tokens > 0 && sum.output_tokens > 0, "{sum:?}");
    assert_eq!(requests, 3);
    assert!(cost_usd.is_some_and(|cost| cost > 0.0), "{cost_usd:?}");
}

#[test]
fn the_deltas_add_up_to_the_message() {
    let answer = || {
        Reply::items([
            Item::commentary("I look at it."),
            Item::text("a\u{e4}\u{1f600} b"),
        ])
        .event_pause(Duration::from_millis(20))
    };
    let events = events_of(&Home::with_key(), [answer()], &["--no-tools", "--deltas"]);
    let messages = items(&events, "agent_message");
    assert_eq!(messages.len(), 2);
    for message in messages {
        let own = events
            .iter()
            .filter(|event| event["item_id"] == message["id"]);
        let deltas: Vec<&str> = own
            .map(|event| event["delta"].as_str().expect("a text"))
            .collect();
        assert!(deltas.len() > 1, "{deltas:?}");
        assert_eq!(deltas.concat(), message["text"].as_str().expect("a text"));
    }
    let without = events_of(&Home::with_key(), [answer()], &["--no-tools"]);
    assert!(without.iter().all(|event| event["type"] != "item.delta"));
}

#[test]
fn warnings_are_items_unless_quiet() {
    let ask = |flags: &[&str]| {
        let server = Server::start([Reply::text("hello")]);
        let mut cmd = Home::with_key()
            .codex(&server)
            .args(["run", "--json", "--no-tools"]);
        cmd.command
            .args(flags)
            .args(["-m", "gpt-5.5", "-e", "max", "go"]);
        let ran = cmd.run();
        ran.exits(0);
        (ran.events(), ran.stderr.clone())
    };
    let (events, stderr) = ask(&[]);
    let warned = items(&events, "error");
    assert_eq!(warned.len(), 1, "{events:#?}");
    let words = warned[0]["message"].as_str().expect("a text");
    assert!(stderr.contains(words), "{stderr}");
    assert_eq!(
        events[0]["type"], "thread.started",
        "it stands before everything"
    );
    let (events, stderr) = ask(&["-q"]);
    check(&events, "item.completed agent_message\nusage");
    assert_eq!(stderr, "");
}
