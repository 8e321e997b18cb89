//! Conversations that are compacted by a summary of the model.

use serde_json::json;

use crate::compaction::{compacted, kinds, last_text, long_call, run, stored};
use crate::home::Home;
use crate::standin::{Ends, Item, Reply, Script, Server};

#[test]
fn a_service_without_the_trigger_gets_a_summary_by_the_model() {
    let summary = || Reply::text("It was done.");
    let two = || Reply::items([Item::Compaction, Item::Compaction]);
    let refused = || {
        Reply::json(
            400,
            &json!({"error": {"message": "Unknown item type compaction_trigger", "type": "invalid_request_error"}}),
        )
    };
    let scripts = [
        (
            "unknown",
            Script::replies([long_call(), summary(), Reply::text("end")]).without_trigger(),
        ),
        (
            "refused",
            Script::replies([long_call(), summary(), Reply::text("end")]).compactions([refused()]),
        ),
        (
            "none",
            Script::replies([long_call(), summary(), Reply::text("end")])
                .compactions([Reply::text("no")]),
        ),
        (
            "two",
            Script::replies([long_call(), summary(), Reply::text("end")]).compactions([two()]),
        ),
    ];
    for (name, script) in scripts {
        let server = Server::start(script);
        let home = Home::with_token();
        let ran = run(&home, &server)
            .args(["--json", "--search", "do it"])
            .run();
        ran.exits(0);
        compacted(&ran, "summary");
        assert!(
            !ran.text().contains("It was done."),
            "{name}: {}",
            ran.text()
        );
        let requests = server.requests();
        assert_eq!(requests.len(), 4, "{name}");
        let body = requests[2].json();
        assert!(
            body.get("tools").is_none() && body["text"].get("format").is_none(),
            "{name}"
        );
        assert_eq!(kinds(&requests[2]), ["user"], "{name}");
        assert!(
            last_text(&requests[2]).starts_with("User: do it\n\nCall of bash: {"),
            "{name}"
        );
        assert_eq!(kinds(&requests[3]), ["user", "user"], "{name}");
        let text = last_text(&requests[3]);
        assert!(
            text.starts_with("This is a summary of the conversation so far")
                && text.ends_with("\n\nIt was done."),
            "{text}"
        );
        assert_eq!(home.read("ran"), "ran\n", "{name}");
    }
}

#[test]
fn another_server_is_asked_for_a_summary_at_once() {
    let summary = || Reply::text("It was done.");
    let server = Server::start([
        long_call(),
        summary(),
        long_call(),
        summary(),
        Reply::text("end"),
    ]);
    let home = Home::with_key();
    let ran = run(&home, &server).args(["do it"]).run();
    ran.exits(0).stdout("end\n");
    let requests = server.requests();
    assert_eq!(kinds(&requests[4]), ["user", "user"]);
    // The second summary replaces the first one, which was part of its text.
    assert!(last_text(&requests[3]).contains("User: This is a summary"));
    assert_eq!(stored(&home).len(), 36);
    server.push(Reply::text("on"));
    run(&home, &server).args(["--last", "go on"]).run().exits(0);
    let requests = server.requests();
    assert_eq!(kinds(&requests[5]), ["user", "user", "assistant", "user"]);
}

#[test]
fn a_summary_of_a_conversation_that_is_too_long_is_tried_with_less() {
    let too_long = || {
        Reply::json(
            400,
            &json!({"error": {"message": "Too long.", "code": "context_length_exceeded"}}),
        )
    };
    let server = Server::start([
        long_call(),
        too_long(),
        Reply::text("It was done."),
        Reply::text("end"),
    ]);
    let home = Home::with_key();
    run(&home, &server)
        .args(["do it"])
        .run()
        .exits(0)
        .stdout("end\n");
    let requests = server.requests();
    let length = |at: usize| last_text(&requests[at]).len();
    assert!(length(2) <= length(1) / 2, "{} of {}", length(2), length(1));
}

#[test]
fn without_a_summary_the_conversation_stays_as_it_was() {
    let empty = || Reply::text(" ").ends(Ends::Completed);
    let script = Script::replies([long_call(), empty(), Reply::text("end")]).without_trigger();
    let server = Server::start(script);
    let home = Home::with_token();
    let ran = run(&home, &server).args(["do it"]).run();
    ran.exits(1)
        .says("codex: cannot compact the conversation: ");
    ran.says("codex: hint: resume it with --compact off");
    let resumed = run(&home, &server)
        .args(["--last", "--compact", "off", "go on"])
        .run();
    resumed.exits(0).stdout("end\n");
    let requests = server.requests();
    let last = requests.last().expect("a request");
    assert_eq!(
        kinds(last),
        [
            "user",
            "reasoning",
            "function_call",
            "function_call_output",
            "user"
        ]
    );
    assert_eq!(home.read("ran"), "ran\n");
}
