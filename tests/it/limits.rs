//! Limits on tool calls, and what is sent back: memory, time, images; and a whole task.

use std::fs;

use serde_json::{Value, json};

use crate::home::{Home, processes};
use crate::sessions::ask;
use crate::standin::{Item, Reply, Server};
use crate::tools::{bash, called, outputs};

#[test]
fn endless_output_uses_little_memory_and_disk() {
    let home = Home::with_key();
    let peaks = "grep VmHWM /proc/$PPID/status /proc/$(cut -d' ' -f4 /proc/$PPID/stat)/status";
    // Two gigabytes through the pipe, followed by the peak memory of the tool's process and of the run.
    let command = format!("head -c 2000000000 /dev/zero | tr '\\0' x; {peaks}; du -sm $TMPDIR");
    let (_, outputs) = called(&home, &[], vec![bash(&command)]);
    let peaks: Vec<u64> = outputs[0]
        .lines()
        .filter(|line| line.contains("VmHWM:"))
        .filter_map(|line| line.split_whitespace().rev().nth(1)?.parse().ok())
        .collect();
    assert_eq!(peaks.len(), 2, "{}", &outputs[0][outputs[0].len() - 500..]);
    assert!(
        peaks.iter().all(|kilobytes| *kilobytes < 32 << 10),
        "{peaks:?}"
    );
    assert!(outputs[0].len() < 66_000 && outputs[0].contains("; the first 64 MiB are in "));
    let disk = outputs[0]
        .lines()
        .rev()
        .nth(1)
        .and_then(|line| line.split('\t').next());
    assert!(
        disk.and_then(|disk| disk.parse().ok())
            .is_some_and(|disk: u32| disk <= 65),
        "{disk:?}"
    );
}

/// The text of a message is in memory as it streams in and as the event that repeats it, and then once, in the conversation: not
/// once more for the JSON line, nor for the items of a resumed conversation.
#[test]
fn a_long_message_is_in_memory_twice_at_most() {
    let home = Home::with_key();
    let server = Server::start([]);
    let peak = "grep VmHWM /proc/$(cut -d' ' -f4 /proc/$PPID/stat)/status";
    let measure = |flags: &[&str], answer: Reply| -> u64 {
        server.push(answer);
        server.push(Reply::text("done"));
        let flags = [&["--json", "-m", "unlimited"], flags].concat();
        ask(&home, &server, &flags, "go").exits(0);
        let outputs = outputs(&server);
        let mut lines = outputs.last().expect("an output").lines();
        let line = lines.rfind(|line| line.contains("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
        kilobytes
            .map(|kilobytes: u64| kilobytes << 10)
            .expect("a size")
    };
    let base = measure(&[], Reply::items([bash(peak)]));
    let piece = "ten bytes\n".repeat(25_000);
    let content = json!([{"type": "output_text", "text": piece.repeat(16)}]);
    let message = json!({"type": "message", "id": "m", "role": "assistant", "content": content});
    let call = json!({"type": "function_call", "id": "f", "call_id": "c", "name": "bash",
        "arguments": json!({"command": peak}).to_string()});
    let delta = json!({"type": "response.output_text.delta", "output_index": 0, "delta": piece});
    let done = |n: usize, item: &Value| json!({"type": "response.output_item.done", "output_index": n, "item": item});
    let response = json!({"status": "completed", "output": [message, call]});
    let completed = json!({"type": "response.completed", "response": response});
    let ends = [done(0, &message), done(1, &call), completed];
    let events: String = std::iter::repeat_n(&delta, 16)
        .chain(&ends)
        .map(|event| format!("data: {event}\n\n"))
        .collect();
    let size = message.to_string().len() as u64;
    let long = measure(&[], Reply::sse(events));
    assert!(long < base + size * 7 / 2, "{base} {long} {size}");
    let resumed = measure(&["--last"], Reply::items([bash(peak)]));
    assert!(resumed < base + size * 3 / 2, "{base} {resumed} {size}");
}

#[test]
fn processes_that_fork_and_ignore_term_are_gone_after_the_time_limit() {
    let home = Home::with_key();
    let seconds = format!("89{}", std::process::id());
    let command = format!(
        "trap '' TERM; for n in 1 2 3; do (setsid sh -c \"trap '' TERM; while :; do sleep {seconds}; done\" &) ; done; echo begun; sleep {seconds}; sleep {seconds}"
    );
    for flags in [
        &["--tool-timeout", "2s"][..],
        &["--tool-timeout", "2s", "-s", "danger-full-access"],
    ] {
        let (ran, outputs) = called(&home, flags, vec![bash(&command)]);
        assert!(
            outputs[0].starts_with("begun\n[timed out after 2 s"),
            "{}",
            outputs[0]
        );
        assert_eq!(processes(&format!("sleep {seconds}")), Vec::<u32>::new());
        ran.says("(timeout, ");
    }
}

#[test]
fn no_edit_is_lost_among_a_thousand() {
    let home = Home::with_key();
    let (files, rounds) = (50, 125);
    for file in 0..files {
        let marks: Vec<String> = (0..20).map(|n| format!("<{n}>")).collect();
        home.file(&format!("f{file}"), marks.join("\n"));
    }
    // Every round edits four files twice each.
    let mut replies: Vec<Reply> = (0..rounds)
        .map(|round| {
            let edit = |n: usize| {
                let number = round * 8 + n;
                let (file, mark) = ((number / 2) % files, number / 2 / files * 2 + number % 2);
                Item::call(
                    "edit",
                    json!({"path": format!("f{file}"), "edits": [{"old_text": format!("<{mark}>"), "new_text": format!("[{mark}]")}]}),
                )
            };
            Reply::items((0..8).map(edit))
        })
        .collect();
    replies.push(Reply::text("done"));
    let server = Server::start(replies);
    let cmd = home.codex(&server).args([
        "run",
        "-q",
        "--max-turns",
        "200",
        "-s",
        "workspace-write",
        "go",
    ]);
    cmd.run().exits(0).stdout("done\n").stderr("");
    let outputs = outputs(&server);
    assert_eq!(outputs.len(), files * 20);
    assert!(
        outputs
            .iter()
            .all(|outputs| outputs.starts_with("changed f"))
    );
    let expected: Vec<String> = (0..20).map(|n| format!("[{n}]")).collect();
    for file in 0..files {
        assert_eq!(
            home.read(&format!("f{file}")),
            expected.join("\n"),
            "f{file}"
        );
    }
}

#[test]
fn images_reach_the_model() {
    let home = Home::with_key();
    let png = b"\x89PNG\r\n\x1a\n and the rest";
    home.file("a.png", png);
    home.file("b.txt", "\x7fELF\0");
    let mut large = png.to_vec();
    large.resize((5 << 20) + 1, 0);
    home.file("c.png", large);
    let calls = ["a.png", "b.txt", "c.png"].map(|path| Item::call("read", json!({"path": path})));
    let server = Server::start([Reply::items(calls), Reply::text("done")]);
    home.codex(&server).args(["run", "go"]).run().exits(0);
    let body = server.requests()[1].json();
    let items = body["input"].as_array().expect("items");
    let outputs: Vec<_> = items
        .iter()
        .filter(|item| item["type"] == "function_call_output")
        .collect();
    assert_eq!(
        outputs[0]["output"][0]["text"],
        format!("[a.png: image/png, {} bytes]", png.len())
    );
    let picture = json!({
        "type": "input_image",
        "image_url": "data:image/png;base64,iVBORw0KGgogYW5kIHRoZSByZXN0",
        "detail": "original",
    });
    assert_eq!(outputs[0]["output"][1], picture);
    assert_eq!(
        outputs[1]["output"],
        "b.txt is a binary file of 5 bytes; use bash to inspect it"
    );
    let words = outputs[2]["output"].as_str().expect("a text");
    assert!(
        words.contains("at most 5 MiB are allowed; make it smaller"),
        "{words}"
    );
}

#[test]
fn a_failing_test_is_found_and_fixed() {
    let home = Home::with_key();
    home.file("add.sh", "add() { echo $(($1 - $2)); }\n");
    home.file("test.sh", ". ./add.sh\n[ \"$(add 2 3)\" = 5 ] && echo passed || { echo \"2 + 3 is $(add 2 3)\"; exit 1; }\n");
    let edit = json!({"path": "add.sh", "edits": [{"old_text": "$1 - $2", "new_text": "$1 + $2"}]});
    let server = Server::start([
        Reply::items([bash("sh test.sh")]),
        Reply::items([
            Item::call("read", json!({"path": "test.sh"})),
            Item::call("read", json!({"path": "add.sh"})),
        ]),
        Reply::items([Item::call("edit", edit)]),
        Reply::items([bash("sh test.sh")]),
        Reply::text("It subtracted. Mended; the test passes."),
    ]);
    let cmd = home
        .codex(&server)
        .args(["run", "-s", "workspace-write", "mend the test"]);
    let ran = cmd.run();
    ran.exits(0)
        .stdout("It subtracted. Mended; the test passes.\n");
    for line in [
        "codex: bash: sh test.sh (exit 1, ",
        "codex: read: test.sh (ok, ",
        "codex: edit: add.sh (ok, ",
        "codex: bash: sh test.sh (ok, ",
    ] {
        ran.says(line);
    }
    let outputs = outputs(&server);
    assert!(
        outputs[0].starts_with("2 + 3 is -1\n[exit code 1]"),
        "{}",
        outputs[0]
    );
    assert_eq!(outputs[2], "add() { echo $(($1 - $2)); }\n");
    assert!(
        outputs[4].starts_with("passed\n[exit code 0]"),
        "{}",
        outputs[4]
    );
    assert_eq!(
        fs::read_to_string(home.work().join("add.sh")).expect("a file"),
        "add() { echo $(($1 + $2)); }\n"
    );
}
