//! A conversation that is compacted, again, and expanded.

use super::*;
use crate::agent::profile::tests::PROFILE;

const CALL: &str =
    r#"{"type":"function_call","id":"fc_1","call_id":"c","name":"t","arguments":"{}"}"#;
const OUTPUT: &str = r#"{"type":"function_call_output","call_id":"c","output":"x"}"#;
const COMPACTED: &str = r#"{"type":"compaction","encrypted_content":"g"}"#;

fn user(text: &str) -> String {
    String::from_utf8(user_message(text, &[], ImageSupport::Bare)).expect("UTF-8")
}

fn items(body: &RequestBody) -> Vec<String> {
    let item = |item: &[u8]| String::from_utf8(item.to_vec()).expect("UTF-8");
    body.items().map(item).collect()
}

fn begin(all: &[&str]) -> (Compaction, RequestBody) {
    let compaction = Compaction::new(PROFILE(), "k");
    let mut body = PROFILE().body(PROFILE().shape, &[], "k");
    for item in all {
        body.push(item.as_bytes());
    }
    (compaction, body)
}

#[test]
fn a_compaction_covers_everything_but_the_questions_at_the_end() {
    let [one, two, three] = ["one", "two", "three"].map(user);
    let (mut compaction, mut body) = begin(&[&one, CALL, OUTPUT, &two]);
    assert_eq!(compaction.covered(&body), 3);
    assert!(compaction.shortens(&body));
    let trigger = items(&compaction.trigger(&body));
    assert_eq!(trigger[..3], [&*one, CALL, OUTPUT]);
    assert_eq!(trigger[3].as_bytes(), TRIGGER);
    let standing = compaction.apply(&mut body, COMPACTED.into());
    assert_eq!(standing.len(), 2);
    assert_eq!(items(&body), [&*one, COMPACTED, &two]);
    // Nothing to remove: the question waits for its answer.
    assert!(!compaction.shortens(&body) && compaction.is_fresh());
    for item in [CALL, OUTPUT] {
        body.push(item.as_bytes());
    }
    assert!(compaction.shortens(&body));
    compaction.apply(&mut body, COMPACTED.replace('g', "h").into());
    body.push(three.as_bytes());
    let newest = COMPACTED.replace('g', "h");
    assert_eq!(items(&body), [&*one, &two, &newest, &three]);
    // The text for a summary has what the service alone could read.
    let text = compaction.transcript(&body, usize::MAX);
    let expected =
        "User: one\n\nCall of t: {}\n\nResult: x\n\nUser: two\n\nCall of t: {}\n\nResult: x\n\n";
    assert_eq!(text, expected);
    // Another model gets every item again.
    let whole = compaction.whole(&body).expect("it was compacted");
    assert_eq!(
        items(&whole),
        [&*one, CALL, OUTPUT, &two, CALL, OUTPUT, &three]
    );
    // So does a resumed conversation.
    let (mut resumed, mut again) = begin(&[&*one, CALL, OUTPUT, &two, CALL, OUTPUT, &three]);
    let stored = [&one, &two, &newest].map(|item| item.clone().into_bytes());
    resumed.restore(&mut again, 6, &stored);
    assert_eq!(items(&again), items(&body));
    assert_eq!(
        resumed.whole(&again).map(|body| items(&body)),
        Some(items(&whole))
    );
}

#[test]
fn there_may_be_nothing_to_compact() {
    let question = user("one");
    let (compaction, body) = begin(&[]);
    assert!(!compaction.shortens(&body));
    let (compaction, body) = begin(&[&question, &question]);
    assert!(!compaction.shortens(&body));
}

#[test]
fn the_length_is_what_was_reported_and_an_estimate() {
    let (mut compaction, mut body) = begin(&[&user("one")]);
    assert_eq!(compaction.tokens(&body), body.tokens());
    let usage = Usage {
        input: 1_000,
        output: 24,
        ..Usage::default()
    };
    compaction.answered(usage, Some(2_000));
    assert_eq!(compaction.tokens(&body), 1_024);
    body.push(CALL.as_bytes());
    compaction.joined(body.len());
    assert_eq!(compaction.tokens(&body), 1_024);
    body.push(OUTPUT.as_bytes());
    assert_eq!(compaction.tokens(&body), 1_024 + body.tokens_of(2..3));
    compaction.apply(&mut body, COMPACTED.into());
    assert_eq!(compaction.tokens(&body), body.tokens());
    // Only the first answer afterwards can show that it did not help.
    compaction.answered(usage, Some(1_000));
    assert_eq!(compaction.still_full(), Some(1_024));
    compaction.answered(usage, Some(1_000));
    assert_eq!(compaction.still_full(), None);
}

#[test]
fn an_answer_without_a_length_ends_the_wait_for_one() {
    let (mut compaction, mut body) = begin(&[&user("one"), CALL, OUTPUT]);
    compaction.apply(&mut body, COMPACTED.into());
    compaction.answered_uncounted(&body, Some(1_000_000));
    assert!(!compaction.is_fresh());
    assert_eq!(compaction.still_full(), None);
    compaction.apply(&mut body, COMPACTED.into());
    compaction.answered_uncounted(&body, Some(1));
    assert_eq!(compaction.still_full(), Some(body.tokens()));
}
