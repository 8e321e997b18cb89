//! The ids that the stand-in issues, and the encrypted reasoning that it recognises when it is sent
//! back. Both are made from one counter, so a run can be repeated and no two are the same.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::lock;

/// Prefix of every invented encrypted content; the real ones begin with `gAAAAA`.
pub(super) const SEAL: &str = "gAAAAAstandin";

/// Between an id's kind and its number.
const MARK: &str = "_standin_";

/// The counter behind every id of one server, and which of its items were produced by which reasoning.
#[derive(Default)]
pub(super) struct Ids {
    count: AtomicU64,
    /// By the id of an item, that of the reasoning before it in its answer.
    reasoning: Mutex<HashMap<String, String>>,
}

impl Ids {
    /// A new number, one more than the last.
    pub(super) fn number(&self) -> u64 {
        self.count.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// A new id of a kind: `call_standin_7`.
    pub(super) fn make(&self, kind: &str) -> String {
        format!("{kind}{MARK}{}", self.number())
    }

    /// Records which items of an answer, given as its stream, were produced by which reasoning.
    pub(super) fn answered(&self, stream: &[u8]) {
        let mut before: Option<String> = None;
        for line in stream.split(|byte| matches!(byte, b'\n' | b'\r')) {
            let is_item = |line: &[u8]| {
                let text = String::from_utf8_lossy(line);
                text.contains("\"response.output_item.done\"")
            };
            let Some(data) = line.strip_prefix(b"data:").filter(|data| is_item(data)) else {
                continue;
            };
            let event: Value = serde_json::from_slice(data).unwrap_or_default();
            let item = &event["item"];
            let Some(id) = item["id"].as_str() else {
                continue;
            };
            if item["type"] == "reasoning" {
                before = Some(id.to_owned());
            } else if let Some(reasoning) = &before {
                lock(&self.reasoning).insert(id.to_owned(), reasoning.clone());
            }
        }
    }

    /// The reasoning that must precede this item.
    pub(super) fn reasoning_of(&self, id: &str) -> Option<String> {
        lock(&self.reasoning).get(id).cloned()
    }

    /// Records an id that a client sent, so that a conversation begun with a different server
    /// does not get the same ids again.
    pub(super) fn seen(&self, id: &str) {
        let number = id.rsplit_once(MARK).map(|(_, digits)| digits.parse());
        if let Some(Ok(number)) = number {
            self.count.fetch_max(number, Ordering::SeqCst);
        }
    }
}

/// The encrypted content number `number`: bytes that look random and are always the same.
pub(super) fn sealed(number: u64) -> String {
    let mut bytes = number.to_be_bytes().to_vec();
    let mut state = number ^ 0x9e37_79b9_7f4a_7c15;
    for _ in 0..24 {
        // xorshift64, which looks random enough
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_be_bytes());
    }
    format!("{SEAL}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether this is exactly what [`sealed`] returned for some number.
pub(super) fn is_sealed(content: &str) -> bool {
    let bytes = content
        .strip_prefix(SEAL)
        .and_then(|rest| URL_SAFE_NO_PAD.decode(rest).ok());
    let number = bytes.and_then(|bytes| Some(u64::from_be_bytes(*bytes.first_chunk()?)));
    number.is_some_and(|number| sealed(number) == content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seal_breaks_with_any_byte() {
        let content = sealed(12);
        assert!(is_sealed(&content));
        assert_ne!(content, sealed(13));
        for at in SEAL.len()..content.len() {
            let mut other = content.clone().into_bytes();
            other[at] = if other[at] == b'A' { b'B' } else { b'A' };
            let other = String::from_utf8(other).expect("ASCII");
            assert!(!is_sealed(&other), "changed at {at}");
        }
    }

    #[test]
    fn items_require_the_reasoning_that_preceded_them() {
        let ids = Ids::default();
        let done = |kind: &str, id: &str| {
            format!(
                "data: {{\"type\":\"response.output_item.done\",\"item\":{{\"type\":\"{kind}\",\"id\":\"{id}\"}}}}\n\n"
            )
        };
        let answer = [
            done("message", "a"),
            done("reasoning", "r"),
            done("function_call", "b"),
            done("message", "c"),
            done("reasoning", "s"),
            done("message", "d"),
        ];
        ids.answered(answer.concat().as_bytes());
        ids.answered(done("message", "e").replace('\n', "\r\n").as_bytes());
        let needs = ["a", "b", "c", "d", "e"].map(|id| ids.reasoning_of(id));
        let expected = [None, Some("r"), Some("r"), Some("s"), None];
        assert_eq!(needs, expected.map(|id| id.map(str::to_owned)));
    }

    #[test]
    fn ids_continue_after_those_seen() {
        let ids = Ids::default();
        assert_eq!(ids.make("call"), "call_standin_1");
        ids.seen("call_standin_40");
        ids.seen("call_standin_9");
        ids.seen("call_of_another");
        assert_eq!(ids.make("fc"), "fc_standin_41");
    }
}
