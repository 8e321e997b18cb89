//! Who is asking. Credentials that were found, and which one counts; a sign-in, how one begins (`pkce`,
//! `callback`, `device`), where it is kept (`store`) and how it stays valid (`sign_in`). A ChatGPT token belongs
//! to the subscription backend and a key to the API; the type keeps them apart from here on.

pub mod bounds;
pub mod callback;
pub mod change;
pub mod critical;
pub mod device;
mod form;
pub mod issuer;
pub mod opener;
pub mod page;
pub mod pkce;
mod plan;
pub mod printed;
pub mod redirect;
pub mod refusal;
pub mod sign_in;
pub mod store;
pub mod token;

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

use crate::id::AccountId;
use crate::secret::Secret;
use bounds::Bounds;
use sign_in::SignIn;
use token::{SignedIn, TokenError};

/// What proves who is asking.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A ChatGPT access token, for the subscription backend.
    Token {
        /// The token.
        access: Secret,
        /// The account it belongs to, which its requests name.
        account: AccountId,
        /// What binds the workspace of the account, which its requests say too.
        bounds: Bounds,
    },
    /// An API key, for the API.
    Key(Secret),
}

impl Credential {
    /// A ChatGPT access token, with what it says of its account.
    ///
    /// # Errors
    /// When the text is no token, or names no account.
    pub fn of_token(access: Secret) -> Result<Self, TokenError> {
        let claims = token::claims(access.expose())?;
        Ok(Self::Token {
            account: claims.account.ok_or(TokenError::NoAccount)?,
            bounds: claims.bounds,
            access,
        })
    }

    /// The secret itself, for the authorization header.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        match self {
            Self::Token { access, .. } => access,
            Self::Key(key) => key,
        }
    }
}

/// Where the credentials of a run come from.
#[derive(Clone, Debug)]
pub enum Authority {
    /// One that stays as it is.
    Fixed(Credential),
    /// A stored sign-in, which is renewed when that is needed.
    SignIn(Arc<SignIn>),
}

impl Authority {
    /// The credential for the next request.
    ///
    /// # Errors
    /// When a sign-in cannot be renewed.
    pub fn credential(&self) -> Result<Credential, sign_in::Error> {
        match self {
            Self::Fixed(credential) => Ok(credential.clone()),
            Self::SignIn(sign_in) => sign_in.credential(),
        }
    }

    /// The credential as it is now, whether or not it is still good.
    #[must_use]
    pub fn current(&self) -> Credential {
        match self {
            Self::Fixed(credential) => credential.clone(),
            Self::SignIn(sign_in) => sign_in.token(),
        }
    }

    /// The credential as it is now, and only it: whoever holds this renews nothing.
    #[must_use]
    pub fn as_it_is(&self) -> Self {
        Self::Fixed(self.current())
    }

    /// The credential in place of one that the service has refused; nothing if there is no other.
    ///
    /// # Errors
    /// When a sign-in cannot be renewed.
    pub fn instead_of(&self, rejected: &Credential) -> Result<Option<Credential>, sign_in::Error> {
        match self {
            Self::Fixed(_) => Ok(None),
            Self::SignIn(sign_in) => sign_in.instead_of(rejected.secret()),
        }
    }

    /// What went wrong with a renewal since this was last asked.
    #[must_use]
    pub fn warnings(&self) -> Vec<sign_in::Warning> {
        match self {
            Self::Fixed(_) => Vec::new(),
            Self::SignIn(sign_in) => sign_in.warnings(),
        }
    }

    /// The account that requests name; none with a key.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        match self.current() {
            Credential::Token { account, .. } => Some(account),
            Credential::Key(_) => None,
        }
    }

    /// Every secret that was used, so that none is ever shown.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Fixed(credential) => vec![credential.secret().clone()],
            Self::SignIn(sign_in) => sign_in.seen(),
        }
    }

    /// Spends no refresh token any more, and waits for one that is being spent.
    pub fn settle(&self) {
        if let Self::SignIn(sign_in) = self {
            sign_in.settle();
        }
    }
}

/// What was found, and where.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it is.
    pub what: What,
    /// The flag, variable or file that it came by.
    pub source: String,
}

/// A credential as it was found, unjudged.
#[derive(Clone, Debug)]
pub enum What {
    /// A key.
    Key(Secret),
    /// An access token that somebody else renews.
    Token(Secret),
    /// A stored sign-in, or why what is stored in its place is none.
    SignIn(Result<Box<SignedIn>, TokenError>),
    /// The server wants none.
    Nobody,
    /// Something that stands for a key and that we do not follow, for this reason.
    NotUsable(&'static str),
}

impl Found {
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
}

/// Why there is no credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// None was found.
    Missing,
    /// What stands in this place cannot be a key: at this byte, counted from 0, is something that no key holds.
    NotAKey(String, usize),
    /// What stands in this place is empty.
    Empty(String),
    /// What stands in this place is no ChatGPT access token.
    NotAToken(String, TokenError),
    /// What stands for a key in this place is a ChatGPT access token, which the API is not shown.
    TokenAsKey(String),
    /// What stands for a key in this place is not followed, for this reason.
    NotUsable(String, &'static str),
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
            Self::TokenAsKey(source) => {
                write!(
                    f,
                    "{source} holds a ChatGPT access token where a key belongs"
                )
            }
            Self::NotUsable(source, why) => write!(f, "the key in {source} is {why}"),
        }
    }
}

impl StdError for Error {}

/// Judges the credential that comes first among those that were found.
///
/// # Errors
/// When there is none, or the one that comes first is malformed: another one in its place would
/// be somebody else's bill.
pub fn choose(found: &[Found]) -> Result<Chosen, Error> {
    let first = found.first().ok_or(Error::Missing)?;
    match &first.what {
        What::Key(found) => Ok(Chosen::Fixed(Credential::Key(key(found, &first.source)?))),
        What::Nobody => Ok(Chosen::Fixed(Credential::Key(Secret::new(String::new())))),
        What::NotUsable(why) => Err(Error::NotUsable(first.source.clone(), why)),
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
pub fn key(secret: &Secret, source: &str) -> Result<Secret, Error> {
    let key = plain(secret, source)?;
    if token::account(key.expose()).is_ok() {
        return Err(Error::TokenAsKey(source.to_owned()));
    }
    Ok(key)
}

/// The secret without the white space around it, such as the line end of a file, as it may stand in a header.
///
/// # Errors
/// When it is empty, or holds what no key or token does.
pub fn plain(secret: &Secret, source: &str) -> Result<Secret, Error> {
    let text = secret.expose().trim();
    match text.bytes().position(|byte| !byte.is_ascii_graphic()) {
        _ if text.is_empty() => Err(Error::Empty(source.to_owned())),
        Some(at) => Err(Error::NotAKey(source.to_owned(), at)),
        None => Ok(Secret::new(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str, source: &str) -> Found {
        Found {
            what: What::Key(Secret::new(text.to_owned())),
            source: source.to_owned(),
        }
    }

    fn token(text: &str, source: &str) -> Found {
        Found {
            what: What::Token(Secret::new(text.to_owned())),
            source: source.to_owned(),
        }
    }

    #[test]
    fn the_first_is_used() {
        let access = token::tests::token_of("acct-1", 1);
        let used = |found: &[Found]| match choose(found) {
            Ok(Chosen::Fixed(Credential::Key(key))) => Ok(key.expose().to_owned()),
            Ok(Chosen::Fixed(Credential::Token { account, .. })) => Ok(account.as_str().to_owned()),
            Ok(Chosen::SignIn(signed_in)) => Ok(format!("{:?}", signed_in.expires)),
            Err(error) => Err(error),
        };
        let signed_in = token::SignedIn::new(access.clone(), None, None, token::Claims::default());
        let stored = Found {
            what: What::SignIn(signed_in.map(Box::new)),
            source: "file".to_owned(),
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
    fn a_malformed_one_is_not_passed_over() {
        let access = token::tests::token_of("acct-1", 1);
        let as_key = choose(&[key(access.expose(), "K")]).err();
        assert_eq!(as_key, Some(Error::TokenAsKey("K".to_owned())));
        let error = |found: Found| choose(&[found, key("good", "K")]).err();
        let shape = TokenError::Shape;
        assert_eq!(
            error(token("x", "T")),
            Some(Error::NotAToken("T".to_owned(), shape))
        );
        assert_eq!(
            error(key("two\nlines", "F")),
            Some(Error::NotAKey("F".to_owned(), 3))
        );
        assert_eq!(error(key(" \n", "F")), Some(Error::Empty("F".to_owned())));
        let stored = Found {
            what: What::SignIn(Err(shape)),
            source: "file".to_owned(),
        };
        assert_eq!(
            error(stored),
            Some(Error::NotAToken("file".to_owned(), shape))
        );
    }
}
