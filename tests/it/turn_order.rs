//! Programs that drive a run over standard input: those of the man page, and random interleavings of lines, with order kept, one
//! end for each turn, and the right exit code.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::home::Home;
use crate::needs::{Need, lacks};
use crate::standin::{Reply, Scenarios, Script, Server};
use crate::turns::{Driver, texts, thread_of};

/// A generator of numbers, the same ones for the same seed.
struct Random(u64);

impl Random {
    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let index = self.below(from.len() as u64);
        from[usize::try_from(index).expect("a small number")]
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// One random interleaving of lines against a slow service: order kept, one end for each turn, the right exit code, and a
/// conversation that can be resumed.
fn interleave(home: &Home, seed: u64) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let server = Server::start(Script::prompts(Scenarios::default()));
    let mut driver = Driver::start(home, &server, &["--no-tools", "--deltas"]);
    let (mut users, mut unusable) = (Vec::new(), 0);
    for n in 0..4 + random.below(12) {
        match random.below(10) {
            0..4 => {
                let pause = random.below(4);
                let text = format!(
                    r#"message {n} standin: {{"rounds":[{{"items":[{{"text":"a b c d e f"}}],"event_pause_ms":{pause}}}]}}"#
                );
                driver.user(&text);
                users.push(text);
            }
            4 | 5 => {
                let text = format!("message {n}");
                driver.send(&json!({"type": "steer", "text": text}));
                users.push(text);
            }
            6 => driver.send(&json!({"type": "interrupt"})),
            7 => {
                let effort = random.pick(&["low", "medium", "high"]);
                let model = random.pick(&["gpt-5.5", "gpt-6.2-sol"]);
                driver.send(&json!({"type": "settings", "model": model, "effort": effort}));
            }
            8 => {
                unusable += 1;
                driver.raw(b"{\"type\":\"user\"}\n");
            }
            _ => {
                if let (false, true) = (users.is_empty(), random.below(2) == 0) {
                    thread::sleep(Duration::from_millis(random.below(30)));
                }
            }
        }
    }
    let (ran, events) = driver.end();
    let mut open = false;
    let mut turns = 0;
    for event in &events {
        match event["type"].as_str().expect("a type") {
            "turn.started" => {
                assert!(!open, "seed {seed}: a turn within a turn");
                (open, turns) = (true, turns + 1);
            }
            "turn.completed" => open = !std::mem::replace(&mut open, false),
            "turn.failed" => {
                assert_eq!(event["error"]["code"], "interrupted", "seed {seed}");
                open = !std::mem::replace(&mut open, false);
            }
            _ => {}
        }
        assert!(turns == 0 || !open || event["type"] != "thread.started");
    }
    assert!(!open, "seed {seed}: {events:#?}");
    let reported = events.iter().filter(|event| event["type"] == "input_error");
    let reported: u64 = reported.filter_map(|event| event["lines"].as_u64()).sum();
    assert_eq!(reported, unusable, "seed {seed}");
    ran.exits(if unusable > 0 || users.is_empty() {
        2
    } else {
        0
    });
    if users.is_empty() {
        return;
    }
    // Every message is in the conversation, once; those of one kind are in their order.
    let id = thread_of(&events).to_owned();
    server.push(Reply::text("still here"));
    let resumed = home
        .codex(&server)
        .args(["run", "--resume", &id, "last"])
        .run();
    resumed.exits(0).stdout("still here\n");
    let said = texts(&server, server.requests().len() - 1);
    let said: Vec<&String> = said
        .iter()
        .filter(|text| text.starts_with("message "))
        .collect();
    let of_kind = |steer: bool| {
        let is_kind = move |text: &&String| text.contains("standin:") != steer;
        (
            said.iter().copied().filter(is_kind).collect::<Vec<_>>(),
            users.iter().filter(is_kind).collect::<Vec<_>>(),
        )
    };
    for steer in [false, true] {
        let (found, sent) = of_kind(steer);
        assert_eq!(found, sent, "seed {seed}");
    }
}

/// `CODEX_TESTS_INTERLEAVINGS` sets how many there are.
#[test]
fn random_interleavings_keep_order_and_end_each_turn_once() {
    let count = std::env::var("CODEX_TESTS_INTERLEAVINGS");
    let count = count.map_or(15, |count| count.parse().expect("a number"));
    let home = Home::with_token();
    crate::home::each((1..=count).collect(), 4, |seed| interleave(&home, seed));
}

/// The program of the manual that begins with this word.
fn example(first: &str) -> String {
    let topic = Home::new().offline().args(["help", "json"]).run().text();
    let from = topic.find(&format!("      {first}")).expect("an example");
    let lines = topic[from..]
        .lines()
        .take_while(|line| line.is_empty() || line.starts_with("      "))
        .map(|line| line.get(6..).unwrap_or_default().to_owned() + "\n");
    lines.collect::<String>().trim_end().to_owned() + "\n"
}

#[test]
fn the_programs_of_the_manual_work() {
    if lacks(&Need::PYTHON) {
        return;
    }
    let home = Home::with_key();
    let codex = std::path::Path::new(&**crate::home::BINARY);
    let directory = codex.parent().expect("a directory").display();
    let path = format!("{directory}:{}", std::env::var("PATH").unwrap_or_default());
    for (first, program, at_most) in [("import json", "python3", 26), ("mkfifo", "sh", 12)] {
        let server = Server::start([Reply::text("These."), Reply::text("It sleeps.")]);
        let example = example(first);
        assert!(example.lines().count() <= at_most, "{example}");
        let mut cmd = home.codex(&server).within(program, ["-c", &example]);
        cmd.command.env("PATH", &path);
        let ran = cmd.run();
        ran.exits(0);
        let text = ran.text();
        if program == "python3" {
            assert_eq!(text, "These.\nIt sleeps.\n");
        } else {
            assert_eq!(text.matches("turn.completed").count(), 2, "{text}");
        }
        assert_eq!(server.connections(), 1);
    }
}
