//! `--max-cost`: a limit on the cost of a run at list prices, looked at between requests.

use serde_json::{Value, json};

use crate::budgets::{Used, answer, check};
use crate::home::Home;
use crate::shapes::{overrides, write_models};
use crate::standin::{Reply, Server};

/// 30 cents for the default model: 20 for input and 10 for output.
const THIRTY_CENTS: Used = (100_000, 0, 0, 10_000, 0);

fn call(name: &str) -> Reply {
    answer(THIRTY_CENTS, &[name])
}

fn stopped(limit: &str, used: &str, next: &str) -> String {
    format!("codex: the limit of {limit} has been reached: {used} was used, and {next}\n")
}

#[test]
fn costs_are_counted_over_all_requests() {
    let on = "the model wanted to continue";
    let hint = "codex: hint: raise --max-cost";
    let check = |most: &str, answers: Vec<Reply>, code, words: &[&str], left: &[&str]| {
        let requests = answers.len();
        check(&["--max-cost", most], answers, code, words, left, requests);
    };
    let words = stopped("$0.30", "$0.30", on);
    check("0.3", vec![call("a")], 9, &[&words, hint], &[]);
    let words = stopped("$0.300001", "$0.60", on);
    check(
        "0.300001",
        vec![call("a"), call("b")],
        9,
        &[&words, hint],
        &["a"],
    );
    // Cached input is cheaper: a cent for all of it.
    let cached = || answer((100_000, 100_000, 0, 0, 0), &["a"]);
    check(
        "0.0100000001",
        vec![cached(), answer(THIRTY_CENTS, &[])],
        0,
        &[],
        &["a"],
    );
    let words = stopped("$0.01", "$0.01", on);
    check(".01", vec![cached()], 9, &[&words], &[]);
}

#[test]
fn a_budget_that_cannot_be_counted_is_reported_once() {
    let call = r#"{"type":"function_call","id":"fc_1","call_id":"c1","name":"bash","arguments":"{\"command\":\"true\"}","status":"completed"}"#;
    let message = r#"{"type":"message","id":"m1","role":"assistant","status":"completed","content":[{"type":"output_text","text":"done","annotations":[]}]}"#;
    let reply = |item: &str, usage: &str| {
        let done =
            format!(r#"{{"type":"response.output_item.done","output_index":0,"item":{item}}}"#);
        let end = format!(
            r#"{{"type":"response.completed","response":{{"status":"completed","usage":{usage}}}}}"#
        );
        Reply::sse(format!("data: {done}\n\ndata: {end}\n\n"))
    };
    let run = |usage: &str, flags: &[&str]| {
        let server = Server::start([reply(call, usage), reply(message, usage)]);
        let home = Home::with_key();
        let cmd = home
            .codex(&server)
            .args(["run", "-s", "danger-full-access", "--json", "hi"]);
        let mut cmd = cmd.args(["-m", "gpt-5.5"]);
        cmd.command.args(flags);
        cmd.run()
    };
    let limits = ["--max-cost", "1", "--max-tokens", "10"];
    let words = "the service did not report the tokens of an answer";
    for usage in ["null", r#"{"input_tokens":5.5}"#] {
        let ran = run(usage, &limits);
        let events = ran.exits(0).events();
        let last = &events[events.len() - 1];
        assert_eq!(
            (&last["final_message"], &last["cost_usd"]),
            (&json!("done"), &Value::Null)
        );
        assert_eq!(ran.stderr.matches(words).count(), 1, "{}", ran.stderr);
        // Without a budget, the count is not needed.
        assert!(!run(usage, &[]).stderr.contains(words));
    }
    let large = r#"{"input_tokens":1e26,"output_tokens":99999999999999999999999}"#;
    run(large, &limits[..2]).exits(9);
    run(large, &limits[2..]).exits(9);
}

#[test]
fn list_prices_apply_with_a_sign_in_and_those_of_models_json_come_first() {
    let check = |home: &Home, provider: &str, price: Option<f64>, code: i32| {
        if let Some(price) = price {
            let cost = json!({"cost": {"input": price, "output": price}});
            write_models(home, &overrides(provider, "gpt-5.5", &cost));
        }
        let server = Server::start([call("a"), answer(THIRTY_CENTS, &[])]);
        let cmd = home
            .codex(&server)
            .args(["run", "-m", "gpt-5.5", "--max-cost", "0.2", "hi"]);
        let ran = cmd.args(["-s", "danger-full-access"]).run();
        ran.exits(code);
    };
    for (home, provider) in [
        (Home::with_token(), "openai-codex"),
        (Home::with_key(), "openai"),
    ] {
        check(&home, provider, None, 9);
        check(&home, provider, Some(0.5), 0);
        check(&home, provider, Some(2.0), 9);
    }
}

#[test]
fn what_cannot_be_limited_is_not_sent() {
    let server = Server::start([]);
    let home = Home::with_key();
    let check = |flags: &[&str], words: &str| {
        let mut cmd = home.codex(&server).args(["run", "hi"]);
        cmd.command.args(flags);
        cmd.run().exits(2).stdout("").says(words).says("hint: ");
    };
    let priceless = ["-m", "gpt-99", "--max-cost", "1"];
    check(
        &priceless,
        "cannot apply --max-cost: the price of gpt-99 is not known",
    );
    for wrong in ["0", "0.0", "-1", "$1", "1,5", "1e3", "much", ""] {
        check(&["--max-cost", wrong], "invalid value for --max-cost: ");
    }
    assert!(server.requests().is_empty());
}

#[test]
fn the_cost_of_all_turns_counts_each_at_the_price_of_its_model() {
    let home = Home::with_key();
    let answers = [&[][..]; 3].map(|calls| answer(THIRTY_CENTS, calls));
    let server = Server::start(answers);
    let user = json!({"type": "user", "text": "hi"}).to_string();
    // Half the price.
    let other = json!({"type": "settings", "model": "gpt-6.1-terra"}).to_string();
    let unknown = json!({"type": "settings", "model": "gpt-99"}).to_string();
    let input = [&user, &other, &unknown, &user, &user]
        .map(|line| format!("{line}\n"))
        .concat();
    let cmd = home
        .codex(&server)
        .args(["run", "--no-tools", "--json", "--input", "jsonl"]);
    let ran = cmd.args(["--max-cost", "0.45"]).input(input).run();
    assert_eq!(ran.status.code(), Some(9), "{}", ran.stderr);
    ran.says(&stopped("$0.45", "$0.45", "another turn was requested"));
    let events = ran.events();
    let costs: Vec<&Value> = events.iter().map(|event| &event["cost_usd"]).collect();
    let costs: Vec<&&Value> = costs.iter().filter(|cost| !cost.is_null()).collect();
    assert_eq!(costs, [&&json!(0.3), &&json!(0.15)]);
    let refused = events.iter().find(|event| event["type"] == "input_error");
    let why = refused.expect("one")["message"].as_str().expect("a text");
    assert!(why.contains("the price of gpt-99 is not known"), "{why}");
    assert_eq!(events[events.len() - 1]["error"]["code"], "budget");
    assert_eq!(server.requests().len(), 2);
}
