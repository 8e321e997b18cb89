//! Tests of the stand-in: a minimal client sends requests and checks the bytes of the responses.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Framing, Item, Newline, Reply, Scenarios, Script, Server, jwt, now_unix};

/// Longer than anything here takes, unless it hangs.
const FOREVER: Duration = Duration::from_secs(20);

struct Client(TcpStream);

impl Client {
    fn new(server: &Server) -> Self {
        let socket = TcpStream::connect(server.address).expect("the server listens");
        socket.set_read_timeout(Some(FOREVER)).expect("a timeout");
        Self(socket)
    }

    fn ask(&mut self, input: &serde_json::Value, close: bool) {
        let body = json!({"model": "gpt-5.5", "stream": true, "input": input,
            "include": ["reasoning.encrypted_content"]});
        let body = body.to_string();
        let close = if close { "connection: close\r\n" } else { "" };
        let head = format!(
            "POST /v1/responses HTTP/1.1\r\nauthorization: Bearer sk-test\r\n{close}\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let sent = self.0.write_all((head + &body).as_bytes());
        sent.expect("the server reads");
    }

    /// Sends a request, with an access token of the subscription or with an API key.
    fn get(&mut self, path: &str, header: &str) -> String {
        let token = if path.starts_with("/v1") {
            "sk-test".to_owned()
        } else {
            jwt("acct-1", now_unix() + 60)
        };
        let head = format!(
            "GET {path} HTTP/1.1\r\nauthorization: Bearer {token}\r\n\
             chatgpt-account-id: acct-1\r\n{header}\r\n"
        );
        let sent = self.0.write_all(head.as_bytes());
        sent.expect("the server reads");
        let head = self.until("\r\n\r\n");
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "))
            .map_or(0, |length| length.parse().expect("a number"));
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).expect("a body");
        head + &String::from_utf8(body).expect("UTF-8")
    }

    fn all(mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).expect("an answer");
        text
    }

    fn until(&mut self, end: &str) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(end.as_bytes()) {
            let mut byte = [0];
            self.0.read_exact(&mut byte).expect("more of the answer");
            bytes.push(byte[0]);
        }
        String::from_utf8(bytes).expect("UTF-8")
    }
}

fn asked(reply: Reply) -> String {
    let server = Server::start(reply);
    let mut client = Client::new(&server);
    client.ask(&json!("hello"), true);
    client.all()
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map_or("", |(_, body)| body)
}

#[test]
fn a_cut_answer_is_shorter_than_announced() {
    let chunked = asked(Reply::text("hello").cut_at(10));
    assert_eq!(body(&chunked), "a\r\nevent: res\r\n");
    let length = asked(Reply::text("hello").framing(Framing::Length).cut_at(10));
    assert_eq!(body(&length), "event: res");
}

#[test]
fn pieces_are_chunks_and_line_ends_are_as_requested() {
    let reply = Reply::sse("data: 1\n\n").newline(Newline::Crlf).pieces(7);
    assert_eq!(
        body(&asked(reply)),
        "7\r\ndata: 1\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n"
    );
}

#[test]
fn events_are_chunks_as_requested() {
    let reply = Reply::sse("data: 1\n\ndata: 2\r\n\r\nrest").by_event();
    assert_eq!(
        body(&asked(reply)),
        "9\r\ndata: 1\n\n\r\nb\r\ndata: 2\r\n\r\n\r\n4\r\nrest\r\n0\r\n\r\n"
    );
}

#[test]
fn a_silent_answer_ends_when_the_server_stops() {
    let long = FOREVER * 100;
    for reply in [
        Reply::sse("data: 1\n\n").stall_at(9),
        Reply::sse("data: 1\n\n").hold_open(),
        Reply::sse("data: 1\n\n").tail_pause(long),
        Reply::sse("data: 1\n\ndata: 2\n\n").event_pause(long),
    ] {
        let server = Server::start(reply);
        let mut client = Client::new(&server);
        client.ask(&json!("hello"), false);
        client.until("data: 1\n\n");
        let began = Instant::now();
        drop(server);
        assert!(began.elapsed() < FOREVER);
        client.all();
    }
}

#[test]
fn a_silent_answer_ends_when_the_client_leaves() {
    let server = Server::start(Reply::sse("data: 1\n\n").stall_at(9));
    let mut client = Client::new(&server);
    client.ask(&json!("hello"), false);
    client.until("data: 1\n\n");
    drop(client);
    let began = Instant::now();
    while !server.log().contains("silent as ordered") {
        assert!(began.elapsed() < FOREVER, "{}", server.log());
        std::thread::yield_now();
    }
}

#[test]
fn a_connection_is_reused() {
    let server = Server::start([Reply::text("one"), Reply::text("two")]);
    let mut client = Client::new(&server);
    client.ask(&json!("1"), false);
    let first = client.until("\r\n0\r\n\r\n");
    client.ask(&json!("2"), true);
    assert!(first.contains("one") && client.all().contains("two"));
    assert_eq!(server.connections(), 1);
    assert_eq!(server.requests().len(), 2);
    assert_eq!(server.requests()[1].json()["input"], "2");
}

#[test]
fn issued_encrypted_reasoning_is_recognised() {
    let reasoning_and_call = [
        Item::reasoning("hm"),
        Item::call("bash", json!({"command": "ls"})),
    ];
    let script = Script::replies([Reply::items(reasoning_and_call)]);
    let server = Server::start(script.then_prompts(Scenarios::default()));
    let mut client = Client::new(&server);
    client.ask(&json!("go"), false);
    let answer = client.until("\r\n0\r\n\r\n");
    let items = answer
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter(|data| data.contains("response.output_item.done"))
        .map(|data| serde_json::from_str::<serde_json::Value>(data).expect("JSON"))
        .map(|mut event| event["item"].take());
    let mut input: Vec<_> = items.collect();
    input.insert(0, json!({"role": "user", "content": "go"}));

    client.ask(&json!(input), false);
    let refused = client.until("}}");
    assert!(refused.contains("No tool output found for function call call_standin_"));

    let call_id = input[2]["call_id"].clone();
    input.push(json!({"type": "function_call_output", "call_id": call_id, "output": "a.rs"}));
    client.ask(&json!(input), false);
    let taken = client.until("\r\n0\r\n\r\n");
    assert!(taken.contains("You said: go"), "{}", server.log());

    let sealed = input[1]["encrypted_content"].as_str().expect("a seal");
    input[1]["encrypted_content"] = json!(format!("{sealed}A"));
    client.ask(&json!(input), true);
    assert!(client.all().contains("could not be verified"));
}

/// The subscription's list of models, as requested by the official client 0.171.0.
const LIST: &str = "/backend-api/codex/models?client_version=0.171.0";

fn slugs(answer: &str) -> Vec<String> {
    let list: serde_json::Value = serde_json::from_str(body(answer)).expect("JSON");
    let models = list["models"].as_array().or(list["data"].as_array());
    let name = |model: &serde_json::Value| {
        model["slug"]
            .as_str()
            .or(model["id"].as_str())
            .map(str::to_owned)
    };
    models.expect("a list").iter().filter_map(name).collect()
}

#[test]
fn a_list_of_models_is_not_modified_until_it_changes() {
    let server = Server::start([Reply::text("ok")]);
    let mut client = Client::new(&server);
    let first = client.get(LIST, "");
    assert!(first.contains("etag: \"standin-models-1\"\r\n"), "{first}");
    assert_eq!(slugs(&first)[0], "gpt-6.2-sol");
    let seen = "if-none-match: \"standin-models-1\"\r\n";
    assert!(client.get(LIST, seen).starts_with("HTTP/1.1 304"));

    server.relist(json!([
        {"slug": "gpt-x", "supported_in_api": true},
        {"slug": "gpt-y", "supported_in_api": false},
    ]));
    let second = client.get(LIST, seen);
    assert!(
        second.contains("etag: \"standin-models-2\"\r\n"),
        "{second}"
    );
    assert_eq!(slugs(&second), ["gpt-x", "gpt-y"]);
    assert_eq!(slugs(&client.get("/v1/models", "")), ["gpt-x"]);

    assert!(
        client
            .get("/backend-api/codex/models", "")
            .starts_with("HTTP/1.1 400")
    );
    assert_eq!((server.lists().len(), server.requests().len()), (5, 0));
    assert_eq!(server.connections(), 0);
    client.get("/backend-api/wham/usage", "");
    assert_eq!((server.lists().len(), server.requests().len()), (5, 1));
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_script_has_its_own_list_of_models_or_none() {
    let own = Script::replies([]).models(json!({"models": [{"slug": "gpt-x"}], "more": 1}));
    let answer = Client::new(&Server::start(own)).get(LIST, "");
    assert!(
        answer.contains("standin-models-1") && answer.ends_with("\"more\":1}"),
        "{answer}"
    );

    let broken = Script::replies([]).fix(
        "GET",
        "/backend-api/codex/models",
        Reply::json(500, &json!({})),
    );
    let server = Server::start(broken);
    assert!(
        Client::new(&server)
            .get(LIST, "")
            .starts_with("HTTP/1.1 500")
    );
    assert_eq!((server.lists().len(), server.requests().len()), (1, 0));
}

#[test]
fn answers_of_the_subscription_carry_the_etag_of_the_current_list() {
    let server = Server::start([]);
    server.relist(json!([]));
    for (path, named) in [("/backend-api/codex", true), ("/v1", false)] {
        let head = format!("POST {path}/responses HTTP/1.1\r\nconnection: close\r\n\r\n");
        let mut client = Client::new(&server);
        client
            .0
            .write_all(head.as_bytes())
            .expect("the server reads");
        let answer = client.all();
        let header = "x-models-etag: \"standin-models-2\"\r\n";
        assert_eq!(answer.contains(header), named, "{answer}");
    }
}
