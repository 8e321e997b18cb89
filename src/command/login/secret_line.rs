//! The line of a secret that is being typed.

use rustix::termios::{SpecialCodeIndex, Termios};

use crate::secret::Secret;

/// What a terminal sends before and after a paste, if the last program left that switched on.
const PASTE_MARKS: [&[u8]; 2] = [b"\x1b[200~", b"\x1b[201~"];

/// The line that is being typed, with the keys that change it.
pub(super) struct SecretLine {
    bytes: Vec<u8>,
    erase: u8,
    kill: u8,
    end: u8,
}

impl SecretLine {
    pub(super) fn new(modes: &Termios) -> Self {
        let key = |index| modes.special_codes[index];
        Self {
            bytes: Vec::new(),
            erase: key(SpecialCodeIndex::VERASE),
            kill: key(SpecialCodeIndex::VKILL),
            end: key(SpecialCodeIndex::VEOF),
        }
    }

    /// Adds what was typed; returns whether the line is complete. What comes after its end is ignored, and so are the marks
    /// around a bracketed paste.
    pub(super) fn add(&mut self, typed: &[u8]) -> bool {
        for byte in typed {
            match *byte {
                b'\n' | b'\r' => return true,
                // A key without a meaning is 0.
                0 => {}
                byte if byte == self.end => return true,
                byte if byte == self.kill => self.bytes.clear(),
                byte if byte == self.erase || matches!(byte, 0x08 | 0x7f) => self.erase_one(),
                byte => {
                    self.bytes.push(byte);
                    if PASTE_MARKS.iter().any(|mark| self.bytes.ends_with(mark)) {
                        self.bytes.truncate(self.bytes.len() - PASTE_MARKS[0].len());
                    }
                }
            }
        }
        false
    }

    /// Its length so far, in bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Removes the last character, all of its bytes.
    fn erase_one(&mut self) {
        while let Some(byte) = self.bytes.pop() {
            if byte & 0xc0 != 0x80 {
                return;
            }
        }
    }

    pub(super) fn secret(&self) -> Secret {
        Secret::new(String::from_utf8_lossy(&self.bytes).into_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_with_enter_and_can_be_corrected() {
        let check = |typed: &[u8], expected: &str, ends: bool| {
            for pieces in 1..4 {
                let mut line = SecretLine {
                    bytes: Vec::new(),
                    erase: 0x7f,
                    kill: 0x15,
                    end: 0x04,
                };
                let ended = typed.chunks(pieces).any(|piece| line.add(piece));
                assert_eq!((line.secret().expose(), ended), (expected, ends));
            }
        };
        check(b"sk-1\n", "sk-1", true);
        check(b"sk-1\r\nls\n", "sk-1", true);
        check(b"sk-1", "sk-1", false);
        check(b"sk-1\x04", "sk-1", true);
        check("a\u{20ac}\x7f\x08\x08b\0\n".as_bytes(), "b", true);
        check(b"wrong\x15sk-1\n", "sk-1", true);
        check(b"\n", "", true);
        check(b"\x1b[200~sk-1\x1b[201~\r", "sk-1", true);
        check(b"\x1b[200~sk-12\x1b[201~\x7f\n", "sk-1", true);
        check(b"\x1b[200~sk-1\n\x1b[201~", "sk-1", true);
        check(b"\x1b[31msk-1\n", "\x1b[31msk-1", true);
    }
}
