//! Items that arrive twice, and the list of the final object.

use super::super::tests::message;
use super::super::{Trouble, Verdict};
use super::*;

fn completed(items: &[&str]) -> String {
    format!(
        r#"{{"type":"response.completed","response":{{"output":[{}]}}}}"#,
        items.join(",")
    )
}

fn item(id: &str, text: &str) -> String {
    format!(
        r#"{{"type":"message","id":"{id}","content":[{{"type":"output_text","text":"{text}"}}]}}"#
    )
}

fn call(id: &str) -> String {
    format!(
        r#"{{"type":"function_call","id":"fc_{id}","call_id":"{id}","name":"t","arguments":"{{}}"}}"#
    )
}

fn done(index: u64, item: &str) -> String {
    format!(r#"{{"type":"response.output_item.done","output_index":{index},"item":{item}}}"#)
}

/// The shown texts and the verdict.
fn outcome(events: &[String]) -> (Vec<String>, Verdict) {
    let (mut answer, mut show) = (Answer::default(), Vec::new());
    for event in events {
        answer.take(event.as_bytes(), &mut show);
    }
    let text = |show| match show {
        Show::Text(text) => Some(text),
        Show::MessageEnd | Show::Summary(_) | Show::Searched(_) | Show::Skipped => None,
    };
    (
        show.into_iter().filter_map(text).collect(),
        answer.verdict(),
    )
}

fn check_texts(events: &[String], texts: &[&str]) {
    assert_eq!(
        outcome(events),
        (
            texts.iter().map(|t| (*t).to_owned()).collect(),
            Verdict::Answered
        ),
        "{events:#?}"
    );
}

fn calls(events: &[String], ids: &[&str]) {
    let (_, Verdict::Calls(calls)) = outcome(events) else {
        panic!("no calls: {events:#?}");
    };
    let found: Vec<&str> = calls.iter().map(|call| &*call.call_id).collect();
    assert_eq!(found, ids, "{events:#?}");
}

#[test]
fn items_that_share_a_position_are_all_kept() {
    let (one, two) = (item("m1", "one"), item("m2", "two"));
    check_texts(
        &[done(0, &one), done(0, &two), completed(&[])],
        &["one", "two"],
    );
    check_texts(&[done(0, &one), done(0, &one), completed(&[])], &["one"]);
    check_texts(
        &[done(0, &one), done(0, &item("m9", "one")), completed(&[])],
        &["one"],
    );
    calls(
        &[done(0, &call("a")), done(0, &call("b")), completed(&[])],
        &["a", "b"],
    );
    let twice = outcome(&[done(0, &one), done(0, &item("m1", "other")), completed(&[])]);
    assert_eq!(twice.1, Verdict::Trouble(Trouble::Differs));
}

#[test]
fn items_in_the_final_object_are_not_duplicated() {
    let ok = |id| item(id, "OK");
    check_texts(&[completed(&[&ok("m1"), &ok("m2")])], &["OK", "OK"]);
    check_texts(
        &[message(0, "OK"), completed(&[&ok("m1"), &ok("m2")])],
        &["OK", "OK"],
    );
    check_texts(&[message(0, "OK"), completed(&[&ok("m1")])], &["OK"]);
    let thought = r#"{"type":"reasoning","id":"rs"}"#;
    check_texts(
        &[
            done(0, thought),
            message(1, "A"),
            completed(&[&item("b", "B"), &item("a", "A")]),
        ],
        &["A", "B"],
    );
    calls(
        &[
            done(0, thought),
            done(1, &item("a", "A")),
            completed(&[&call("c"), &item("a", "A")]),
        ],
        &["c"],
    );
    calls(
        &[done(0, &call("y")), completed(&[&call("x"), &call("y")])],
        &["y", "x"],
    );
    let differs = outcome(&[message(0, "A"), completed(&[&item("a", "B")])]);
    assert_eq!(differs.1, Verdict::Trouble(Trouble::Differs));
}

#[test]
fn a_long_list_of_the_items_that_arrived_is_left_out() {
    let long = "x\\n".repeat(MIN_SHORTENED_BYTES);
    let (one, two) = (item("m1", &long), item("m2", "two"));
    let check = |came: &[&str], listed: &[&str], is_shortened: bool, verdict: &Verdict| {
        let (mut answer, mut show) = (Answer::default(), Vec::new());
        for (index, item) in (0..).zip(came) {
            answer.take(done(index, item).as_bytes(), &mut show);
        }
        // A malformed event may have carried an item.
        answer.take(
            br#"{"type":"response.output_item.done","item":{"#,
            &mut show,
        );
        let last = completed(listed);
        let short = answer.without_items(last.as_bytes());
        let expected = is_shortened.then(|| completed(&[]).into_bytes());
        assert_eq!(short, expected);
        answer.take(last.as_bytes(), &mut show);
        assert_eq!(answer.verdict(), *verdict);
    };
    let lost = Verdict::Trouble(Trouble::Unfinished);
    check(&[&one, &two], &[&one, &two], true, &Verdict::Answered);
    check(&[&one, &two], &[&two, &one], false, &Verdict::Answered);
    check(&[&one], &[&one, &two], false, &Verdict::Answered);
    check(&[&one, &two], &[&one], false, &Verdict::Answered);
    check(&[], &[], false, &lost);
    // Without items, a long event says nothing about what was lost.
    let mut answer = Answer::default();
    let padded = completed(&[]).replace("\"output\"", &format!("\"x\":\"{long}\",\"output\""));
    assert!(answer.without_items(padded.as_bytes()).is_none());
    answer.take(
        br#"{"type":"response.output_item.done","item":{"#,
        &mut Vec::new(),
    );
    answer.take(padded.as_bytes(), &mut Vec::new());
    assert_eq!(answer.verdict(), lost);
}

#[test]
fn reasoning_takes_encrypted_content_from_the_final_object() {
    let thought = |sealed: &str| {
        format!(r#"{{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":{sealed}}}"#)
    };
    let check = |came: &str, listed: &[&str], kept: &str| {
        let (mut answer, mut show) = (Answer::default(), Vec::new());
        let listed: Vec<String> = listed.iter().map(|item| (*item).to_owned()).collect();
        let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
        for event in [done(0, came), done(1, &item("m", "A")), completed(&listed)] {
            answer.take(event.as_bytes(), &mut show);
        }
        let first = answer.items().next().expect("an item");
        let found: serde_json::Value = serde_json::from_slice(first.raw()).expect("JSON");
        assert_eq!(found["encrypted_content"].to_string(), kept, "{came}");
        let sealed = kept != "null";
        assert_eq!(first.kind, ItemKind::Reasoning { sealed });
        assert_eq!(answer.items().count(), 2);
    };
    let (open, sealed) = (thought("null"), thought("\"late\""));
    let without = open.replace(r#","encrypted_content":null"#, "");
    let said = item("m", "A");
    check(&open, &[&sealed, &said], "\"late\"");
    check(&without, &[&sealed, &said], "\"late\"");
    check(&open, &[&said, &sealed], "\"late\"");
    check(&open, &[], "null");
    check(&open, &[&open, &said], "null");
    let other = sealed.replace("rs_1", "rs_2");
    check(&open, &[&other, &said], "null");
    // The item from its own event takes precedence.
    check(&thought("\"early\""), &[&sealed, &said], "\"early\"");
}
