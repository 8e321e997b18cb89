//! Terminal bytes to keys and pasted text (pure). The caller passes the time and learns until when to wait for more bytes. A
//! sequence or a character may arrive in any number of pieces. Escape differs from the beginning of a sequence by the silence
//! after it.
//!
//! A paste is text between two sequences (bracketed paste). Several characters with a line end or a tab that arrive at once
//! without them count as a paste too, because typing is slower: a paste never sends. That also holds on a terminal that marks
//! pastes, because not everything that pastes asks it: tmux and `screen` can paste without the marks. A short text without a
//! line end counts as typed, as over a slow connection. A character that arrives alone is reported at once: only a line end or
//! a tab needs the silence around it.

use std::time::Duration;

use super::key::{Input, Key, KeyPress};
use super::sequence::{
    Character, ESC, MAX_SEQUENCE_BYTES, Meaning, Sequence, character, control_end, sequence,
    string_end, typed,
};

/// The silence that makes ESC the Escape key.
const ESCAPE_TIMEOUT: Duration = Duration::from_millis(30);
/// The silence after which the rest of a sequence or a character is no longer expected. It is longer, since no key has such a
/// beginning alone (Alt with `[` or `O` has, and is reported that late).
const SEQUENCE_TIMEOUT: Duration = Duration::from_millis(500);
/// The silence that ends a burst of text.
const BURST_TIMEOUT: Duration = Duration::from_millis(5);
/// The silence that ends a paste without its end sequence.
const PASTE_TIMEOUT: Duration = Duration::from_secs(1);
/// The bytes of a paste. A longer one is reported in parts.
const MAX_PASTE_BYTES: usize = 1 << 20;

/// The bytes that count as typed although they arrived at once.
const MAX_TYPED_BYTES: usize = 256;

const PASTE_END: &[u8] = b"\x1b[201~";

/// Turns bytes into inputs.
#[derive(Debug, Default)]
pub struct KeyDecoder {
    mode: Mode,
    /// The beginning of a sequence or of a character.
    pending: Vec<u8>,
    /// Text of the current burst, as it was sent.
    burst: String,
    /// The current burst has had a part that was reported, for its length.
    burst_goes_on: bool,
    /// The number of characters just before the current burst that were reported at once.
    typed_before: usize,
    /// When the last byte arrived.
    last: Duration,
    /// When an Escape was reported for the silence after it.
    escaped: Option<Duration>,
}

#[derive(Debug, Default)]
enum Mode {
    #[default]
    Keys,
    /// In a bracketed paste, of which this arrived.
    Paste(Vec<u8>),
    /// In a control sequence that is too long.
    SkipControl,
    /// In a control string that is too long.
    SkipString,
}

impl KeyDecoder {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes that arrived at a time, and returns the inputs that are certain.
    pub fn feed(&mut self, bytes: &[u8], at: Duration) -> Vec<Input> {
        let mut inputs = self.flush(at);
        if bytes.is_empty() {
            return inputs;
        }
        if self.is_late_sequence(bytes, at) {
            self.pending.push(ESC);
        }
        self.escaped = None;
        self.last = at;
        self.pending.extend_from_slice(bytes);
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        while !rest.is_empty()
            && let Some(length) = self.take(rest, &mut inputs)
        {
            rest = &rest[length..];
        }
        self.pending.extend_from_slice(rest);
        self.report_lone_character(bytes, &mut inputs);
        inputs
    }

    /// Reports a character that arrived alone, if what it means does not depend on what comes next.
    fn report_lone_character(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) {
        let mut characters = self.burst.chars();
        if let (Some(c), None) = (characters.next(), characters.next())
            && self.burst.as_bytes() == bytes
            && !c.is_control()
            && !self.burst_goes_on
        {
            self.burst.clear();
            inputs.extend(typed(c).map(Input::Key));
            self.typed_before = self.typed_before.saturating_add(1);
        }
    }

    /// When `flush` must be called if nothing more arrives.
    #[must_use]
    pub fn deadline(&self) -> Option<Duration> {
        let burst = (!self.burst.is_empty()).then_some(BURST_TIMEOUT);
        burst.or(self.silence()).map(|silence| self.last + silence)
    }

    /// The silence after which what is pending is complete.
    fn silence(&self) -> Option<Duration> {
        match (&self.mode, &*self.pending) {
            (Mode::Paste(_), _) => Some(PASTE_TIMEOUT),
            (Mode::Keys, []) => None,
            (Mode::Keys, [ESC] | [ESC, ESC]) => Some(ESCAPE_TIMEOUT),
            _ => Some(SEQUENCE_TIMEOUT),
        }
    }

    /// Reports what is certain because nothing more arrived until this time.
    pub fn flush(&mut self, at: Duration) -> Vec<Input> {
        let mut inputs = Vec::new();
        let silence = at.saturating_sub(self.last);
        if silence >= BURST_TIMEOUT {
            self.end_burst(&mut inputs);
            self.burst_goes_on = false;
            self.typed_before = 0;
        }
        if self.silence().is_none_or(|needed| silence < needed) {
            return inputs;
        }
        if let Mode::Paste(text) = std::mem::take(&mut self.mode) {
            inputs.extend(paste(&text));
        }
        let pending = std::mem::take(&mut self.pending);
        let mut rest = &pending[..];
        while let [ESC] | [ESC, ESC, ..] = rest {
            inputs.push(Input::Key(KeyPress::plain(Key::Escape)));
            self.escaped = Some(at);
            rest = &rest[1..];
        }
        match rest {
            [ESC, c @ b' '..=b'~'] => {
                inputs.push(Input::Key(KeyPress::alt(Key::Char(char::from(*c)))))
            }
            [] | [ESC, ..] => {}
            _ => {
                self.text(char::REPLACEMENT_CHARACTER, &mut inputs);
                self.end_burst(&mut inputs);
            }
        }
        inputs
    }

    /// Whether these bytes are the rest of a sequence whose ESC was taken for the Escape key, because it came too late.
    fn is_late_sequence(&self, bytes: &[u8], at: Duration) -> bool {
        let recent = self
            .escaped
            .is_some_and(|escaped| at.saturating_sub(escaped) < SEQUENCE_TIMEOUT);
        if !recent || !matches!(bytes, [b'[' | b'O', _, ..]) {
            return false;
        }
        let whole = [&[ESC], &bytes[..bytes.len().min(MAX_SEQUENCE_BYTES)]].concat();
        match sequence(&whole) {
            Sequence::Whole(_, Meaning::PasteStart) => true,
            Sequence::Whole(length, Meaning::Key(_)) => length == whole.len(),
            _ => false,
        }
    }

    /// Takes what is at the beginning of these bytes. Returns its length, or nothing if it is not complete.
    fn take(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) -> Option<usize> {
        match self.mode {
            Mode::Keys if bytes[0] == ESC => {
                self.end_burst(inputs);
                self.take_sequence(bytes, inputs)
            }
            Mode::Keys => {
                let (length, c) = match character(bytes) {
                    Character::Incomplete => return None,
                    Character::Whole(length, c) => (length, c),
                    Character::Invalid(length) => (length, char::REPLACEMENT_CHARACTER),
                };
                self.text(c, inputs);
                Some(length)
            }
            Mode::Paste(_) => Some(self.take_paste(bytes, inputs)),
            Mode::SkipControl | Mode::SkipString => {
                let end = match self.mode {
                    Mode::SkipControl => control_end(bytes).map(|(length, _)| length),
                    _ => string_end(bytes),
                };
                if end.is_some() {
                    self.mode = Mode::Keys;
                }
                // An ESC at the end may begin the end.
                let cut = bytes.len() - usize::from(bytes.ends_with(&[ESC]));
                end.or((cut > 0).then_some(cut))
            }
        }
    }

    /// Takes the sequence at the beginning of these bytes.
    fn take_sequence(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) -> Option<usize> {
        let (length, meaning) = match sequence(bytes) {
            Sequence::Whole(length, meaning) if length <= MAX_SEQUENCE_BYTES => (length, meaning),
            Sequence::Incomplete if bytes.len() < MAX_SEQUENCE_BYTES => return None,
            _ if bytes[1] == ESC => (1, Meaning::Key(KeyPress::plain(Key::Escape))),
            _ => {
                let control = matches!(bytes[1], b'[' | b'O');
                self.mode = if control {
                    Mode::SkipControl
                } else {
                    Mode::SkipString
                };
                let cut = bytes[MAX_SEQUENCE_BYTES - 1] == ESC;
                return Some(MAX_SEQUENCE_BYTES - usize::from(cut));
            }
        };
        match meaning {
            Meaning::Nothing => {}
            Meaning::Key(press) => inputs.push(Input::Key(press)),
            Meaning::PasteStart => self.mode = Mode::Paste(Vec::new()),
        }
        Some(length)
    }

    /// Takes bytes of a paste, up to its end or to the limit.
    fn take_paste(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) -> usize {
        let Mode::Paste(text) = &mut self.mode else {
            return 0;
        };
        let before = text.len();
        let room = (MAX_PASTE_BYTES + PASTE_END.len()).saturating_sub(before);
        let taken = bytes.len().min(room);
        text.extend_from_slice(&bytes[..taken]);
        // Its end may have begun in an earlier piece.
        let from = before.saturating_sub(PASTE_END.len() - 1);
        if let Some(at) = memchr::memmem::find(&text[from..], PASTE_END) {
            let end = from + at;
            let length = end + PASTE_END.len() - before;
            inputs.extend(paste(&text[..end]));
            self.mode = Mode::Keys;
            return length;
        }
        if taken == room {
            // A part of it, up to a place where neither a character, a line end nor its end is cut.
            let cut = (MAX_PASTE_BYTES - 4..MAX_PASTE_BYTES)
                .find(|at| text[*at] & 0xc0 != 0x80 && text[at - 1..=*at] != *b"\r\n")
                .unwrap_or(MAX_PASTE_BYTES);
            let rest = text.split_off(cut);
            inputs.extend(paste(text));
            *text = rest;
        }
        taken
    }

    /// Takes a character that is not part of a sequence.
    fn text(&mut self, c: char, inputs: &mut Vec<Input>) {
        if c.is_control() && !matches!(c, '\r' | '\n' | '\t') {
            self.end_burst(inputs);
            inputs.extend(typed(c).map(Input::Key));
            return;
        }
        self.burst.push(c);
        if self.burst.len() >= MAX_PASTE_BYTES {
            self.end_burst(inputs);
            self.burst_goes_on = true;
        }
    }

    /// Reports the text of a burst: as a paste, or as the key that it is.
    fn end_burst(&mut self, inputs: &mut Vec<Input>) {
        let goes_on = std::mem::take(&mut self.burst_goes_on);
        let typed_before = std::mem::take(&mut self.typed_before);
        if self.burst.is_empty() {
            return;
        }
        let burst = std::mem::take(&mut self.burst);
        let keys = burst.replace("\r\n", "\r");
        let count = keys.chars().filter(|c| *c != '\t').take(2).count();
        let count = count + typed_before.min(2);
        let is_paste = keys.contains(['\r', '\n', '\t']) || keys.len() > MAX_TYPED_BYTES;
        if goes_on || count > 1 && is_paste {
            inputs.extend(paste(burst.as_bytes()));
        } else {
            inputs.extend(keys.chars().filter_map(typed).map(Input::Key));
        }
    }
}

/// Pasted text: its line ends are `\n`, and other control characters than tabs are left out.
fn paste(bytes: &[u8]) -> Option<Input> {
    let text = String::from_utf8_lossy(bytes);
    let mut text = text.replace("\r\n", "\n").replace('\r', "\n");
    text.retain(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    (!text.is_empty()).then_some(Input::Paste(text))
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod sequence_tests;
