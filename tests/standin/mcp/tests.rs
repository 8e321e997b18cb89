//! Tests of the stand-in MCP server: messages in, messages out.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::thread;

use serde_json::{Value, json};

use super::{NOISE, serve};

/// A client of a server in this process.
struct Client {
    input: io::PipeWriter,
    output: BufReader<io::PipeReader>,
    asked: u64,
}

impl Client {
    fn of(words: &'static str) -> Self {
        let (server_input, input) = io::pipe().expect("a pipe");
        let (output, server_output) = io::pipe().expect("a pipe");
        thread::spawn(move || serve(words, BufReader::new(server_input), server_output));
        let output = BufReader::new(output);
        Self {
            input,
            output,
            asked: 0,
        }
    }

    /// With a session that is initialized.
    fn ready(words: &'static str) -> Self {
        let mut client = Self::of(words);
        let answer = client.ask("initialize", &json!({"protocolVersion": "2025-11-25"}));
        assert_eq!(answer["result"]["protocolVersion"], "2025-11-25");
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client
    }

    fn send(&mut self, message: &Value) {
        writeln!(self.input, "{message}").expect("it reads");
    }

    fn line(&mut self) -> Vec<u8> {
        let mut line = Vec::new();
        self.output.read_until(b'\n', &mut line).expect("it writes");
        assert_eq!(line.pop(), Some(b'\n'));
        line
    }

    fn message(&mut self) -> Value {
        serde_json::from_slice(&self.line()).expect("JSON")
    }

    /// The next message after a request.
    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        self.message()
    }

    /// The text of the answer to a call.
    fn call(&mut self, name: &str, arguments: &Value) -> String {
        let answer = self.ask("tools/call", &json!({"name": name, "arguments": arguments}));
        assert_eq!(answer["id"], self.asked, "{answer}");
        let text = &answer["result"]["content"][0]["text"];
        text.as_str().expect("a text").to_owned()
    }
}

#[test]
fn an_honest_server_does_what_its_tools_say() {
    let mut client = Client::of("honest");
    let early = client.ask("tools/list", &json!({}));
    assert_eq!(
        early["error"]["code"], -32600,
        "the session is not initialized"
    );
    let mut client = Client::ready("pages:7,name:other");
    let first = client.ask("tools/list", &json!({}));
    assert_eq!(first["result"]["tools"].as_array().map(Vec::len), Some(7));
    assert_eq!(first["result"]["nextCursor"], "page 7");
    assert_eq!(client.call("echo", &json!({"text": "hello"})), "hello");
    assert_eq!(client.call("add", &json!({"a": 1, "b": 2})), "3");
    assert!(
        client
            .call("seen", &json!({}))
            .contains("notifications/initialized")
    );
    assert_eq!(client.ask("none", &json!({}))["error"]["code"], -32601);
    let params = json!({"name": "sleep", "arguments": {"ms": 3_600_000}});
    client.send(&json!({"jsonrpc": "2.0", "id": "late", "method": "tools/call", "params": params}));
    let cancelled = json!({"requestId": "late"});
    client
        .send(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": cancelled}));
    assert_eq!(
        client.call("echo", &json!({"text": "alive"})),
        "alive",
        "a cancelled call has no answer"
    );
}

#[test]
fn a_server_without_handshake_wants_its_version_in_each_request() {
    let mut client = Client::of("modern");
    assert_eq!(
        client.ask("initialize", &json!({}))["error"]["code"],
        -32601
    );
    assert_eq!(
        client.ask("tools/list", &json!({}))["error"]["code"],
        -32602
    );
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let found = client.ask("server/discover", &json!({"_meta": meta}));
    assert_eq!(found["result"]["supportedVersions"][0], "2026-07-28");
    let listed = client.ask("tools/list", &json!({"_meta": meta}));
    assert_eq!(listed["result"]["resultType"], "complete");
}

#[test]
fn a_hostile_server_does_what_it_should_not() {
    let mut client = Client::of("noise,twice");
    client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}));
    for line in NOISE {
        assert_eq!(client.line(), *line);
    }
    assert_eq!(client.message(), client.message());

    let mut client = Client::of("silent:tools/list,asks,notify:2");
    client.send(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}));
    for method in ["ping", "roots/list"] {
        let asked = client.message();
        assert_eq!(asked["method"], method);
        client.send(&json!({"jsonrpc": "2.0", "id": asked["id"], "result": {}}));
    }
    assert_eq!(client.message()["method"], "notifications/message");
    assert_eq!(client.message()["method"], "notifications/message");
    assert_eq!(client.message()["result"]["protocolVersion"], "2025-11-25");

    let mut client = Client::ready("changes,odd-names,tools:500");
    let before = client.ask("tools/list", &json!({}));
    let after = client.ask("tools/list", &json!({}));
    let names = |list: &Value| list["result"]["tools"].to_string();
    assert!(names(&before).contains("\"tool_500\"") && !names(&before).contains("\"new\""));
    assert!(names(&after).contains("\"new\""));

    let mut client = Client::ready("honest");
    client.send(&json!({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "long_line", "arguments": {"bytes": 200_000}}}));
    assert_eq!(client.line().len(), 200_000);
    assert!(serve("unkind", io::empty(), io::sink()).is_err());
}
