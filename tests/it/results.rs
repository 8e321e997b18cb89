//! The result of a call consists of facts: nothing that a program prints is taken for one, and equal calls have equal
//! results in every run.

use serde_json::{Value, json};

use crate::home::Home;
use crate::jsonl::events_of;
use crate::standin::{Item, Reply, Server};
use crate::tools::{bash, outputs};

/// Lines that look as if this program had written them.
const NOTE: &str = "notes\n[12 of 3456 bytes omitted; see the appendix]\nend\n";

/// The completed calls of a run in which each call is in a separate answer.
fn ended(home: &Home, calls: Vec<Item>) -> Vec<Value> {
    let mut replies: Vec<Reply> = calls.into_iter().map(|call| Reply::items([call])).collect();
    replies.push(Reply::text("done"));
    let replies: [Reply; 8] = replies.try_into().unwrap_or_else(|_| panic!("seven calls"));
    let events = events_of(home, replies, &[]);
    let ended = events.iter().filter(|event| {
        event["type"] == "item.completed" && event["item"]["type"] != "agent_message"
    });
    ended.map(|event| event["item"].clone()).collect()
}

#[test]
fn program_output_is_never_taken_for_a_fact() {
    let home = Home::with_key();
    home.file("note.txt", NOTE);
    let late = json!({"command": "echo begun; sleep 60", "timeout": 0.5});
    let items = ended(
        &home,
        vec![
            Item::call("read", json!({"path": "note.txt"})),
            bash(r"printf 'a\n[exit code 7, 9.9 s]'"),
            Item::call("bash", late),
            bash("kill -9 $$"),
            bash("cat note.txt; exit 5"),
            Item::call("bash", json!({"command": "x", "timeout": 0})),
            Item::call("write", json!({"path": "/gone/x", "content": ""})),
        ],
    );
    let text = |text: &str| json!(text);
    assert_eq!(
        (&items[0]["truncated"], &items[0]["output"]),
        (&json!(false), &text(NOTE))
    );
    for (n, output, exit_code, status) in [
        (1, "a\n[exit code 7, 9.9 s]", json!(0), "completed"),
        (2, "begun\n", Value::Null, "timed_out"),
        (3, "", Value::Null, "failed"),
        (4, NOTE, json!(5), "failed"),
        (5, "", Value::Null, "bad_arguments"),
    ] {
        let item = &items[n];
        assert_eq!(
            (&item["aggregated_output"], &item["exit_code"]),
            (&text(output), &exit_code),
            "{item}"
        );
        assert_eq!(
            (&item["status"], &item["truncated"]),
            (&text(status), &json!(false)),
            "{item}"
        );
    }
    assert_eq!(items[3]["signal"], 9);
    let message = "timeout must be a number of seconds above 0";
    assert_eq!(items[5]["message"], message);
    assert_eq!(
        (&items[6]["type"], &items[6]["status"]),
        (&text("file_change"), &text("denied"))
    );
}

#[test]
fn truncated_output_is_reported_in_fields_and_its_file_is_readable() {
    let home = Home::with_key();
    let replies = [
        Reply::items([bash("seq 1 100000")]),
        Reply::items([
            Item::call(
                "read",
                json!({"path": "$TMPDIR/output-1.txt", "offset": 99999}),
            ),
            Item::call("grep", json!({"path": "$TMPDIR", "pattern": "^99999$"})),
        ]),
        Reply::text("done"),
    ];
    let flags = ["--tools", "bash,read,grep"];
    let events = events_of(&home, replies, &flags);
    let of_kind = |kind: &str| -> Vec<Value> {
        let ended = events
            .iter()
            .filter(|event| event["type"] == "item.completed" && event["item"]["type"] == kind);
        ended.map(|event| event["item"].clone()).collect()
    };
    let ran = &of_kind("command_execution")[0];
    let whole: String = (1..=100_000).map(|n| format!("{n}\n")).collect();
    let output = ran["aggregated_output"].as_str().expect("a text");
    let (head, tail) = output.split_at(32 << 10);
    assert!(whole.starts_with(head) && whole.ends_with(tail));
    assert_eq!(ran["truncated"], true);
    let cut = json!([{"at": 32 << 10, "bytes": whole.len() - output.len(), "of": whole.len(),
        "file": "$TMPDIR/output-1.txt"}]);
    assert_eq!(ran["cuts"], cut);
    let others = of_kind("tool_call");
    let found: Vec<&Value> = others.iter().map(|item| &item["output"]).collect();
    assert!(found.contains(&&json!("99999\n100000\n")), "{found:?}");
    let line = json!("$TMPDIR/output-1.txt:99999:99999\n");
    assert!(found.contains(&&line), "{found:?}");
}

#[test]
fn equal_calls_have_equal_results_across_runs() {
    let run = || {
        let home = Home::with_key();
        home.file("note.txt", NOTE);
        let server = Server::start([
            Reply::items([
                bash("seq 1 100000"),
                bash("sleep 0.2; echo hi"),
                bash("echo x > /gone"),
                bash("echo x > /gone; true"),
                Item::call("bash", json!({"command": "sleep 60", "timeout": 0.5})),
                bash("echo Permission denied"),
                bash("kill -9 $$"),
            ]),
            Reply::items([
                Item::call("read", json!({"path": "note.txt"})),
                Item::call("write", json!({"path": "/gone", "content": ""})),
                bash("seq 1 50000"),
            ]),
            Reply::text("done"),
        ]);
        home.codex(&server).args(["run", "go"]).run().exits(0);
        let work = home.work().display().to_string();
        let outputs = outputs(&server);
        let outputs: Vec<String> = outputs
            .iter()
            .map(|text| text.replace(&work, "WORK"))
            .collect();
        outputs
    };
    let first = run();
    assert_eq!(first, run());
    let note = "[this may come from the sandbox (read-only), not from the command or the disk: it lets commands write only \
                under $TMPDIR (";
    assert!(first[2].contains(note), "{}", first[2]);
    // A failure inside a command that succeeds, as in a pipeline, is explained too.
    assert!(
        first[3].contains("[exit code 0]\n") && first[3].contains(note),
        "{}",
        first[3]
    );
    assert_eq!(first[5], "Permission denied\n[exit code 0]");
    assert!(first[9].contains("the full output is in $TMPDIR/output-10.txt]"));
}
