//! The body of a conversation after every sequence of changes.

use super::super::request::tests::{HEAD, json};
use super::*;

const LITE: RequestHead<'static> = RequestHead {
    shape: Shape::Lite,
    ..HEAD
};

/// Items of different lengths: with blanks, of one character, and with a comma inside.
const ITEMS: [&[u8]; 3] = [br#"{ "a": 1 }"#, b"7", br#"["b","c"]"#];

/// Asserts that the body has exactly these items, and equals a body to which they were appended one by one.
fn check(body: &RequestBody, items: &[Vec<u8>], done: &[String]) {
    let shape = body.shape();
    let mut whole = RequestBody::new(&RequestHead { shape, ..HEAD });
    let head_tokens = whole.tokens();
    for item in items {
        whole.push(item);
    }
    assert_eq!(whole.bytes(), body.bytes(), "{done:?}");
    assert!(body.items().eq(items.iter().map(Vec::as_slice)), "{done:?}");
    assert!(body.items().rev().eq(items.iter().rev().map(Vec::as_slice)));
    let input = json(body)["input"].as_array().map(Vec::len);
    let own = usize::from(shape == Shape::Lite);
    assert_eq!(input, Some(items.len() + own), "{done:?}");
    assert_eq!(body.len(), items.len());
    assert_eq!(
        body.tokens(),
        head_tokens + body.tokens_of(0..body.len()),
        "{done:?}"
    );
    for (n, item) in items.iter().enumerate() {
        assert_eq!(body.tokens_of(n..n + 1), estimate(item.len()), "{done:?}");
    }
}

/// Applies every operation, in sequences of up to `steps`, and returns the number of sequences.
fn apply_all(body: &RequestBody, items: &[Vec<u8>], steps: usize, done: &mut Vec<String>) -> usize {
    check(body, items, done);
    if steps == 0 {
        return 1;
    }
    let mut count = 0;
    let mut step = |what: String, body: &RequestBody, items: &[Vec<u8>]| {
        done.push(what);
        count += apply_all(body, items, steps - 1, done);
        done.pop();
    };
    for item in ITEMS {
        let (mut body, mut items) = (body.clone(), items.to_vec());
        body.push(item);
        items.push(item.to_vec());
        step(format!("push {item:?}"), &body, &items);
    }
    for length in 0..=items.len() + 1 {
        let (mut body, mut items) = (body.clone(), items.to_vec());
        body.truncate(length);
        items.truncate(length);
        step(format!("truncate {length}"), &body, &items);
    }
    for start in 0..=items.len() {
        for end in start..=items.len() {
            for by in 0..=2 {
                let (mut body, mut items) = (body.clone(), items.to_vec());
                body.replace(start..end, ITEMS[..by].iter().copied());
                items.splice(start..end, ITEMS[..by].iter().map(|item| item.to_vec()));
                step(format!("replace {start}..{end} by {by}"), &body, &items);
            }
        }
    }
    count
}

#[test]
fn every_sequence_of_changes_equals_a_list_of_items() {
    for head in [HEAD, LITE] {
        let count = apply_all(&RequestBody::new(&head), &[], 3, &mut Vec::new());
        assert!(count > 2_000, "{count}");
        let mut body = RequestBody::new(&head);
        let items: Vec<Vec<u8>> = ITEMS
            .iter()
            .chain(&ITEMS[..1])
            .map(|i| i.to_vec())
            .collect();
        for item in &items {
            body.push(item);
        }
        apply_all(&body, &items, 2, &mut Vec::new());
    }
}

#[test]
fn an_image_has_a_fixed_token_estimate() {
    let url = format!("data:image/png;base64,{}", "A".repeat(100_000));
    let mut body = RequestBody::new(&HEAD);
    let item = body.push_message("look at this", &[url]);
    let tokens = body.tokens_of(0..1);
    assert_eq!(tokens, IMAGE_TOKENS + 3);
    body.push(&item);
    body.push_stored(&item);
    for n in 1..3 {
        let counted = body.tokens_of(n..n + 1);
        assert!(counted > tokens && counted < tokens + 50, "{counted}");
    }
}

#[test]
fn an_item_without_an_image_keeps_its_bytes() {
    let words = br#"{ "type":"message","role":"user","content":"what is an input_image?" }"#;
    let image = br#"{ "type":"message","role":"user","content":[{"type":"input_image","image_url":"data:x"}] }"#;
    let mut lite = RequestBody::new(&LITE);
    lite.push_stored(words);
    lite.push_stored(image);
    let there = lite.with_head(RequestBody::new(&HEAD));
    assert_eq!(there.items().next(), Some(&words[..]));
    let back = there.with_head(RequestBody::new(&LITE));
    assert!(lite.items().eq([&words[..], &image[..]]));
    assert_eq!(json(&back), json(&lite));
}

#[test]
fn reasoning_is_removed_and_the_rest_stays() {
    let mut body = RequestBody::new(&HEAD);
    let asked = body.push_message("look", &["data:x".to_owned()]);
    body.push(br#"{"type":"reasoning","id":"rs_1","encrypted_content":"g"}"#);
    body.push(br#"{"type":"function_call","id":"fc_1","call_id":"c","name":"t","arguments":"{}"}"#);
    let counted = body.tokens_of(0..1);
    body.remove_reasoning();
    let call = br#"{"arguments":"{}","call_id":"c","name":"t","type":"function_call"}"#;
    assert!(body.items().eq([&asked[..], &call[..]]));
    assert_eq!(body.tokens_of(0..1), counted);
}

#[test]
fn a_conversation_moves_to_another_head_and_back() {
    let mut body = RequestBody::new(&HEAD);
    let to_lite = |body: &RequestBody| body.with_head(RequestBody::new(&LITE));
    let back = |body: &RequestBody| body.with_head(RequestBody::new(&HEAD));
    assert_eq!(to_lite(&body).bytes(), RequestBody::new(&LITE).bytes());
    body.push(br#"{ "as": "it came" }"#);
    let there = to_lite(&body);
    assert!(there.bytes().ends_with(br#",{ "as": "it came" }]}"#));
    assert_eq!(back(&there).bytes(), body.bytes());
    assert_eq!(back(&there).tokens(), body.tokens());
    body.push_message("look", &["data:x".to_owned()]);
    let there = to_lite(&body);
    let part = &json(&there)["input"][2]["content"][1];
    assert_eq!(part["image_url"], "data:x");
    assert_eq!(part.get("detail"), None);
    assert_eq!(json(&back(&there)), json(&body));
}
