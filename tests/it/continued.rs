//! What is sent of earlier answers, so that any service accepts it: with a different model, without encrypted reasoning,
//! after an output of only white space. The stand-in refuses an id whose reasoning is missing, and blank outputs.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::catalogue::{WAYS, home_for, models};
use crate::home::{Home, each};
use crate::sessions::{ask, file, id, input};
use crate::spec;
use crate::standin::{Item, Reply, Server};
use crate::tools::bash;

/// A stream of these items, with these other fields in the final object.
pub(crate) fn stream(items: &[Value], last: &Value) -> Reply {
    let mut response =
        json!({"status": "completed", "usage": {"input_tokens": 9, "output_tokens": 9}});
    for (name, value) in last.as_object().expect("fields") {
        response[name] = value.clone();
    }
    let done =
        |(n, item)| json!({"type": "response.output_item.done", "output_index": n, "item": item});
    let completed = json!({"type": "response.completed", "response": response});
    let events = items.iter().enumerate().map(done).chain([completed]);
    Reply::sse(
        events
            .map(|event| format!("data: {event}\n\n"))
            .collect::<String>(),
    )
}

fn reasoning(id: &str, sealed: Option<&str>) -> Value {
    let mut item = json!({"type": "reasoning", "id": id, "summary": []});
    if let Some(sealed) = sealed {
        item["encrypted_content"] = json!(sealed);
    }
    item
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "id": format!("fc_{id}"), "call_id": format!("call_{id}"), "name": "bash",
        "arguments": "{\"command\":\"true\"}", "status": "completed"})
}

fn message(id: &str, text: &str) -> Value {
    let content = json!([{"type": "output_text", "text": text, "annotations": []}]);
    json!({"type": "message", "id": id, "role": "assistant", "status": "completed", "phase": "final_answer",
        "content": content})
}

/// The input items of a request, from the first user message on.
fn said(server: &Server, number: usize) -> Vec<Value> {
    let items = input(&server.requests()[number]);
    let items = items
        .iter()
        .map(|item| serde_json::from_str(item).expect("JSON"));
    let is_head = |item: &Value| item["role"] == "developer";
    items.skip_while(is_head).collect()
}

/// Every model of the list continues what every other one has begun.
#[test]
fn a_conversation_can_continue_with_any_model_after_any_other() {
    for way in WAYS {
        let all = models(way);
        each(all.clone(), 4, |first| {
            let first = first["id"].as_str().expect("an id");
            let begun = [
                Item::reasoning("let me see"),
                Item::commentary("I look."),
                bash("echo one"),
            ];
            let end = [Item::reasoning("so it is"), Item::text("both")];
            let server = Server::start([Reply::items(begun), Reply::items(end)]);
            let home = home_for(way);
            ask(&home, &server, &["-m", first], "go").exits(0);
            let id = id(&file(&home));
            for second in &all {
                let second = second["id"].as_str().expect("an id");
                server.push(Reply::items([Item::reasoning("on"), Item::text("done")]));
                let args = [
                    "run",
                    "--no-tools",
                    "--fork",
                    &id,
                    "-m",
                    second,
                    "-e",
                    "high",
                    "and?",
                ];
                let ran = home.codex(&server).args(args).run();
                ran.exits(0).stdout("done\n");
                let requests = server.requests();
                let body = requests.last().expect("a request").json();
                let mistakes = spec::mistakes(&spec::without_exceptions(&body));
                assert_eq!(mistakes, [""; 0], "{way}: {first}, {second}: {body:#}");
                let items = said(&server, requests.len() - 1);
                let with_ids = items.iter().filter(|item| !item["id"].is_null()).count();
                // A different model receives the text and the calls, and no reference to the reasoning of the first one.
                assert_eq!(with_ids, if first == second { 5 } else { 0 }, "{items:#?}");
                let texts: Vec<String> = items
                    .iter()
                    .filter(|item| item["role"] == "assistant")
                    .map(|item| match &item["content"] {
                        Value::String(text) => text.clone(),
                        parts => parts[0]["text"].as_str().unwrap_or_default().to_owned(),
                    })
                    .collect();
                assert_eq!(texts, ["I look.", "both"], "{way}: {first}, {second}");
            }
        });
    }
}

#[test]
fn reasoning_encrypted_only_in_the_final_object_is_sent_back_encrypted() {
    let open = [
        reasoning("rs_1", None),
        message("msg_1", "I look."),
        call("1"),
    ];
    let mut listed = open.clone();
    listed[0] = reasoning("rs_1", Some("gAAAA-late"));
    let first = stream(&open, &json!({ "output": listed }));
    let server = Server::start([first, Reply::text("done"), Reply::text("more")]);
    let home = Home::with_key();
    ask(&home, &server, &[], "go").exits(0);
    ask(&home, &server, &["--last"], "and?").exits(0);
    for number in [1, 2] {
        let items = said(&server, number);
        assert_eq!(items[1]["encrypted_content"], "gAAAA-late");
        assert_eq!(items[1]["id"], "rs_1");
        assert_eq!((&items[2], &items[3]), (&open[1], &open[2]));
    }
}

#[test]
fn unencrypted_reasoning_is_dropped_together_with_its_ids() {
    let items = [
        reasoning("rs_1", None),
        json!({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"type": "search", "query": "q"}}),
        message("msg_1", "I look."),
        call("1"),
    ];
    for listed in [json!([]), json!(items)] {
        let first = stream(&items, &json!({ "output": listed }));
        let end = [reasoning("rs_2", None), message("msg_2", "done")];
        let server = Server::start([first, stream(&end, &json!({})), Reply::text("more")]);
        let home = Home::with_key();
        ask(&home, &server, &[], "go").exits(0);
        ask(&home, &server, &["--last"], "and?").exits(0);
        let mut sent = call("1");
        sent.as_object_mut().expect("an object").remove("id");
        let expected = [
            json!({"type": "message", "role": "assistant", "content": "I look.", "phase": "final_answer"}),
            sent,
        ];
        let (first, then) = (said(&server, 1), said(&server, 2));
        assert_eq!(first[1..3], expected);
        assert_eq!(first[3]["call_id"], "call_1");
        assert_eq!(then[..4], first);
        let done = json!({"type": "message", "role": "assistant", "content": "done", "phase": "final_answer"});
        assert_eq!(then[4], done);
    }
}

#[test]
fn reasoning_that_the_service_cannot_decrypt_is_omitted_once() {
    let error = json!({"message": "The encrypted content gAAA...XYZ= could not be verified.", "type":
        "invalid_request_error", "param": null, "code": "invalid_encrypted_content"});
    let no = || Reply::json(400, &json!({ "error": error }));
    let home = Home::with_key();
    let begun = [Item::reasoning("let me see"), Item::text("one")];
    let server = Server::start([Reply::items(begun), no(), Reply::text("two")]);
    ask(&home, &server, &[], "go").exits(0);
    let ran = ask(&home, &server, &["--last"], "and?");
    ran.exits(0)
        .stdout("two\n")
        .says("the service cannot read the reasoning from earlier answers; retrying without it\n");
    assert_eq!(said(&server, 1)[1]["type"], "reasoning");
    let expected = json!({"type": "message", "role": "assistant", "content": "one"});
    assert_eq!(said(&server, 2)[1], expected);
    // If that does not help, the error is final.
    for _ in 0..2 {
        server.push(no());
    }
    let ran = ask(&home, &server, &["--last"], "more");
    ran.exits(1).says("could not be verified");
    assert_eq!(server.requests().len(), 5);
}

#[test]
fn an_output_of_white_space_is_reported_as_empty() {
    let home = Home::with_key();
    let program = home.file("blank.sh", "#!/bin/sh\nprintf '\\n \\t\\n'\n");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("it is ours");
    let manifest = json!({"name": "blank", "description": "d", "command": ["./blank.sh"],
        "parameters": {"type": "object", "properties": {}}});
    home.file("blank.json", manifest.to_string());
    let calls = [
        Item::call("blank", json!({})),
        Item::call("blank", json!({})),
    ];
    let server = Server::start([Reply::items(calls), Reply::text("done")]);
    ask(&home, &server, &["--tool", "blank.json"], "go").exits(0);
    let outputs: Vec<Value> = said(&server, 1)
        .into_iter()
        .filter(|item| item["type"] == "function_call_output")
        .map(|mut item| item["output"].take())
        .collect();
    assert_eq!(outputs, ["(no output)"; 2]);
    // Items stored by an earlier version are sent in the same way.
    let file = file(&home);
    let stored = fs::read_to_string(&file).expect("a file");
    fs::write(&file, stored.replace("(no output)", "\\n ")).expect("a file");
    server.push(Reply::text("more"));
    ask(&home, &server, &["--last"], "and?").exits(0);
    assert_eq!(said(&server, 2)[..5], said(&server, 1)[..]);
}

#[test]
fn withheld_reasoning_is_reported_once() {
    let removed = |reason: &str| json!({"type": "reasoning", "id": "rs_1", "action": "removed", "reason": reason});
    let last = |reasons: &[&str]| {
        let all: Vec<Value> = reasons.iter().map(|reason| removed(reason)).collect();
        json!({ "input_transformations": all })
    };
    let note = "the service did not show the model its reasoning from earlier answers";
    let reasons = ["prefix_mismatch", "model_mismatch", "turn_boundary"];
    let home = Home::with_key();
    let server = Server::start([
        stream(&[call("1")], &last(&reasons)),
        stream(&[message("msg_1", "done")], &last(&reasons)),
        stream(&[message("msg_2", "done")], &last(&reasons[2..])),
    ]);
    let ran = ask(&home, &server, &[], "go");
    ran.exits(0).stdout("done\n").says(&format!(
        "codex: {note}: 2 items (model_mismatch, prefix_mismatch)\n"
    ));
    assert_eq!(ran.stderr.matches(note).count(), 1, "{}", ran.stderr);
    // Older models drop their reasoning at the end of a turn, which is not worth a message.
    let ran = ask(&home, &server, &[], "go");
    assert!(!ran.exits(0).stderr.contains(note), "{}", ran.stderr);
}

#[test]
fn an_item_that_codex_run_cannot_serve_is_named() {
    for item in [
        json!({"type": "tool_search_call", "id": "ts_1", "call_id": "c1", "execution": "client",
            "status": "completed", "arguments": {"query": "x"}}),
        json!({"type": "brand_new_call", "id": "bn_1", "call_id": "c1"}),
    ] {
        let kind = item["type"].as_str().expect("a type");
        let server = Server::start([stream(
            &[reasoning("rs_1", Some("g")), item.clone()],
            &json!({}),
        )]);
        let ran = ask(&Home::with_key(), &server, &[], "go");
        ran.exits(1).stdout("").says(&format!(
            "the answer requires something that codex-run cannot provide ({kind})"
        ));
        assert_eq!(server.requests().len(), 1);
    }
    // A call that the service has already served is not reported.
    let items = [
        json!({"type": "brand_new_call", "id": "bn_1", "call_id": "c1"}),
        json!({"type": "brand_new_call_output", "call_id": "c1", "output": "x"}),
        message("msg_1", "done"),
    ];
    let server = Server::start([stream(&items, &json!({}))]);
    let ran = ask(&Home::with_key(), &server, &[], "go");
    ran.exits(0).stdout("done\n");
}
