//! Stored conversations: the contents of their files, and that a resumed conversation sends what it would have sent without
//! an interruption.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::home::{CommandOutput, Home, finish, until};
use crate::standin::{Item, Recorded, Reply, Server};
use crate::stops::TERM;
use crate::tools::bash;

/// The files of all conversations of this home, by name.
pub(crate) fn files(home: &Home) -> Vec<PathBuf> {
    let mut level = vec![home.own().join("sessions")];
    for _ in 0..4 {
        let entries = level.iter().flat_map(fs::read_dir).flatten().flatten();
        level = entries.map(|entry| entry.path()).collect();
    }
    level.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
    level
}

/// The only file.
pub(crate) fn file(home: &Home) -> PathBuf {
    let mut all = files(home);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

pub(crate) fn id(file: &Path) -> String {
    let stem = file.file_stem().expect("a name");
    stem.to_string_lossy().into_owned()
}

fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).expect("a file");
    assert!(text.ends_with('\n'), "{text}");
    let lines = text.lines().map(serde_json::from_str);
    lines.collect::<Result<_, _>>().expect("JSON")
}

/// The items of a request, each as its bytes.
pub(crate) fn input(request: &Recorded) -> Vec<String> {
    #[derive(Deserialize)]
    struct Body {
        input: Vec<Box<RawValue>>,
    }
    let body: Body = serde_json::from_slice(&request.body).expect("a body");
    body.input
        .iter()
        .map(|item| item.get().to_owned())
        .collect()
}

/// Runs `codex run` with these flags.
pub(crate) fn ask(home: &Home, server: &Server, flags: &[&str], prompt: &str) -> CommandOutput {
    let mut cmd = home.codex(server).args(["run", "-s", "danger-full-access"]);
    cmd.command.args(flags).arg(prompt);
    cmd.run()
}

/// An answer with every kind of item that is stored, and the one after it.
fn with_a_tool() -> [Reply; 2] {
    let first = [
        Item::reasoning("let me see"),
        Item::commentary("I look."),
        bash("echo one"),
        bash("echo two"),
    ];
    let second = [Item::reasoning("so it is"), Item::text("both")];
    [Reply::items(first), Reply::items(second)]
}

#[test]
fn a_stored_conversation_is_readable_only_by_its_owner() {
    let home = Home::with_key();
    let server = Server::start(with_a_tool());
    ask(&home, &server, &[], "go").exits(0);
    let file = file(&home);
    let mode = |path: &Path| fs::metadata(path).expect("it is there").mode() & 0o7777;
    assert_eq!(mode(&file), 0o600);
    for folder in file.ancestors().skip(1).take(4) {
        assert_eq!(mode(folder), 0o700, "{folder:?}");
    }
    let lines = lines(&file);
    let kinds: Vec<&str> = lines
        .iter()
        .map(|line| line["type"].as_str().unwrap_or("message"))
        .collect();
    let expected = "codex.session codex.turn message reasoning message function_call function_call \
                    function_call_output function_call_output reasoning message";
    assert_eq!(kinds.join(" "), expected);
    assert_eq!(lines[0]["version"], 2);
    assert_eq!(lines[0]["id"], id(&file));
    assert_eq!(lines[0]["cwd"], home.work().display().to_string());
    let text = fs::read_to_string(&file).expect("a file");
    assert!(!text.contains(crate::home::KEY), "{text}");
}

#[test]
fn a_resumed_conversation_sends_the_same_items_as_an_uninterrupted_one() {
    for home in [Home::with_key(), Home::with_token()] {
        let server = Server::start(with_a_tool());
        server.push(Reply::text("three"));
        let first = ask(&home, &server, &["--json"], "go");
        first.exits(0);
        let file = file(&home);
        let stored: Vec<String> = fs::read_to_string(&file)
            .expect("a file")
            .lines()
            .skip(2)
            .map(str::to_owned)
            .collect();
        let second = ask(&home, &server, &["--json", "--resume", &id(&file)], "and?");
        second.exits(0);
        let requests = server.requests();
        let sent: Vec<Vec<String>> = requests.iter().map(|request| input(request)).collect();
        // Items before the first user message are not part of the conversation.
        let head = sent[1].len() - (stored.len() - 2);
        assert_eq!(sent[1][..], sent[2][..sent[1].len()], "the prefix");
        assert_eq!(sent[2][head..sent[2].len() - 1], stored[..], "the stored");
        let last: Value = serde_json::from_str(sent[2].last().expect("items")).expect("JSON");
        assert_eq!((&last["role"], text_of(&last)), (&json!("user"), "and?"));
        for field in ["prompt_cache_key", "instructions", "tools", "model"] {
            assert_eq!(requests[2].json()[field], requests[0].json()[field]);
        }
        assert_eq!(requests[2].json()["prompt_cache_key"], id(&file));
        for header in ["session-id", "thread-id"] {
            assert_eq!(requests[2].header(header), requests[0].header(header));
        }
        for ran in [first, second] {
            assert_eq!(ran.events()[0]["thread_id"], id(&file));
        }
    }
}

fn text_of(item: &Value) -> &str {
    item["content"][0]["text"].as_str().expect("a text")
}

#[test]
fn last_is_the_newest_conversation_of_this_directory() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("a"), Reply::text("b"), Reply::text("c")]);
    let other = home.root().join("other");
    fs::create_dir(&other).expect("a directory");
    let other = other.display().to_string();
    ask(&home, &server, &[], "older").exits(0);
    let first = file(&home);
    ask(&home, &server, &[], "newer").exits(0);
    let second = files(&home).remove(1);
    let none = ask(&home, &server, &["--last", "-C", &other], "x");
    none.exits(2).says("no stored conversation was started in ");
    server.push(Reply::text("d"));
    ask(&home, &server, &["-C", &other], "elsewhere").exits(0);
    ask(&home, &server, &["--last"], "on").exits(0);
    let requests = server.requests();
    let body = requests.last().expect("a request").json();
    assert_eq!(body["prompt_cache_key"], id(&second));
    assert_ne!(first, second);
    assert_eq!(files(&home).len(), 3);
}

#[test]
fn a_fork_does_not_change_the_original() {
    let home = Home::with_key();
    let server = Server::start(with_a_tool());
    server.push(Reply::text("copied"));
    ask(&home, &server, &[], "go").exits(0);
    let original = file(&home);
    let before = fs::read(&original).expect("a file");
    ask(&home, &server, &["--fork", &id(&original)], "and?").exits(0);
    assert_eq!(fs::read(&original).expect("a file"), before);
    let copy = files(&home).remove(1);
    let requests = server.requests();
    assert_eq!(requests[2].json()["prompt_cache_key"], id(&copy));
    let (one, other) = (input(&requests[1]), input(&requests[2]));
    assert_eq!(one[..], other[..one.len()]);
    // The fork can be resumed separately, and is complete.
    server.push(Reply::text("again"));
    ask(&home, &server, &["--resume", &id(&copy)], "more").exits(0);
    let last = input(&server.requests()[3]);
    assert_eq!(other[..], last[..other.len()]);
    assert_eq!(fs::read(&original).expect("a file"), before);
}

#[test]
fn ephemeral_runs_store_nothing() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("a"), Reply::text("b")]);
    ask(&home, &server, &["--ephemeral"], "go").exits(0);
    ask(&home, &server, &["--dry-run"], "go").exits(0);
    assert!(!home.own().join("sessions").exists());
}

#[test]
fn stored_conversations_are_listed_and_removed() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("a"), Reply::text("b"), Reply::text("c")]);
    let list = |args: [&str; 2]| home.offline().args(["sessions"]).args(args).run();
    let as_json = || {
        let ran = home.offline().args(["sessions", "--json"]).run();
        let all: Value = serde_json::from_slice(&ran.exits(0).stdout).expect("JSON");
        all.as_array().expect("a list").clone()
    };
    home.offline().args(["sessions"]).run().exits(0).stdout("");
    assert_eq!(as_json(), [json!(null); 0]);
    for prompt in ["the older one", "the newer one"] {
        ask(&home, &server, &[], prompt).exits(0);
    }
    let ids: Vec<String> = files(&home).iter().rev().map(|file| id(file)).collect();
    ask(&home, &server, &["--resume", &ids[1]], "more").exits(0);
    let shown = home.offline().args(["sessions"]).run().exits(0).text();
    let shown: Vec<&str> = shown.lines().collect();
    assert!(
        shown[1].starts_with(&ids[0]) && shown[1].ends_with("  the newer one"),
        "{shown:?}"
    );
    assert!(shown[0].starts_with(&ids[1]), "{shown:?}");
    let outputs = as_json();
    assert_eq!(outputs[0]["id"], ids[1]);
    assert_eq!(
        (&outputs[0]["turns"], &outputs[1]["turns"]),
        (&json!(2), &json!(1))
    );
    assert_eq!(outputs[0]["prompt"], "the older one");
    assert_eq!(outputs[0]["cwd"], home.work().display().to_string());

    for unknown in [
        "nonsense",
        "../../auth",
        "019ac5b1-0000-7000-8000-000000000000",
    ] {
        list(["rm", unknown]).exits(2).says(unknown);
        let resumed = ask(&home, &server, &["--resume", unknown], "x");
        resumed.exits(2).says(unknown);
    }
    assert_eq!(files(&home).len(), 2);
    list(["rm", &ids[0]]).exits(0).stdout("");
    assert_eq!(file(&home), files(&home)[0]);
    list(["rm", &ids[1]]).exits(0);
    assert!(files(&home).is_empty());
    assert_eq!(as_json(), [json!(null); 0]);
    assert_eq!(server.requests().len(), 3);
}

/// The last line of a long file says what a list shows, so a list reads only the ends: a damaged line in between shows once the
/// conversation is used.
#[test]
fn a_long_conversation_is_listed_by_its_ends() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("a"), Reply::text("b")]);
    let long = "a long question ".repeat(2000);
    ask(&home, &server, &["-m", "gpt-5.5"], &long).exits(0);
    ask(&home, &server, &["-m", "gpt-5.4", "--last"], "more").exits(0);
    let file = file(&home);
    let listed = || {
        let ran = home.offline().args(["sessions", "--json"]).run();
        let mut all: Value = serde_json::from_slice(&ran.exits(0).stdout).expect("JSON");
        all[0]["used_at"].take();
        all
    };
    let expected = listed();
    assert_eq!(
        (&expected[0]["turns"], &expected[0]["model"]),
        (&json!(2), &json!("gpt-5.4"))
    );
    assert_eq!(expected[0]["prompt"], long[..200]);
    let whole = fs::read_to_string(&file).expect("a file");
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    let (overview, before) = lines.split_last().expect("lines");
    assert!(overview.contains("codex.overview"), "{overview}");
    // Without an overview, as an earlier version leaves a file, and with one that is not the last line.
    for text in [before.concat(), lines.concat() + before[before.len() - 1]] {
        fs::write(&file, text).expect("it can be written");
        assert_eq!(listed(), expected);
    }
    fs::write(&file, whole.replace("\"user\"", "\"user\\\"")).expect("it can be written");
    assert_eq!(listed(), expected);
    for flags in [["--last"].as_slice(), &["--resume", &id(&file)]] {
        ask(&home, &server, flags, "x").exits(2).says("line 3: ");
    }
}

#[test]
fn a_conversation_in_use_is_not_touched() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("a"), Reply::text("slow answer").stall_at(900)]);
    ask(&home, &server, &[], "go").exits(0);
    let file = file(&home);
    let running = home
        .codex(&server)
        .args(["run", "--no-tools", "--resume", &id(&file), "slowly"])
        .start();
    until("a request comes", || server.requests().len() == 2);
    let before = fs::read(&file).expect("a file");
    for flags in [vec!["--resume", "ID"], vec!["--last"]] {
        let id = id(&file);
        let flags: Vec<&str> = flags
            .iter()
            .map(|flag| if *flag == "ID" { &*id } else { flag })
            .collect();
        let second = ask(&home, &server, &flags, "me too");
        second
            .exits(2)
            .says("another run is using the conversation");
    }
    let removed = home.offline().args(["sessions", "rm", &id(&file)]).run();
    removed.exits(2).says("another run is using");
    assert_eq!(fs::read(&file).expect("a file"), before);
    running.signal(TERM);
    finish(running, "codex run slowly".to_owned()).ends_by(TERM);
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn ways_to_resume_exclude_each_other() {
    let home = Home::with_key();
    let ways = [
        vec!["--resume", "i"],
        vec!["--last"],
        vec!["--fork", "i"],
        vec!["--ephemeral"],
    ];
    for (n, one) in ways.iter().enumerate() {
        for other in &ways[n + 1..] {
            let mut cmd = home.offline().args(["run"]);
            cmd.command.args(one).args(other).arg("x");
            let ran = cmd.run();
            ran.exits(2).stdout("").says("are mutually exclusive");
            ran.says(one[0]).says(other[0]);
        }
    }
}

#[test]
fn an_unwritable_home_does_not_fail_the_run() {
    let home = Home::with_key();
    let server = Server::start([Reply::text("hello"), Reply::text("hello")]);
    // A file in place of the directory stops root too.
    fs::create_dir(home.own()).expect("a directory");
    fs::set_permissions(home.own(), fs::Permissions::from_mode(0o700)).expect("a mode");
    fs::write(home.own().join("sessions"), "").expect("a file");
    let ran = ask(&home, &server, &[], "go");
    ran.exits(0)
        .stdout("hello\n")
        .says("the conversation is not stored");
    let ran = ask(&home, &server, &["--json"], "go");
    ran.exits(0);
    let outputs = ran.events();
    let warned = |event: &Value| {
        let words = event["item"]["message"].as_str().unwrap_or_default();
        event["item"]["type"] == "error" && words.contains("is not stored")
    };
    assert_eq!(outputs.iter().filter(|event| warned(event)).count(), 1);
    assert_eq!(outputs[0]["type"], "thread.started", "{}", ran.text());
}

/// The reasoning of one model is useless to a different one, now and whenever the conversation is resumed.
#[test]
fn reasoning_of_one_model_is_not_sent_to_another() {
    let home = Home::with_key();
    let [one, two] = ["gpt-5.5", "gpt-5.4"];
    let server = Server::start(with_a_tool());
    for text in ["b", "c"] {
        server.push(Reply::items([Item::reasoning("of two"), Item::text(text)]));
    }
    ask(&home, &server, &["-m", one], "go").exits(0);
    let id = id(&file(&home));
    ask(&home, &server, &["-m", two, "--resume", &id], "and?").exits(0);
    ask(&home, &server, &["-m", two, "--resume", &id], "more").exits(0);
    let requests = server.requests();
    let second = requests[2].json();
    for item in second["input"].as_array().expect("items") {
        assert_ne!(item["type"], "reasoning");
        assert!(
            item["type"] != "function_call" || item["id"].is_null(),
            "{item}"
        );
    }
    let (sent, then) = (input(&requests[2]), input(&requests[3]));
    assert_eq!(sent[..], then[..sent.len()], "what it was sent before");
}
