//! Events of an answer: each is read the same however its fields are arranged around it, and an answer that counts as
//! complete was shown as it says that it is.
#![no_main]

use std::borrow::Cow;

use codex_run::wire::answer::{Answer, Show, Verdict};
use codex_run::wire::event::{self, Event};
use codex_run::wire::item::ItemKind;
use codex_run::wire::sse::Decoder;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The short way to read the usual event says what the way for all events says. A field that nobody knows, with a
/// value that the short way does not take, leads to the other one.
fn read_twice(frame: &[u8]) {
    let Some(Event::Text(place, text @ Cow::Borrowed(_))) = event::parse(frame) else {
        return;
    };
    let Some(inner) = frame.strip_prefix(b"{") else {
        return;
    };
    // What is no UTF-8 in a field that nobody reads is replaced on the longer way, and stays unseen on the short one.
    let general = String::from_utf8_lossy(&[br#"{"detour":{},"#, inner].concat()).into_owned();
    match event::parse(general.as_bytes()) {
        Some(Event::Text(other_place, other)) => {
            assert_eq!((place.index, &text), (other_place.index, &other));
        }
        other => panic!("{} is {other:?}", String::from_utf8_lossy(frame)),
    }
    // And serde, which reads everything, agrees. Half a surrogate pair is no text to it.
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
    // It is complete, so it has been shown as it is. Messages are shown in the order in which they come up, which may
    // not be that of their numbers.
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
    // Every item goes back as the JSON object that it came as.
    for item in answer.items() {
        let raw = std::str::from_utf8(item.raw()).expect("JSON is text");
        assert!(
            raw.starts_with('{')
                && serde_json::from_str::<&serde_json::value::RawValue>(raw).is_ok()
        );
    }
});
