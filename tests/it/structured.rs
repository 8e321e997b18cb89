//! An answer that must match a schema, and a file that receives the last message.

use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home, finish, names, until};
use crate::standin::{Ends, Item, Reply, Server};
use crate::stops::TERM;
use crate::tools::bash;

/// A schema whose fields are not in alphabetical order.
const SCHEMA: &str = r#"
{"type": "object", "properties": {"zeta": {"type": "integer"}, "alpha": {"type": "array", "items": {"type": "string"}}},
  "required": ["zeta", "alpha"], "additionalProperties": false}
"#;

const GOOD: &str = r#"{"zeta": 1, "alpha": ["a"]}"#;

/// Requests an answer that matches the schema, with these flags.
fn ask(home: &Home, server: &Server, flags: &[&str]) -> CommandOutput {
    home.file("schema.json", SCHEMA);
    let mut cmd = home.codex(server).args(["run", "-s", "danger-full-access"]);
    let schema = ["--output-schema", "schema.json"];
    cmd.command.args(schema).args(flags).arg("go");
    cmd.run()
}

#[test]
fn an_answer_is_validated_against_the_schema() {
    // The message, and what is reported if it does not match.
    let table = [
        (GOOD, None),
        ("\n {\"alpha\":[],\n\"zeta\":-7}\n", None),
        (r#"{"zeta": 1.0, "alpha": []}"#, None),
        (r#"{"zeta": 1.5, "alpha": []}"#, Some("/zeta: ")),
        (r#"{"zeta": "1", "alpha": []}"#, Some("/zeta: ")),
        (r#"{"zeta": 1, "alpha": ["a", 2]}"#, Some("/alpha/1: ")),
        (r#"{"zeta": 1}"#, Some("alpha")),
        (r#"{"zeta": 1, "alpha": [], "more": 1}"#, Some("more")),
        (r#"{"zeta": 1, "zeta": 2, "alpha": []}"#, Some("zeta")),
        (r#"{"zeta": 1, "alpha": ["a""#, Some("")),
        ("```json\n{\"zeta\": 1, \"alpha\": []}\n```", Some("")),
        ("Here it is: {\"zeta\": 1, \"alpha\": []}", Some("")),
        (r#"{"zeta": 1, "alpha": []} and"#, Some("")),
        ("[]", Some("")),
        ("null", Some("")),
    ];
    for (message, reported) in table {
        for json in [false, true] {
            let server = Server::start([Reply::text(message)]);
            let home = Home::with_key();
            let flags: &[&str] = if json { &["--json"] } else { &[] };
            let ran = ask(&home, &server, flags);
            if json {
                let events = ran.exits(if reported.is_some() { 10 } else { 0 }).events();
                let texts: Vec<&Value> = events
                    .iter()
                    .filter(|event| event["item"]["type"] == "agent_message")
                    .map(|event| &event["item"]["text"])
                    .collect();
                assert_eq!(texts, [message]);
                let end = &events[events.len() - 1];
                if reported.is_none() {
                    let value: Value = serde_json::from_str(message).expect("JSON");
                    assert_eq!(
                        (&end["final_json"], &end["final_message"]),
                        (&value, &json!(message))
                    );
                }
                assert!(
                    reported.is_none() || end["error"]["code"] == "schema",
                    "{end}"
                );
                continue;
            }
            let end = if message.ends_with('\n') { "" } else { "\n" };
            ran.stdout(&format!("{message}{end}"));
            match reported {
                None => ran.exits(0).stderr(""),
                Some(place) => ran
                    .exits(10)
                    .says("codex: the answer does not match the schema: ")
                    .says(place)
                    .says("codex: hint: "),
            };
        }
    }
}

/// A pattern that takes hours for a long answer does not keep a timeout or a signal from ending the run.
#[test]
fn a_slow_pattern_does_not_delay_the_end_of_the_run() {
    let message = json!({"v": "a".repeat(200_000)}).to_string();
    let schema = json!({"type": "object", "properties": {"v": {"type": "string", "pattern": "(.{0,100}){0,100}$x"}},
        "required": ["v"], "additionalProperties": false});
    let (server, home) = (
        Server::start([Reply::text(&message), Reply::text(&message)]),
        Home::with_key(),
    );
    home.file("slow.json", schema.to_string());
    let slow = || {
        let cmd = home.codex(&server).args(["run", "--no-tools", "go"]);
        cmd.args(["--output-schema", "slow.json", "-o", "last"])
    };
    let ran = slow().args(["--timeout", "4s"]).run();
    ran.exits(124)
        .says("the time limit has expired")
        .stdout(&format!("{message}\n"));
    let mut running = slow().start();
    // The message is printed, and is being validated.
    let mut printed = vec![0; message.len()];
    let stdout = running.stdout.as_mut().expect("a pipe");
    stdout.read_exact(&mut printed).expect("the message");
    running.signal(TERM);
    finish(running, "codex run go".to_owned()).ends_by(TERM);
    assert_eq!(names(&home.work()), ["slow.json"]);
}

#[test]
fn an_answer_without_text_does_not_match() {
    let server = Server::start([Reply::items([]), Reply::text("")]);
    for _ in 0..2 {
        let home = Home::with_key();
        let ran = ask(&home, &server, &["--retries", "0", "-o", "out"]);
        assert!(matches!(ran.status.code(), Some(8 | 10)), "{}", ran.stderr);
        assert_eq!(ran.text().trim(), "");
        assert_eq!(names(&home.work()), ["schema.json"]);
    }
}

#[test]
fn the_schema_is_sent_unchanged_with_every_request() {
    for home in [Home::with_key(), Home::with_token()] {
        let first = [Item::commentary("I look."), bash("echo one")];
        let server = Server::start([
            Reply::status(500, &[], ""),
            Reply::items(first),
            Reply::items([Item::commentary("And again."), bash("echo two")]),
            Reply::text(GOOD),
        ]);
        let ran = ask(&home, &server, &[]);
        ran.exits(0).stdout(&format!("{GOOD}\n"));
        let requests = server.requests();
        assert_eq!(requests.len(), 4);
        for request in requests {
            let body = String::from_utf8(request.body.clone()).expect("UTF-8");
            assert!(
                body.contains(SCHEMA.trim()) || body.contains(&SCHEMA.trim().replace('\n', " "))
            );
            let format = &request.json()["text"]["format"];
            assert_eq!(format["type"], "json_schema");
            assert_eq!(format["strict"], true);
            let schema: Value = serde_json::from_str(SCHEMA).expect("JSON");
            assert_eq!(format["schema"], schema);
        }
    }
}

#[test]
fn text_before_a_call_is_not_the_answer() {
    let first = || Reply::items([Item::text(GOOD), bash("true")]);
    let check = |second: Reply, code: i32, stdout: &str| {
        let server = Server::start([first(), second]);
        let home = Home::with_key();
        let flags = ["-o", "out", "--retries", "0"];
        ask(&home, &server, &flags).exits(code).stdout(stdout);
        assert_eq!(names(&home.work()), ["schema.json"]);
    };
    check(Reply::text("no"), 10, "no\n");
    check(Reply::text(GOOD).ends(Ends::None), 8, "");
    check(Reply::status(403, &[], ""), 5, "");
    let capped = Ends::Incomplete("max_output_tokens".to_owned());
    check(Reply::text("{\"zeta\": 1").ends(capped), 8, "");
}

#[test]
fn an_unusable_schema_is_reported_before_any_request() {
    let object = |inner: &str| {
        format!(
            r#"{{"type": "object", "properties": {{"a": {inner}}}, "required": ["a"], "additionalProperties": false}}"#
        )
    };
    let table = [
        (String::new(), ""),
        ("{".to_owned(), ""),
        ("[]".to_owned(), ""),
        (r#"{"type": "string"}"#.to_owned(), ""),
        (r#"{"type": "object", "type": "object"}"#.to_owned(), "type"),
        (object(r#"{"type": "strin"}"#), "/properties/a"),
        (object(r#"{"type": "object", "properties": {}}"#), "/properties/a"),
        (
            r#"{"type": "object", "properties": {"a": {"type": "string"}}, "required": [], "additionalProperties": false}"#
                .to_owned(),
            "a",
        ),
        (object(r##"{"$ref": "#/$defs/none"}"##), "/properties/a"),
        (object(r#"{"type": "string", "pattern": "("}"#), "/properties/a"),
    ];
    for (schema, place) in table {
        let server = Server::start([]);
        let home = Home::with_key();
        home.file("schema.json", &schema);
        let args = ["run", "--no-tools", "--output-schema", "schema.json"];
        let ran = home
            .codex(&server)
            .args(args)
            .args(["-o", "out", "go"])
            .run();
        ran.exits(2)
            .stdout("")
            .says(
                "codex: cannot use the schema schema.json, named by --output-schema: "
                    .trim_end_matches(": "),
            )
            .says(place)
            .says("codex: hint: ");
        assert_eq!(server.requests().len(), 0, "{schema}");
        assert_eq!(names(&home.work()), ["schema.json"], "{schema}");
        assert!(!home.own().join("sessions").exists(), "{schema}");
    }
    let server = Server::start([]);
    let home = Home::with_key();
    for flag in [["--output-schema", "none.json"], ["--output-schema", "."]] {
        let ran = home
            .codex(&server)
            .args(["run"])
            .args(flag)
            .args(["go"])
            .run();
        ran.exits(2).stdout("").says("--output-schema");
    }
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn the_last_message_is_written_to_a_file_on_success() {
    let check = |reply: Reply, flags: &[&str], code: i32| {
        for before in [None, Some("as it was")] {
            let server = Server::start([reply.clone()]);
            let home = Home::with_key();
            if let Some(before) = before {
                home.file("out", before);
            }
            let mut cmd = home
                .codex(&server)
                .args(["run", "--retries", "0", "-o", "out"]);
            cmd.command.args(["-s", "danger-full-access"]).args(flags);
            cmd.args(["go"]).run().exits(code);
            let found = fs::read_to_string(home.work().join("out")).ok();
            let expected = if code == 0 { Some("last\n") } else { before };
            assert_eq!(found.as_deref(), expected, "{flags:?}");
            let count = usize::from(expected.is_some());
            assert_eq!(
                names(&home.work()).len(),
                count,
                "{:?}",
                names(&home.work())
            );
        }
    };
    let two = || Reply::items([Item::commentary("first"), Item::text("last")]);
    check(two(), &[], 0);
    check(two(), &["--json"], 0);
    check(two(), &["--buffer", "-q"], 0);
    check(two().ends(Ends::None), &[], 8);
    check(Reply::status(400, &[], ""), &[], 1);
    check(Reply::status(403, &[], ""), &["--json"], 5);
    check(Reply::items([bash("true")]), &["--max-turns", "1"], 9);
    check(Reply::text("x").stall_at(900), &["--timeout", "500ms"], 124);
}

#[test]
fn a_signal_leaves_the_file_unchanged() {
    for stall in [0, 900] {
        let server = Server::start([Reply::text("partial answer").stall_at(stall)]);
        let home = Home::with_key();
        home.file("out", "as it was");
        let args = ["run", "--no-tools", "-o", "out", "x"];
        let child = home.codex(&server).args(args).start();
        until("a request comes", || !server.requests().is_empty());
        child.signal(TERM);
        finish(child, "codex run -o out x".to_owned()).ends_by(TERM);
        assert_eq!(home.read("out"), "as it was");
        assert_eq!(names(&home.work()), ["out"]);
    }
}

#[test]
fn a_link_is_kept_and_a_device_is_written_to() {
    let home = Home::with_key();
    let ask = |file: &str| {
        let server = Server::start([Reply::text("hello")]);
        let args = ["run", "--no-tools", "-o", file, "x"];
        home.codex(&server).args(args).run()
    };
    let is_link = |name: &str| {
        fs::symlink_metadata(home.work().join(name)).is_ok_and(|found| found.is_symlink())
    };
    home.file("target", "before");
    symlink("target", home.work().join("link")).expect("a link");
    ask("link").exits(0).stdout("hello\n");
    assert_eq!(home.read("target"), "hello\n");
    assert!(is_link("link"));
    ask("/dev/null").exits(0).stdout("hello\n");
    ask("/dev/stdout").exits(0).stdout("hello\nhello\n");
    assert!(Path::new("/dev/stdout").exists());
    // Like a shell's `>`, too, if the target of the link does not exist yet.
    symlink("later", home.work().join("early")).expect("a link");
    ask("early").exits(0).stdout("hello\n");
    assert!(is_link("early"), "a link that led to nothing was replaced");
    assert_eq!(home.read("later"), "hello\n");
}

#[test]
fn an_unwritable_file_is_reported_before_any_request() {
    let home = Home::with_key();
    fs::create_dir(home.work().join("folder")).expect("a directory");
    home.file("file", "");
    let server = Server::start([]);
    for file in [
        "folder",
        ".",
        "none/",
        "none/out",
        "file/out",
        "/dev/full/out",
        "/",
    ] {
        for flags in [["--no-tools", "-v"], ["--no-tools", "--json"]] {
            let args = ["run", "-o", file, "x"];
            let ran = home.codex(&server).args(args).args(flags).run();
            ran.exits(74).says(file);
        }
    }
    assert_eq!(server.requests().len(), 0);
    assert_eq!(names(&home.work()), ["file", "folder"]);
    let dry = home
        .codex(&server)
        .args(["run", "--dry-run", "-o", "out", "x"]);
    let shown: Value = serde_json::from_slice(&dry.run().exits(0).stdout).expect("JSON");
    assert_ne!(shown, json!(null));
    assert_eq!(names(&home.work()), ["file", "folder"]);
}
