//! One message to a server and its response, read until the message is answered.

use std::borrow::Cow;
use std::sync::Mutex;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::RemoteError;
use super::event_position::EventPosition;
use super::gate::{Gate, lock};
use super::remote_url::{MIN_SECRET_BYTES, RemoteHeader, RemoteUrl};

use crate::http::{self, Http, HttpResponse, JSON, Request, TimeLimit};
use crate::mcp::session::{Outgoing, ServerSession, SessionError, SessionEvent};
use crate::secret::Secret;
use crate::text::{one_line, shortened};
use crate::wire::sse::Decoder;

/// Size limit for a response, in bytes; an event stream and its continuations together.
const MAX_BODY_BYTES: usize = 64 << 20;

/// Size limit for the response to an error or a notification, in bytes.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// How much of an error response is shown, in bytes.
const MAX_SHOWN_BYTES: usize = 200;

/// Maximum length of a session id, in bytes.
const MAX_SESSION_ID_BYTES: usize = 4 << 10;

/// Maximum number of requests of the server that are answered during one exchange.
const MAX_ANSWERED_REQUESTS: usize = 100;

/// Maximum number of times that an event stream is continued.
const MAX_CONTINUATIONS: usize = 100;

const EVENT_STREAM: &str = "text/event-stream";

/// A session, and the id that the server gave to it.
#[derive(Debug)]
pub(super) struct Dialogue {
    pub(super) session: Mutex<ServerSession>,
    pub(super) id: Mutex<Option<Secret>>,
}

impl Dialogue {
    /// Begins one. Returns it with its first message.
    pub(super) fn begin() -> (Self, Outgoing) {
        let (session, first) = ServerSession::begin();
        let dialogue = Self {
            session: Mutex::new(session),
            id: Mutex::default(),
        };
        (dialogue, first)
    }
}

/// Everything that a request needs.
pub(super) struct Exchange<'a> {
    pub(super) http: Http,
    pub(super) url: &'a RemoteUrl,
    pub(super) headers: &'a [RemoteHeader],
    pub(super) dialogue: &'a Dialogue,
    pub(super) gate: &'a Gate,
    pub(super) deadline: Instant,
}

/// What a response has brought so far.
#[derive(Default)]
struct Received {
    events: Vec<SessionEvent>,
    bytes: usize,
    /// Requests of the server that were answered.
    answered: usize,
}

impl Exchange<'_> {
    /// Sends a message. For a request, waits until the session has gone on; requests of the server that arrive before
    /// that are answered.
    ///
    /// # Errors
    /// If there is no answer.
    pub(super) fn post(&self, message: &Outgoing) -> Result<Vec<SessionEvent>, RemoteError> {
        let mut headers = vec![("accept", format!("{JSON}, {EVENT_STREAM}"))];
        let is_stateless = lock(&self.dialogue.session).is_stateless();
        if is_stateless && !message.method.is_empty() {
            headers.push(("mcp-method", message.method.to_owned()));
            headers.extend(
                (message.tool.as_deref()).map(|tool| ("mcp-name", header_value(tool).into_owned())),
            );
        }
        let response = self.send(&headers, Some(&message.json))?;
        let status = response.status();
        let mut received = Received::default();
        if !(200..300).contains(&status) {
            self.refused(message, response, &mut received)?;
        } else if message.id.is_none() {
            // There should be no body. It is read so that the connection can be used again.
            if matches!(status, 202 | 204) {
                let _ = response.read_up_to(MAX_ERROR_BYTES);
            }
        } else {
            if message.method == "initialize" {
                *lock(&self.dialogue.id) = session_id(&response)?;
            }
            self.read(response, &mut received)?;
        }
        Ok(received.events)
    }

    /// Ends the session.
    pub(super) fn delete(&self) -> Result<(), RemoteError> {
        let headers = self.all_headers(&[]);
        self.http.delete(&self.request(&headers, None)?)?;
        Ok(())
    }

    /// The error without the secrets of the server.
    pub(super) fn redacted(&self, error: SessionError) -> SessionError {
        match error {
            SessionError::Refused { method, mut answer } => {
                answer.message = self.shown(&answer.message);
                SessionError::Refused { method, answer }
            }
            SessionError::Version(text) => SessionError::Version(self.shown(&text)),
            malformed @ SessionError::Malformed(_) => malformed,
        }
    }

    fn send(
        &self,
        headers: &[(&str, String)],
        message: Option<&str>,
    ) -> Result<HttpResponse, RemoteError> {
        if self.gate.is_closed() {
            return Err(RemoteError::Interrupted);
        }
        let headers = self.all_headers(headers);
        Ok(self.http.send(&self.request(&headers, message)?)?)
    }

    fn request<'b>(
        &'b self,
        headers: &'b [(&'b str, String)],
        message: Option<&'b str>,
    ) -> Result<Request<'b>, RemoteError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(http::Error::Late.into());
        }
        Ok(Request {
            url: self.url.as_str(),
            bearer: None,
            headers,
            body: message.map(|message| (JSON, message.as_bytes())),
            limit: TimeLimit::Whole(left),
        })
    }

    /// These headers, those of the session and those of the user.
    fn all_headers<'b>(&'b self, headers: &[(&'b str, String)]) -> Vec<(&'b str, String)> {
        let mut all = headers.to_vec();
        let session = lock(&self.dialogue.session);
        // Before an answer the version is not agreed on, and the message itself proposes one.
        if session.is_stateless() || !session.server().protocol.is_empty() {
            all.push(("mcp-protocol-version", session.protocol().to_owned()));
        }
        let id = lock(&self.dialogue.id);
        all.extend(
            id.iter()
                .map(|id| ("mcp-session-id", id.expose().to_owned())),
        );
        let headers = self.headers.iter();
        all.extend(headers.map(|header| (&*header.name, header.value.expose().to_owned())));
        all
    }

    /// Handles an error response, which may hold an answer all the same.
    fn refused(
        &self,
        message: &Outgoing,
        response: HttpResponse,
        received: &mut Received,
    ) -> Result<(), RemoteError> {
        let status = response.status();
        let has_session = lock(&self.dialogue.id).is_some();
        match status {
            300..400 => return Err(RemoteError::Redirect(status)),
            404 if has_session && message.method != "initialize" => {
                return Err(RemoteError::Expired);
            }
            _ => {}
        }
        let body = response.body(MAX_ERROR_BYTES)?;
        if message.id.is_none() {
            // Nothing waits for it.
            return Ok(());
        }
        if !self.take(&body, received) {
            let text = self.shown(&String::from_utf8_lossy(&body));
            return Err(RemoteError::Status(status, text));
        }
        Ok(())
    }

    /// Reads a response until the session has gone on.
    fn read(&self, mut response: HttpResponse, received: &mut Received) -> Result<(), RemoteError> {
        let kind = response.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if kind.eq_ignore_ascii_case(JSON) {
            let (body, error) = response.read_up_to(MAX_BODY_BYTES);
            return match error {
                _ if body.len() > MAX_BODY_BYTES => Err(RemoteError::TooLong(MAX_BODY_BYTES)),
                Some(error) => Err(error.into()),
                None if self.take(&body, received) => Ok(()),
                None => Err(RemoteError::NoAnswer),
            };
        }
        if !kind.eq_ignore_ascii_case(EVENT_STREAM) {
            return Err(RemoteError::Kind(self.shown(kind)));
        }
        let mut position = EventPosition::default();
        for _ in 0..MAX_CONTINUATIONS {
            let ended = self.read_events(response, &mut position, received);
            position.end();
            match (ended, position.next()) {
                (Ok(true), _) => return Ok(()),
                (Ok(false) | Err(RemoteError::Http(http::Error::Broken(_))), Some((id, pause))) => {
                    let left = self.deadline.saturating_duration_since(Instant::now());
                    self.gate.pause(pause.min(left));
                    let accept = ("accept", EVENT_STREAM.to_owned());
                    let last = ("last-event-id", id.to_owned());
                    response = self.send(&[accept, last], None)?;
                    if response.status() != 200 {
                        return Err(RemoteError::Status(response.status(), String::new()));
                    }
                }
                (Ok(false), None) => return Err(RemoteError::NoAnswer),
                (Err(error), _) => return Err(error),
            }
        }
        Err(RemoteError::NoAnswer)
    }

    /// Reads events until the session has gone on; returns whether it has.
    fn read_events(
        &self,
        mut response: HttpResponse,
        position: &mut EventPosition,
        received: &mut Received,
    ) -> Result<bool, RemoteError> {
        let mut decoder = Decoder::default();
        let mut is_done = false;
        loop {
            let piece = response.read()?;
            if piece.is_empty() {
                return Ok(false);
            }
            received.bytes += piece.len();
            position.feed(piece);
            let fed = decoder.feed(piece, |data| is_done = is_done || self.take(data, received));
            if fed.is_err() || received.bytes > MAX_BODY_BYTES {
                return Err(RemoteError::TooLong(MAX_BODY_BYTES));
            }
            if is_done {
                return Ok(true);
            }
        }
    }

    /// Passes a message of the server to the session; returns whether the session has gone on. Requests of the server
    /// are answered.
    fn take(&self, data: &[u8], received: &mut Received) -> bool {
        let data = self.without_secrets(data);
        let events = lock(&self.dialogue.session).receive(&data);
        for event in events {
            match event {
                SessionEvent::Send(answer) if answer.method.is_empty() => {
                    received.answered += 1;
                    if received.answered <= MAX_ANSWERED_REQUESTS {
                        let _ = self.post(&answer);
                    }
                }
                event => received.events.push(event),
            }
        }
        !received.events.is_empty()
    }

    /// A message of the server without its secrets, which a server may repeat.
    fn without_secrets<'d>(&self, data: &'d [u8]) -> Cow<'d, [u8]> {
        masked(data, &self.secrets())
    }

    /// The secrets of the server: the values of the headers, the id of the session, and what the URL has.
    fn secrets(&self) -> Vec<Secret> {
        let mut secrets = self.url.secrets();
        secrets.extend(self.headers.iter().map(|header| header.value.clone()));
        secrets.extend(lock(&self.dialogue.id).clone());
        secrets
    }

    /// Text of the server, short, on one line and without its secrets.
    fn shown(&self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        for secret in self.secrets() {
            text = Cow::Owned(secret.hide_in(&text));
        }
        shortened(&one_line(&text), MAX_SHOWN_BYTES).into_owned()
    }
}

/// A JSON text in which these secrets, as they are and as JSON escapes them, are `***`; of the value of a header that has a
/// scheme, such as `Bearer`, also what follows it. Shorter ones than `MIN_SECRET_BYTES` are left: they may be anything.
fn masked<'d>(data: &'d [u8], secrets: &[Secret]) -> Cow<'d, [u8]> {
    let Ok(text) = std::str::from_utf8(data) else {
        return Cow::Borrowed(data);
    };
    let mut text = Cow::Borrowed(text);
    for secret in secrets {
        let whole = secret.expose();
        let token = whole.split_once(' ').map(|(_, token)| token);
        for value in [Some(whole), token].into_iter().flatten() {
            let escaped = serde_json::Value::from(value).to_string();
            for form in [value, &escaped[1..escaped.len() - 1]] {
                if form.len() >= MIN_SECRET_BYTES && text.contains(form) {
                    text = Cow::Owned(text.replace(form, "***"));
                }
            }
        }
    }
    match text {
        Cow::Borrowed(_) => Cow::Borrowed(data),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// A name as the value of a header: in base64 if it could not be sent as it is.
fn header_value(name: &str) -> Cow<'_, str> {
    let is_plain = name.bytes().all(|byte| (b' '..0x7f).contains(&byte)) && name.trim() == name;
    if is_plain && !name.starts_with("=?") {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(format!("=?base64?{}?=", STANDARD.encode(name)))
    }
}

/// The id of the session that a response begins, if it has one.
fn session_id(response: &HttpResponse) -> Result<Option<Secret>, RemoteError> {
    let Some(id) = response.header("mcp-session-id") else {
        return Ok(None);
    };
    let is_valid = |id: &&str| {
        let length = 1..=MAX_SESSION_ID_BYTES;
        length.contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let id = Some(id).filter(is_valid).ok_or(RemoteError::SessionId)?;
    Ok(Some(Secret::new(id.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_masked_in_every_form_of_a_secret() {
        let secrets = ["Bearer in\"the-header", "sess-0123456789", "short"]
            .map(|text| Secret::new(text.to_owned()));
        let masked = |data: &str| String::from_utf8(masked(data.as_bytes(), &secrets).into_owned());
        for (data, expected) in [
            (
                r#"{"text":"it is Bearer in\"the-header."}"#,
                r#"{"text":"it is ***."}"#,
            ),
            (
                r#"{"text":"in\"the-header, sess-0123456789"}"#,
                r#"{"text":"***, ***"}"#,
            ),
            (r#"{"text":"short, Bearer"}"#, r#"{"text":"short, Bearer"}"#),
        ] {
            assert_eq!(masked(data).as_deref(), Ok(expected));
        }
        assert_eq!(super::masked(b"\xff", &secrets), Cow::Borrowed(b"\xff"));
    }
}
