//! The ids the stand-in gives out, and the encrypted reasoning that it knows again when it comes
//! back. Both are made from one counter, so a run can be repeated and still no two are the same.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// What every invented encrypted content begins with; the real ones begin with `gAAAAA`.
pub(super) const SEAL: &str = "gAAAAAstandin";

/// Between an id's kind and its number.
const MARK: &str = "_standin_";

/// The counter behind every id of one server.
#[derive(Default)]
pub(super) struct Ids(AtomicU64);

impl Ids {
    /// A new number, one more than the last.
    pub(super) fn number(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// A new id of a kind: `call_standin_7`.
    pub(super) fn make(&self, kind: &str) -> String {
        format!("{kind}{MARK}{}", self.number())
    }

    /// Takes note of an id that a client sent, so that a conversation begun with another server
    /// does not meet the same ids again.
    pub(super) fn seen(&self, id: &str) {
        let number = id.rsplit_once(MARK).map(|(_, digits)| digits.parse());
        if let Some(Ok(number)) = number {
            self.0.fetch_max(number, Ordering::SeqCst);
        }
    }
}

/// The encrypted content number `number`: bytes that look random and are always the same.
pub(super) fn sealed(number: u64) -> String {
    let mut bytes = number.to_be_bytes().to_vec();
    let mut state = number ^ 0x9e37_79b9_7f4a_7c15;
    for _ in 0..24 {
        // xorshift64, which is random enough to the eye
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend(state.to_be_bytes());
    }
    format!("{SEAL}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// Whether this is, to the last byte, what [`sealed`] gave out for some number.
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
    fn ids_go_on_after_those_seen() {
        let ids = Ids::default();
        assert_eq!(ids.make("call"), "call_standin_1");
        ids.seen("call_standin_40");
        ids.seen("call_standin_9");
        ids.seen("call_of_another");
        assert_eq!(ids.make("fc"), "fc_standin_41");
    }
}
