//! Files named by flags and variables that are not regular: pipes without a writer, and endless devices. Their size is
//! limited, and so is their silence. And byte order marks, which are not part of a text.

use std::fs::{self, File};
use std::io::Write;
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use serde_json::json;

use crate::home::{Home, each, finish};
use crate::inputs::{body, dry};
use crate::network::AWAY;
use crate::pty::Terminal;
use crate::standin::Server;

/// Flags that name a file to read, and the maximum size that is read.
const FLAGS: [(&str, &str); 5] = [
    ("--file", "64 MiB"),
    ("--instructions", "64 MiB"),
    ("--image", "20 MiB"),
    ("--output-schema", "1 MiB"),
    ("--api-key-file", "64 KiB"),
];

const MARK: &str = "\u{feff}";

fn pipe(home: &Home, name: &str) {
    let made = Command::new("mkfifo").arg(home.work().join(name)).status();
    assert!(made.is_ok_and(|made| made.success()), "mkfifo {name}");
}

#[test]
fn endless_files_are_not_read_to_the_end() {
    let home = Home::with_key();
    for (flag, most) in FLAGS {
        dry(&home, &[flag, "/dev/zero", "hi"])
            .exits(2)
            .stdout("")
            .says(&format!(
                "codex: cannot use /dev/zero, named by {flag}: it is larger than {most}\n"
            ))
            .says("codex: hint: ");
    }
    for name in ["CODEX_CA_CERTIFICATE", "SSL_CERT_FILE"] {
        let cmd = home.offline().env("OPENAI_BASE_URL", AWAY);
        let ran = cmd.env(name, "/dev/zero").args(["run", "hi"]).run();
        ran.exits(2).stdout("").says(&format!(
            "codex: cannot use {name}: /dev/zero: it is larger than 16 MiB\n"
        ));
    }
    home.file("large.json", " ".repeat((1 << 20) + 1));
    dry(&home, &["--output-schema", "large.json", "hi"])
        .exits(2)
        .says("it is larger than 1 MiB");
    // A file in the home was not named by the user.
    fs::create_dir_all(home.own()).expect("a directory");
    fs::copy(
        home.work().join("large.json"),
        home.own().join("config.json"),
    )
    .expect("a file");
    dry(&home, &["hi"])
        .exits(2)
        .says("/config.json: it is larger than 1 MiB\n");
}

#[test]
fn a_silent_pipe_is_waited_for_with_a_message_and_a_limit() {
    let home = Home::with_key();
    pipe(&home, "silent");
    each(FLAGS.to_vec(), FLAGS.len(), |(flag, _)| {
        let ran = dry(&home, &[flag, "silent", "--timeout", "4s", "hi"]);
        let waits = format!("codex: waiting for the end of silent, named by {flag}\n");
        ran.exits(124).stdout("").stderr(&format!(
            "{waits}codex: the time limit has expired\ncodex: hint: raise --timeout\n"
        ));
    });
    dry(&home, &["--config-file", "silent", "--timeout", "2s", "hi"])
        .exits(124)
        .says("the time limit has expired");
    // A pipe that is held open by a silent writer is the same.
    let held = home.work().join("silent");
    let _held = File::options().read(true).write(true).open(held);
    dry(&home, &["-q", "-f", "silent", "--timeout", "4s", "hi"])
        .exits(124)
        .says("the time limit has expired");
}

#[test]
fn certificates_from_a_pipe_are_waited_for_with_a_message_and_a_limit() {
    let home = Home::with_key();
    pipe(&home, "silent");
    let cmd = home.offline().env("OPENAI_BASE_URL", AWAY);
    let ran = cmd
        .env("SSL_CERT_FILE", "silent")
        .args(["run", "--no-tools", "--timeout", "4s", "hi"])
        .run();
    ran.exits(124)
        .stdout("")
        .says("codex: waiting for the end of silent, named by SSL_CERT_FILE\n")
        .says("the time limit has expired");
}

#[test]
fn a_check_does_not_wait_for_long_and_prints_what_it_has_found() {
    let of_settings = || {
        let home = Home::with_key();
        pipe(&home, "silent");
        let silent = home.work().join("silent").display().to_string();
        home.configure(&json!({ "instructions": silent }).to_string());
        let ran = home.offline().args(["status", "--check"]).run();
        ran.exits(2)
            .says("codex: the settings could not be read within 15 s\n");
        let found = "settings  problem (exit 2): the settings could not be read within 15 s; ";
        let text = ran.text();
        assert!(
            text.contains(found) && text.contains("service   problem (exit 7)"),
            "{text}"
        );
    };
    let of_roots = || {
        let home = Home::with_key();
        pipe(&home, "silent");
        let cmd = home.offline().env("OPENAI_BASE_URL", AWAY);
        let ran = cmd
            .env("SSL_CERT_FILE", "silent")
            .args(["status", "--check"])
            .run();
        ran.exits(2)
            .says("codex: the certificates could not be read within 15 s\n");
        assert!(
            ran.text()
                .contains("service   not checked: see TLS roots\n"),
            "{}",
            ran.text()
        );
    };
    // A renewal that has been sent must end, but the check says that it waits.
    let of_issuer = || {
        let server = Server::start([]);
        let (home, _) = Home::expired(&server);
        let issuer = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", issuer.local_addr().expect("an address"));
        let cmd = home.codex(&server).env("CODEX_RUN_ISSUER", &address);
        let mut running = cmd.args(["status", "--check"]).start();
        running.wait_for_message("the sign-in is being renewed");
        drop(issuer);
        let ran = finish(running, "codex status --check".to_owned());
        let text = ran.exits(7).text();
        let found = "the issuer of the sign-in, did not answer within 15 s; ";
        assert!(text.contains(found), "{text}");
    };
    let checks: Vec<&(dyn Fn() + Sync)> = vec![&of_settings, &of_roots, &of_issuer];
    each(checks, 3, |check| check());
}

#[test]
fn a_pipe_is_read_to_its_end() {
    let home = Home::with_key();
    pipe(&home, "slow");
    let writer = {
        let path = home.work().join("slow");
        thread::spawn(move || {
            // It opens once there is a reader.
            let mut to = File::options().write(true).open(path).expect("a pipe");
            to.write_all(b"first\n").expect("a reader");
            to.write_all(b"second\n").expect("a reader");
        })
    };
    let ran = dry(&home, &["-f", "slow", "hi"]);
    writer.join().expect("it does not panic");
    let text = body(&ran)["input"].to_string();
    assert!(text.contains("first\\nsecond"), "{text}");
    // Like a shell's, including one whose writer has exited before the first read.
    let cmd = home
        .offline()
        .args(["run", "--dry-run", "--no-tools", "hi"]);
    let words = r#"exec "$0" "$@" -f <(echo third) -f <(true)"#;
    let ran = cmd.within("bash", ["-c", words]).run();
    let text = body(&ran)["input"].to_string();
    assert!(text.contains("third"), "{text}");
}

#[test]
fn a_terminal_is_waited_for_like_a_pipe() {
    let home = Home::with_key();
    let terminal = Terminal::open();
    let name = terminal.path().display().to_string();
    // A line, and the end of input at the start of the next.
    terminal.types("You are terse.\n\u{4}");
    let ran = dry(&home, &["--instructions", &name, "hi"]);
    assert_eq!(body(&ran)["instructions"], "You are terse.\n");
}

#[test]
fn a_byte_order_mark_is_not_part_of_the_text() {
    let home = Home::with_key();
    let marked = |name: &str, text: &str| home.file(name, format!("{MARK}{text}"));
    marked("text", "of the file\n");
    marked("who", "You are terse.");
    marked("AGENTS.md", "Be kind.");
    marked(
        "schema.json",
        r#"{"type":"object","properties":{},"required":[],"additionalProperties":false}"#,
    );
    marked("key", "sk-invented-marked");
    let cmd = home.offline().args([
        "run",
        "--dry-run",
        "--no-tools",
        "-f",
        "text",
        "--instructions",
        "who",
        "--output-schema",
        "schema.json",
        "--api-key-file",
        "key",
        "-",
    ]);
    let ran = cmd.input(format!("{MARK}the question")).run();
    let body = body(&ran);
    assert!(!ran.text().contains(MARK), "{}", ran.text());
    let text = body["input"].to_string();
    assert!(text.contains("\"the question"), "{text}");
    assert!(text.contains(">\\nof the file"), "{text}");
    let instructions = body["instructions"].as_str().expect("a text");
    assert!(instructions.starts_with("You are terse."), "{instructions}");
    assert!(instructions.ends_with("\n\nBe kind."), "{instructions}");
    // A key that another program has stored with a byte order mark is stored without it.
    let cmd = home.offline().args(["login", "--with-api-key"]);
    cmd.input(format!("{MARK}sk-invented-marked\n"))
        .run()
        .exits(0);
    assert_eq!(home.auth_json()["openai"]["key"], "sk-invented-marked");
}
