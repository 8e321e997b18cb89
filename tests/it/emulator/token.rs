//! What programs write to a terminal, token by token.

pub(super) enum Token {
    Text(char),
    Control(u8),
    Escape(String),
    Csi {
        prefix: String,
        parameters: Vec<u16>,
        last: char,
    },
    Command(String),
}

/// The first token of what was written, and its length; nothing if it is not complete.
pub(super) fn token(bytes: &[u8]) -> Option<(Token, usize)> {
    match bytes {
        [] | [0x1b] => None,
        [0x1b, b'[', rest @ ..] => {
            let length = rest.iter().position(|byte| (0x40..=0x7e).contains(byte))?;
            let text = String::from_utf8_lossy(&rest[..length]);
            let numbers = |c: char| c.is_ascii_digit() || c == ';';
            let parameters = text.trim_matches(|c: char| !numbers(c)).split(';');
            let csi = Token::Csi {
                prefix: text.replace(numbers, ""),
                parameters: parameters.map(|part| part.parse().unwrap_or(0)).collect(),
                last: char::from(rest[length]),
            };
            Some((csi, length + 3))
        }
        [0x1b, b']', rest @ ..] => {
            let length = rest.iter().position(|byte| matches!(byte, 0x07 | 0x1b))?;
            let end = if rest[length] == 0x07 { 1 } else { 2 };
            let text = String::from_utf8_lossy(&rest[..length]).into_owned();
            (rest.len() >= length + end).then_some((Token::Command(text), length + end + 2))
        }
        [0x1b, rest @ ..] => {
            let length = rest.iter().position(|byte| !(0x20..0x30).contains(byte))? + 1;
            let text = String::from_utf8_lossy(&rest[..length]).into_owned();
            Some((Token::Escape(text), length + 1))
        }
        [byte @ (..0x20 | 0x7f), ..] => Some((Token::Control(*byte), 1)),
        [first, ..] => {
            let length = match first {
                ..0xc0 => 1,
                0xc0..0xe0 => 2,
                0xe0..0xf0 => 3,
                _ => 4,
            };
            let text = String::from_utf8_lossy(bytes.get(..length)?);
            Some((Token::Text(text.chars().next()?), length))
        }
    }
}
