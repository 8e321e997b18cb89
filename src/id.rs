//! Identifiers of models, accounts and conversations, validated once at construction.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// Why a string is not a valid identifier. Contains no part of the string, which may be a misplaced secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdError {
    /// Empty.
    Empty,
    /// White space or a control character at this byte, counted from 0.
    Blank(usize),
    /// Longer than this many bytes.
    TooLong(usize),
}

impl fmt::Display for IdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("it is empty"),
            Self::Blank(at) => write!(f, "white space or a control character at byte {at}"),
            Self::TooLong(most) => write!(f, "it is longer than {most} bytes"),
        }
    }
}

impl Error for IdError {}

/// Identifiers go into headers and JSON, so they must not contain anything that needs escaping there.
fn check(text: &str, most: usize) -> Result<String, IdError> {
    if text.is_empty() {
        return Err(IdError::Empty);
    }
    if text.len() > most {
        return Err(IdError::TooLong(most));
    }
    match text.find(|c: char| c.is_whitespace() || c.is_control()) {
        Some(at) => Err(IdError::Blank(at)),
        None => Ok(text.to_owned()),
    }
}

/// A model id, exactly as the service uses it: not empty, no white space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelId(String);

impl ModelId {
    /// The id as sent in a request.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ModelId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        check(text, 256).map(Self)
    }
}

/// The account id of a subscription (`chatgpt_account_id` in an access token).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountId(String);

impl AccountId {
    /// The placeholder in a previewed request while the account is unknown.
    #[must_use]
    pub fn unknown() -> Self {
        Self("***".to_owned())
    }

    /// The id as sent in the `chatgpt-account-id` header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        // A header value is ASCII; all known ids are UUIDs or similar.
        match text.bytes().position(|b| !b.is_ascii_graphic()) {
            Some(at) => Err(IdError::Blank(at)),
            None => check(text, 256).map(Self),
        }
    }
}

/// A conversation id. The service routes and caches by it, so it is the same in every request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadId(String);

impl ThreadId {
    /// A version 7 UUID (RFC 9562, section 5.7) from the time in Unix milliseconds and these random bytes.
    #[must_use]
    pub fn new(unix_millis: u64, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&unix_millis.to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        bytes[6] = 0x70 | (bytes[6] & 0x0f);
        bytes[8] = 0x80 | (bytes[8] & 0x3f);
        let mut text = String::with_capacity(36);
        for (i, byte) in bytes.iter().enumerate() {
            if matches!(i, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            text.push_str(&format!("{byte:02x}"));
        }
        Self(text)
    }

    /// The id in its usual form, 36 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ThreadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ThreadId {
    type Err = IdError;

    /// Parses a UUID of any version in its usual form.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let fits = |(n, c): (usize, char)| match n {
            8 | 13 | 18 | 23 => c == '-',
            _ => c.is_ascii_digit() || ('a'..='f').contains(&c),
        };
        match text.chars().enumerate().position(|at| !fits(at)) {
            _ if text.is_empty() => Err(IdError::Empty),
            _ if text.len() > 36 => Err(IdError::TooLong(36)),
            Some(at) => Err(IdError::Blank(at)),
            None if text.len() < 36 => Err(IdError::Blank(text.len())),
            None => Ok(Self(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_id_has_no_white_space() {
        assert_eq!(
            "gpt-5.5".parse::<ModelId>().map(|m| m.0),
            Ok("gpt-5.5".to_owned())
        );
        assert_eq!("".parse::<ModelId>(), Err(IdError::Empty));
        assert_eq!("gpt 5".parse::<ModelId>(), Err(IdError::Blank(3)));
        assert_eq!("gpt\n".parse::<ModelId>(), Err(IdError::Blank(3)));
        assert_eq!(
            "x".repeat(257).parse::<ModelId>(),
            Err(IdError::TooLong(256))
        );
    }

    #[test]
    fn an_account_id_fits_a_header() {
        assert!("acct-1".parse::<AccountId>().is_ok());
        assert_eq!("acct\u{e9}".parse::<AccountId>(), Err(IdError::Blank(4)));
    }

    #[test]
    fn a_thread_id_is_a_uuid_of_version_7() {
        let id = ThreadId::new(0x0123_4567_89ab, [0xff; 10]);
        assert_eq!(id.as_str(), "01234567-89ab-7fff-bfff-ffffffffffff");
        assert_eq!(id.as_str().parse(), Ok(id.clone()));
        for odd in [
            "",
            "01234567",
            "01234567-89ab-7fff-bfff-fffffffffffg",
            "../34567-89ab-7fff-bfff-ffffffffffff",
        ] {
            assert!(odd.parse::<ThreadId>().is_err(), "{odd}");
        }
    }
}
