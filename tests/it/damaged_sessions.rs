//! Conversations whose files were truncated or damaged: an incomplete end is dropped, calls without a result get one, and
//! a damaged line before the end is reported with its position.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::home::{Home, each};
use crate::sessions::{ask, file, files, id, input};
use crate::standin::{Item, Reply, Scenarios, Script, Server};
use crate::tools::bash;

/// A conversation of several turns with tools: its id, its path below the sessions, and its bytes.
struct Whole {
    id: String,
    place: String,
    bytes: Vec<u8>,
}

fn whole() -> Whole {
    let home = Home::with_key();
    let calls = [
        Item::reasoning("first"),
        Item::commentary("I look."),
        bash("echo one"),
        bash("printf 'a\\nb\\303\\244'"),
    ];
    let more = [Item::reasoning("then"), bash("false"), bash("echo four")];
    let end = [Item::reasoning("so"), Item::text("done \u{e4}\u{1f600}")];
    let server = Server::start([
        Reply::items(calls),
        Reply::items(more),
        Reply::items(end.clone()),
        Reply::items(end),
    ]);
    ask(&home, &server, &[], "go").exits(0);
    ask(&home, &server, &["--last"], "and \u{e4}?").exits(0);
    let file = file(&home);
    let place = file.strip_prefix(home.own()).expect("it is there");
    Whole {
        id: id(&file),
        place: place.display().to_string(),
        bytes: fs::read(&file).expect("a file"),
    }
}

impl Whole {
    /// A home in which the conversation consists of these bytes.
    fn as_bytes(&self, bytes: &[u8]) -> Home {
        let home = Home::with_key();
        let path = home.own().join(&self.place);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, bytes).expect("a file");
        home
    }

    /// Length of the first line, in bytes.
    fn first(&self) -> usize {
        let end = self.bytes.iter().position(|byte| *byte == b'\n');
        end.expect("a line end") + 1
    }
}

/// Checks that reasoning comes directly before the item that it produced.
fn check_reasoning_order(items: &[Value], what: &str) {
    for pair in items
        .windows(2)
        .filter(|pair| pair[0]["type"] == "reasoning")
    {
        let own = matches!(
            pair[1]["type"].as_str(),
            Some("reasoning" | "function_call")
        );
        assert!(own || pair[1]["role"] == "assistant", "{what}: {}", pair[1]);
    }
}

/// Resumes a conversation twice that was truncated here.
fn cut(whole: &Whole, server: &Server, at: usize) {
    let home = whole.as_bytes(&whole.bytes[..at]);
    let first = ask(&home, server, &["--resume", &whole.id], "still there?");
    if first.status.code() == Some(2) {
        first.exits(2).says("line 1: ").says(&whole.place);
        assert!(at < whole.first(), "cut at {at}");
        let kept = fs::read(home.own().join(&whole.place)).expect("a file");
        assert_eq!(kept, whole.bytes[..at], "cut at {at}");
        return;
    }
    first.exits(0);
    assert!(at >= whole.first(), "cut at {at}");
    ask(&home, server, &["--resume", &whole.id], "and now?").exits(0);
    let requests = server.requests();
    let own = |prompt: &str| {
        let key = requests.iter().rev().find(|request| {
            let body = request.json();
            let last = body["input"]
                .as_array()
                .and_then(|items| items.last().cloned());
            last.is_some_and(|last| last["content"][0]["text"] == prompt)
        });
        key.expect("a request").clone()
    };
    let (one, other) = (own("still there?"), own("and now?"));
    for request in [&one, &other] {
        let items = request.json()["input"].as_array().expect("items").clone();
        check_reasoning_order(&items, &format!("cut at {at}"));
    }
    let (one, other) = (input(&one), input(&other));
    assert_eq!(
        one[..],
        other[..one.len()],
        "cut at {at}: what was sent before"
    );
}

/// One server for several truncations: each inspects its own last requests, so they run one after another.
fn cut_all(whole: &Whole, cuts: &[usize]) {
    let some: Vec<&[usize]> = cuts.chunks(8).collect();
    each(some, 8, |cuts| {
        for at in cuts {
            let server = Server::start(Script::prompts(Scenarios::default()));
            cut(whole, &server, *at);
        }
    });
}

#[test]
fn a_conversation_truncated_after_any_line_can_be_resumed() {
    let whole = whole();
    let ends = whole.bytes.iter().enumerate();
    let cuts: Vec<usize> = ends
        .filter(|(_, byte)| **byte == b'\n')
        .map(|(at, _)| at + 1)
        .collect();
    assert!(cuts.len() > 15, "{cuts:?}");
    cut_all(&whole, &cuts);
}

#[test]
fn a_conversation_truncated_anywhere_can_be_resumed() {
    let whole = whole();
    // Pseudo-random numbers, the same each time (xorshift).
    let mut state: u32 = 0x9e37_79b9;
    let length = whole.bytes.len();
    let cuts: Vec<usize> = (0..200)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state as usize % length
        })
        .collect();
    cut_all(&whole, &cuts);
}

#[test]
fn a_damaged_line_before_the_end_is_reported_with_its_position() {
    let whole = whole();
    let text = String::from_utf8(whole.bytes.clone()).expect("UTF-8");
    let lines: Vec<&str> = text.lines().collect();
    let server = Server::start([]);
    let check = |n: usize, line: &[u8]| {
        let mut all: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
        all[n] = line;
        let bytes = [all.join(&b"\n"[..]), b"\n".to_vec()].concat();
        let home = whole.as_bytes(&bytes);
        for way in ["--resume", "--fork"] {
            let ran = ask(&home, &server, &[way, &whole.id], "x");
            ran.exits(2)
                .stdout("")
                .says(&format!("line {}: ", n + 1))
                .says(&whole.place);
        }
        let path = home.own().join(&whole.place);
        assert_eq!(
            fs::read(path).expect("a file"),
            bytes,
            "it is left as it is"
        );
        assert_eq!(crate::sessions::files(&home).len(), 1);
    };
    for n in [0, 1, 4, lines.len() - 2] {
        for line in [&b"{"[..], b"", b"[]", b"5", b"{\"a\":\xff}", b"{}"] {
            check(n, line);
        }
        check(n, &lines[n].as_bytes()[..lines[n].len() / 2]);
        check(n, [lines[n], lines[n]].concat().as_bytes());
    }
    let newer = lines[0].replace("\"version\":2", "\"version\":3");
    assert_ne!(newer, lines[0]);
    check(0, newer.as_bytes());
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_call_without_a_result_gets_one_result() {
    let whole = whole();
    let text = String::from_utf8(whole.bytes.clone()).expect("UTF-8");
    let call = text.find("{\"type\":\"function_call_output\"");
    let home = whole.as_bytes(&whole.bytes[..call.expect("an output")]);
    let server = Server::start([Reply::text("a"), Reply::text("b")]);
    for _ in 0..2 {
        ask(&home, &server, &["--resume", &whole.id], "x").exits(0);
    }
    for request in server.requests() {
        let body = request.json();
        let items = body["input"].as_array().expect("items").iter();
        let outputs: Vec<&Value> = items
            .filter(|item| item["type"] == "function_call_output")
            .map(|item| &item["output"])
            .collect();
        assert_eq!(outputs, [&json!("aborted"), &json!("aborted")]);
    }
    assert!(Path::new(&home.own()).join(&whole.place).exists());
}

#[test]
fn an_id_is_a_file_name_and_names_one_conversation() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("a")]);
    ask(&home, &server, &[], "hi").exits(0);
    let (file, other) = (file(&home), "0a000000-0000-7000-8000-000000000000");
    let day = home.own().join("sessions/2020/01/02");
    fs::create_dir_all(&day).expect("a directory");
    let copies = [
        file.with_file_name(format!("{other}.jsonl")),
        day.join(format!("{other}.jsonl")),
    ];
    for copy in &copies {
        fs::copy(&file, copy).expect("a file");
    }
    let sessions = |args: [&str; 2]| home.offline().args(["sessions"]).args(args).run();
    let listed = sessions(["--limit", "9"]).exits(0).text();
    assert_eq!(
        listed
            .lines()
            .filter(|line| line.starts_with(other))
            .count(),
        1,
        "{listed}"
    );
    let shown = sessions(["show", "0a00"]).exits(0).text();
    assert!(
        shown.starts_with(&format!("id        {other}\n")),
        "{shown}"
    );
    sessions(["rm", "0a00"])
        .exits(0)
        .stderr(&format!("codex: removed {other}\n"));
    assert_eq!(files(&home), [file]);
    assert!(!day.exists());
}

#[test]
fn only_conversations_are_removed_and_no_link_is_followed() {
    let home = Home::with_key();
    let day = home.own().join("sessions/2026/01/02");
    let foreign = home.root().join("foreign/01/02");
    for place in [&day, &foreign] {
        fs::create_dir_all(place).expect("a directory");
    }
    symlink(
        home.root().join("foreign"),
        home.own().join("sessions/2027"),
    )
    .expect("a link");
    let id = |n: u8| format!("{n}f000000-0000-7000-8000-000000000000");
    let head = |n: u8| {
        format!(
            "{{\"type\":\"session\",\"version\":1,\"id\":\"{}\"}}\n",
            id(n)
        )
    };
    let name = |n: u8| format!("{}.jsonl", id(n));
    let remove = |n: u8| home.offline().args(["sessions", "rm", &id(n)]).run();
    for (n, text) in [(1, "not a session"), (2, "not a session\n"), (3, "")] {
        fs::write(day.join(name(n)), text).expect("a file");
        remove(n).exits(2).says(&format!("{}: line 1: ", name(n)));
        assert!(day.join(name(n)).exists(), "{text:?}");
    }
    fs::write(foreign.join(name(4)), head(4)).expect("a file");
    symlink(foreign.join(name(4)), day.join(name(5))).expect("a link");
    for n in [4, 5] {
        remove(n).exits(2).says("no stored conversation has the id");
        let server = Server::start([]);
        let resumed = ask(&home, &server, &["--resume", &id(n)], "x");
        resumed.exits(2).says("no stored conversation has the id");
    }
    assert!(foreign.join(name(4)).exists());
    // Older and newer formats are conversations, too.
    for (n, version) in [(6, "1"), (7, "9")] {
        let head = head(n).replace(":1,", &format!(":{version},"));
        fs::write(day.join(name(n)), head + "damaged\n").expect("a file");
        remove(n).exits(0);
        assert!(!day.join(name(n)).exists(), "{version}");
    }
}
