//! Reads one answer, on a thread of its own, and hands on what it brings.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};

use super::{End, Input, spawn};
use crate::api::Client;
use crate::wire::answer::Answer;
use crate::wire::request::Body;

/// How many reads of text may wait for a slow standard output before the reading pauses.
const AHEAD: usize = 2;

/// Sends this body and begins to read the answer, which is the run's `number`th request. A word is to be taken from what
/// is given back for each read that was shown.
pub(super) fn start(
    client: &Client,
    body: &Arc<Body>,
    number: usize,
    sender: &Sender<Input>,
) -> Result<Receiver<()>, End> {
    let (credit, spent) = mpsc::sync_channel(AHEAD);
    let (client, body, sender) = (client.clone(), Arc::clone(body), sender.clone());
    spawn(move || {
        let work = || read(&client, body, number, &sender, &credit);
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            let _ = sender.send(Input::Panicked);
        }
    })?;
    Ok(spent)
}

/// Reads one answer, and goes on to the end of its body.
fn read(
    client: &Client,
    body: Arc<Body>,
    number: usize,
    sender: &Sender<Input>,
    credit: &SyncSender<()>,
) {
    let mut answer = Box::<Answer>::default();
    let sent = client.send(&body);
    for warning in client.authority().warnings() {
        let _ = sender.send(Input::Warned(warning.to_string()));
    }
    let mut stream = match sent {
        Ok(stream) => stream,
        Err(error) => {
            let _ = sender.send(Input::Answered(answer, Some(error)));
            return;
        }
    };
    let limits = stream.limits();
    if !limits.is_empty() {
        let _ = sender.send(Input::Limits(limits));
    }
    // The loop adds to the body once the answer has ended, and copies it if somebody else still holds it.
    drop(body);
    while !answer.ended() {
        let mut shows = Vec::new();
        let more = stream.next(&mut answer, &mut shows);
        if !shows.is_empty()
            && (credit.send(()).is_err() || sender.send(Input::Shown(shows)).is_err())
        {
            return;
        }
        match more {
            Ok(true) => {}
            Ok(false) => break,
            Err(broken) => {
                let _ = sender.send(Input::Answered(answer, Some(broken)));
                return;
            }
        }
    }
    if sender.send(Input::Answered(answer, None)).is_ok() {
        stream.drain();
        let _ = sender.send(Input::BodyEnded(number));
    }
}
