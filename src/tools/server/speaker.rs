//! What is said to a server and what it answers, between its pipes and the threads that call it. It knows no
//! descriptor: bytes and orders in, bytes to write out.

use std::sync::mpsc::Sender;

use serde_json::value::RawValue;

use super::client::{CallEnd, ServerOffer};
use super::start_error::StartError;
use crate::mcp::line_buffer::{LineBuffer, MAX_LINE_BYTES};
use crate::mcp::session::{Outgoing, ServerSession, SessionEvent};

/// How much may wait to be written before a server's own requests are no longer answered, in bytes: one that asks and
/// does not read must not fill the memory.
const MAX_WAITING_BYTES: usize = 1 << 20;

/// An order to the thread of a server.
#[derive(Debug)]
pub(super) enum Order {
    /// Run a call.
    Call {
        /// A number of its own.
        ticket: u64,
        tool: String,
        arguments: Box<RawValue>,
        end: Sender<CallEnd>,
    },
    /// Give up the call with this ticket.
    GiveUp(u64),
    /// End every call.
    Interrupt,
    /// End the server; with `hurry`, at once.
    Close { hurry: bool },
}

/// A call that runs.
struct RunningCall {
    id: u64,
    ticket: u64,
    end: Sender<CallEnd>,
}

/// The state of a conversation with a server.
pub(super) struct Speaker {
    session: ServerSession,
    lines: LineBuffer,
    calls: Vec<RunningCall>,
    /// Takes the result of the start.
    ready: Option<Sender<Result<ServerOffer, StartError>>>,
    /// What is to be written.
    pub(super) out: Vec<u8>,
}

impl Speaker {
    /// Begins the conversation; `ready` takes the result of the start.
    pub(super) fn new(ready: Sender<Result<ServerOffer, StartError>>) -> Self {
        let (session, first) = ServerSession::begin();
        let mut speaker = Self {
            session,
            lines: LineBuffer::default(),
            calls: Vec::new(),
            ready: Some(ready),
            out: Vec::new(),
        };
        speaker.send(&first);
        speaker
    }

    fn send(&mut self, message: &Outgoing) {
        self.out.extend_from_slice(message.json.as_bytes());
        self.out.push(b'\n');
    }

    /// Handles an order other than `Close`.
    pub(super) fn order(&mut self, order: Order) {
        match order {
            Order::Call {
                ticket,
                tool,
                arguments,
                end,
            } => {
                let message = self.session.call(&tool, &arguments);
                self.send(&message);
                let id = message.id.unwrap_or_default();
                self.calls.push(RunningCall { id, ticket, end });
            }
            Order::GiveUp(ticket) => {
                self.end_calls(|call| call.ticket == ticket, &CallEnd::TimedOut)
            }
            Order::Interrupt => self.end_calls(|_| true, &CallEnd::Interrupted),
            Order::Close { .. } => {}
        }
    }

    /// Ends these calls and asks the server to give them up.
    fn end_calls(&mut self, which: impl Fn(&RunningCall) -> bool, end: &CallEnd) {
        let (ended, kept) = std::mem::take(&mut self.calls).into_iter().partition(which);
        self.calls = kept;
        let ended: Vec<RunningCall> = ended;
        for call in ended {
            if let Some(message) = self.session.cancel(call.id) {
                self.send(&message);
            }
            let _ = call.end.send(end.clone());
        }
    }

    /// Takes bytes of the server.
    ///
    /// # Errors
    /// If the conversation cannot go on.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Result<(), StartError> {
        let mut events = Vec::new();
        let session = &mut self.session;
        let taken = self
            .lines
            .add(bytes, |line| events.extend(session.receive(line)));
        for event in events {
            match event {
                SessionEvent::Send(message) => {
                    // Requests are what the start and its calls wait for.
                    if message.id.is_some() || self.out.len() < MAX_WAITING_BYTES {
                        self.send(&message);
                    }
                }
                SessionEvent::Ready => {
                    let offer = ServerOffer {
                        server: self.session.server().clone(),
                        tools: self.session.tools().to_vec(),
                        left_out: self.session.left_out(),
                    };
                    self.report(Ok(offer));
                }
                SessionEvent::Answered(id, answer) => {
                    if let Some(at) = self.calls.iter().position(|call| call.id == id) {
                        let call = self.calls.swap_remove(at);
                        let _ = call.end.send(CallEnd::Answered(answer));
                    }
                }
                SessionEvent::Failed(error) => return Err(StartError::Session(error)),
            }
        }
        taken.map_err(|_| StartError::LineTooLong(MAX_LINE_BYTES))
    }

    /// Reports the result of the start, once.
    fn report(&mut self, result: Result<ServerOffer, StartError>) {
        if let Some(ready) = self.ready.take() {
            let _ = ready.send(result);
        }
    }

    /// Ends the conversation: nothing more is written, and every waiting thread gets the reason.
    pub(super) fn end(&mut self, error: StartError) {
        self.out = Vec::new();
        let why = error.to_string();
        self.report(Err(error));
        for call in self.calls.drain(..) {
            let _ = call.end.send(CallEnd::Lost(why.clone()));
        }
    }
}
