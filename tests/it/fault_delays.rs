//! The part of the table of faults that is retried: for each row the message, the delay, that two requests are made, and
//! the exit code if the fault persists.

use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::fault_table::{Said, reply};
use crate::home::Home;
use crate::standin::{Reply, Server};

/// The reply, the exit code if it persists, the reported reason, and the delay in milliseconds.
type Row<'a> = (Said<'a>, i32, &'a str, u64);

/// A delay as the notice of a retry shows it, to a tenth of a second.
fn notice(millis: u64) -> String {
    let tenths = (millis + 50) / 100;
    match tenths % 10 {
        0 => format!("; trying again in {} s (1 of 1)\n", tenths / 10),
        rest => format!("; trying again in {}.{rest} s (1 of 1)\n", tenths / 10),
    }
}

fn check(&(said, code, why, millis): &Row<'_>) {
    let server = Server::start([reply(said), Reply::text("whole")]);
    let ran = Home::with_key()
        .codex(&server)
        .args(["run", "--no-tools", "--retries", "1", "x"])
        .run();
    let status = said.0;
    let reported = format!(
        "codex: {why} [HTTP {status}, request req_standin_1]{}",
        notice(millis)
    );
    ran.exits(0).stdout("whole\n").stderr(&reported);
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].json(), requests[1].json(), "the same again");
    let waited = requests[1].at.saturating_sub(requests[0].at);
    assert!(
        waited >= Duration::from_millis(millis),
        "{waited:?} {reported}"
    );

    let server = Server::start([reply(said)]);
    let ran = Home::with_key()
        .codex(&server)
        .args(["run", "--no-tools", "--retries", "0", "x"])
        .run();
    ran.exits(code).stdout("").says("codex: hint: ");
    assert_eq!(server.requests().len(), 1);
}

/// The waits of all rows would take long in sequence, so they run concurrently.
fn check_all(rows: &[Row<'_>]) {
    thread::scope(|scope| {
        for row in rows {
            scope.spawn(move || check(row));
        }
    });
}

fn error(code: &str, message: &str) -> String {
    json!({"error": {"code": code, "message": message, "type": "tokens", "param": null}})
        .to_string()
}

#[test]
fn temporary_failures_are_retried() {
    let now = "the service cannot answer right now";
    let (rate, slow, overloaded) = (
        error("rate_limit_exceeded", "slower"),
        error("slow_down", "slower"),
        error("server_is_overloaded", "full"),
    );
    let none = &format!("{now}: no reason given");
    check_all(&[
        ((408, &[], ""), 7, none, 500),
        ((409, &[], ""), 7, none, 500),
        ((429, &[], ""), 7, none, 500),
        ((500, &[], ""), 7, none, 500),
        (
            (502, &[], "<html>"),
            7,
            &format!("{now}: a web page instead of an answer"),
            500,
        ),
        ((503, &[], "busy"), 7, &format!("{now}: busy"), 500),
        (
            (429, &[], &rate),
            7,
            &format!("{now}: slower (rate_limit_exceeded)"),
            500,
        ),
        (
            (429, &[], &slow),
            7,
            &format!("{now}: slower (slow_down)"),
            500,
        ),
        (
            (503, &[], &slow),
            7,
            &format!("{now}: slower (slow_down)"),
            500,
        ),
        (
            (503, &[], &overloaded),
            7,
            &format!("{now}: full (server_is_overloaded)"),
            500,
        ),
        (
            (
                200,
                &[("content-type", "application/json")],
                &error("server_error", "oops"),
            ),
            7,
            &format!("{now}: oops (server_error)"),
            500,
        ),
    ]);
}

#[test]
fn the_delay_of_the_service_is_respected() {
    let now = "the service cannot answer right now";
    let none = &format!("{now}: no reason given");
    let in_words = error("rate_limit_exceeded", "Please try again in 0.89s. Visit x");
    let words = &format!("{now}: Please try again in 0.89s. Visit x (rate_limit_exceeded)");
    check_all(&[
        ((429, &[("retry-after", "1")], ""), 7, none, 1000),
        ((503, &[("retry-after", "0.25")], ""), 7, none, 250),
        (
            (429, &[("retry-after-ms", "300"), ("retry-after", "2")], ""),
            7,
            none,
            300,
        ),
        ((429, &[], &in_words), 7, words, 890),
        ((429, &[("retry-after", "0.3")], &in_words), 7, words, 300),
        ((429, &[("retry-after", "0")], &in_words), 7, words, 890),
        ((500, &[("retry-after", "-1")], ""), 7, none, 500),
        ((500, &[("retry-after", "NaN")], ""), 7, none, 500),
        (
            (500, &[("retry-after", "soon"), ("retry-after-ms", "")], ""),
            7,
            none,
            500,
        ),
        (
            (500, &[("retry-after", "Fri, 31 Dec 1999 23:59:59 GMT")], ""),
            7,
            none,
            500,
        ),
        ((500, &[("x-should-retry", "true")], ""), 7, none, 500),
    ]);
}

#[test]
fn temporary_errors_inside_a_stream_are_retried() {
    let now = "the service cannot answer right now";
    let event = |code: &str, message: &str| {
        json!({"type": "response.failed", "response": {"status": "failed",
            "error": {"code": code, "message": message}}})
        .to_string()
    };
    let in_words = event("rate_limit_exceeded", "Try again in 200ms.");
    let in_headers = json!({"type": "error", "status_code": 429, "error": {"message": "slower"},
        "headers": {"Retry-After-Ms": "300"}})
    .to_string();
    check_all(&[
        (
            (200, &[], &event("server_error", "oops")),
            7,
            &format!("{now}: oops (server_error)"),
            500,
        ),
        (
            (200, &[], &event("slow_down", "oops")),
            7,
            &format!("{now}: oops (slow_down)"),
            500,
        ),
        (
            (200, &[], &event("server_is_overloaded", "oops")),
            7,
            &format!("{now}: oops (server_is_overloaded)"),
            500,
        ),
        (
            (200, &[], &in_words),
            7,
            &format!("{now}: Try again in 200ms. (rate_limit_exceeded)"),
            200,
        ),
        ((200, &[], &in_headers), 7, &format!("{now}: slower"), 300),
        (
            (200, &[], &event("never_heard_of", "oops")),
            1,
            "the service could not complete this request: oops (never_heard_of)",
            500,
        ),
    ]);
}

/// A service that forbids retries, or asks for hours, is not asked again.
#[test]
fn temporary_failures_with_long_delays_are_not_retried() {
    let check = |headers: &[(&str, &str)], hint: &str| {
        let server = Server::start([Reply::status(503, headers, "")]);
        let ran = Home::with_key()
            .codex(&server)
            .args(["run", "--no-tools", "x"])
            .run();
        ran.exits(7).stdout("").says(hint);
        assert_eq!(server.requests().len(), 1);
    };
    check(
        &[("x-should-retry", "false"), ("retry-after", "1")],
        "hint: try again later",
    );
    let long = "hint: the service asks clients to wait: try again in ";
    check(&[("retry-after", "5400")], &format!("{long}1 h 30 min, "));
    check(
        &[("retry-after", "99999999999999999999")],
        &format!("{long}365 days, "),
    );
    check(
        &[("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT")],
        &format!("{long}365 days, "),
    );
}
