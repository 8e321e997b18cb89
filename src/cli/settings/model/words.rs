//! Errors and notes of the choice of a model, as values and in words.

use std::fmt;

use crate::failure::Failure;
use crate::http::AddressError;
use crate::outcome::Outcome;

/// Why no model can be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unchosen {
    /// The conversation used a model of a provider that is no longer in `models.json`.
    NoProvider {
        /// The model of the conversation.
        model: String,
        /// Its provider.
        provider: String,
    },
    /// The conversation used a model that is not available to this credential.
    Unusable {
        /// The model of the conversation.
        model: String,
        /// The service had it once.
        retired: bool,
    },
    /// The provider of this name has no address in `models.json`.
    NoAddress(String),
    /// The server speaks another protocol.
    OtherProtocol {
        /// The provider.
        provider: String,
        /// The protocol.
        protocol: String,
    },
    /// The address of the server cannot be used.
    BadAddress {
        /// The place of the address.
        place: String,
        /// What is wrong with it.
        error: AddressError,
    },
    /// `models.json` sets a request shape for this model that does not support web search.
    NoSearch(String),
}

impl From<Unchosen> for Failure {
    fn from(why: Unchosen) -> Self {
        let not_kept = |model: &str, why: &str| {
            Self::new(
                Outcome::Forbidden,
                format!("cannot continue with {model}, the model of this conversation: {why}"),
            )
            .hint("choose another model with -m; `codex models` lists the models")
        };
        match why {
            Unchosen::NoProvider { model, provider } => {
                not_kept(&model, &format!("models.json no longer has a provider {provider}"))
            }
            Unchosen::Unusable { model, retired } => not_kept(
                &model,
                if retired {
                    "it is retired for this sign-in"
                } else {
                    "this credential cannot use it"
                },
            ),
            Unchosen::NoAddress(name) => Self::usage(format!(
                "cannot use {name}: models.json has no address for it"
            ))
            .hint("add its \"baseUrl\""),
            Unchosen::OtherProtocol { provider, protocol } => Self::usage(format!(
                "cannot use {provider}: it speaks {protocol}, but codex-run speaks the Responses API"
            ))
            .hint("if the server has the Responses API too, set \"api\" to \"openai-responses\" in models.json"),
            Unchosen::BadAddress { place, error } => {
                Self::usage(format!("cannot use the address of {place}: {error}"))
                    .hint("for example: https://server.example/v1")
            }
            Unchosen::NoSearch(id) => Self::new(
                Outcome::Failed,
                format!(
                    "cannot search the web: models.json sets the lite request shape for {id}, which supports no tools of the service"
                ),
            )
            .hint("run without --search, or set another shape in models.json"),
        }
    }
}

/// A note about the chosen model.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ModelNote {
    /// The headers of this provider are not sent.
    HeadersNotSent(String),
    /// The key of the flag is not used with this provider.
    KeyNotUsed {
        /// The flag, as a message calls it.
        flag: String,
        /// The provider.
        provider: String,
    },
    /// The model is not known, and is sent as it is.
    NotKnown {
        /// Its id.
        id: String,
        /// The provider whose models were searched; none for the list of models.
        provider: Option<String>,
        /// Its destination, if that may not be what was meant.
        host: Option<String>,
        /// The nearest that is known.
        nearest: Option<String>,
    },
    /// The address and the key of this provider apply only to models that are named with it.
    EntryNotUsed(String),
}

impl fmt::Display for ModelNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeadersNotSent(name) => {
                write!(f, "the \"headers\" of {name} in models.json are not sent")
            }
            Self::KeyNotUsed { flag, provider } => write!(
                f,
                "{flag} is not used: {provider} has a key of its own, or none"
            ),
            Self::NotKnown {
                id,
                provider,
                host,
                nearest,
            } => {
                match provider {
                    Some(name) => write!(f, "{id} is not among the models of {name}")?,
                    None => write!(f, "{id} is not in the list of models")?,
                }
                f.write_str(", and is sent as it is")?;
                if let Some(host) = host {
                    write!(f, " to {host}")?;
                }
                match nearest {
                    Some(nearest) => write!(f, "; the nearest is {nearest}"),
                    None => Ok(()),
                }
            }
            Self::EntryNotUsed(name) => write!(
                f,
                "the address and key of {name} in models.json are used with -m {name}/ID only"
            ),
        }
    }
}
