//! The thread that sends a request and reads the response.

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

/// Number of reads that may wait for a slow standard output before reading pauses.
const MAX_READS_AHEAD: usize = 2;

/// Longest wait for the end of a response body once everything else is ready. Losing the connection costs less than waiting
/// for a server that never ends its responses.
pub(super) const BODY_END_TIMEOUT: Duration = Duration::from_millis(500);

/// An answer that a thread is reading, as the loop sees it.
#[derive(Debug)]
pub(super) struct Reading {
    /// Contains one token for each read that is not reported yet.
    credits: Receiver<()>,
    /// Its sender is dropped once the connection is free, or lost.
    ended: Receiver<()>,
}

impl Reading {
    /// Starts the thread. `number` is the index of the request in the turn, counted from 1.
    pub(super) fn start(
        client: &Client,
        body: &Arc<RequestBody>,
        number: usize,
        sender: &Sender<TurnInput>,
    ) -> Result<Self, Stop> {
        let (credit, credits) = mpsc::sync_channel(MAX_READS_AHEAD);
        let (reading, ended) = mpsc::channel();
        let (client, body, sender) = (client.clone(), Arc::clone(body), sender.clone());
        spawn(move || {
            let work = || read(&client, body, number, &sender, &credit);
            if catch_unwind(AssertUnwindSafe(work)).is_err() {
                let _ = sender.send(TurnInput::Panicked);
            }
            drop::<Sender<()>>(reading);
        })?;
        Ok(Self { credits, ended })
    }

    /// Records that one read was reported.
    pub(super) fn mark_reported(&self) {
        let _ = self.credits.try_recv();
    }

    /// Waits up to `BODY_END_TIMEOUT` for the end of the body, and returns whether the connection can be reused.
    pub(super) fn await_end(&self) -> bool {
        self.ended.recv_timeout(BODY_END_TIMEOUT) == Err(mpsc::RecvTimeoutError::Disconnected)
    }
}

/// Sends the request and reads the response to the end of the body.
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
    // The loop appends to the body once the answer has ended, and would have to copy a shared one.
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
            // An error after the end of the answer costs only the connection.
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
