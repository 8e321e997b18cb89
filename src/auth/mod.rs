//! Who is asking: the credential that a request carries. A ChatGPT token belongs to the subscription
//! backend and a key to the API; the type keeps them apart from here on.

pub mod token;

use std::error::Error as StdError;
use std::fmt;

use crate::id::AccountId;
use crate::secret::Secret;
use token::TokenError;

/// What proves who is asking.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A ChatGPT access token, for the subscription backend.
    Token {
        /// The token.
        access: Secret,
        /// The account it belongs to, which its requests name.
        account: AccountId,
    },
    /// An API key, for the API.
    Key(Secret),
}

impl Credential {
    /// The secret itself, for the authorization header.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Token { access, .. } => access,
            Self::Key(key) => key,
        }
    }
}

/// A secret that was found, and where.
#[derive(Clone, Debug)]
pub struct Found {
    /// The secret, as it stands there.
    pub secret: Secret,
    /// The flag or variable that it came by.
    pub source: &'static str,
}

/// What was found. The first that exists is used, in this order.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The content of the file named by `--api-key-file`.
    pub key_file: Option<Found>,
    /// `CODEX_ACCESS_TOKEN`.
    pub access_token: Option<Found>,
    /// `CODEX_API_KEY`.
    pub api_key: Option<Found>,
    /// `OPENAI_API_KEY`.
    pub openai_api_key: Option<Found>,
}

/// Why there is no credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// None was found.
    Missing,
    /// What stands in this place cannot be a key: at this byte, counted from 0, is something that no key holds.
    NotAKey(&'static str, usize),
    /// What stands in this place is empty.
    Empty(&'static str),
    /// What stands in this place is no ChatGPT access token.
    NotAToken(&'static str, TokenError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no credential"),
            Self::NotAKey(source, at) => {
                write!(
                    f,
                    "{source} holds no key: white space or an unusual character at byte {at}"
                )
            }
            Self::Empty(source) => write!(f, "{source} is empty"),
            Self::NotAToken(source, why) => {
                write!(f, "{source} holds no ChatGPT access token: {why}")
            }
        }
    }
}

impl StdError for Error {}

impl Sources {
    /// The one that is used, and whether it is an access token rather than a key.
    #[must_use]
    pub fn first(&self) -> Option<(&Found, bool)> {
        let key = self.api_key.as_ref().or(self.openai_api_key.as_ref());
        match (&self.key_file, &self.access_token) {
            (Some(key), _) => Some((key, false)),
            (None, Some(token)) => Some((token, true)),
            (None, None) => key.map(|key| (key, false)),
        }
    }
}

/// The credential to use.
///
/// # Errors
/// When there is none, or the one that comes first is malformed: another one in its place would
/// be somebody else's bill.
pub fn choose(sources: &Sources) -> Result<Credential, Error> {
    let (found, is_token) = sources.first().ok_or(Error::Missing)?;
    let secret = header_safe(found)?;
    if !is_token {
        return Ok(Credential::Key(secret));
    }
    let account =
        token::account(secret.expose()).map_err(|why| Error::NotAToken(found.source, why))?;
    Ok(Credential::Token {
        access: secret,
        account,
    })
}

/// The secret without the white space around it, such as the line end of a file.
fn header_safe(found: &Found) -> Result<Secret, Error> {
    let text = found.secret.expose().trim();
    match text.bytes().position(|byte| !byte.is_ascii_graphic()) {
        _ if text.is_empty() => Err(Error::Empty(found.source)),
        Some(at) => Err(Error::NotAKey(found.source, at)),
        None => Ok(Secret::new(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, source: &'static str) -> Option<Found> {
        Some(Found {
            secret: Secret::new(text.to_owned()),
            source,
        })
    }

    #[test]
    fn the_first_that_exists_is_used() {
        let token = token::tests::token(
            r#"{"https://api.openai.com/auth":{"chatgpt_account_id":"acct-1"}}"#,
        );
        let mut sources = Sources {
            key_file: found("a\n", "--api-key-file"),
            access_token: found(&token, "CODEX_ACCESS_TOKEN"),
            api_key: found("b", "CODEX_API_KEY"),
            openai_api_key: found("c", "OPENAI_API_KEY"),
        };
        let used = |sources: &Sources| choose(sources).map(|c| c.secret().expose().to_owned());
        assert_eq!(used(&sources), Ok("a".to_owned()));
        sources.key_file = None;
        assert_eq!(used(&sources), Ok(token));
        assert!(
            matches!(choose(&sources), Ok(Credential::Token { account, .. }) if account.as_str() == "acct-1")
        );
        sources.access_token = None;
        assert_eq!(used(&sources), Ok("b".to_owned()));
        sources.api_key = None;
        assert_eq!(used(&sources), Ok("c".to_owned()));
        sources.openai_api_key = None;
        assert_eq!(used(&sources), Err(Error::Missing));
    }

    #[test]
    fn a_malformed_one_is_not_passed_over() {
        let sources = Sources {
            api_key: found("b", "CODEX_API_KEY"),
            access_token: found("x", "T"),
            ..Sources::default()
        };
        assert!(matches!(choose(&sources), Err(Error::NotAToken("T", _))));
        let sources = Sources {
            key_file: found("two\nlines", "F"),
            ..Sources::default()
        };
        assert_eq!(choose(&sources).err(), Some(Error::NotAKey("F", 3)));
        let sources = Sources {
            key_file: found(" \n", "F"),
            ..Sources::default()
        };
        assert_eq!(choose(&sources).err(), Some(Error::Empty("F")));
    }
}
