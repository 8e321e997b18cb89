//! One request to the service and the stream that answers it. Which address a request goes to follows
//! from the credential that it carries, so a key cannot reach the subscription host nor a token the API.

mod headers;
pub mod models;
mod refusal;
pub mod retry;
mod signed;
pub mod usage;
mod workspace;

use std::error::Error as StdError;
use std::fmt;
use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};

use crate::auth::{Authority, Credential, sign_in};
use crate::clock::seconds;
use crate::http::{self, BaseUrl, Http};
use crate::id::ThreadId;
use crate::secret::Secret;
use crate::wire::answer::{Answer, Show};
use crate::wire::fault::{Cause, Fault, Head, Limit};
use crate::wire::request::{Body, Shape};
use crate::wire::sse::{Decoder, TooLong};
use headers::common;
use refusal::{head, refused};
use signed::{Place, Question, Signed};
pub use workspace::{Route, Scope};

/// The version of the official client whose protocol this is. The subscription backend keeps models, and some answers, from
/// clients that speak an older one. It is not our own version, which stands in the User-Agent.
const PROTOCOL: &str = "0.171.0";

/// The header that names the shape of Responses Lite.
const LITE: &str = "x-openai-internal-codex-responses-lite";

/// The header by which an answer says where the further requests of its turn belong.
const TURN_STATE: &str = "x-codex-turn-state";

/// The longest value of it that is sent back, in bytes.
const MAX_TURN_STATE: usize = 8 << 10;

/// A key or token is longer than this, in bytes; what servers that want none are given, such as `none`, is not.
const SECRET: usize = 8;

/// Where the two backends are.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// The subscription backend, for ChatGPT tokens.
    pub subscription: BaseUrl,
    /// The API, for keys.
    pub api: BaseUrl,
    /// The way of a workspace that is bound to a region, once it was asked for.
    pub route: Route,
    /// What the requests of a key are counted on.
    pub scope: Scope,
}

/// Why there is no answer, or no more of it.
#[derive(Debug)]
pub enum Error {
    /// There is no valid credential to send a request with.
    SignIn(sign_in::Error),
    /// No request came through to this host, or no answer began.
    Http(String, http::Error),
    /// The stream broke off.
    Cut(http::Error),
    /// The service answered something else than was asked for.
    Unreadable,
    /// The service said no.
    Fault(Fault),
    /// An event is longer than can be kept.
    TooLong(TooLong),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignIn(error) => error.fmt(f),
            Self::Http(_, error) | Self::Cut(error) => error.fmt(f),
            Self::Fault(fault) => f.write_str(&fault.message),
            Self::TooLong(error) => error.fmt(f),
            Self::Unreadable => f.write_str("the answer cannot be read"),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            Self::SignIn(error) => Some(error),
            Self::Http(_, error) | Self::Cut(error) => Some(error),
            Self::TooLong(error) => Some(error),
            Self::Fault(_) | Self::Unreadable => None,
        }
    }
}

impl Error {
    /// Whether the service wants the request in the other shape.
    #[must_use]
    pub fn is_about_shape(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.is_about_shape())
    }

    /// Whether this machine has no more of what the request needs, which has nothing to do with the network.
    #[must_use]
    pub fn is_exhausted(&self) -> bool {
        match self {
            Self::Http(_, error) | Self::Cut(error) => error.is_exhausted(),
            Self::SignIn(error) => error.is_exhausted(),
            _ => false,
        }
    }

    /// Whether the service says so in words that can mean nothing else. That a model is not found can.
    #[must_use]
    pub fn is_refused_shape(&self) -> bool {
        self.is_about_shape() && !matches!(self, Self::Fault(fault) if fault.status == Some(404))
    }

    /// Whether the service cannot read, or misses, the reasoning of earlier answers.
    #[must_use]
    pub fn is_about_reasoning(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.is_about_reasoning())
    }

    /// Whether the service does not have the model, or not for this account or this client.
    #[must_use]
    pub fn is_about_model(&self) -> bool {
        matches!(self, Self::Fault(fault) if matches!(fault.cause, Cause::Model | Cause::Version))
    }

    /// Whether the service says that this request is wrong, without a word that it would be right later or elsewhere.
    #[must_use]
    pub fn is_about_request(&self) -> bool {
        self.is_about_shape()
            || self.is_about_model()
            || matches!(self, Self::Fault(fault) if fault.cause == Cause::Request)
    }

    /// Whether no answer has begun.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(self, Self::SignIn(_) | Self::Http(..) | Self::Fault(_))
    }
}

/// Sends the requests of one turn: a question, and what its calls lead to.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
    endpoints: Endpoints,
    authority: Authority,
    headers: Vec<(&'static str, String)>,
    marks: Option<Sender<Option<String>>>,
    /// What the first answer of the turn said about where the further requests belong.
    turn_state: Arc<OnceLock<String>>,
}

impl Client {
    /// Nothing is sent before the first request.
    #[must_use]
    pub fn new(http: Http, endpoints: &Endpoints, authority: Authority, thread: &ThreadId) -> Self {
        let mut headers = common("text/event-stream");
        headers.push(("session-id", thread.as_str().to_owned()));
        headers.push(("x-client-request-id", thread.as_str().to_owned()));
        Self {
            endpoints: endpoints.clone(),
            http,
            authority,
            headers,
            marks: None,
            turn_state: Arc::default(),
        }
    }

    /// The address that requests go to.
    #[must_use]
    pub fn url(&self) -> String {
        match self.authority.current() {
            Credential::Token { .. } => self.endpoints.subscription.join("/responses"),
            Credential::Key(_) => self.endpoints.api.join("/responses"),
        }
    }

    /// The headers that a request of this shape carries beside the secret one.
    #[must_use]
    pub fn headers(&self, shape: Shape) -> Vec<(&'static str, String)> {
        let mut headers = self.of_shape(shape);
        let scope = &self.endpoints.scope;
        headers.extend(workspace::headers(&self.authority.current(), scope));
        headers
    }

    /// The headers that do not depend on who asks.
    fn of_shape(&self, shape: Shape) -> Vec<(&'static str, String)> {
        let mut headers = self.headers.clone();
        if shape == Shape::Lite {
            headers.push((LITE, "true".to_owned()));
        }
        let state = self.turn_state.get().cloned();
        headers.extend(state.map(|state| (TURN_STATE, state)));
        headers
    }

    /// Keeps what an answer says about where the further requests of the turn belong. Only the subscription backend has
    /// a use for that, and the first answer decides.
    fn keep_turn_state(&self, answer: &http::Answer) {
        let state = answer.header(TURN_STATE).unwrap_or_default();
        let is_plain = state.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if self.authority.account().is_some()
            && is_plain
            && (1..=MAX_TURN_STATE).contains(&state.len())
        {
            let _ = self.turn_state.set(state.to_owned());
        }
    }

    /// The same client, which tells here of every answer that begins, with the mark of the service's list of models if
    /// the answer names it.
    #[must_use]
    pub fn telling(self, marks: Sender<Option<String>>) -> Self {
        Self {
            marks: Some(marks),
            ..self
        }
    }

    /// Sends a request's body and waits for the answer to begin.
    ///
    /// # Errors
    /// When no answer begins or it is a refusal.
    pub fn send(&self, body: &Body) -> Result<Stream, Error> {
        let question = Question {
            place: Place::Below("/responses"),
            headers: &self.of_shape(body.shape()),
            body: Some((http::JSON, body.bytes())),
            limit: http::Limit::Stream,
        };
        let signed = Signed {
            http: &self.http,
            endpoints: &self.endpoints,
            authority: &self.authority,
        };
        let answer = signed.ask(&question)?;
        let kind = answer
            .header("content-type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        // A success that is a document is a proxy's page or an error in disguise. Some servers name no type at all.
        let document = kind.starts_with("text/html") || kind.starts_with("application/json");
        if answer.status() != 200 || document {
            return Err(refused(&self.authority, answer));
        }
        self.keep_turn_state(&answer);
        if let Some(marks) = &self.marks {
            let _ = marks.send(answer.header("x-models-etag").map(str::to_owned));
        }
        Ok(Stream {
            head: head(&self.authority, &answer),
            answer,
            decoder: Decoder::default(),
        })
    }

    /// Whether the requests carry a credential at all.
    #[must_use]
    pub fn is_signed(&self) -> bool {
        let secrets = self.authority.secrets();
        secrets.iter().any(|secret| !secret.expose().is_empty())
    }

    /// Who the requests are signed by.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Ends every connection, also one that another thread is waiting on.
    pub fn shutdown(&self) {
        self.http.shutdown();
    }

    /// The same client without any connection.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self {
            http: self.http.renewed(),
            ..self.clone()
        }
    }

    /// Takes our secrets out of what the service says.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        redact(&self.authority, text)
    }
}

/// Takes our secrets out of what the service says: one that repeats what it was sent shall not make us print it.
/// A word that is too short to be a secret is left alone.
fn redact(authority: &Authority, text: &str) -> String {
    let secrets = authority.secrets();
    let long = |secret: &&Secret| secret.expose().len() >= SECRET;
    secrets
        .iter()
        .filter(long)
        .fold(text.to_owned(), |text, secret| secret.hide_in(&text))
}

/// An answer on its way.
pub struct Stream {
    answer: http::Answer,
    decoder: Decoder,
    head: Head,
}

impl Stream {
    /// Waits for the next bytes and feeds them to `answer`; false at the end of the body.
    ///
    /// # Errors
    /// When the connection breaks, stays silent, or brings an event beyond all measure.
    pub fn next(&mut self, answer: &mut Answer, show: &mut Vec<Show>) -> Result<bool, Error> {
        let piece = self.answer.read().map_err(Error::Cut)?;
        self.decoder
            .feed(piece, |frame| answer.take(frame, show))
            .map_err(Error::TooLong)?;
        if piece.is_empty() {
            self.decoder.left(|frame| answer.take_left(frame, show));
        }
        if answer.ended() {
            answer.came_with(&self.head, seconds());
        }
        Ok(!piece.is_empty())
    }

    /// How much of the plan is used up, if the service said.
    #[must_use]
    pub fn limits(&self) -> Vec<Limit> {
        self.head.limits(seconds())
    }

    /// Reads on to the end of the body, so that its connection can serve the next request.
    pub fn drain(mut self) {
        while self.answer.read().is_ok_and(|piece| !piece.is_empty()) {}
    }
}
