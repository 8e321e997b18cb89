//! Drives a run: a thread reads each answer, tools run on threads of their own, and everything reaches one
//! loop as an input. The loop tells a `Sink` what there is to tell. Once an end was ordered it starts nothing
//! more, shuts the connections, and waits for the tools until all of them have ended.

mod again;
mod history;
mod reader;
mod said;
pub mod turn;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use crate::api::{self, Client};
use crate::clock::seconds;
use crate::output::{Notice, Sink};
use crate::tools;
use crate::tools::process::{Output, Tools};
use crate::wire::answer::{Answer, Show, Trouble, Verdict};
use crate::wire::item::{Call, Item, Kind};
use crate::wire::request::Body;
use crate::wire::response::Usage;
use again::{Again, Attempts};
use said::{Differs, Said};
use turn::{Action, Turn};

/// How long the end of an answer's body is waited for once everything else is ready. Losing the
/// connection costs less than a server that never ends its answers.
const PATIENCE: Duration = Duration::from_millis(500);

/// An end that was ordered from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// This signal came.
    Signal(i32),
    /// The run's time is over.
    Timeout,
    /// Nobody reads the output any more.
    Closed,
}

/// What the loop is told.
#[derive(Debug)]
pub enum Input {
    /// An end was ordered.
    Order(Order),
    /// Something went wrong that stops nothing.
    Warned(String),
    /// One read of an answer brought this.
    Shown(Vec<Show>),
    /// An answer has ended, maybe broken off by an error.
    Answered(Box<Answer>, Option<api::Error>),
    /// The body of the answer to this request, counted from 1, has come to its end.
    BodyEnded(usize),
    /// The call at this place has ended.
    ToolEnded(usize, Output),
    /// The thread of a call has panicked.
    ToolPanicked,
    /// The thread that reads has panicked.
    Panicked,
}

/// How a run ended.
#[derive(Debug)]
pub enum End {
    /// The answer is complete and delivered.
    Answered,
    /// The answer cannot be used as a complete one; the error, if any, is what broke it off.
    Trouble(Box<Trouble>, Option<Box<api::Error>>),
    /// No answer began.
    Refused(Box<api::Error>),
    /// This many requests were made and the model wants to go on.
    Turns(usize),
    /// It was ordered.
    Ordered(Order),
    /// The system gave no thread.
    Thread(io::Error),
    /// The sink could not deliver.
    Output(io::Error),
    /// A defect of this program.
    Panicked,
}

/// What a run may do.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The most requests that may be made, retries not counted.
    pub max_turns: usize,
    /// How often a request that failed may be made again.
    pub retries: usize,
    /// How long the end of a usage limit may be waited for.
    pub wait_for_reset: Option<Duration>,
    /// Show nothing of an answer before all of it has come.
    pub buffer: bool,
}

/// A run to be driven.
pub struct Run<'a> {
    /// Who sends the requests.
    pub client: Client,
    /// The first request's body.
    pub body: Body,
    /// Who runs the calls.
    pub tools: Arc<Tools>,
    /// What it may do.
    pub policy: Policy,
    /// Says in words why an answer cannot be used.
    pub words: fn(&Trouble, Option<&api::Error>) -> String,
    /// Who is told.
    pub sink: &'a mut dyn Sink,
    /// Set while an ordered end is being carried out, for whoever ordered it.
    pub winding_up: Arc<AtomicBool>,
}

/// Drives the run to its end. Orders come in through `inputs`, whose other end is `sender`.
#[must_use]
pub fn drive(run: Run<'_>, sender: &Sender<Input>, inputs: &Receiver<Input>) -> End {
    let mut driver = Driver {
        client: run.client,
        body: Arc::new(run.body),
        tools: run.tools,
        policy: run.policy,
        words: run.words,
        sink: run.sink,
        inputs,
        sender: sender.clone(),
        running: 0,
        usage: Usage::default(),
        requests: 0,
    };
    let mut turns = 0;
    let end = loop {
        turns += 1;
        match driver.turn() {
            // What these calls would answer could not be sent any more, so they do not run.
            Ok(_) if turns == run.policy.max_turns => break End::Turns(turns),
            Ok(calls) => match driver.run_calls(&calls, false) {
                Ok(()) => {}
                Err(end) => break end,
            },
            Err(end) => break end,
        }
    };
    run.winding_up.store(true, Ordering::Relaxed);
    driver.wind_up();
    run.winding_up.store(false, Ordering::Relaxed);
    let told = driver
        .sink
        .take(Notice::Usage(driver.usage, driver.requests))
        .and_then(|()| driver.sink.flush());
    match (end, told) {
        (End::Answered, Err(error)) => End::Output(error),
        (end, _) => end,
    }
}

struct Driver<'a> {
    client: Client,
    body: Arc<Body>,
    tools: Arc<Tools>,
    policy: Policy,
    words: fn(&Trouble, Option<&api::Error>) -> String,
    sink: &'a mut dyn Sink,
    inputs: &'a Receiver<Input>,
    sender: Sender<Input>,
    /// Calls that have not ended.
    running: usize,
    usage: Usage,
    /// Requests that were made.
    requests: usize,
}

impl Driver<'_> {
    /// Asks, again and again if need be, until an answer is whole; the calls in it, or the end of the run.
    fn turn(&mut self) -> Result<Vec<Call>, End> {
        let mut said = Said::default();
        let mut attempts = Attempts::new(self.policy.retries, self.policy.wait_for_reset);
        loop {
            let (answer, error) = self.answer(&mut said)?;
            self.usage.add(answer.usage());
            let mut trouble = match answer.verdict() {
                Verdict::Trouble(trouble) => trouble,
                _ if !said.is_repeated() => Trouble::Differs,
                verdict => {
                    self.show_held(answer.items())?;
                    let Verdict::Calls(calls) = verdict else {
                        return Err(End::Answered);
                    };
                    history::add_answer(Arc::make_mut(&mut self.body), answer.items());
                    return Ok(calls);
                }
            };
            for words in trouble.words_of_the_service() {
                *words = self.client.redact(words);
            }
            let Some(again) = attempts.next(&trouble, error.as_ref(), seconds()) else {
                return Err(match error {
                    Some(error) if trouble == Trouble::Cut && error.is_refusal() => {
                        End::Refused(Box::new(error))
                    }
                    error => End::Trouble(Box::new(trouble), error.map(Box::new)),
                });
            };
            let until = Instant::now() + again.wait(jitter());
            self.tell_again(&again, &(self.words)(&trouble, error.as_ref()))?;
            if !self.policy.buffer {
                said.broke_off(answer.shown());
            }
            let client = self.client.renewed();
            std::mem::replace(&mut self.client, client).shutdown();
            let kept = answer.kept();
            if !kept.calls.is_empty() {
                self.show_held(kept.items.iter().copied())?;
                history::add_answer(Arc::make_mut(&mut self.body), kept.items.iter().copied());
                self.run_calls(&kept.calls, true)?;
            }
            while Instant::now() < until && !again.is_over(seconds()) {
                self.next(Some(until.min(Instant::now() + again::GLANCE)))?;
            }
        }
    }

    /// Sends the request and shows what is new in the answer, up to its end.
    fn answer(&mut self, said: &mut Said) -> Result<(Box<Answer>, Option<api::Error>), End> {
        self.requests += 1;
        let spent = reader::start(&self.client, &self.body, self.requests, &self.sender)?;
        loop {
            match self.next(None)? {
                Input::Shown(shows) => {
                    let _ = spent.try_recv();
                    self.show(shows, said)?;
                }
                Input::Warned(words) => {
                    let notice = Notice::Warning(&words);
                    self.sink.take(notice).map_err(End::Output)?;
                    self.sink.flush().map_err(End::Output)?;
                }
                Input::Answered(answer, error) => return Ok((answer, error)),
                // The body of the answer before this one, or nothing at all.
                _ => {}
            }
        }
    }

    /// Tells that the request is made again.
    fn tell_again(&mut self, again: &Again, reason: &str) -> Result<(), End> {
        let notice = match *again {
            Again::Retry { attempt, delay } => Notice::Retry {
                attempt,
                of: self.policy.retries,
                delay,
                reason,
            },
            Again::Reset { at, .. } => Notice::Reset { at, reason },
        };
        self.sink
            .take(notice)
            .and_then(|()| self.sink.flush())
            .map_err(End::Output)
    }

    /// Runs the calls of an answer and adds their outputs to the history.
    /// `body_ended` says that nothing more comes of the answer.
    fn run_calls(&mut self, calls: &[Call], body_ended: bool) -> Result<(), End> {
        let changes: Vec<bool> = calls
            .iter()
            .map(|call| tools::find(&call.name).is_some_and(|tool| tool.changes_files))
            .collect();
        let (mut turn, actions) = Turn::new(&changes);
        for action in actions {
            if let Action::Run(at) = action {
                self.start(at, calls)?;
            }
        }
        if body_ended {
            turn.step(turn::Event::BodyEnded);
        }
        let mut patience = None;
        loop {
            let event = match self.next(patience)? {
                Input::ToolEnded(at, output) => {
                    self.running -= 1;
                    self.tell(&calls[at], &output)?;
                    turn::Event::ToolEnded(at, output.text)
                }
                Input::BodyEnded(request) if request == self.requests => turn::Event::BodyEnded,
                _ if patience.is_some_and(|until| Instant::now() >= until) => {
                    turn::Event::PatienceEnded
                }
                _ => continue,
            };
            for action in turn.step(event) {
                match action {
                    Action::AwaitBody => patience = Some(Instant::now() + PATIENCE),
                    Action::Send { outputs, reconnect } => {
                        history::add_outputs(Arc::make_mut(&mut self.body), calls, &outputs);
                        if reconnect {
                            let client = self.client.renewed();
                            std::mem::replace(&mut self.client, client).shutdown();
                        }
                        return Ok(());
                    }
                    Action::Run(at) => self.start(at, calls)?,
                }
            }
        }
    }

    /// Runs a call on a thread of its own, which ends with an input whatever happens in it.
    fn start(&mut self, at: usize, calls: &[Call]) -> Result<(), End> {
        let (tools, call, sender) = (
            Arc::clone(&self.tools),
            calls[at].clone(),
            self.sender.clone(),
        );
        spawn(move || {
            let ended = catch_unwind(AssertUnwindSafe(|| tools.call(&call)));
            let _ = sender
                .send(ended.map_or(Input::ToolPanicked, |output| Input::ToolEnded(at, output)));
        })?;
        self.running += 1;
        Ok(())
    }

    /// The next input; an ordered end and a panic come back as the error. With a time, something that
    /// means nothing is returned when it has come.
    fn next(&mut self, until: Option<Instant>) -> Result<Input, End> {
        let input = match until {
            None => self
                .inputs
                .recv()
                .map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => self
                .inputs
                .recv_timeout(until.saturating_duration_since(Instant::now())),
        };
        match input {
            Ok(Input::Order(order)) => Err(End::Ordered(order)),
            Ok(Input::ToolPanicked) => {
                self.running -= 1;
                Err(End::Panicked)
            }
            Ok(Input::Panicked) | Err(RecvTimeoutError::Disconnected) => Err(End::Panicked),
            Ok(input) => Ok(input),
            Err(RecvTimeoutError::Timeout) => Ok(Input::Shown(Vec::new())),
        }
    }

    /// What one read brought goes out together, before the next one is waited for.
    fn show(&mut self, shows: Vec<Show>, said: &mut Said) -> Result<(), End> {
        for show in shows {
            match said.new_of(show) {
                Ok(Some(Show::Skipped)) => {
                    let words = "an event of the answer could not be read and was skipped";
                    self.sink.take(Notice::Warning(words))
                }
                // With all of the answer in hand, its items are shown.
                Ok(Some(_)) if self.policy.buffer => Ok(()),
                Ok(Some(Show::Text(text))) => self.sink.take(Notice::Text(&text)),
                Ok(Some(Show::MessageEnd)) => self.sink.take(Notice::MessageEnd),
                Ok(None) => Ok(()),
                Err(Differs) => return Err(End::Trouble(Box::new(Trouble::Differs), None)),
            }
            .map_err(End::Output)?;
        }
        self.sink.flush().map_err(End::Output)
    }

    /// Shows the messages among these items, where they were held back until now.
    fn show_held<'i>(&mut self, items: impl Iterator<Item = &'i Item>) -> Result<(), End> {
        if !self.policy.buffer {
            return Ok(());
        }
        for item in items {
            if let Kind::Message(message) = &item.kind {
                self.sink
                    .take(Notice::Text(&message.text))
                    .and_then(|()| self.sink.take(Notice::MessageEnd))
                    .map_err(End::Output)?;
            }
        }
        self.sink.flush().map_err(End::Output)
    }

    fn tell(&mut self, call: &Call, output: &Output) -> Result<(), End> {
        let subject = tools::find(&call.name).map(|tool| tool.subject_of(&call.arguments));
        let notice = Notice::ToolEnded {
            name: &call.name,
            subject: &subject.unwrap_or_default(),
            result: output.result,
            took: output.took,
            output: &output.text,
        };
        self.sink
            .take(notice)
            .and_then(|()| self.sink.flush())
            .map_err(End::Output)
    }

    /// Ends what is still going on: connections at once, tools with the moment that they are given. A
    /// second order cuts that moment short.
    fn wind_up(&mut self) {
        self.client.shutdown();
        if self.running == 0 {
            return;
        }
        self.tools.end();
        while self.running > 0 {
            match self.inputs.recv() {
                Ok(Input::ToolEnded(..) | Input::ToolPanicked) => self.running -= 1,
                Ok(Input::Order(_)) => self.tools.end(),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

/// Starts a thread. It is not joined: it reports by an input, and the loop waits for what it waits for.
fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), End> {
    thread::Builder::new()
        .spawn(work)
        .map(drop)
        .map_err(End::Thread)
}

/// A number that no other process has. Without one all come back at the same time, which is no reason to fail.
fn jitter() -> u8 {
    let mut random = [0];
    let _ = getrandom::fill(&mut random);
    random[0]
}
