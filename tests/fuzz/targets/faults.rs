//! Error responses: never a panic, and messages that are short and contain no control characters.
#![no_main]

use std::cell::RefCell;

use codex_run::wire::fault::{self, Fault, FaultHead};
use libfuzzer_sys::fuzz_target;

/// 2026-11-20 12:35:00 UTC
const NOW: u64 = 1_795_178_100;

fn check(mut fault: Fault) {
    for words in fault.words() {
        assert!(words.len() <= 1100, "{} bytes", words.len());
        assert!(!words.contains(|c: char| c.is_control()), "{words:?}");
    }
}

fuzz_target!(|input: &[u8]| {
    let [high, low, rest @ ..] = input else {
        return;
    };
    let status = u16::from_be_bytes([*high, *low]) % 1000;
    // A line for each header that is used, then the body.
    let (head, body) = match rest.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&rest[..at], &rest[at + 2..]),
        None => (&[][..], rest),
    };
    let head = String::from_utf8_lossy(head);
    let lines = RefCell::new(head.lines());
    let head = FaultHead::read(status, |_| {
        let value = lines.borrow_mut().next()?;
        (!value.is_empty()).then(|| value.to_owned())
    });
    let fault = fault::from_response(&head, body, NOW);
    assert_eq!(fault.status, Some(status));
    check(fault);
    let mut event = fault::from_event(body);
    event.set_head(&head, NOW);
    check(event);
    if let Ok(text) = std::str::from_utf8(body) {
        check(fault::from_response_object(text));
    }
});
