//! The place where a credential was found (pure).

use std::fmt;
use std::path::PathBuf;

/// The place where a credential was found. Its `Display` text is used in messages and JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CredentialSource {
    /// The file named by this long flag.
    FlagFile(&'static str),
    /// The environment variable of this name.
    Variable(&'static str),
    /// The sign-in in this credentials file, or the entry in its place.
    File(PathBuf),
    /// The key in this credentials file.
    KeyIn(PathBuf),
    /// The personal access token in this credentials file.
    PersonalIn(PathBuf),
    /// The key of the provider of this name in `models.json`.
    ServerKey(String),
    /// The provider of this name in `models.json`, which has no key.
    Server(String),
    /// Standard input.
    Stdin,
    /// The program that uses the library.
    Caller,
}

impl CredentialSource {
    /// Returns the provider in `models.json` that the credential belongs to, if any.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        match self {
            Self::ServerKey(name) | Self::Server(name) => Some(name),
            Self::FlagFile(_)
            | Self::Variable(_)
            | Self::File(_)
            | Self::KeyIn(_)
            | Self::PersonalIn(_)
            | Self::Stdin
            | Self::Caller => None,
        }
    }
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FlagFile(long) => write!(f, "the file of --{long}"),
            Self::Variable(name) => f.write_str(name),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::KeyIn(path) => write!(f, "the key in {}", path.display()),
            Self::PersonalIn(path) => {
                write!(f, "the personal access token in {}", path.display())
            }
            Self::ServerKey(name) => write!(f, "the key of {name} in models.json"),
            Self::Server(name) => write!(f, "models.json (no \"apiKey\" for {name})"),
            Self::Stdin => f.write_str("standard input"),
            Self::Caller => f.write_str("the key"),
        }
    }
}
