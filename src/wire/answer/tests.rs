//! Output and verdict of answers, frame by frame and cut by cut.

use super::*;
use crate::wire::sse::Decoder;

pub(super) fn message(index: u64, text: &str) -> String {
    format!(
        r#"{{"type":"response.output_item.done","output_index":{index},"item":{{"type":"message","content":[{{"type":"output_text","text":"{text}"}}]}}}}"#
    )
}

pub(super) fn delta(index: u64, text: &str) -> String {
    format!(r#"{{"type":"response.output_text.delta","output_index":{index},"delta":"{text}"}}"#)
}

fn call(index: u64, id: &str) -> String {
    format!(
        r#"{{"type":"response.output_item.done","output_index":{index},"item":{{"type":"function_call","call_id":"{id}","name":"t","arguments":"{{}}"}}}}"#
    )
}

pub(super) const COMPLETED: &str =
    r#"{"type":"response.completed","response":{"status":"completed","output":[]}}"#;

/// The output, with `|` at the end of a message and `?` for a skipped event, and the answer.
fn feed(frames: &[&str]) -> (String, Answer) {
    let (mut answer, mut show) = (Answer::default(), Vec::new());
    for frame in frames {
        answer.take(frame.as_bytes(), &mut show);
    }
    (rendered(&show), answer)
}

fn rendered(show: &[Show]) -> String {
    let mut output = String::new();
    for show in show {
        output.push_str(match show {
            Show::Text(text) => text,
            Show::MessageEnd => "|",
            Show::Summary(words) => words,
            Show::Searched(search) => search.query.as_deref().unwrap_or_default(),
            Show::Skipped => "?",
        });
    }
    output
}

pub(super) fn check(frames: &[&str], shown: &str, verdict: Verdict) {
    let (output, answer) = feed(frames);
    assert_eq!(
        (&*output, answer.verdict()),
        (shown, verdict),
        "{frames:#?}"
    );
}

pub(super) fn trouble(trouble: Trouble) -> Verdict {
    Verdict::Trouble(trouble)
}

#[test]
fn text_streams_and_a_missing_tail_is_shown() {
    let (a, b, all) = (delta(0, "hel"), delta(0, "lo"), message(0, "hello"));
    check(&[&a, &b, &all, COMPLETED], "hello|", Verdict::Answered);
    check(&[&a, &all, COMPLETED], "hello|", Verdict::Answered);
    check(&[&all, COMPLETED], "hello|", Verdict::Answered);
    check(
        &[&a, "{", &b, &all, COMPLETED],
        "hel?lo|",
        Verdict::Answered,
    );
}

#[test]
fn any_other_difference_invalidates_the_answer() {
    let (a, b, all) = (delta(0, "hel"), delta(0, "lo"), message(0, "hello"));
    check(&[&b, &all, COMPLETED], "lo", trouble(Trouble::Differs));
    check(
        &[&a, "{", &b, &message(0, "help lo"), COMPLETED],
        "hel?lo",
        trouble(Trouble::Differs),
    );
    check(
        &[&a, &b, &b, &all, COMPLETED],
        "hellolo",
        trouble(Trouble::Differs),
    );
    check(&[&all, &b, COMPLETED], "hello|", trouble(Trouble::Differs));
}

#[test]
fn messages_are_shown_one_at_a_time() {
    let (a, b) = (delta(0, "a"), delta(1, "b"));
    let (first, second) = (message(0, "aa"), message(1, "bb"));
    check(
        &[&a, &b, &second, &first, COMPLETED],
        "aa|bb|",
        Verdict::Answered,
    );
    check(
        &[&a, &b, &first, &b, &second, COMPLETED],
        "aa|bb|",
        Verdict::Answered,
    );
    check(&[&first, &second, COMPLETED], "aa|bb|", Verdict::Answered);
}

#[test]
fn an_unfinished_item_does_not_delay_a_message() {
    let added =
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning"}}"#;
    check(
        &[added, &delta(1, "a"), &message(1, "a"), COMPLETED],
        "a|",
        Verdict::Answered,
    );
    let added =
        r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"message"}}"#;
    check(
        &[added, &delta(1, "a"), &message(1, "a"), COMPLETED],
        "",
        trouble(Trouble::Unfinished),
    );
}

#[test]
fn without_an_index_the_id_or_the_order_decides() {
    let delta = r#"{"type":"response.output_text.delta","item_id":"m","delta":"a"}"#;
    let bare = r#"{"type":"response.output_text.delta","delta":"a"}"#;
    let done = r#"{"type":"response.output_item.done","item":{"id":"m","type":"message","content":[{"type":"output_text","text":"ab"}]}}"#;
    check(&[delta, done, COMPLETED], "ab|", Verdict::Answered);
    check(&[bare, bare, COMPLETED], "aa", trouble(Trouble::Unfinished));
}

#[test]
fn items_that_arrived_in_no_event_come_from_the_final_object() {
    let output = |items: &str| {
        format!(r#"{{"type":"response.completed","response":{{"output":[{items}]}}}}"#)
    };
    let item = r#"{"type":"message","content":[{"type":"output_text","text":"hello"}]}"#;
    let calls = r#"{"type":"function_call","call_id":"c","name":"t","arguments":"{}"}"#;
    check(&[&output(item)], "hello|", Verdict::Answered);
    check(
        &[&delta(0, "hel"), &output(item)],
        "hello|",
        Verdict::Answered,
    );
    check(
        &[&message(1, "hello"), &output(item)],
        "hello|",
        Verdict::Answered,
    );
    let (_, answer) = feed(&[&call(0, "c"), &output(&format!("{item},{calls}"))]);
    assert!(matches!(answer.verdict(), Verdict::Calls(calls) if calls.len() == 1));
}

#[test]
fn calls_are_in_the_order_of_the_answer() {
    let (output, answer) = feed(&[&call(0, "a"), &message(1, "now"), &call(2, "b"), COMPLETED]);
    assert_eq!(output, "now|");
    match answer.verdict() {
        Verdict::Calls(calls) => {
            assert_eq!(
                calls.iter().map(|call| &*call.call_id).collect::<Vec<_>>(),
                ["a", "b"]
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(answer.items().count(), 3);
}

#[test]
fn endings_other_than_complete() {
    let done = message(0, "a");
    check(&[&done], "a|", trouble(Trouble::Cut));
    check(&[COMPLETED], "", trouble(Trouble::Empty));
    check(&[&message(0, ""), COMPLETED], "", trouble(Trouble::Empty));
    check(
        &[&delta(0, "a"), COMPLETED],
        "a",
        trouble(Trouble::Unfinished),
    );
    let incomplete = r#"{"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"}}}"#;
    check(
        &[&done, incomplete],
        "a|",
        trouble(Trouble::Incomplete(Some("max_output_tokens".into()))),
    );
    // Reported as finished first, and as unfinished in the end.
    let listed = r#"{"type":"response.incomplete","response":{"incomplete_details":{"reason":"max_output_tokens"},"output":[{"type":"message","status":"incomplete","content":[{"type":"output_text","text":"a"}]}]}}"#;
    check(
        &[&done, listed],
        "a|",
        trouble(Trouble::Incomplete(Some("max_output_tokens".into()))),
    );
    let quiet = r#"{"type":"response.completed","response":{"status":"incomplete","incomplete_details":{"reason":"x"}}}"#;
    check(
        &[&done, quiet],
        "a|",
        trouble(Trouble::Incomplete(Some("x".into()))),
    );
    let refused = r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"refusal","refusal":"no"}]}}"#;
    check(
        &[refused, COMPLETED],
        "",
        trouble(Trouble::Refused("no".into())),
    );
    let patch = r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"apply_patch_call"}}"#;
    check(
        &[patch, COMPLETED],
        "",
        trouble(Trouble::Waits(Some("apply_patch_call".into()))),
    );
    check(
        &[patch, &message(1, "done"), COMPLETED],
        "done|",
        Verdict::Answered,
    );
    let failed = r#"{"type":"response.failed","response":{"error":{"code":"x","message":"no"}}}"#;
    let (_, answer) = feed(&[failed, COMPLETED]);
    assert!(
        matches!(answer.verdict(), Verdict::Trouble(Trouble::Failed(fault)) if fault.message.as_deref() == Some("no"))
    );
    let (_, answer) = feed(&[r#"{"type":"error","message":"no"}"#]);
    assert!(answer.ended());
}

#[test]
fn invalid_utf8_is_replaced_as_in_the_standard() {
    let (mut answer, mut show) = (Answer::default(), Vec::new());
    answer.take(
        b"{\"type\":\"response.output_text.delta\",\"output_index\":0,\"delta\":\"a\xff\"}",
        &mut show,
    );
    assert_eq!(show, [Show::Text("a\u{fffd}".into())]);
}

#[test]
fn a_stream_gives_the_same_result_however_it_is_split() {
    let frames = [
        delta(0, "h\u{e9}"),
        message(0, "h\u{e9}llo"),
        call(1, "c"),
        COMPLETED.to_owned(),
    ];
    let stream: String = frames
        .iter()
        .map(|frame| format!("data: {frame}\r\n\r\n"))
        .collect();
    let stream = stream.as_bytes();
    let run = |pieces: &[&[u8]]| {
        let (mut decoder, mut answer, mut show) =
            (Decoder::default(), Answer::default(), Vec::new());
        for piece in pieces {
            decoder
                .feed(piece, |frame| answer.take(frame, &mut show))
                .expect("short");
        }
        (rendered(&show), answer.verdict())
    };
    let whole = run(&[stream]);
    assert_eq!(whole.0, "h\u{e9}llo|");
    for i in 0..=stream.len() {
        assert_eq!(run(&[&stream[..i], &stream[i..]]), whole, "cut at {i}");
        for j in i..=stream.len() {
            assert_eq!(
                run(&[&stream[..i], &stream[i..j], &stream[j..]]),
                whole,
                "cut at {i} and {j}"
            );
        }
    }
}

#[test]
fn an_answer_with_a_lost_call_is_incomplete() {
    let begun = r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","call_id":"c","name":"t"}}"#;
    let nameless = r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","call_id":"c"}}"#;
    let said = message(0, "a");
    check(
        &[&said, begun, COMPLETED],
        "a|",
        trouble(Trouble::Unfinished),
    );
    check(
        &[&said, begun, "{", COMPLETED],
        "a|?",
        trouble(Trouble::Unfinished),
    );
    check(
        &[&said, nameless, COMPLETED],
        "a|?",
        trouble(Trouble::Unfinished),
    );
}

#[test]
fn unusual_item_numbering_is_supported() {
    // The text events lack the index that the item's events have.
    let added = r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"m","type":"message"}}"#;
    let delta = r#"{"type":"response.output_text.delta","item_id":"m","delta":"hi"}"#;
    check(
        &[added, delta, &message(0, "hi"), COMPLETED],
        "hi|",
        Verdict::Answered,
    );
    // Every item has the same index.
    let first = r#"{"type":"response.output_item.added","output_index":0,"item":{"id":"r","type":"reasoning"}}"#;
    let done = r#"{"type":"response.output_item.done","output_index":0,"item":{"id":"r","type":"reasoning","encrypted_content":"x"}}"#;
    check(
        &[
            first,
            done,
            added,
            &super::tests::delta(0, "hi"),
            &message(0, "hi"),
            COMPLETED,
        ],
        "hi|",
        Verdict::Answered,
    );
    // The same reasoning again in the final object, at another position.
    let again = r#"{"type":"response.completed","response":{"output":[{"type":"x"},{"id":"r","type":"reasoning","encrypted_content":"x"}]}}"#;
    let (_, answer) = feed(&[done, &message(1, "hi"), again]);
    assert_eq!(
        answer
            .items()
            .filter(|item| matches!(item.kind, ItemKind::Reasoning { .. }))
            .count(),
        1
    );
}

#[test]
fn contradictions_about_completeness_are_errors() {
    let completed =
        |fields: &str| format!(r#"{{"type":"response.completed","response":{{{fields}}}}}"#);
    let said = message(0, "a");
    let verdict = |fields: &str| feed(&[&said, &completed(fields)]).1.verdict();
    assert_eq!(verdict(""), Verdict::Answered);
    assert_eq!(
        verdict(r#""status":"completed","error":null,"incomplete_details":null"#),
        Verdict::Answered
    );
    for fields in [
        r#""status":"in_progress""#,
        r#""status":7"#,
        r#""status":"completed","status":"completed""#,
        r#""status":"completed","error":{"message":"no"}"#,
        r#""status":"completed","incomplete_details":{"reason":"content_filter"}"#,
        r#""status":"failed","usage":{"x":1e999}"#,
    ] {
        assert!(matches!(verdict(fields), Verdict::Trouble(_)), "{fields}");
    }
}

#[test]
fn an_unreadable_item_makes_the_answer_incomplete_unless_the_final_object_has_it() {
    let said = message(0, "a");
    let torn = message(1, "b").replace("}]}}", "}]");
    check(
        &[&said, &torn, COMPLETED],
        "a|?",
        trouble(Trouble::Unfinished),
    );
    let item = |text: &str| {
        format!(r#"{{"type":"message","content":[{{"type":"output_text","text":"{text}"}}]}}"#)
    };
    let last = format!(
        r#"{{"type":"response.completed","response":{{"output":[{},{}]}}}}"#,
        item("a"),
        item("b")
    );
    check(&[&said, &torn, &last], "a|?b|", Verdict::Answered);
    let odd = message(1, "b").replace(r#""b""#, "7");
    check(
        &[&said, &odd, COMPLETED],
        "a|?",
        trouble(Trouble::Unfinished),
    );
    let cut = message(1, "b").replace(
        r#""type":"message""#,
        r#""type":"message","status":"incomplete""#,
    );
    check(
        &[&said, &cut, COMPLETED],
        "a|b|",
        trouble(Trouble::Unfinished),
    );
    let refusal = r#"{"type":"response.refusal.delta","output_index":1,"delta":"no"}"#;
    check(
        &[&said, refusal, COMPLETED],
        "a|",
        trouble(Trouble::Unfinished),
    );
}

#[test]
fn text_without_an_id_belongs_to_the_item_that_ends_next() {
    let delta = r#"{"type":"response.output_text.delta","delta":"hi"}"#;
    let done = r#"{"type":"response.output_item.done","item":{"id":"m","type":"message","content":[{"type":"output_text","text":"hi"}]}}"#;
    check(&[delta, done, COMPLETED], "hi|", Verdict::Answered);
}
