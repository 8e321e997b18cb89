//! The session tried with every order of answers, every repetition, and something unexpected at every place.

use serde_json::{Value, json};

use super::*;

const TOOL: &str = r#"{"name":"echo","inputSchema":{"type":"object"}}"#;

/// Lines that change nothing, wherever they arrive.
const UNEXPECTED: &[&str] = &[
    "",
    "not JSON",
    "{",
    "[]",
    "null",
    r#"{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
    r#"{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1,"progress":1}}"#,
    r#"{"jsonrpc":"2.0","id":99,"result":{}}"#,
    r#"{"jsonrpc":"2.0","id":99,"error":{"code":-1,"message":"x"}}"#,
    r#"{"jsonrpc":"2.0","id":"0","result":{"protocolVersion":"2025-11-25"}}"#,
    r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}"#,
    r#"{"jsonrpc":"2.0","id":{"a":1},"method":"sampling/createMessage"}"#,
    "\u{1b}[2J",
];

fn result(id: u64, result: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#)
}

fn refused(id: u64, code: i64) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"no"}}}}"#)
}

fn initialized(version: &str) -> String {
    let text = format!(
        r#"{{"protocolVersion":"{version}","capabilities":{{"tools":{{"listChanged":true}}}},"serverInfo":{{"name":"S","version":"1"}}}}"#
    );
    result(0, &text)
}

/// Hands lines to a session; returns its events in a few words.
fn feed(session: &mut ServerSession, lines: &[String]) -> Vec<String> {
    let events = lines
        .iter()
        .flat_map(|line| session.receive(line.as_bytes()));
    events.map(shown).collect()
}

fn shown(event: SessionEvent) -> String {
    match event {
        SessionEvent::Send(outgoing) => {
            let json: Value = serde_json::from_str(&outgoing.json).expect("JSON");
            assert!(!outgoing.json.contains('\n'));
            assert_eq!(json["jsonrpc"], "2.0");
            assert_eq!(json["method"].as_str().unwrap_or_default(), outgoing.method);
            match outgoing.method {
                "" => format!("answer {}", json["error"]["code"]),
                method => method.to_owned(),
            }
        }
        SessionEvent::Ready => "ready".to_owned(),
        SessionEvent::Answered(id, answer) => format!("{id}: {} {}", answer.text, answer.is_error),
        SessionEvent::Failed(error) => format!("{error:?}"),
    }
}

fn ready() -> ServerSession {
    let (mut session, _) = ServerSession::begin();
    let page = format!(r#"{{"tools":[{TOOL}]}}"#);
    feed(&mut session, &[initialized("2025-11-25"), result(1, &page)]);
    assert!(session.is_ready());
    session
}

fn call(session: &mut ServerSession) -> u64 {
    let arguments: Box<RawValue> = serde_json::from_str("{\"a\":\n1}").expect("JSON");
    let outgoing = session.call("echo", &arguments);
    let json: Value = serde_json::from_str(&outgoing.json).expect("JSON");
    assert_eq!(json["params"]["name"], "echo");
    assert_eq!(json["params"]["arguments"], json!({"a": 1}));
    assert!(!outgoing.json.contains('\n'));
    outgoing.id.expect("an id")
}

#[test]
fn the_first_message_proposes_the_newest_version() {
    let (session, first) = ServerSession::begin();
    let expected = format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"2025-11-25","capabilities":{{}},"clientInfo":{{"name":"codex-run","version":"{}"}}}}}}"#,
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!((first.json, session.protocol()), (expected, "2025-11-25"));
}

#[test]
fn a_session_begins_with_each_version_whatever_else_arrives_anywhere() {
    for version in WITH_HANDSHAKE {
        let pages = [
            format!(r#"{{"tools":[{TOOL}],"nextCursor":"a\"b"}}"#),
            r#"{"tools":[{"name":"b"}],"nextCursor":null}"#.to_owned(),
        ];
        let lines = [
            initialized(version),
            result(1, &pages[0]),
            result(2, &pages[1]),
        ];
        let expected = [
            "notifications/initialized",
            "tools/list",
            "tools/list",
            "ready",
        ];
        for at in 0..=lines.len() {
            for unexpected in UNEXPECTED {
                let mut lines = lines.to_vec();
                lines.insert(at, (*unexpected).to_owned());
                let (mut session, _) = ServerSession::begin();
                assert_eq!(feed(&mut session, &lines), expected, "{unexpected} at {at}");
                let names: Vec<&str> = session.tools().iter().map(|tool| &*tool.name).collect();
                assert_eq!((names, session.left_out()), (vec!["echo", "b"], 0));
                assert_eq!(
                    (&*session.server().name, session.protocol()),
                    ("S", *version)
                );
            }
            // An answer that arrives twice counts once.
            if at < lines.len() {
                let mut lines = lines.to_vec();
                lines.insert(at, lines[at].clone());
                let (mut session, _) = ServerSession::begin();
                assert_eq!(feed(&mut session, &lines), expected, "twice at {at}");
            }
        }
        // Two messages in one line, as the version of 2025-03-26 allows.
        let batch = format!("[{},{}]", lines[0], r#"{"id":7,"method":"ping"}"#);
        let (mut session, _) = ServerSession::begin();
        assert_eq!(feed(&mut session, &[batch])[2], "answer null");
    }
}

#[test]
fn a_server_without_tools_is_ready_at_once() {
    let (mut session, _) = ServerSession::begin();
    let line = result(
        0,
        r#"{"protocolVersion":"2024-11-05","capabilities":{"prompts":{}}}"#,
    );
    assert_eq!(
        feed(&mut session, &[line]),
        ["notifications/initialized", "ready"]
    );
    assert!(session.tools().is_empty());
}

#[test]
fn the_version_without_a_handshake_is_tried_after_a_refusal() {
    let discovered = r#"{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{}},"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"N","version":"2"}}}"#;
    for first in [
        refused(0, -32601),
        refused(0, UNSUPPORTED_VERSION),
        initialized("2026-07-28"),
    ] {
        for unexpected in UNEXPECTED {
            let (mut session, _) = ServerSession::begin();
            let lines = [
                first.clone(),
                (*unexpected).to_owned(),
                result(1, discovered),
            ];
            assert_eq!(
                feed(&mut session, &lines),
                ["server/discover", "tools/list"]
            );
            assert!(session.is_stateless() && session.server().name == "N");
        }
        let (mut session, _) = ServerSession::begin();
        let discover = session.receive(first.as_bytes()).remove(0);
        let SessionEvent::Send(discover) = discover else {
            panic!("{discover:?}");
        };
        let json: Value = serde_json::from_str(&discover.json).expect("JSON");
        let meta = &json["params"]["_meta"];
        assert_eq!(
            meta["io.modelcontextprotocol/protocolVersion"],
            "2026-07-28"
        );
        assert_eq!(
            meta["io.modelcontextprotocol/clientCapabilities"],
            json!({})
        );
        feed(
            &mut session,
            &[
                result(1, discovered),
                result(2, &format!(r#"{{"tools":[{TOOL}]}}"#)),
            ],
        );
        let arguments: Box<RawValue> = serde_json::from_str("{}").expect("JSON");
        let call: Value =
            serde_json::from_str(&session.call("echo", &arguments).json).expect("JSON");
        assert_eq!(call["params"]["_meta"], *meta);
    }
}

#[test]
fn a_server_that_speaks_another_protocol_fails() {
    let check = |lines: &[String], expected: &str| {
        let (mut session, _) = ServerSession::begin();
        let events = feed(&mut session, lines);
        assert!(
            events.last().is_some_and(|last| last.starts_with(expected)),
            "{events:?}"
        );
        assert!(!session.is_ready());
        // Whatever follows changes nothing.
        assert_eq!(feed(&mut session, lines), [""; 0]);
    };
    check(&[initialized("2024-10-07")], "Version(\"2024-10-07\")");
    check(
        &[initialized("2099-01-01"), refused(1, -32601)],
        "Version(\"2099-01-01\")",
    );
    check(
        &[refused(0, -32601), refused(1, -32601)],
        "Refused { method: \"initialize\"",
    );
    check(&[result(0, "{}")], "Malformed(\"initialize\")");
    check(
        &[result(0, r#"{"protocolVersion":7}"#)],
        "Malformed(\"initialize\")",
    );
    check(
        &[refused(0, 0), result(1, "[]")],
        "Malformed(\"server/discover\")",
    );
    check(
        &[
            refused(0, 0),
            result(1, r#"{"supportedVersions":["2027-01-01"]}"#),
        ],
        "Version(\"2027-01-01\")",
    );
    let unsupported = r#"{"id":1,"error":{"code":-32022,"data":{"supported":["2027-01-01"]}}}"#;
    check(
        &[refused(0, 0), unsupported.to_owned()],
        "Version(\"2027-01-01\")",
    );
    check(
        &[initialized("2025-06-18"), refused(1, -32603)],
        "Refused { method: \"tools/list\"",
    );
    check(
        &[initialized("2025-06-18"), result(1, r#"{"tools":7}"#)],
        "Malformed(\"tools/list\")",
    );
}

#[test]
fn the_list_of_tools_is_bounded() {
    let (mut session, _) = ServerSession::begin();
    feed(&mut session, &[initialized("2025-11-25")]);
    let page = |from: usize| {
        let tools: Vec<String> = (from..from + 200)
            .map(|n| format!(r#"{{"name":"t{n}"}}"#))
            .collect();
        format!(r#"{{"tools":[{}],"nextCursor":"next"}}"#, tools.join(","))
    };
    let lines: Vec<String> = (0..4)
        .map(|n| result(n + 1, &page(200 * usize::try_from(n).expect("small"))))
        .collect();
    assert_eq!(
        feed(&mut session, &lines),
        ["tools/list", "tools/list", "ready"]
    );
    assert_eq!(
        (session.tools().len(), session.left_out()),
        (MAX_TOOLS, 100)
    );

    // A list whose pages never end.
    let (mut session, _) = ServerSession::begin();
    feed(&mut session, &[initialized("2025-11-25")]);
    let lines: Vec<String> = (0..500)
        .map(|n| result(n + 1, r#"{"tools":[],"nextCursor":"x"}"#))
        .collect();
    let events = feed(&mut session, &lines);
    assert_eq!(
        (events.len(), events.last().map(String::as_str)),
        (MAX_PAGES, Some("ready"))
    );

    // A name twice, and what is not a tool.
    let (mut session, _) = ServerSession::begin();
    let page = format!(r#"{{"tools":[{TOOL},{TOOL},7,{{}}]}}"#);
    feed(&mut session, &[initialized("2025-11-25"), result(1, &page)]);
    assert_eq!((session.tools().len(), session.left_out()), (1, 3));
}

#[test]
fn requests_are_answered_at_any_time_and_only_ping_is_supported() {
    let mut session = ready();
    let lines = [
        "ping",
        "sampling/createMessage",
        "roots/list",
        "elicitation/create",
    ];
    let lines = lines.map(|method| format!(r#"{{"jsonrpc":"2.0","id":"x","method":"{method}"}}"#));
    let expected = [
        "answer null",
        "answer -32601",
        "answer -32601",
        "answer -32601",
    ];
    assert_eq!(feed(&mut session, &lines), expected);
    let (mut session, _) = ServerSession::begin();
    assert_eq!(feed(&mut session, &lines), expected);
}

/// Every order of the answers to three calls, with every answer twice, and every set of calls that is given up at
/// every moment.
#[test]
fn each_call_ends_once_in_every_order() {
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for order in orders {
        for given_up in 0..8_u32 {
            for at in 0..=3 {
                let mut session = ready();
                let ids = [(); 3].map(|()| call(&mut session));
                let mut ended = Vec::new();
                for n in 0..=3 {
                    if n == at {
                        for (call, id) in ids.iter().enumerate() {
                            let is_running = !ended.contains(&call);
                            if given_up & (1 << call) != 0 {
                                assert_eq!(session.cancel(*id).is_some(), is_running);
                                assert_eq!(session.cancel(*id), None);
                            }
                        }
                    }
                    let Some(&call) = order.get(n) else { break };
                    let is_given_up = at <= n && given_up & (1 << call) != 0;
                    let text = format!(r#"{{"content":[{{"type":"text","text":"{call}"}}]}}"#);
                    let line = result(ids[call], &text);
                    let expected = format!("{}: {call} false", ids[call]);
                    let events = feed(&mut session, &[line.clone(), line]);
                    let expected = Some(expected).filter(|_| !is_given_up);
                    assert_eq!(events, expected.into_iter().collect::<Vec<_>>());
                    ended.push(call);
                }
                assert!(session.calls.is_empty() || session.calls.len() < 3);
            }
        }
    }
}

#[test]
fn an_error_is_a_failed_call() {
    let mut session = ready();
    let id = call(&mut session);
    let expected = format!("{id}: the server refused the call: no (code -32602) true");
    assert_eq!(feed(&mut session, &[refused(id, -32602)]), [expected]);
    let id = call(&mut session);
    let cancelled = session.cancel(id).expect("it runs");
    let json: Value = serde_json::from_str(&cancelled.json).expect("JSON");
    assert_eq!(
        (&json["method"], &json["params"]["requestId"]),
        (&json!("notifications/cancelled"), &json!(id))
    );
    assert_eq!(feed(&mut session, &[refused(id, -32602)]), [""; 0]);
}
