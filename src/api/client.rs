//! The client of a conversation: sends its requests to the service.

use std::sync::mpsc::Sender;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use super::endpoints::Endpoints;
use super::error::Error;
use super::headers::{LITE, conversation_headers};
use super::owner::owner;
use super::redact::redact;
use super::refusal::{head, refused};
use super::signed::{RequestPath, Signed, UnsignedRequest};
use super::stream::Stream;
use crate::auth::Authority;
use crate::http::{self, Http};
use crate::id::ThreadId;
use crate::wire::request::{RequestBody, Shape};
use crate::wire::sse::Decoder;

/// The response header with the routing token for further requests of the same turn.
const TURN_STATE: &str = "x-codex-turn-state";

/// Size limit in bytes of a routing token that is sent back.
const MAX_TURN_STATE_BYTES: usize = 8 << 10;

/// Sends the requests of a conversation.
#[derive(Clone, Debug)]
pub struct Client {
    http: Http,
    endpoints: Endpoints,
    authority: Authority,
    headers: Vec<(&'static str, String)>,
    etags: Option<Sender<Option<String>>>,
    /// The routing token from the first response of the turn.
    turn_state: Arc<OnceLock<String>>,
}

impl Client {
    /// Creates a client, which connects at the first request.
    #[must_use]
    pub fn new(http: Http, endpoints: &Endpoints, authority: Authority, thread: &ThreadId) -> Self {
        Self {
            endpoints: endpoints.clone(),
            http,
            authority,
            headers: conversation_headers(thread),
            etags: None,
            turn_state: Arc::default(),
        }
    }

    /// The headers that do not depend on the credential.
    fn shape_headers(&self, shape: Shape) -> Vec<(&'static str, String)> {
        let mut headers = self.headers.clone();
        if shape == Shape::Lite {
            headers.push((LITE, "true".to_owned()));
        }
        let state = self.turn_state.get().cloned();
        headers.extend(state.map(|state| (TURN_STATE, state)));
        headers
    }

    /// Stores the routing token of a response. Only the subscription backend uses one, and the first response of a turn
    /// decides.
    fn keep_turn_state(&self, answer: &http::HttpResponse) {
        let state = answer.header(TURN_STATE).unwrap_or_default();
        let is_plain = state.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if self.authority.account().is_some()
            && is_plain
            && (1..=MAX_TURN_STATE_BYTES).contains(&state.len())
        {
            let _ = self.turn_state.set(state.to_owned());
        }
    }

    /// Begins a turn: discards the routing token of the previous one.
    pub fn begin_turn(&mut self) {
        self.turn_state = Arc::default();
    }

    /// Also sends the model list's `ETag`, if any, of each response that begins to `etags`.
    #[must_use]
    pub fn with_etag_sender(self, etags: Sender<Option<String>>) -> Self {
        Self {
            etags: Some(etags),
            ..self
        }
    }

    /// Sends a request body and waits for the response to begin.
    ///
    /// # Errors
    /// When no response begins, or the service rejects the request.
    pub fn send(&self, body: &RequestBody) -> Result<Stream, Error> {
        let request = UnsignedRequest {
            place: RequestPath::Below("/responses"),
            headers: &self.shape_headers(body.shape()),
            body: Some((http::JSON, body.bytes())),
            limit: http::TimeLimit::Stream,
        };
        let signed = Signed {
            http: &self.http,
            endpoints: &self.endpoints,
            authority: &self.authority,
        };
        let answer = signed.ask(&request)?;
        let kind = answer
            .header("content-type")
            .unwrap_or_default()
            .to_ascii_lowercase();
        // An HTML or JSON document with a success status is a proxy's page or an error in disguise. Some servers send
        // no content type.
        let document = kind.starts_with("text/html") || kind.starts_with("application/json");
        if answer.status() != 200 || document {
            return Err(refused(&self.authority, answer));
        }
        self.keep_turn_state(&answer);
        if let Some(etags) = &self.etags {
            let _ = etags.send(answer.header("x-models-etag").map(str::to_owned));
        }
        Ok(Stream {
            head: head(&self.authority, &answer),
            answer,
            decoder: Decoder::default(),
            last_read: Instant::now(),
        })
    }

    /// The signer of the requests.
    #[must_use]
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The name of the service with the credential, for what only that service can read with it.
    #[must_use]
    pub fn owner(&self) -> String {
        owner(&self.endpoints, &self.authority.current())
    }

    /// Closes every connection, including one that another thread is waiting on.
    pub fn shutdown(&self) {
        self.http.shutdown();
    }

    /// A client with the same settings and no connections.
    #[must_use]
    pub fn renewed(&self) -> Self {
        Self {
            http: self.http.renewed(),
            ..self.clone()
        }
    }

    /// Redacts secrets in a string from the service.
    #[must_use]
    pub fn redact(&self, text: &str) -> String {
        redact(&self.authority, text)
    }
}
