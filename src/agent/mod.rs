//! Drives a run: a thread reads each answer, tools run on threads of their own, and everything reaches one
//! loop as an input. The loop tells a `Sink` what there is to tell. Once an end was ordered it starts nothing
//! more, shuts the connections, and waits for the tools until all of them have ended.

mod again;
mod calls;
mod driver;
mod fallback;
mod history;
mod reader;
mod said;
pub mod turn;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread;
use std::time::Duration;

use crate::api::{self, Client};
use crate::exhausted::at_start;
pub use crate::failure::stop::{End, Order};
use crate::models::price::Price;
use crate::output::{Notice, Sink};
use crate::session::Journal;
use crate::tools::toolbox::{Called, Toolbox};
use crate::wire::answer::{Answer, Show, Trouble};
use crate::wire::fault::Limit;
use crate::wire::request::Body;
use crate::wire::response::Usage;
use driver::Driver;
use fallback::Fallback;
pub use fallback::{Instead, Learned, Other};
use said::Said;

/// What the loop is told.
#[derive(Debug)]
pub enum Input {
    /// An end was ordered.
    Order(Order),
    /// Something went wrong that stops nothing.
    Warned(String),
    /// Something takes its time before a request: how long, where that is known, and what.
    Waits(Option<Duration>, String),
    /// An answer came with this about the plan.
    Limits(Vec<Limit>),
    /// One read of an answer brought this.
    Shown(Vec<Show>),
    /// An answer has ended, maybe broken off by an error.
    Answered(Box<Answer>, Option<api::Error>),
    /// The body of the answer to this request, counted from 1, has come to its end.
    BodyEnded(usize),
    /// The call at this place has ended.
    ToolEnded(usize, Called),
    /// The thread of a call has panicked.
    ToolPanicked,
    /// The thread that reads has panicked.
    Panicked,
}

/// What a run may do.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// The most requests that may be made, retries not counted.
    pub max_turns: usize,
    /// The most tokens of all requests after which another one may be made.
    pub max_tokens: Option<u64>,
    /// The most calls that may be run.
    pub max_calls: Option<usize>,
    /// The most tokens that the model takes in, where that is known.
    pub window: Option<u64>,
    /// What tokens cost, where that is known.
    pub price: Option<Price>,
    /// How often a request that failed may be made again.
    pub retries: usize,
    /// How long the end of a usage limit may be waited for.
    pub wait_for_reset: Option<Duration>,
    /// Show nothing of an answer before all of it has come. A finished message is no sign that it has: without a call
    /// behind it, it is asked for again where the answer breaks off.
    pub buffer: bool,
    /// A call that failed makes the run fail, although the model has answered.
    pub fail_on_tool_error: bool,
}

/// A run to be driven.
pub struct Run<'a> {
    /// Who sends the requests.
    pub client: Client,
    /// The first request's body.
    pub body: Body,
    /// Where the conversation is stored, if it is.
    pub journal: Option<&'a mut dyn Journal>,
    /// The last message of the answer that ends the run, if somebody wants it.
    pub last: Option<&'a mut Option<String>>,
    /// Bodies without an item in other shapes, to be tried in this order where the service refuses the one before.
    pub others: Vec<Body>,
    /// What is asked instead where the service does not have the model.
    pub instead: Option<Instead>,
    /// What the answers have shown.
    pub learned: &'a mut Learned,
    /// The service is to search the web, for which its Lite shape has no room, so that this one is not tried.
    pub searches: bool,
    /// Who runs the calls.
    pub tools: Arc<Toolbox>,
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
        journal: run.journal.map(|journal| journal as &mut dyn Journal),
        last: run.last,
        fallback: Fallback::new(run.others, run.instead, run.learned, run.searches),
        tools: run.tools,
        policy: run.policy,
        words: run.words,
        sink: run.sink,
        inputs,
        sender: sender.clone(),
        running: 0,
        failed: 0,
        abouts: Vec::new(),
        calls: 0,
        usage: Usage::default(),
        cost: 0.0,
        requests: 0,
        said: Said::default(),
        kept: Vec::new(),
    };
    let mut turns = 0;
    let end = loop {
        turns += 1;
        let turned = match driver.turn() {
            // What these calls would answer could not be sent any more, so they do not run.
            Ok(_) if turns == run.policy.max_turns => break End::Turns(turns),
            Ok(turned) => turned,
            Err(end) => break end,
        };
        if let Err(end) = driver.afford(turned.calls.len()) {
            break end;
        }
        let gone_on = driver
            .run_calls(&turned.calls, turned.again.is_some())
            .and_then(|()| turned.again.map_or(Ok(()), |wait| driver.sit_out(&wait)));
        if let Err(end) = gone_on {
            break end;
        }
    };
    run.winding_up.store(true, Ordering::Relaxed);
    driver.wind_up();
    run.winding_up.store(false, Ordering::Relaxed);
    let told = driver
        .sink
        .take(Notice::Usage {
            usage: driver.usage,
            requests: driver.requests,
            cost: driver.policy.price.map(|_| driver.cost),
        })
        .and_then(|()| driver.sink.flush());
    match (end, told) {
        (End::Answered, Err(error)) => End::Output(error),
        (End::Answered, Ok(())) if run.policy.fail_on_tool_error && driver.failed > 0 => {
            End::ToolsFailed(driver.failed)
        }
        (end, _) => end,
    }
}

/// Starts a thread. It is not joined: it reports by an input, and the loop waits for what it waits for.
fn spawn(work: impl FnOnce() + Send + 'static) -> Result<(), End> {
    thread::Builder::new()
        .spawn(work)
        .map(drop)
        .map_err(|error| End::Thread(at_start(error)))
}
