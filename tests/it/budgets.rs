//! What a run may use: requests, tokens, tool calls, and the context window. And reports of what it used.

use serde_json::{Value, json};

use crate::home::{CommandOutput, Home};
use crate::shapes::{overrides, write_models};
use crate::standin::{Ends, Item, Reply, Server};
use crate::tools::bash;

/// The usage of a request: input tokens, of these read from and written to the cache, output tokens, of these reasoning.
pub(crate) type Used = (u64, u64, u64, u64, u64);

/// An answer with this usage: a call of bash that creates a file of this name, or without one the word `done`.
pub(crate) fn answer(used: Used, touches: &[&str]) -> Reply {
    let (input, cached, written, output, reasoning) = used;
    let call = |name: &&str| {
        let arguments = json!({"command": format!("touch {name}")}).to_string();
        json!({"type": "function_call", "id": format!("fc_{name}"), "call_id": format!("call_{name}"),
            "name": "bash", "arguments": arguments, "status": "completed"})
    };
    let mut items: Vec<Value> = touches.iter().map(call).collect();
    if items.is_empty() {
        let content = json!([{"type": "output_text", "text": "done", "annotations": []}]);
        items.push(
            json!({"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": content}),
        );
    }
    let usage = json!({"input_tokens": input, "output_tokens": output, "total_tokens": input + output,
        "input_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written},
        "output_tokens_details": {"reasoning_tokens": reasoning}});
    let done = |(n, item): (usize, Value)| json!({"type": "response.output_item.done", "output_index": n, "item": item});
    let completed =
        json!({"type": "response.completed", "response": {"status": "completed", "usage": usage}});
    let events = items.into_iter().enumerate().map(done).chain([completed]);
    let stream: String = events.map(|event| format!("data: {event}\n\n")).collect();
    Reply::sse(stream)
}

fn run(home: &Home, server: &Server, flags: &[&str]) -> CommandOutput {
    let mut cmd = home
        .codex(server)
        .args(["run", "-s", "danger-full-access", "hi"]);
    cmd.command.args(flags);
    cmd.run()
}

/// Runs with these flags against these answers; returns how it ends, what it reports, which files the calls created, and
/// the number of requests.
pub(crate) fn check(
    flags: &[&str],
    answers: Vec<Reply>,
    code: i32,
    words: &[&str],
    left: &[&str],
    requests: usize,
) {
    let server = Server::start(answers);
    let home = Home::with_key();
    let ran = run(&home, &server, flags);
    ran.exits(code)
        .stdout(if code == 0 { "done\n" } else { "" });
    for words in words {
        ran.says(words);
    }
    for name in ["a", "b", "c"] {
        let expected = left.contains(&name);
        assert_eq!(
            home.work().join(name).exists(),
            expected,
            "{flags:?}: {name}"
        );
    }
    assert_eq!(server.requests().len(), requests, "{flags:?}");
}

#[test]
fn tokens_are_counted_over_all_requests() {
    let used = (500, 400, 0, 100, 50);
    let call = |name| answer(used, &[name]);
    let done = || answer(used, &[]);
    let stopped = |most: u32, used: u32| {
        format!(
            "codex: the limit of {most} tokens has been reached: {used} were used, and the model wanted to continue\n"
        )
    };
    let hint = "codex: hint: raise --max-tokens";
    check(
        &["--max-tokens", "599"],
        vec![call("a")],
        9,
        &[&stopped(599, 600), hint],
        &[],
        1,
    );
    check(
        &["--max-tokens", "600"],
        vec![call("a"), done()],
        0,
        &[],
        &["a"],
        2,
    );
    check(
        &["--max-tokens", "1000"],
        vec![call("a"), call("b")],
        9,
        &[&stopped(1000, 1200), hint],
        &["a"],
        2,
    );
    // A complete answer stays complete, whatever its usage.
    check(&["--max-tokens", "1"], vec![done()], 0, &[], &[], 1);
    check(
        &["--max-tokens", "600"],
        vec![call("a"), answer((900_000, 0, 0, 1, 0), &[])],
        0,
        &[],
        &["a"],
        2,
    );
}

#[test]
fn calls_are_counted_before_they_run() {
    let used = (1, 0, 0, 1, 0);
    let calls = |names: &[&str]| answer(used, names);
    let stopped = |most: u32, wanted: u32| {
        let plural = if most == 1 { "" } else { "s" };
        format!(
            "codex: the limit of {most} tool call{plural} has been reached: the model requested {wanted} in total\n"
        )
    };
    let hint = "codex: hint: raise --max-tool-calls; the calls of the last answer were not run\n";
    check(
        &["--max-tool-calls", "0"],
        vec![calls(&["a"])],
        9,
        &[&stopped(0, 1), hint],
        &[],
        1,
    );
    check(&["--max-tool-calls", "0"], vec![calls(&[])], 0, &[], &[], 1);
    check(
        &["--max-tool-calls", "1"],
        vec![calls(&["a", "b"])],
        9,
        &[&stopped(1, 2), hint],
        &[],
        1,
    );
    check(
        &["--max-tool-calls", "2"],
        vec![calls(&["a", "b"]), calls(&[])],
        0,
        &[],
        &["a", "b"],
        2,
    );
    let answers = vec![calls(&["a"]), calls(&["b", "c"])];
    check(
        &["--max-tool-calls", "2"],
        answers,
        9,
        &[&stopped(2, 3), hint],
        &["a"],
        2,
    );
}

#[test]
fn retries_do_not_count_as_turns() {
    let used = (1, 0, 0, 1, 0);
    let call = |name| answer(used, &[name]);
    let done = || answer(used, &[]);
    let stopped = |turns: u32| {
        let plural = if turns == 1 { "" } else { "s" };
        format!(
            "codex: the limit of {turns} request{plural} has been reached: the model wanted to continue\n"
        )
    };
    let hint = "codex: hint: raise --max-turns";
    check(
        &["--max-turns", "1"],
        vec![call("a")],
        9,
        &[&stopped(1), hint],
        &[],
        1,
    );
    check(&["--max-turns", "1"], vec![done()], 0, &[], &[], 1);
    check(
        &["--max-turns", "2"],
        vec![call("a"), done()],
        0,
        &[],
        &["a"],
        2,
    );
    check(
        &["--max-turns", "2"],
        vec![call("a"), call("b")],
        9,
        &[&stopped(2), hint],
        &["a"],
        2,
    );
    let busy = || Reply::status(503, &[("retry-after-ms", "1")], "");
    check(
        &["--max-turns", "1"],
        vec![busy(), busy(), done()],
        0,
        &["(2 of 5)"],
        &[],
        3,
    );
}

#[test]
fn text_printed_before_a_budget_ends_the_run_stays() {
    for flags in [
        ["--max-turns", "1"],
        ["--max-tool-calls", "0"],
        ["--max-tokens", "1"],
    ] {
        let server = Server::start([Reply::items([Item::commentary("so far"), bash("touch a")])]);
        let home = Home::with_key();
        run(&home, &server, &flags).exits(9).stdout("so far\n");
        assert!(!home.work().join("a").exists(), "{flags:?}");
    }
}

#[test]
fn verbose_reports_the_usage() {
    let first: Used = (1000, 400, 0, 200, 50);
    let check = |args: &[&str], used: &[Used], reported: &str| {
        let last = used.len() - 1;
        for home in [Home::with_key(), Home::with_token()] {
            let answers = used.iter().enumerate().map(|(n, used)| {
                let touches = if n < last { &["a", "b"][n..=n] } else { &[] };
                answer(*used, touches)
            });
            let server = Server::start(answers.collect::<Vec<_>>());
            let ran = run(&home, &server, args);
            ran.exits(0).stdout("done\n");
            let reported = format!("codex: {reported}\n");
            assert_eq!(
                ran.stderr.ends_with(&reported),
                args.contains(&"-v"),
                "{reported}: {}",
                ran.stderr
            );
            assert_eq!(
                ran.stderr.matches("tokens in").count(),
                usize::from(args.contains(&"-v"))
            );
        }
    };
    let one = "1 request, 1000 tokens in (400 cached), 200 out (50 reasoning)";
    // 600 at $5, 400 at $0.50 and 200 at $30 per million.
    check(
        &["-v", "-m", "gpt-5.5"],
        &[first],
        &format!("{one}, $0.0092 at list prices"),
    );
    check(&["-m", "gpt-5.5"], &[first], one);
    // The price of these is unknown.
    check(&["-v", "-m", "codex-auto-review"], &[first], one);
    // Writing to the cache costs more: 10000 at $2.50.
    let written: Used = (10_000, 0, 10_000, 0, 0);
    let reported =
        "1 request, 10000 tokens in (0 cached), 0 out (0 reasoning), $0.0250 at list prices";
    check(&["-v", "-m", "gpt-6.1-sol"], &[written], reported);
    // Each request has its own price, and a long one a higher one: 200000 at $10, 100000 at $1, 1000 at $45.
    let long: Used = (300_000, 100_000, 0, 1000, 0);
    let reported = "2 requests, 301000 tokens in (100400 cached), 1200 out (50 reasoning), $2.15 at list prices";
    check(&["-v", "-m", "gpt-5.5"], &[first, long], reported);
    let reported =
        "3 requests, 3000 tokens in (1200 cached), 600 out (150 reasoning), $0.0276 at list prices";
    check(&["-v", "-m", "gpt-5.5"], &[first, first, first], reported);
}

#[test]
fn the_usage_of_failed_runs_is_reported_too() {
    let server = Server::start([answer((1000, 400, 0, 200, 50), &["a"])]);
    let ran = run(
        &Home::with_key(),
        &server,
        &["-v", "--max-turns", "1", "-m", "gpt-5.5"],
    );
    ran.exits(9)
        .says("codex: 1 request, 1000 tokens in (400 cached), 200 out (50 reasoning), $0.0092");
}

/// Part of a prompt, about this many tokens long.
fn long(tokens: usize) -> String {
    "word".repeat(tokens)
}

#[test]
fn a_request_longer_than_the_context_window_is_not_sent() {
    let server = Server::start([]);
    let home = Home::with_token();
    home.file("big.txt", long(150_000));
    home.file("small.txt", long(2000));
    let spark = ["run", "--no-tools", "-m", "gpt-5.3-codex-spark"];
    let check = |args: &[&str], input: &str, parts: &[&str]| {
        let mut cmd = home.codex(&server).args(spark);
        cmd.command.args(args);
        let ran = cmd.input(input).run();
        ran.exits(1)
            .stdout("")
            .says("codex: the request is too long: about ")
            .says(", but the model accepts 128,000\n");
        ran.says("codex: hint: send less, or use a model that accepts more (-m); ");
        let hint = ran.stderr.lines().last().unwrap_or_default();
        let places: Vec<Option<usize>> = parts.iter().map(|part| hint.find(part)).collect();
        assert!(
            places.iter().all(Option::is_some) && places.is_sorted(),
            "{parts:?}: {hint}"
        );
    };
    let of_file = "big.txt: about 150,000 tokens";
    check(&["-f", "big.txt", "why?"], "", &[of_file]);
    check(
        &["-f", "small.txt", "-f", "big.txt", "why?"],
        "",
        &[of_file, "small.txt: about 2,000 tokens"],
    );
    check(
        &["why?"],
        &long(160_000),
        &["standard input: about 160,000 tokens"],
    );
    check(
        &[],
        &long(160_000),
        &["standard input: about 160,000 tokens"],
    );
    check(
        &["-f", "big.txt", "why?"],
        &long(160_000),
        &["standard input: about 160,000 tokens", of_file],
    );
    check(
        &["--instructions", "big.txt", "why?"],
        "",
        &["the instructions", "150,000 tokens"],
    );
    let argument = long(30_000);
    check(&[&*argument; 5], "", &["the arguments", "150,00"]);
    assert_eq!((server.connections(), server.lists().len()), (0, 0));
}

#[test]
fn a_conversation_that_outgrows_the_context_window_ends() {
    let server = Server::start([Reply::items([bash("head -c 60000 /dev/zero | tr '\\0' x")])]);
    let home = Home::with_key();
    write_models(
        &home,
        &overrides("openai", "gpt-5.5", &json!({"contextWindow": 5000})),
    );
    let ran = run(&home, &server, &["-m", "gpt-5.5", "--compact", "off"]);
    ran.exits(1)
        .stdout("")
        .says("the request is too long: about ")
        .says("but the model accepts 5,000");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_request_that_the_service_finds_too_long_is_explained() {
    let code = "context_length_exceeded".to_owned();
    let message = "Your input exceeds the context window of this model.".to_owned();
    let error = json!({"error": {"message": message, "type": "invalid_request_error", "param": "input", "code": code}});
    let ended = Reply::text("x").ends(Ends::Failed { code, message });
    for reply in [Reply::json(400, &error), ended] {
        let server = Server::start([reply]);
        let home = Home::with_key();
        home.file("big.txt", long(3000));
        home.file("small.txt", long(10));
        let ran = run(&home, &server, &["-f", "small.txt", "-f", "big.txt"]);
        ran.exits(1)
            .says("Your input exceeds the context window")
            .says("codex: hint: ");
        ran.says("big.txt: about 3,000 tokens");
        assert!(!ran.stderr.contains("small.txt:"), "{}", ran.stderr);
        assert_eq!(server.requests().len(), 1);
    }
}
