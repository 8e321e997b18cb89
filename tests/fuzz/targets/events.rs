//! Events of an answer: each is read the same however its fields are arranged, and an answer that counts as complete was
//! shown exactly.
#![no_main]

use std::borrow::Cow;

use codex_run::wire::answer::{Answer, Show, Verdict};
use codex_run::wire::event::{self, Event};
use codex_run::wire::item::ItemKind;
use codex_run::wire::sse::Decoder;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The fast path for common events gives the same result as the general one. An unknown field, with a value that the fast
/// path does not support, leads to the general one.
fn read_twice(frame: &[u8]) {
    let Some(Event::Text(place, text @ Cow::Borrowed(_))) = event::parse(frame) else {
        return;
    };
    let Some(inner) = frame.strip_prefix(b"{") else {
        return;
    };
    // Invalid UTF-8 in an unknown field is replaced on the general path, and never looked at on the fast one.
    let general = String::from_utf8_lossy(&[br#"{"detour":{},"#, inner].concat()).into_owned();
    match event::parse(general.as_bytes()) {
        Some(Event::Text(other_place, other)) => {
            assert_eq!((place.index, &text), (other_place.index, &other));
        }
        other => panic!("{} is {other:?}", String::from_utf8_lossy(frame)),
    }
    // And serde, which reads everything, agrees. It rejects half a surrogate pair.
    if let Ok(value) = serde_json::from_slice::<Value>(frame) {
        assert_eq!(value["delta"].as_str(), Some(&*text));
    }
}

fuzz_target!(|stream: &[u8]| {
    let (mut decoder, mut answer, mut show) = (Decoder::default(), Answer::default(), Vec::new());
    let fed = decoder.feed(stream, |frame| {
        read_twice(frame);
        let (before, ended) = (show.len(), answer.ended());
        answer.take(frame, &mut show);
        assert!(!ended || (show.len() == before && answer.ended()));
    });
    fed.expect("no input is that long");
    assert!(show.iter().filter(|show| **show == Show::Skipped).count() <= 1);
    let told = show.contains(&Show::Skipped);
    assert_eq!(told, answer.skipped() > 0);
    let verdict = answer.verdict();
    assert_eq!(verdict, answer.verdict());
    let calls = match verdict {
        Verdict::Trouble(_) => return,
        Verdict::Answered => Vec::new(),
        Verdict::Calls(calls) => calls,
    };
    // It is complete, so it has been shown exactly. Messages are shown in order of appearance, which may differ from the
    // order of their indices.
    assert!(answer.ended());
    let mut shown = vec![String::new()];
    for show in &show {
        match show {
            Show::Text(text) => shown.last_mut().expect("one").push_str(text),
            Show::MessageEnd => shown.push(String::new()),
            Show::Skipped | Show::Summary(_) | Show::Searched(_) => {}
        }
    }
    assert_eq!(shown.pop().as_deref(), Some(""));
    let mut said: Vec<String> = answer
        .items()
        .map(|item| item.text().into_owned())
        .collect();
    said.retain(|text| !text.is_empty());
    shown.sort();
    said.sort();
    assert_eq!(shown, said);
    let items = answer.items().filter_map(|item| match &item.kind {
        ItemKind::Call(call) => Some(call.clone()),
        _ => None,
    });
    assert_eq!(calls, items.collect::<Vec<_>>());
    assert!(
        calls
            .iter()
            .all(|call| !call.unfinished && !call.call_id.is_empty())
    );
    // Every item is sent back as the JSON object that it arrived as.
    for item in answer.items() {
        let raw = std::str::from_utf8(item.raw()).expect("JSON is text");
        assert!(
            raw.starts_with('{')
                && serde_json::from_str::<&serde_json::value::RawValue>(raw).is_ok()
        );
    }
});
