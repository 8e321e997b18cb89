//! The thread that sends a request and waits for the response, and the answer in the response, which the loop itself reads: it
//! reports what a read has brought without waking another thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use super::attempt::Attempt;
use super::driver::Driver;
use super::input::{self, TurnInput};
use super::thread::spawn;
use crate::api::{Break, Client, Progress, Stream};
use crate::exhausted::at_start;
use crate::failure::Stop;
use crate::output::Notice;
use crate::wire::answer::{Answer, Show};
use crate::wire::request::RequestBody;

/// Longest wait for the end of a response body once everything else is ready. Losing the connection costs less than waiting
/// for a server that never ends its responses.
pub(super) const BODY_END_TIMEOUT: Duration = Duration::from_millis(500);

/// Starts the thread. It ends once the response has begun, or when there is none.
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

impl Driver<'_> {
    /// Reads the answer and reports it as it arrives if `reports`, up to its end.
    pub(super) fn read(&mut self, mut stream: Box<Stream>, reports: bool) -> Result<Attempt, Stop> {
        let mut answer = Box::<Answer>::default();
        let read = self.read_to_end(&mut stream, &mut answer, reports);
        self.interrupt.end();
        match read {
            Ok(None) => {
                self.reading = Some(stream);
                self.report_skipped(&answer)?;
                Ok(Attempt::Ended(answer))
            }
            // An error after the end of the answer costs only the connection.
            Ok(Some(_)) if answer.ended() => {
                self.report_skipped(&answer)?;
                Ok(Attempt::Ended(answer))
            }
            Ok(Some(broke)) => {
                self.report_skipped(&answer)?;
                Ok(Attempt::BrokeOff(answer, broke))
            }
            Err(stop) => {
                self.sink.clear();
                self.interrupted = Some(answer).filter(|_| reports);
                Err(stop)
            }
        }
    }

    fn read_to_end(
        &mut self,
        stream: &mut Stream,
        answer: &mut Answer,
        reports: bool,
    ) -> Result<Option<Break>, Stop> {
        let begun = self.interrupt.begin();
        begun.map_err(|error| Stop::Thread(at_start(error)))?;
        let mut shows = Vec::new();
        loop {
            let until = self.take_inputs()?;
            let next = || stream.next(answer, &mut shows, &self.interrupt, until);
            let progress = catch_unwind(AssertUnwindSafe(next)).map_err(|_| Stop::Panicked)?;
            if !reports {
                shows.clear();
            }
            if !shows.is_empty() {
                if !self.policy.buffer && shows.iter().any(Show::is_text) {
                    self.keep_model();
                }
                self.printed.show(shows.drain(..), answer, self.sink)?;
            }
            match progress {
                Ok(Progress::Woken) => {}
                Ok(Progress::Read) if !answer.ended() => {}
                Ok(Progress::Read | Progress::Ended) => return Ok(None),
                Err(broke) => return Ok(Some(broke)),
            }
        }
    }

    /// Takes the inputs that have come while the response is read. Returns until when to wait for it; errors are those of
    /// [`input::next`].
    fn take_inputs(&mut self) -> Result<Option<Instant>, Stop> {
        while let Some(input) = input::waiting(self.inputs, self.sink)? {
            if let TurnInput::Waiting(waiting) = input {
                self.notify(Notice::Waiting(&waiting))?;
            }
        }
        input::until(self.deadline, self.sink)
    }

    /// Waits up to `BODY_END_TIMEOUT` for the end of the response body, and returns whether its connection is free or closed.
    pub(super) fn await_body_end(&mut self) -> Result<bool, Stop> {
        let Some(mut stream) = self.reading.take().filter(|stream| !stream.is_stale()) else {
            return Ok(true);
        };
        let end = Instant::now() + BODY_END_TIMEOUT;
        let begun = self.interrupt.begin();
        begun.map_err(|error| Stop::Thread(at_start(error)))?;
        let ended = loop {
            match self.take_inputs() {
                Ok(until) => {
                    let until = until.map_or(end, |until| until.min(end));
                    if stream.drain(&self.interrupt, until) {
                        break Ok(true);
                    }
                    if Instant::now() >= end {
                        break Ok(false);
                    }
                }
                Err(stop) => {
                    self.sink.clear();
                    break Err(stop);
                }
            }
        };
        self.interrupt.end();
        ended
    }
}
