//! The credentials that were found, and which one is used (pure).

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use super::access_token::Personal;
use super::credential::Credential;
use super::signed_in::SignedIn;
use super::source::CredentialSource;
use super::store::Other;
use super::token::{self, TokenError};
use crate::secret::Secret;

/// A credential and where it was found.
#[derive(Clone, Debug)]
pub struct FoundCredential {
    /// The credential.
    pub what: What,
    /// The flag, variable or file it came from.
    pub source: CredentialSource,
}

/// A credential as found, not yet validated.
#[derive(Clone, Debug)]
pub enum What {
    /// An API key.
    Key(Secret),
    /// An access token that another program renews.
    Token(Secret),
    /// A personal access token of a workspace.
    Personal(Arc<Personal>),
    /// A stored sign-in, or the reason the entry is not one.
    SignIn(Result<Box<SignedIn>, TokenError>),
    /// The server needs no credential.
    NoKey,
    /// A key reference (such as a command) that is not followed, with the reason.
    NotUsable(&'static str),
    /// An entry of a different type, kept in the same place by another program.
    NotOurs(Other),
}

impl FoundCredential {
    /// Returns the secrets it contains.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        match &self.what {
            What::Key(secret) | What::Token(secret) => vec![secret.clone()],
            What::Personal(personal) => vec![personal.access().clone()],
            What::SignIn(Ok(sign_in)) => sign_in.secrets().collect(),
            What::SignIn(Err(_)) | What::NoKey | What::NotUsable(_) | What::NotOurs(_) => {
                Vec::new()
            }
        }
    }

    /// Returns whether its requests go to the subscription backend.
    #[must_use]
    pub fn is_subscription(&self) -> bool {
        !matches!(self.what, What::Key(_) | What::NoKey | What::NotUsable(_))
    }
}

/// The credential to use.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// A credential that is never renewed.
    Fixed(Credential),
    /// A stored sign-in.
    SignIn(Box<SignedIn>),
    /// A personal access token of a workspace.
    Personal(Arc<Personal>),
}

/// The reason there is no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// No credential was found.
    Missing,
    /// The value is not a key; the byte offset, counted from 0, of the first character that is invalid in a key.
    NotAKey(CredentialSource, usize),
    /// The value is more than the bare secret, with the reason.
    NotBare(CredentialSource, &'static str),
    /// The value is empty.
    Empty(CredentialSource),
    /// The value is not a ChatGPT access token.
    NotAToken(CredentialSource, TokenError),
    /// A ChatGPT access token is given as a key; it is never sent to the API.
    TokenAsKey(CredentialSource),
    /// The key reference is not followed, with the reason.
    NotUsable(CredentialSource, &'static str),
    /// Only an entry of a different type was found in this file.
    NotOurs(CredentialSource, Other),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("no credential was found"),
            Self::NotAKey(source, at) => {
                write!(
                    f,
                    "{source} does not contain a key: white space or an unexpected character at byte {at}"
                )
            }
            Self::NotBare(source, why) => {
                write!(f, "{source} does not contain a bare key or token: {why}")
            }
            Self::Empty(source) => write!(f, "{source} is empty"),
            Self::NotAToken(source, why) => {
                write!(f, "{source} does not contain a ChatGPT access token: {why}")
            }
            Self::TokenAsKey(source) => {
                write!(
                    f,
                    "{source} contains a ChatGPT access token where an API key belongs"
                )
            }
            Self::NotUsable(source, why) => write!(f, "the key in {source} is {why}"),
            Self::NotOurs(source, other) => write!(f, "{source} contains {other}"),
        }
    }
}

impl StdError for Error {}

impl Error {
    /// Returns whether no credential was found, as before the first sign-in.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing | Self::NotOurs(..))
    }
}

/// Validates the first of the credentials found.
///
/// # Errors
/// If no credential was found, or the first one is malformed. The next one is not tried, because it might bill a different account.
pub fn choose(found: &[FoundCredential]) -> Result<Chosen, Error> {
    let first = found.first().ok_or(Error::Missing)?;
    match &first.what {
        What::Key(found) => Ok(Chosen::Fixed(Credential::Key(key(found, &first.source)?))),
        What::NoKey => Ok(Chosen::Fixed(Credential::Key(Secret::new(String::new())))),
        What::NotUsable(why) => Err(Error::NotUsable(first.source.clone(), why)),
        What::NotOurs(other) => Err(Error::NotOurs(first.source.clone(), other.clone())),
        What::Personal(personal) => {
            plain(personal.access(), &first.source)?;
            Ok(Chosen::Personal(Arc::clone(personal)))
        }
        What::Token(token) => {
            let access = plain(token, &first.source)?;
            let credential = Credential::of_token(access);
            let credential =
                credential.map_err(|why| Error::NotAToken(first.source.clone(), why))?;
            Ok(Chosen::Fixed(credential))
        }
        What::SignIn(Ok(signed_in)) => {
            plain(&signed_in.access, &first.source)?;
            Ok(Chosen::SignIn(signed_in.clone()))
        }
        What::SignIn(Err(why)) => Err(Error::NotAToken(first.source.clone(), *why)),
    }
}

/// Validates an API key for use in a header.
///
/// # Errors
/// If it is not a key.
pub fn key(secret: &Secret, source: &CredentialSource) -> Result<Secret, Error> {
    let key = plain(secret, source)?;
    if token::account(key.expose()).is_ok() {
        return Err(Error::TokenAsKey(source.clone()));
    }
    Ok(key)
}

/// Trims white space, such as the line end of a file, and validates the secret for use in a header.
///
/// # Errors
/// If it is empty or contains characters that are invalid in a key or token.
pub fn plain(secret: &Secret, source: &CredentialSource) -> Result<Secret, Error> {
    let text = secret.expose().trim();
    match text.bytes().position(|byte| !byte.is_ascii_graphic()) {
        _ if text.is_empty() => Err(Error::Empty(source.clone())),
        _ if not_bare(text).is_some() => Err(Error::NotBare(
            source.clone(),
            not_bare(text).unwrap_or_default(),
        )),
        Some(at) => Err(Error::NotAKey(source.to_owned(), at)),
        None => Ok(Secret::new(text.to_owned())),
    }
}

/// Returns why a string is not a bare secret, or `None`: it may still have the syntax of a variable file or program
/// output.
fn not_bare(text: &str) -> Option<&'static str> {
    let lower = text.to_ascii_lowercase();
    let name = text.split_once('=').map(|(name, _)| name);
    let is_name = |name: &str| {
        let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let name = name.trim_start_matches("export").trim();
        name.contains('_') && name.bytes().all(fits)
    };
    let quotes = ['"', '\'', '`'];
    if text.starts_with(quotes) || text.ends_with(quotes) {
        Some("it is in quotes, which were not removed by a shell")
    } else if name.is_some_and(is_name) {
        Some("it starts with a variable name and =")
    } else if ["null", "undefined"].contains(&&*lower) {
        Some("it is the word that programs print for a missing value")
    } else if ["\\n", "\\r", "\\t"].iter().any(|end| text.ends_with(end)) {
        Some("it ends in a backslash and a letter, meant as a line break")
    } else if lower.starts_with("your") && (lower.contains("key") || lower.contains("token")) {
        Some("it is a placeholder copied from instructions")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str, source: &'static str) -> FoundCredential {
        FoundCredential {
            what: What::Key(Secret::new(text.to_owned())),
            source: CredentialSource::Variable(source),
        }
    }

    fn token(text: &str, source: &'static str) -> FoundCredential {
        FoundCredential {
            what: What::Token(Secret::new(text.to_owned())),
            source: CredentialSource::Variable(source),
        }
    }

    #[test]
    fn the_first_is_used() {
        let access = token::tests::token_of("acct-1", 1);
        let used = |found: &[FoundCredential]| match choose(found) {
            Ok(Chosen::Fixed(Credential::Key(key))) => Ok(key.expose().to_owned()),
            Ok(Chosen::Fixed(Credential::Token { account, .. })) => Ok(account.as_str().to_owned()),
            Ok(Chosen::SignIn(signed_in)) => Ok(format!("{:?}", signed_in.expires)),
            Ok(Chosen::Personal(personal)) => Ok(personal.name()),
            Err(error) => Err(error),
        };
        let signed_in = SignedIn::new(access.clone(), None, None, token::Claims::default());
        let stored = FoundCredential {
            what: What::SignIn(signed_in.map(Box::new)),
            source: CredentialSource::File("file".into()),
        };
        assert_eq!(used(&[key("a\n", "F"), key("b", "K")]), Ok("a".to_owned()));
        assert_eq!(
            used(&[token(access.expose(), "T")]),
            Ok("acct-1".to_owned())
        );
        assert_eq!(used(&[stored, key("b", "K")]), Ok("Some(1)".to_owned()));
        assert_eq!(used(&[]), Err(Error::Missing));
    }

    #[test]
    fn a_secret_that_is_not_bare_is_refused_with_the_reason() {
        let why = |text: &str| match plain(
            &Secret::new(text.to_owned()),
            &CredentialSource::Variable("K"),
        ) {
            Err(Error::NotBare(_, why)) => why.split(' ').take(4).collect::<Vec<_>>().join(" "),
            Err(_) => "other".to_owned(),
            Ok(_) => String::new(),
        };
        for (text, expected) in [
            ("\"sk-invented\"", "it is in quotes,"),
            ("'sk-invented'", "it is in quotes,"),
            ("sk-invented\"\n", "it is in quotes,"),
            ("`sk-invented`", "it is in quotes,"),
            ("OPENAI_API_KEY=sk-invented", "it starts with a"),
            ("export OPENAI_API_KEY=sk-invented", "it starts with a"),
            ("null", "it is the word"),
            ("undefined", "it is the word"),
            ("sk-invented\\n", "it ends in a"),
            ("your-api-key-here", "it is a placeholder"),
            ("YOUR_API_KEY", "it is a placeholder"),
        ] {
            assert_eq!(why(text), expected, "{text}");
        }
        for good in [
            "sk-invented",
            "none",
            "EMPTY",
            "dummy",
            "a=b",
            "abc==",
            "A=b",
            "yourself",
            "sk-\\nx",
        ] {
            assert_eq!(why(good), "", "{good}");
        }
        assert_eq!(why("two words"), "other");
    }

    #[test]
    fn a_malformed_credential_is_not_skipped() {
        let access = token::tests::token_of("acct-1", 1);
        let as_key = choose(&[key(access.expose(), "K")]).err();
        assert_eq!(
            as_key,
            Some(Error::TokenAsKey(CredentialSource::Variable("K")))
        );
        let error = |found: FoundCredential| choose(&[found, key("good", "K")]).err();
        let shape = TokenError::Shape;
        assert_eq!(
            error(token("x", "T")),
            Some(Error::NotAToken(CredentialSource::Variable("T"), shape))
        );
        assert_eq!(
            error(key("two\nlines", "F")),
            Some(Error::NotAKey(CredentialSource::Variable("F"), 3))
        );
        assert_eq!(
            error(key(" \n", "F")),
            Some(Error::Empty(CredentialSource::Variable("F")))
        );
        let stored = FoundCredential {
            what: What::SignIn(Err(shape)),
            source: CredentialSource::File("file".into()),
        };
        assert_eq!(
            error(stored),
            Some(Error::NotAToken(
                CredentialSource::File("file".into()),
                shape
            ))
        );
    }
}
