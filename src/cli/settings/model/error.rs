//! Errors and notes about the choice of a model, as values and as text.

use std::fmt;

use crate::failure::Failure;
use crate::http::AddressError;
use crate::outcome::Outcome;

/// Why no model can be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ModelError {
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
        /// The service no longer offers it.
        retired: bool,
    },
    /// The part before the slash names no provider in `models.json`.
    UnknownProvider {
        /// The model that was named.
        model: String,
        /// The providers in `models.json`.
        known: Vec<String>,
        /// The nearest of them.
        nearest: Option<String>,
    },
    /// The provider of this name has no address in `models.json`.
    NoAddress(String),
    /// The server speaks a different protocol.
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

impl From<ModelError> for Failure {
    fn from(why: ModelError) -> Self {
        let not_kept = |model: &str, why: &str| {
            Self::new(
                Outcome::Forbidden,
                format!("cannot continue with {model}, the model of this conversation: {why}"),
            )
            .hint("choose another model with -m; `codex models` lists the models")
        };
        match why {
            ModelError::NoProvider { model, provider } => {
                not_kept(&model, &format!("models.json no longer has a provider {provider}"))
            }
            ModelError::Unusable { model, retired } => not_kept(
                &model,
                if retired {
                    "it has been retired"
                } else {
                    "it is not available to this credential"
                },
            ),
            ModelError::UnknownProvider {
                model,
                known,
                nearest,
            } => {
                let rest = match (nearest, &known[..]) {
                    (Some(nearest), _) => format!("did you mean {nearest}?"),
                    (None, []) => "models.json has no providers".to_owned(),
                    (None, known) => format!("models.json has {}", known.join(", ")),
                };
                Self::usage(format!("unknown provider in the model id {model:?}; {rest}"))
                    .hint("`codex models` lists the models; `codex help models` explains how to add a provider")
            }
            ModelError::NoAddress(name) => Self::usage(format!(
                "cannot use {name}: models.json has no address for it"
            ))
            .hint("add its \"baseUrl\""),
            ModelError::OtherProtocol { provider, protocol } => Self::usage(format!(
                "cannot use {provider}: its protocol is {protocol}, and codex-run supports only the Responses API"
            ))
            .hint("if the server also supports the Responses API, set \"api\" to \"openai-responses\" in models.json"),
            ModelError::BadAddress { place, error } => {
                Self::usage(format!("cannot use the address of {place}: {error}"))
                    .hint("for example: https://server.example/v1")
            }
            ModelError::NoSearch(id) => Self::new(
                Outcome::Failed,
                format!(
                    "cannot search the web: models.json sets the request shape of {id} to \"lite\", which does not support the service's tools"
                ),
            )
            .hint("run without --search, or set a different shape in models.json"),
        }
    }
}

/// A note about the chosen model.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// The model is unknown, and its id is sent unchanged.
    NotKnown {
        /// Its id.
        id: String,
        /// The provider whose models were searched; `None` for the list of models.
        provider: Option<String>,
        /// Its destination, if that may not be the intended one.
        host: Option<String>,
        /// The nearest known id.
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
                "{flag} is ignored: models.json sets the key of {provider}, or none"
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
                f.write_str("; it is sent unchanged")?;
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
                "the address and key of {name} in models.json are used only with -m {name}/ID"
            ),
        }
    }
}
