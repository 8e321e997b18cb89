//! The thread that sends a request and waits for the response.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use super::input::TurnInput;
use super::thread::spawn;
use crate::api::Client;
use crate::failure::Stop;
use crate::wire::request::RequestBody;

/// Starts the thread. It ends once the response has begun, or the request has failed.
pub(super) fn send(
    client: &Client,
    body: &Arc<RequestBody>,
    sender: &Sender<TurnInput>,
) -> Result<(), Stop> {
    let (client, body, sender) = (client.clone(), Arc::clone(body), sender.clone());
    spawn(move || {
        let work = || {
            let sent = client.send(&body);
            // The loop appends to the body once the answer has ended, and would have to copy a shared one.
            drop(body);
            for warning in client.authority().warnings() {
                let _ = sender.send(TurnInput::Warned(warning));
            }
            let _ = sender.send(match sent {
                Ok(stream) => TurnInput::Begun(Box::new(stream)),
                Err(error) => TurnInput::Refused(error),
            });
        };
        if catch_unwind(AssertUnwindSafe(work)).is_err() {
            let _ = sender.send(TurnInput::Panicked);
        }
    })
}
