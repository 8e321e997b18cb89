//! What was found of credentials, and which of it counts (pure).

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

/// What was found, and where.
#[derive(Clone, Debug)]
pub struct FoundCredential {
    /// What it is.
    pub what: What,
    /// The flag, variable or file that it came by.
    pub source: CredentialSource,
}

/// A credential as it was found, unjudged.
#[derive(Clone, Debug)]
pub enum What {
    /// A key.
    Key(Secret),
    /// An access token that somebody else renews.
    Token(Secret),
    /// An access token that a workspace handed out.
    Personal(Arc<Personal>),
    /// A stored sign-in, or why the stored entry cannot be read as one.
    SignIn(Result<Box<SignedIn>, TokenError>),
    /// The server wants none.
    Nobody,
    /// Something that stands for a key and that we do not follow, for this reason.
    NotUsable(&'static str),
    /// An entry of another type in the place of ours, which another program keeps there.
    NotOurs(Other),
}

impl FoundCredential {
    /// The secrets in it.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        match &self.what {
            What::Key(secret) | What::Token(secret) => vec![secret.clone()],
            What::Personal(personal) => vec![personal.access().clone()],
            What::SignIn(Ok(sign_in)) => sign_in.secrets().collect(),
            What::SignIn(Err(_)) | What::Nobody | What::NotUsable(_) | What::NotOurs(_) => {
                Vec::new()
            }
        }
    }

    /// Whether its requests go to the subscription backend.
    #[must_use]
    pub fn is_subscription(&self) -> bool {
        !matches!(self.what, What::Key(_) | What::Nobody | What::NotUsable(_))
    }
}

/// What can be used.
#[derive(Clone, Debug)]
pub enum Chosen {
    /// It stays as it is.
    Fixed(Credential),
    /// A stored sign-in.
    SignIn(Box<SignedIn>),
    /// An access token that a workspace handed out.
    Personal(Arc<Personal>),
}

/// Why there is no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// None was found.
    Missing,
    /// What stands in this place cannot be a key: at this byte, counted from 0, is something that no key holds.
    NotAKey(CredentialSource, usize),
    /// What stands in this place is not the bare secret, for this reason.
    NotBare(CredentialSource, &'static str),
    /// What stands in this place is empty.
    Empty(CredentialSource),
    /// What stands in this place is no ChatGPT access token.
    NotAToken(CredentialSource, TokenError),
    /// What stands for a key in this place is a ChatGPT access token, which the API is not shown.
    TokenAsKey(CredentialSource),
    /// What stands for a key in this place is not followed, for this reason.
    NotUsable(CredentialSource, &'static str),
    /// All that was found is an entry of another type in this file.
    NotOurs(CredentialSource, Other),
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
            Self::NotBare(source, why) => write!(f, "{source} holds no key or token: {why}"),
            Self::Empty(source) => write!(f, "{source} is empty"),
            Self::NotAToken(source, why) => {
                write!(f, "{source} holds no ChatGPT access token: {why}")
            }
            Self::TokenAsKey(source) => {
                write!(
                    f,
                    "{source} holds a ChatGPT access token where a key belongs"
                )
            }
            Self::NotUsable(source, why) => write!(f, "the key in {source} is {why}"),
            Self::NotOurs(source, other) => write!(f, "{source} holds {other}"),
        }
    }
}

impl StdError for Error {}

impl Error {
    /// Whether there is nothing that could be used, as before the first sign-in.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Missing | Self::NotOurs(..))
    }
}

/// Judges the credential that comes first among those that were found.
///
/// # Errors
/// When there is none, or the one that comes first is malformed: another one in its place would
/// be somebody else's bill.
pub fn choose(found: &[FoundCredential]) -> Result<Chosen, Error> {
    let first = found.first().ok_or(Error::Missing)?;
    match &first.what {
        What::Key(found) => Ok(Chosen::Fixed(Credential::Key(key(found, &first.source)?))),
        What::Nobody => Ok(Chosen::Fixed(Credential::Key(Secret::new(String::new())))),
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

/// A key as it may stand in a header.
///
/// # Errors
/// When it is no key.
pub fn key(secret: &Secret, source: &CredentialSource) -> Result<Secret, Error> {
    let key = plain(secret, source)?;
    if token::account(key.expose()).is_ok() {
        return Err(Error::TokenAsKey(source.clone()));
    }
    Ok(key)
}

/// The secret without the white space around it, such as the line end of a file, as it may stand in a header.
///
/// # Errors
/// When it is empty, or holds what no key or token does.
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

/// Why a text is not the bare secret: nothing has taken it out of what a file of variables or a program wrote.
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
        Some("there are quotes around it, which no shell has taken off")
    } else if name.is_some_and(is_name) {
        Some("the name of a variable and = stand before it")
    } else if ["null", "undefined"].contains(&&*lower) {
        Some("it is the word that a program writes where it has nothing")
    } else if ["\\n", "\\r", "\\t"].iter().any(|end| text.ends_with(end)) {
        Some("it ends in a backslash and a letter, which was meant as the end of a line")
    } else if lower.starts_with("your") && (lower.contains("key") || lower.contains("token")) {
        Some("it is the example of some instructions")
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
            ("\"sk-invented\"", "there are quotes around"),
            ("'sk-invented'", "there are quotes around"),
            ("sk-invented\"\n", "there are quotes around"),
            ("`sk-invented`", "there are quotes around"),
            ("OPENAI_API_KEY=sk-invented", "the name of a"),
            ("export OPENAI_API_KEY=sk-invented", "the name of a"),
            ("null", "it is the word"),
            ("undefined", "it is the word"),
            ("sk-invented\\n", "it ends in a"),
            ("your-api-key-here", "it is the example"),
            ("YOUR_API_KEY", "it is the example"),
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
    fn a_malformed_one_is_not_passed_over() {
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
