//! Connections that break off at every position: exit 0 only if the last event was complete, and with a retry no text is
//! printed twice.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::thread;

use serde_json::{Value, json};

use crate::fixtures::FOLDER;
use crate::home::{CommandOutput, Home, each};
use crate::needs::{Need, lacks};
use crate::standin::{Ends, Framing, Item, Reply, Script, Server, Split};

/// Longest stream that is cut after each byte, in bytes; longer ones are cut at some positions only.
const SHORT: usize = 4000;

/// Number of cuts inside the events of a longer stream, if every stream is cut everywhere.
const INSIDE: usize = 200;

/// One cut in this many is tried, unless `CODEX_TESTS_CUTS=all` asks for each of them. Those around the last event always are.
const SAMPLE: usize = 9;

/// Number of streams that are cut at the same time. Most of the time is spent starting processes.
const AT_ONCE: usize = 3;

/// A stream: its bytes and a name for it.
struct Stream {
    name: String,
    bytes: Vec<u8>,
}

/// Streams written for this test.
fn own() -> Vec<Stream> {
    let call = |n: u8| Item::call("bash", json!({"command": format!("echo {n}")}));
    let replies = [
        ("words", Reply::text("one two three four")),
        (
            "characters",
            Reply::text("caf\u{e9} \u{1f980}\n").split(Split::Chars),
        ),
        (
            "two messages",
            Reply::items([Item::commentary("one"), Item::text("two")]),
        ),
        ("a call", Reply::items([Item::reasoning("hm"), call(1)])),
        (
            "two calls",
            Reply::items([Item::text("so"), call(1), call(2)]),
        ),
        (
            "capped",
            Reply::text("part").ends(Ends::Incomplete("max_output_tokens".to_owned())),
        ),
    ];
    let named = |(name, reply): (&str, Reply)| Stream {
        name: name.to_owned(),
        bytes: body_of(reply),
    };
    replies.into_iter().map(named).collect()
}

/// The body that the stand-in sends for this reply.
fn body_of(reply: Reply) -> Vec<u8> {
    let server = Server::start(Script::from(reply.framing(Framing::Close)).unchecked());
    let address = server.url().replace("http://", "");
    let mut connection = TcpStream::connect(address).expect("the stand-in");
    let request = "POST /v1/responses HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}";
    connection
        .write_all(request.as_bytes())
        .expect("it is sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).expect("it ends");
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    answer.split_off(head.expect("a head") + 4)
}

/// Recorded streams of all kinds, short and long, if available.
fn recorded() -> Vec<Stream> {
    let folder = Path::new(FOLDER);
    if lacks(&Need::RECORDED_STREAMS) {
        return Vec::new();
    }
    let index = fs::read_to_string(folder.join("index.jsonl")).expect("the index");
    let mut files: Vec<(u64, String)> = Vec::new();
    for row in index.lines() {
        let row: Value = serde_json::from_str(row).expect("JSON");
        let file = row["file"].as_str().expect("a file").to_owned();
        let size = fs::metadata(folder.join(&file))
            .expect("the recording")
            .len();
        files.push((size, file));
    }
    files.sort();
    // One in seven, from the shortest to long ones.
    let chosen = files.iter().take(files.len() * 9 / 10).step_by(7);
    let read = |(_, file): &(u64, String)| Stream {
        name: file.clone(),
        bytes: fs::read(folder.join(file)).expect("the recording"),
    };
    chosen.map(read).collect()
}

impl Stream {
    /// The end of each event, after its blank line.
    fn edges(&self) -> Vec<usize> {
        let blank = |at: &usize| self.bytes[..*at].ends_with(b"\n\n");
        (2..=self.bytes.len()).filter(blank).collect()
    }

    /// The length from which on the last event is complete.
    fn complete_from(&self) -> usize {
        let mut begin = 0;
        for end in self.edges() {
            let text = String::from_utf8_lossy(&self.bytes[begin..end]);
            let data = text.lines().filter_map(|line| line.strip_prefix("data:"));
            let event: Value = serde_json::from_str(&data.collect::<String>()).unwrap_or_default();
            let kind = event["type"].as_str().unwrap_or_default();
            if kind == "error"
                || ["completed", "incomplete", "failed", "done", "cancelled"]
                    .iter()
                    .any(|end| kind == format!("response.{end}"))
            {
                return end;
            }
            begin = end;
        }
        panic!("{} has no end", self.name);
    }

    /// The positions of the cuts that are tried.
    fn cuts(&self) -> BTreeSet<usize> {
        let most = self.bytes.len();
        let everywhere: BTreeSet<usize> = if most <= SHORT {
            (0..=most).collect()
        } else {
            let inside = (0..INSIDE).map(|n| n * most / INSIDE + n % 7);
            let edges = self.edges().into_iter().flat_map(|edge| [edge - 1, edge]);
            inside.chain(edges).filter(|cut| *cut <= most).collect()
        };
        let step = if std::env::var("CODEX_TESTS_CUTS").is_ok_and(|asked| asked == "all") {
            1
        } else {
            SAMPLE
        };
        // Streams differ in where their sample begins.
        let sample = everywhere.into_iter().skip(most % step).step_by(step);
        // Around the last event every byte counts.
        let last = self.complete_from().saturating_sub(3)..=self.complete_from() + 1;
        sample.chain(last.filter(|cut| *cut <= most)).collect()
    }
}

fn ask(home: &Home, server: &Server, retries: &str) -> CommandOutput {
    home.codex(server)
        .args([
            "run",
            "--no-tools",
            "-q",
            "--max-turns",
            "1",
            "--retries",
            retries,
            "x",
        ])
        .run()
}

/// The result of the command with the whole stream.
fn expected_result(home: &Home, stream: &Stream) -> CommandOutput {
    let script = Script::from(Reply::sse(stream.bytes.clone()));
    ask(home, &Server::start(script.unchecked()), "0")
}

#[test]
fn exit_0_only_if_the_last_event_was_complete() {
    let mut streams = own();
    streams.extend(recorded());
    each(streams, AT_ONCE, |stream| {
        let stream = &stream;
        let home = Home::with_key();
        let reply = || Reply::sse(stream.bytes.clone());
        let whole = expected_result(&home, stream);
        let code = whole.status.code().expect("an exit code");
        let text = whole.text();
        let cuts = stream.cuts();
        let replies: Vec<Reply> = cuts.iter().map(|cut| reply().cut_at(*cut)).collect();
        let server = Server::start(Script::from(replies).unchecked());
        for cut in cuts {
            let ran = ask(&home, &server, "0");
            let expected = if cut >= stream.complete_from() {
                code
            } else {
                8
            };
            assert_eq!(
                ran.status.code(),
                Some(expected),
                "{} cut at {cut}: {}",
                stream.name,
                ran.stderr
            );
            assert!(
                text.starts_with(ran.text().trim_end_matches('\n')),
                "{} cut at {cut}",
                stream.name
            );
        }
    });
}

#[test]
fn a_retry_completes_the_text_or_reports_that_it_differs() {
    let mut streams = own();
    streams.extend(recorded().into_iter().step_by(2));
    each(streams, AT_ONCE, |stream| {
        let stream = &stream;
        let home = Home::with_key();
        let reply = || Reply::sse(stream.bytes.clone());
        let whole = expected_result(&home, stream);
        let other = "Something else";
        let parts: Vec<usize> = (1..6).map(|n| n * stream.complete_from() / 6).collect();
        thread::scope(|scope| {
            for cut in parts {
                let (home, whole) = (&home, &whole);
                scope.spawn(move || {
                    let server =
                        Server::start(Script::replies([reply().cut_at(cut), reply()]).unchecked());
                    let ran = ask(home, &server, "1");
                    // A complete call is kept and makes the broken answer a turn. One turn is all there is.
                    if server.requests().len() == 1 {
                        assert_eq!(
                            ran.status.code(),
                            Some(9),
                            "{} cut at {cut}: {}",
                            stream.name,
                            ran.stderr
                        );
                        return;
                    }
                    let (is, shall) = (
                        (ran.status.code(), ran.text()),
                        (whole.status.code(), whole.text()),
                    );
                    assert_eq!(is, shall, "{} cut at {cut}: {}", stream.name, ran.stderr);
                    let replies = [reply().cut_at(cut), Reply::text(other)];
                    let server = Server::start(Script::replies(replies).unchecked());
                    let ran = ask(home, &server, "1");
                    match ran.status.code() {
                        Some(0) => assert_eq!(ran.text(), format!("{other}\n")),
                        code => assert_eq!(
                            code,
                            Some(8),
                            "{} cut at {cut}: {}",
                            stream.name,
                            ran.stderr
                        ),
                    }
                });
            }
        });
    });
}
