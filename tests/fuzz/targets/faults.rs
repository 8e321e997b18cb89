//! What the service says when it says no: never a panic, and words that are short and steer no terminal.
#![no_main]

use codex_run::wire::fault::{self, Fault};
use libfuzzer_sys::fuzz_target;

fn check(fault: &Fault) {
    for words in [&fault.message, &fault.code] {
        assert!(words.len() <= 1100, "{} bytes", words.len());
        assert!(!words.contains(|c: char| c.is_control()), "{words:?}");
    }
}

fuzz_target!(|input: &[u8]| {
    let [high, low, body @ ..] = input else {
        return;
    };
    let status = u16::from_be_bytes([*high, *low]) % 1000;
    let id = String::from_utf8_lossy(&body[..body.len().min(20)]);
    let fault = fault::of_answer(status, Some(&id), body);
    check(&fault);
    assert_eq!(fault.status, Some(status));
    check(&fault::of_event(body));
    if let Ok(text) = std::str::from_utf8(body) {
        check(&fault::of_response(text));
    }
});
