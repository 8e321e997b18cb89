//! Damaged answers. No damage causes a panic, and if the answer counts as complete, the shown text is its final text.

use serde_json::Value;

use super::*;
use crate::wire::sse::Decoder;

/// Streams of the stand-in service.
const STREAMS: [&str; 6] = ["text", "calls", "refusal", "incomplete", "failed", "error"];

fn recorded(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/data");
    std::fs::read(format!("{folder}/{name}.sse")).expect("a stream of the stand-in")
}

fn frames(stream: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let take = |frame: &[u8]| frames.push(frame.to_owned());
    Decoder::default().feed(stream, take).expect("short");
    frames
}

/// The shown messages and the calls to run; `None` if the answer is not complete.
type Result = Option<(Vec<String>, Vec<(String, String, String)>)>;

/// The result of an answer; panics if it is complete and the shown text differs from it.
fn result(answer: &Answer, show: &[Show], what: &dyn Fn() -> String) -> Result {
    let calls = match answer.verdict() {
        Verdict::Trouble(_) => return None,
        Verdict::Answered => Vec::new(),
        Verdict::Calls(calls) => calls
            .into_iter()
            .map(|call| (call.call_id, call.name, call.arguments))
            .collect(),
    };
    let mut shown = vec![String::new()];
    for show in show {
        match show {
            Show::Text(text) => shown.last_mut().expect("one").push_str(text),
            Show::MessageEnd => shown.push(String::new()),
            Show::Skipped | Show::Summary(_) | Show::Searched(_) => {}
        }
    }
    assert_eq!(shown.pop().as_deref(), Some(""), "{}", what());
    let final_texts = answer.items().map(|item| item.text().into_owned());
    let final_texts: Vec<String> = final_texts.filter(|text| !text.is_empty()).collect();
    // Messages are shown in order of arrival, which may differ from their index order.
    let sorted = |texts: &[String]| {
        let mut texts = texts.to_vec();
        texts.sort();
        texts
    };
    assert_eq!(sorted(&shown), sorted(&final_texts), "{}", what());
    Some((shown, calls))
}

fn result_from_frames<F: AsRef<[u8]>>(
    frames: impl IntoIterator<Item = F>,
    what: &dyn Fn() -> String,
) -> Result {
    let (mut answer, mut show) = (Answer::default(), Vec::new());
    for frame in frames {
        answer.take(frame.as_ref(), &mut show);
    }
    result(&answer, &show, what)
}

fn result_from_stream(stream: &[u8], what: &dyn Fn() -> String) -> Result {
    let (mut decoder, mut answer, mut show) = (Decoder::default(), Answer::default(), Vec::new());
    let fed = decoder.feed(stream, |frame| answer.take(frame, &mut show));
    fed.expect("short");
    result(&answer, &show, what)
}

/// Collects the paths of all values inside a value, itself included.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                places(value, &format!("{at}/{name}"), all);
            }
        }
        Value::Array(elements) => {
            for (n, value) in elements.iter().enumerate() {
                places(value, &format!("{at}/{n}"), all);
            }
        }
        _ => {}
    }
}

#[test]
fn every_field_of_every_event_with_every_wrong_type() {
    // As literals, since the last two have no `Value`.
    let wrong = [
        "null",
        "true",
        "7",
        "-1",
        "0.5",
        r#""x""#,
        r#""""#,
        "[]",
        "[7]",
        "{}",
        r#"{"x":{}}"#,
        "1e999",
        r#""\ud800""#,
    ];
    let mut complete = 0;
    for name in STREAMS {
        let frames = frames(&recorded(name));
        for (n, frame) in frames.iter().enumerate() {
            let value: Value = serde_json::from_slice(frame).expect("JSON");
            let mut all = Vec::new();
            places(&value, "", &mut all);
            for place in &all {
                for other in wrong {
                    let mut changed = value.clone();
                    *changed.pointer_mut(place).expect("it is there") = "@wrong@".into();
                    let changed = changed.to_string().replace("\"@wrong@\"", other);
                    let before = frames[..n].iter().map(Vec::as_slice);
                    let after = frames[n + 1..].iter().map(Vec::as_slice);
                    let all = before.chain([changed.as_bytes()]).chain(after);
                    let what = || format!("{name}: {changed}");
                    complete += usize::from(result_from_frames(all, &what).is_some());
                }
            }
        }
    }
    assert!(complete > 1000, "{complete}");
}

/// A short stream of the usual form: a message and a call, each added, streamed, finished, and listed.
fn usual() -> String {
    let event = |name: &str, fields: &str| {
        format!("event: {name}\ndata: {{\"type\":\"response.{name}\",{fields}}}\n\n")
    };
    let message = |text: &str| {
        format!(
            r#"{{"id":"m","type":"message","content":[{{"type":"output_text","text":"{text}"}}]}}"#
        )
    };
    let call = |arguments: &str| {
        format!(
            r#"{{"id":"f","type":"function_call","call_id":"c","name":"t","arguments":"{arguments}"}}"#
        )
    };
    let at = |n: usize, item: &str| format!(r#""output_index":{n},"item":{item}"#);
    let delta = |n: usize, text: &str| format!(r#""output_index":{n},"delta":"{text}""#);
    [
        event("output_item.added", &at(0, &message(""))),
        event("output_text.delta", &delta(0, "hi\\n")),
        event("output_text.delta", &delta(0, "there")),
        event("output_item.done", &at(0, &message("hi\\nthere"))),
        event("output_item.added", &at(1, &call(""))),
        event("function_call_arguments.delta", &delta(1, "{\\\"a\\\":1}")),
        event("output_item.done", &at(1, &call("{\\\"a\\\":1}"))),
        event(
            "completed",
            r#""response":{"status":"completed","output":[]}"#,
        ),
    ]
    .concat()
}

/// The index of the event that a byte of the stream belongs to.
fn event_at(stream: &str, at: usize) -> usize {
    stream[..at].matches("\n\n").count()
}

#[test]
fn every_byte_of_a_stream_removed_doubled_and_replaced() {
    let stream = usual();
    let bytes = stream.as_bytes();
    let whole = result_from_stream(bytes, &String::new).expect("it is complete");
    assert_eq!(whole.0, ["hi\nthere"]);
    let (mut same, mut other) = (0, 0);
    for at in 0..bytes.len() {
        let (before, after) = (&bytes[..at], &bytes[at + 1..]);
        let mut damaged = vec![
            [before, after].concat(),
            [before, &bytes[at..=at], &bytes[at..]].concat(),
        ];
        for byte in *b"\0\r\n\"\\{}[],: 0x\xff\xc3" {
            damaged.push([before, &[byte], after].concat());
        }
        for stream_now in damaged {
            let what = || format!("at {at}: {}", String::from_utf8_lossy(&stream_now));
            match result_from_stream(&stream_now, &what) {
                None => {}
                Some(result) if result == whole => same += 1,
                // A different result requires damage in the event that defines the item: event 3 or 6.
                Some((shown, calls)) => {
                    other += 1;
                    let event = event_at(&stream, at);
                    let message_changed = shown != whole.0;
                    let call_changed = calls != whole.1;
                    assert!(
                        (event == 3 && message_changed && !call_changed)
                            || (event == 6 && call_changed && !message_changed),
                        "event {event}, {shown:?} {calls:?}, {}",
                        what()
                    );
                }
            }
        }
    }
    assert!(same > 1000 && other > 10, "{same} {other}");
}

#[test]
fn a_stream_is_complete_only_with_its_whole_last_event() {
    for name in ["text", "calls"] {
        let stream = recorded(name);
        let whole = result_from_stream(&stream, &String::new);
        assert!(whole.is_some());
        for end in [&b"\n"[..], b"\r\n", b"\r"] {
            let stream: Vec<u8> = stream
                .split(|byte| *byte == b'\n')
                .collect::<Vec<_>>()
                .join(end);
            // The first line end after the last event's data ends its line, and the next one the event. Of a CRLF the
            // CR is enough.
            let last = stream.len() + 1 - end.len();
            let (mut decoder, mut answer, mut show) =
                (Decoder::default(), Answer::default(), Vec::new());
            for cut in 0..=stream.len() {
                let what = || format!("{name} cut at {cut}");
                let result = result(&answer, &show, &what);
                assert_eq!(result, whole.clone().filter(|_| cut >= last), "{}", what());
                let next = &stream[cut..stream.len().min(cut + 1)];
                let fed = decoder.feed(next, |frame| answer.take(frame, &mut show));
                fed.expect("short");
            }
        }
    }
}

/// All interleavings of two sequences of events.
fn mixes(one: &[&str], other: &[&str]) -> Vec<Vec<String>> {
    let with = |first: &str, rest: Vec<Vec<String>>| {
        let start = move |mut mix: Vec<String>| {
            mix.insert(0, first.to_owned());
            mix
        };
        rest.into_iter().map(start).collect::<Vec<_>>()
    };
    match (one, other) {
        ([], rest) | (rest, []) => vec![rest.iter().map(|event| (*event).to_owned()).collect()],
        ([a, one_rest @ ..], [b, other_rest @ ..]) => {
            let mut all = with(a, mixes(one_rest, other));
            all.extend(with(b, mixes(one, other_rest)));
            all
        }
    }
}

#[test]
fn interleaved_events_of_two_items_give_the_same_answer() {
    let added = |n: usize, kind: &str| {
        format!(
            r#"{{"type":"response.output_item.added","output_index":{n},"item":{{"type":"{kind}","call_id":"c{n}","name":"t"}}}}"#
        )
    };
    let delta = |n: usize, kind: &str, text: &str| {
        format!(r#"{{"type":"response.{kind}.delta","output_index":{n},"delta":"{text}"}}"#)
    };
    let done = |n: usize, item: &str| {
        format!(r#"{{"type":"response.output_item.done","output_index":{n},"item":{item}}}"#)
    };
    let message = |n: usize| {
        let text = format!("message {n}");
        let item =
            format!(r#"{{"type":"message","content":[{{"type":"output_text","text":"{text}"}}]}}"#);
        let (one, two) = text.split_at(4);
        let kind = "output_text";
        vec![
            added(n, "message"),
            delta(n, kind, one),
            delta(n, kind, two),
            done(n, &item),
        ]
    };
    let call = |n: usize| {
        let item =
            format!(r#"{{"type":"function_call","call_id":"c{n}","name":"t","arguments":"{{}}"}}"#);
        let kind = "function_call_arguments";
        vec![
            added(n, "function_call"),
            delta(n, kind, "{"),
            delta(n, kind, "}"),
            done(n, &item),
        ]
    };
    let end = r#"{"type":"response.completed","response":{"status":"completed","output":[]}}"#;
    for (one, other) in [
        (message(0), message(1)),
        (message(0), call(1)),
        (call(0), message(1)),
        (call(0), call(1)),
    ] {
        let one: Vec<&str> = one.iter().map(String::as_str).collect();
        let other: Vec<&str> = other.iter().map(String::as_str).collect();
        let in_order = result_from_frames([&one[..], &other, &[end]].concat(), &String::new);
        assert!(in_order.is_some());
        let all = mixes(&one, &other);
        assert_eq!(all.len(), 70);
        for mut mix in all {
            mix.push(end.to_owned());
            let what = || format!("{mix:#?}");
            let result = result_from_frames(&mix, &what);
            let mut expected = in_order.clone();
            if let (true, Some((shown, _))) = (mix[0] == other[0], &mut expected) {
                shown.reverse();
            }
            assert_eq!(result, expected, "{}", what());
        }
    }
}
