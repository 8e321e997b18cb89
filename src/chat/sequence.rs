//! Escape sequences of a terminal, as keys: those of VT220 and xterm with their modifiers, `modifyOtherKeys` of xterm, the
//! keyboard protocol of kitty, and those of rxvt and of the Linux console that differ. Every other sequence is recognized by its
//! form (ECMA-48, section 5.4) and has no meaning.

use super::key::{Key, KeyPress};

pub(super) const ESC: u8 = 0x1b;

/// The bytes of a sequence that is kept in memory. The longest that has a meaning takes about 30.
pub(super) const MAX_SEQUENCE_BYTES: usize = 64;

/// What a sequence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It is unknown, or of no interest.
    Nothing,
    Key(KeyPress),
    PasteStart,
}

/// What is at the beginning of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sequence {
    /// A sequence that has not ended.
    Incomplete,
    /// A whole sequence: its length and meaning.
    Whole(usize, Meaning),
}

/// Reads the sequence at the beginning of these bytes, of which the first is ESC.
pub(super) fn sequence(bytes: &[u8]) -> Sequence {
    match bytes {
        [_, b'[', b'[', _, ..] => Sequence::Whole(4, Meaning::Nothing), // F1 to F5 of the Linux console
        [_, b'[', b'[', ..] => Sequence::Incomplete,
        [_, b'[', ..] => csi(bytes),
        [_, b'O', ..] => ss3(bytes),
        [_, b']' | b'P' | b'X' | b'^' | b'_', rest @ ..] => match string_end(rest) {
            Some(length) => Sequence::Whole(length + 2, Meaning::Nothing),
            None => Sequence::Incomplete,
        },
        [_, ESC, b'[' | b'O', ..] => match sequence(&bytes[1..]) {
            Sequence::Whole(length, Meaning::Key(press)) => {
                Sequence::Whole(length + 1, Meaning::Key(KeyPress { alt: true, ..press }))
            }
            Sequence::Whole(..) => escape(),
            Sequence::Incomplete => Sequence::Incomplete,
        },
        [] | [_] | [_, ESC] => Sequence::Incomplete,
        [_, ESC, ..] => escape(),
        [_, rest @ ..] => match character(rest) {
            Character::Whole(length, c) => Sequence::Whole(
                length + 1,
                typed(c).map_or(Meaning::Nothing, |press| {
                    Meaning::Key(KeyPress { alt: true, ..press })
                }),
            ),
            Character::Invalid(_) => escape(),
            Character::Incomplete => Sequence::Incomplete,
        },
    }
}

fn escape() -> Sequence {
    Sequence::Whole(1, Meaning::Key(KeyPress::plain(Key::Escape)))
}

/// What UTF-8 is at the beginning of some bytes.
pub(super) enum Character {
    Incomplete,
    Whole(usize, char),
    /// This number of bytes is not UTF-8.
    Invalid(usize),
}

/// Reads the character at the beginning of these bytes, of which there is at least one.
pub(super) fn character(bytes: &[u8]) -> Character {
    let head = &bytes[..bytes.len().min(4)];
    let valid = match str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.valid_up_to() > 0 => {
            str::from_utf8(&head[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(error) => {
            return error
                .error_len()
                .map_or(Character::Incomplete, Character::Invalid);
        }
    };
    valid
        .chars()
        .next()
        .map_or(Character::Incomplete, |c| Character::Whole(c.len_utf8(), c))
}

/// The key that sends this character; none for the control characters of ISO 8859.
pub(super) fn typed(c: char) -> Option<KeyPress> {
    Some(match c {
        '\r' => KeyPress::plain(Key::Enter),
        '\t' => KeyPress::plain(Key::Tab),
        '\u{8}' | '\u{7f}' => KeyPress::plain(Key::Backspace),
        '\u{1b}' => KeyPress::plain(Key::Escape),
        '\0' => KeyPress::ctrl(' '),
        '\u{1}'..='\u{1f}' => {
            KeyPress::ctrl(char::from(u8::try_from(c).ok()? + 0x40).to_ascii_lowercase())
        }
        _ if c.is_control() => return None,
        _ => KeyPress::plain(Key::Char(c)),
    })
}

/// The length of a control string up to and with its end, after its introducer: up to BEL or ST; a control character that
/// cannot be in it ends it too.
pub(super) fn string_end(bytes: &[u8]) -> Option<usize> {
    let at = bytes
        .iter()
        .position(|byte| matches!(*byte, 0x07 | 0x18 | 0x1a | ESC))?;
    match bytes[at..] {
        [ESC] => None,
        [ESC, b'\\', ..] => Some(at + 2),
        [ESC, ..] => Some(at),
        _ => Some(at + 1),
    }
}

/// The length of a control sequence after its introducer, and whether it ended with a final byte. Another byte that cannot be
/// in it breaks it off before that byte.
pub(super) fn control_end(bytes: &[u8]) -> Option<(usize, bool)> {
    let at = bytes.iter().position(|byte| !(0x20..0x40).contains(byte))?;
    let ends = (0x40..0x7f).contains(&bytes[at]);
    Some((at + usize::from(ends), ends))
}

/// A control sequence: parameters, intermediate bytes and a final byte.
fn csi(bytes: &[u8]) -> Sequence {
    let body = &bytes[2..];
    // rxvt: with Shift, `$` is the last byte. Elsewhere it is followed by another one, but then `?` comes first.
    if let Some(at) = body.iter().position(|byte| !byte.is_ascii_digit())
        && at > 0
        && body[at] == b'$'
    {
        return Sequence::Whole(at + 3, rxvt(&body[..at], 1));
    }
    let Some((length, ended)) = control_end(body) else {
        return Sequence::Incomplete;
    };
    if body[0] == b'M' {
        // A mouse report of an earlier program's mode has three more bytes.
        return if body.len() < 4 {
            Sequence::Incomplete
        } else {
            Sequence::Whole(6, Meaning::Nothing)
        };
    }
    let meaning = match body[..length].split_last() {
        Some((last, parameters)) if ended => control(parameters, *last),
        _ => Meaning::Nothing,
    };
    Sequence::Whole(length + 2, meaning)
}

/// SS3 and one letter: keys in application mode. Some terminals put parameters between.
fn ss3(bytes: &[u8]) -> Sequence {
    let body = &bytes[2..];
    let Some((length, ended)) = control_end(body) else {
        return Sequence::Incomplete;
    };
    let meaning = match body[..length].split_last() {
        Some((last, [])) if ended => match last {
            b'a'..=b'd' => control(b"1;5", last.to_ascii_uppercase()), // rxvt, with Ctrl
            b'M' => Meaning::Key(KeyPress::plain(Key::Enter)),
            b'X' => Meaning::Key(KeyPress::plain(Key::Char('='))),
            b'j'..=b'y' => Meaning::Key(KeyPress::plain(Key::Char(char::from(last - 0x40)))), // the keypad
            _ => control(b"", *last),
        },
        Some((last, parameters)) if ended => control(parameters, *last),
        _ => Meaning::Nothing,
    };
    Sequence::Whole(length + 2, meaning)
}

/// The meaning of a control sequence.
fn control(parameters: &[u8], last: u8) -> Meaning {
    match (parameters, last) {
        (b"200", b'~') => return Meaning::PasteStart,
        (_, b'^') => return rxvt(parameters, 4),
        (_, b'@') => return rxvt(parameters, 5),
        (b"", b'a'..=b'd') => return control(b"1;2", last.to_ascii_uppercase()), // rxvt, with Shift
        _ => {}
    }
    let Some(numbers) = Numbers::parse(parameters) else {
        return Meaning::Nothing;
    };
    if numbers.released {
        return Meaning::Nothing;
    }
    let key = match (last, numbers.first) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) => Key::Home,
        (b'F', _) => Key::End,
        (b'Z', _) => return with_modifiers(Key::Tab, numbers.modifiers | 1),
        (b'~', 27) => {
            return numbers.third.map_or(Meaning::Nothing, |code| {
                coded(code, None, numbers.modifiers)
            });
        }
        (b'u', code) => return coded(code, numbers.shifted, numbers.modifiers),
        (b'~', number) => match numbered(number) {
            Some(key) => key,
            None => return Meaning::Nothing,
        },
        _ => return Meaning::Nothing,
    };
    with_modifiers(key, numbers.modifiers)
}

/// The key with this number in a sequence that ends with `~`.
fn numbered(number: u32) -> Option<Key> {
    Some(match number {
        1 | 7 => Key::Home,
        3 => Key::Delete,
        4 | 8 => Key::End,
        5 => Key::PageUp,
        6 => Key::PageDown,
        _ => return None,
    })
}

/// A key of rxvt, whose modifiers are in the last byte.
fn rxvt(number: &[u8], modifiers: u32) -> Meaning {
    let number = str::from_utf8(number)
        .ok()
        .and_then(|number| number.parse().ok());
    number
        .and_then(numbered)
        .map_or(Meaning::Nothing, |key| with_modifiers(key, modifiers))
}

/// The parameters of a sequence for a key: `first:shifted;modifiers:event;third`.
struct Numbers {
    first: u32,
    shifted: Option<u32>,
    /// A set of bits: 1 Shift, 2 Alt, 4 Ctrl, 8 Super or Meta, and so on.
    modifiers: u32,
    released: bool,
    third: Option<u32>,
}

impl Numbers {
    fn parse(parameters: &[u8]) -> Option<Self> {
        let text = str::from_utf8(parameters).ok()?;
        if !text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b';' | b':'))
        {
            return None;
        }
        let number = |text: Option<&str>| text.and_then(|text| text.parse().ok());
        let mut parts = text.split(';');
        let mut first = parts.next().unwrap_or_default().split(':');
        let mut second = parts.next().unwrap_or_default().split(':');
        Some(Self {
            first: number(first.next()).unwrap_or(1),
            shifted: number(first.next()),
            modifiers: number(second.next()).unwrap_or(1_u32).saturating_sub(1),
            released: second.next() == Some("3"),
            third: parts.next().and_then(|part| number(part.split(':').next())),
        })
    }
}

fn with_modifiers(key: Key, modifiers: u32) -> Meaning {
    // The window manager's keys are not ours. Caps Lock and Num Lock do not count.
    if modifiers & 0b11_1000 != 0 {
        return Meaning::Nothing;
    }
    Meaning::Key(KeyPress {
        key,
        shift: modifiers & 1 != 0,
        alt: modifiers & 2 != 0,
        ctrl: modifiers & 4 != 0,
    })
}

/// A key by the code of its character, or by a number of kitty's in the private use area.
fn coded(code: u32, shifted: Option<u32>, modifiers: u32) -> Meaning {
    let key = match code {
        9 => Key::Tab,
        13 | 57414 => Key::Enter,
        27 => Key::Escape,
        8 | 127 => Key::Backspace,
        57417 => Key::Left,
        57418 => Key::Right,
        57419 => Key::Up,
        57420 => Key::Down,
        57421 => Key::PageUp,
        57422 => Key::PageDown,
        57423 => Key::Home,
        57424 => Key::End,
        57426 => Key::Delete,
        _ => return char_key(code, shifted, modifiers),
    };
    with_modifiers(key, modifiers)
}

fn char_key(code: u32, shifted: Option<u32>, modifiers: u32) -> Meaning {
    let (shift, ctrl) = (modifiers & 1 != 0, modifiers & 4 != 0);
    let code = match code {
        57399..=57408 => code - 57399 + u32::from(b'0'), // the digits of the keypad
        57409..=57413 => u32::from(b"./*-+"[code as usize - 57409]),
        57415 => u32::from(b'='),
        57344..=63743 => return Meaning::Nothing,
        _ if shift && !ctrl => shifted.unwrap_or(code),
        _ => code,
    };
    let Some(c) = char::from_u32(code).filter(|c| !c.is_control()) else {
        return Meaning::Nothing;
    };
    if !ctrl {
        let mut upper = c.to_uppercase();
        let c = if shift && upper.len() == 1 {
            upper.next().unwrap_or(c)
        } else {
            c
        };
        return with_modifiers(Key::Char(c), modifiers & !1);
    }
    // What these are without the protocol, they are with it.
    let key = match c.to_ascii_lowercase() {
        'h' if !shift => Key::Backspace,
        'i' if !shift => Key::Tab,
        'm' if !shift => Key::Enter,
        '[' if !shift => Key::Escape,
        c => return with_modifiers(Key::Char(c), modifiers),
    };
    with_modifiers(key, modifiers & !4)
}
