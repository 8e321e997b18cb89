//! Reads one answer, on a thread of its own, and hands on what it brings.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::time::Duration;

use super::input::TurnInput;
use super::thread::spawn;
use crate::api::Client;
use crate::failure::Stop;
use crate::wire::answer::Answer;
use crate::wire::request::RequestBody;

/// How many reads of text may wait for a slow standard output before the reading pauses.
const MAX_READS_AHEAD: usize = 2;

/// How long the end of an answer's body is waited for once everything else is ready. Losing the
/// connection costs less than a server that never ends its answers.
pub(super) const BODY_END_TIMEOUT: Duration = Duration::from_millis(500);

/// The reading of an answer.
#[derive(Debug)]
pub(super) struct Reading {
    /// Has a word for each read that was not shown yet.
    spent: Receiver<()>,
    /// The other end is dropped once the connection is free, or lost.
    over: Receiver<()>,
}

impl Reading {
    /// Sends this body and begins to read the answer, which is the turn's `number`th request.
    pub(super) fn start(
        client: &Client,
        body: &Arc<RequestBody>,
        number: usize,
        sender: &Sender<TurnInput>,
    ) -> Result<Self, Stop> {
        let (credit, spent) = mpsc::sync_channel(MAX_READS_AHEAD);
        let (reading, over) = mpsc::channel();
        let (client, body, sender) = (client.clone(), Arc::clone(body), sender.clone());
        spawn(move || {
            let work = || read(&client, body, number, &sender, &credit);
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                let _ = sender.send(TurnInput::Panicked);
            }
            drop::<Sender<()>>(reading);
        })?;
        Ok(Self { spent, over })
    }

    /// Notes that one read was shown.
    pub(super) fn was_shown(&self) {
        let _ = self.spent.try_recv();
    }

    /// Waits a little while for the end of the body; whether the connection can serve the next request.
    pub(super) fn await_end(&self) -> bool {
        self.over.recv_timeout(BODY_END_TIMEOUT) == Err(mpsc::RecvTimeoutError::Disconnected)
    }
}

/// Reads one answer, and goes on to the end of its body.
fn read(
    client: &Client,
    body: Arc<RequestBody>,
    number: usize,
    sender: &Sender<TurnInput>,
    credit: &SyncSender<()>,
) {
    let mut answer = Box::<Answer>::default();
    let sent = client.send(&body);
    for warning in client.authority().warnings() {
        let _ = sender.send(TurnInput::Warned(warning));
    }
    let mut stream = match sent {
        Ok(stream) => stream,
        Err(error) => {
            let _ = sender.send(TurnInput::Refused(error));
            return;
        }
    };
    let limits = stream.limits();
    if !limits.is_empty() {
        let _ = sender.send(TurnInput::Limits(limits));
    }
    // The loop adds to the body once the answer has ended, and copies it if somebody else still holds it.
    drop(body);
    while !answer.ended() {
        let mut shows = Vec::new();
        let more = stream.next(&mut answer, &mut shows);
        if !shows.is_empty()
            && (credit.send(()).is_err() || sender.send(TurnInput::Shown(shows)).is_err())
        {
            return;
        }
        match more {
            Ok(true) => {}
            Ok(false) => break,
            // What breaks behind the end of an answer takes nothing from it but the connection.
            Err(_) if answer.ended() => {
                let _ = sender.send(TurnInput::Answered(answer));
                return;
            }
            Err(broke) => {
                let _ = sender.send(TurnInput::BrokeOff(answer, broke));
                return;
            }
        }
    }
    let _ = sender.send(TurnInput::Answered(answer));
    stream.drain();
    let _ = sender.send(TurnInput::BodyEnded(number));
}
