//! Drives a run: a thread reads each answer, tools run on threads of their own, and everything reaches one
//! loop as an input. The loop tells a `Sink` what there is to tell. Once an end was ordered it starts nothing
//! more, shuts the connections, and waits for the tools until all of them have ended.

mod history;
pub mod turn;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread;
use std::time::{Duration, Instant};

use crate::api::{self, Client};
use crate::output::{Notice, Sink};
use crate::tools;
use crate::tools::process::{Output, Tools};
use crate::wire::answer::{Answer, Show, Trouble, Verdict};
use crate::wire::item::Call;
use crate::wire::request::Body;
use crate::wire::response::Usage;
use turn::{Action, Turn};

/// How long the end of an answer's body is waited for once everything else is ready. Losing the
/// connection costs less than a server that never ends its answers.
const PATIENCE: Duration = Duration::from_millis(500);

/// How many reads of text may wait for a slow standard output before the reading pauses.
const AHEAD: usize = 8;

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
    /// The last answer's body has come to its end.
    BodyEnded,
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

/// A run to be driven.
pub struct Run<'a> {
    /// Who sends the requests.
    pub client: Client,
    /// The first request's body.
    pub body: Body,
    /// Who runs the calls.
    pub tools: Arc<Tools>,
    /// The most requests that may be made.
    pub max_turns: usize,
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
        sink: run.sink,
        inputs,
        sender: sender.clone(),
        running: 0,
    };
    let mut usage = Usage::default();
    let mut requests = 0;
    let end = loop {
        requests += 1;
        match driver.answer(&mut usage) {
            // What these calls would answer could not be sent any more, so they do not run.
            Ok(_) if requests == run.max_turns => break End::Turns(requests),
            Ok(calls) => match driver.run_calls(&calls) {
                Ok(()) => {}
                Err(end) => break end,
            },
            Err(end) => break end,
        }
    };
    run.winding_up.store(true, Ordering::Relaxed);
    driver.wind_up();
    run.winding_up.store(false, Ordering::Relaxed);
    match (
        end,
        driver
            .sink
            .take(Notice::Usage(usage, requests))
            .and_then(|()| driver.sink.flush()),
    ) {
        (End::Answered, Err(error)) => End::Output(error),
        (end, _) => end,
    }
}

struct Driver<'a> {
    client: Client,
    body: Arc<Body>,
    tools: Arc<Tools>,
    sink: &'a mut dyn Sink,
    inputs: &'a Receiver<Input>,
    sender: Sender<Input>,
    /// Calls that have not ended.
    running: usize,
}

impl Driver<'_> {
    /// Sends the request and shows the answer; the calls in it, or the end of the run.
    fn answer(&mut self, usage: &mut Usage) -> Result<Vec<Call>, End> {
        let (credit, spent) = mpsc::sync_channel(AHEAD);
        let (client, body, sender) = (
            self.client.clone(),
            Arc::clone(&self.body),
            self.sender.clone(),
        );
        spawn(move || {
            if catch_unwind(AssertUnwindSafe(|| read(&client, body, &sender, &credit))).is_err() {
                let _ = sender.send(Input::Panicked);
            }
        })?;
        loop {
            match self.next(None)? {
                Input::Shown(shows) => {
                    let _ = spent.try_recv();
                    self.show(&shows)?;
                }
                Input::Warned(words) => {
                    let notice = Notice::Warning(&words);
                    self.sink.take(notice).map_err(End::Output)?;
                    self.sink.flush().map_err(End::Output)?;
                }
                Input::Answered(answer, error) => {
                    usage.add(answer.usage());
                    return match (answer.verdict(), error) {
                        (Verdict::Calls(calls), _) => {
                            history::add_answer(Arc::make_mut(&mut self.body), answer.items());
                            Ok(calls)
                        }
                        (Verdict::Answered, _) => Err(End::Answered),
                        (
                            Verdict::Trouble(Trouble::Cut),
                            Some(
                                error @ (api::Error::SignIn(_)
                                | api::Error::Http(_)
                                | api::Error::Fault(_)),
                            ),
                        ) => Err(End::Refused(Box::new(error))),
                        (Verdict::Trouble(mut trouble), error) => {
                            for words in trouble.words_of_the_service() {
                                *words = self.client.redact(words);
                            }
                            Err(End::Trouble(Box::new(trouble), error.map(Box::new)))
                        }
                    };
                }
                // The body of the answer before this one, or nothing at all.
                _ => {}
            }
        }
    }

    /// Runs the calls of an answer and adds their outputs to the history.
    fn run_calls(&mut self, calls: &[Call]) -> Result<(), End> {
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
        let mut patience = None;
        loop {
            let event = match self.next(patience)? {
                Input::ToolEnded(at, output) => {
                    self.running -= 1;
                    self.tell(&calls[at], &output)?;
                    turn::Event::ToolEnded(at, output.text)
                }
                Input::BodyEnded => turn::Event::BodyEnded,
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
    fn show(&mut self, shows: &[Show]) -> Result<(), End> {
        for show in shows {
            let notice = match show {
                Show::Text(text) => Notice::Text(text),
                Show::MessageEnd => Notice::MessageEnd,
                Show::Skipped => {
                    Notice::Warning("an event of the answer could not be read and was skipped")
                }
            };
            self.sink.take(notice).map_err(End::Output)?;
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

/// Reads one answer, on a thread of its own, and goes on to the end of its body.
fn read(client: &Client, body: Arc<Body>, sender: &Sender<Input>, credit: &SyncSender<()>) {
    let mut answer = Box::<Answer>::default();
    let sent = client.send(body.bytes());
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
    // The loop adds to the body once the answer has ended, and copies it if somebody else still holds it.
    drop(body);
    let mut error = None;
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
                error = Some(broken);
                break;
            }
        }
    }
    if sender.send(Input::Answered(answer, error)).is_ok() {
        stream.drain();
        let _ = sender.send(Input::BodyEnded);
    }
}

/// Starts a thread. It is not joined: it reports by an input, and the loop waits for what it waits for.
fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), End> {
    thread::Builder::new()
        .spawn(work)
        .map(drop)
        .map_err(End::Thread)
}
