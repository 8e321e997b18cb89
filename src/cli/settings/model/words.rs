//! Why no model can be asked, and what is to be reported about one that is, as values and in words.

use std::fmt;

use crate::failure::Failure;
use crate::http::AddressError;
use crate::outcome::Outcome;

/// Why no model can be asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unchosen {
    /// The conversation is one with a model of a provider that `models.json` has not got any more.
    NoProvider {
        /// The model of the conversation.
        model: String,
        /// Its provider.
        provider: String,
    },
    /// The conversation is one with a model that this credential cannot be used with.
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
        /// Where it is written.
        place: String,
        /// What is wrong with it.
        error: AddressError,
    },
    /// `models.json` has this model asked in a shape that carries no web search.
    NoSearch(String),
}

impl From<Unchosen> for Failure {
    fn from(why: Unchosen) -> Self {
        let not_kept = |model: &str, why: &str| {
            Self::new(
                Outcome::Forbidden,
                format!("cannot go on with {model}, the model of this conversation: {why}"),
            )
            .hint("name another model with -m; `codex models` lists those that there are")
        };
        match why {
            Unchosen::NoProvider { model, provider } => {
                not_kept(&model, &format!("models.json has no provider {provider} any more"))
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
                "cannot ask {name}: models.json does not say where it is"
            ))
            .hint("give it a \"baseUrl\""),
            Unchosen::OtherProtocol { provider, protocol } => Self::usage(format!(
                "cannot ask {provider}: it speaks {protocol}, and codex-run speaks the Responses API"
            ))
            .hint("if the server has the Responses API too, set \"api\" to \"openai-responses\" in models.json"),
            Unchosen::BadAddress { place, error } => {
                Self::usage(format!("cannot use the address of {place}: {error}"))
                    .hint("it looks like https://server.example/v1")
            }
            Unchosen::NoSearch(id) => Self::new(
                Outcome::Failed,
                format!(
                    "cannot search the web: models.json has {id} asked in the lite shape, which carries no tools of the service"
                ),
            )
            .hint("leave the search out, or name another shape in models.json"),
        }
    }
}

/// What is to be reported about a model that is asked.
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
        /// The provider whose models were looked through; none for the list of models.
        provider: Option<String>,
        /// Where it is sent, where that may not be meant.
        host: Option<String>,
        /// The nearest that is known.
        nearest: Option<String>,
    },
    /// The address and the key of this provider are for models that are named with it.
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
