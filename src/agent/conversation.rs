//! A conversation: turn after turn on one connection, with the items of earlier turns. It owns the client, the request body,
//! the tools, and what earlier answers have shown about the request shape.

use std::sync::Arc;
use std::time::Instant;

use super::blueprint::Blueprint;
use super::budget::Spent;
use super::compaction::Compaction;
use super::control::{Control, RunningTurn};
use super::driver::Driver;
use super::effort::TurnEffort;
use super::fallback::{Fallback, Learned};
use super::history;
use super::input::TurnDeadline;
use super::message::UserMessage;
use super::policy::Policy;
use super::printed_answer::Printed;
use super::profile::Profile;
use super::reader::BODY_END_TIMEOUT;
use super::reply::Reply;
use super::turn_usage::Tally;
use crate::api::{Client, Interrupt, Stream};
use crate::clock::seconds;
use crate::failure::Stop;
use crate::id::ThreadId;
use crate::models::Model;
use crate::output::{Notice, Sink};
use crate::session::{self, Journal};
use crate::tools::toolbox::Toolbox;
use crate::wire::answer::Answer;
use crate::wire::input::effort_change;
use crate::wire::request::RequestBody;

/// A conversation.
#[derive(Debug)]
pub struct Conversation {
    thread: ThreadId,
    client: Client,
    body: Arc<RequestBody>,
    /// The last answer of the previous turn, not yet part of the body: a long answer is not stored twice for a request that may
    /// never be made.
    last: Option<Arc<Answer>>,
    fallback: Fallback,
    tools: Arc<Toolbox>,
    /// The current model.
    model: Model,
    /// Its provider in `models.json`, if it has one.
    provider: Option<String>,
    /// Its effort in the request head, and the effort in effect.
    effort: TurnEffort,
    policy: Policy,
    /// What was compacted, and how long the conversation is.
    compaction: Compaction,
    /// Usage of all turns.
    spent: Spent,
    journal: Option<Box<dyn Journal + Send>>,
    /// Number of turns that have begun.
    turns: usize,
    /// The number of stored items that are no longer part of the conversation. Until another turn begins, they stay in the file: a
    /// question that failed can be continued by another run.
    to_withdraw: usize,
    control: Control,
    /// The response body of the last answer, which may not have ended yet.
    reading: Option<Box<Stream>>,
}

impl Conversation {
    /// Creates a conversation that sends its requests with `client`. Nothing is sent before the first message.
    ///
    /// # Errors
    /// If the items of earlier turns cannot be read.
    pub(crate) fn new(
        blueprint: Blueprint,
        client: Client,
        policy: Policy,
        journal: Option<Box<dyn Journal + Send>>,
        control: Control,
    ) -> Result<Self, session::Error> {
        let owner = match &*blueprint.compactions {
            [] => String::new(),
            _ => client.owner(),
        };
        let (body, others, compaction) = blueprint.begin(&owner)?;
        let clients = blueprint.substitutes.iter();
        for client in clients.filter_map(|substitute| substitute.client.as_ref()) {
            client.authority().on_wait(control.hook());
        }
        client.authority().on_wait(control.hook());
        let functions = blueprint.tools.functions();
        let fallback = Fallback::new(others, blueprint.searches).with_substitutes(
            blueprint.substitutes,
            &functions,
            blueprint.thread.as_str(),
        );
        drop(functions);
        Ok(Self {
            thread: blueprint.thread,
            client,
            body: Arc::new(body),
            last: None,
            fallback,
            tools: blueprint.tools,
            effort: TurnEffort {
                current: blueprint.effort,
                ..TurnEffort::of(blueprint.profile.effort)
            },
            model: blueprint.profile.model,
            provider: blueprint.profile.provider,
            policy,
            compaction,
            spent: Spent::default(),
            journal,
            turns: 0,
            to_withdraw: 0,
            control,
            reading: None,
        })
    }

    /// The id of the conversation.
    #[must_use]
    pub fn thread(&self) -> &ThreadId {
        &self.thread
    }

    /// Its control, for other threads.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// The id of the current model, and the effort in effect.
    #[must_use]
    pub(crate) fn model(&self) -> (&str, Option<&str>) {
        (&self.model.id, self.effort.current.as_deref())
    }

    /// What the answers have shown about the model and its request shape.
    #[must_use]
    pub(crate) fn learned(&self) -> &Learned {
        self.fallback.learned()
    }

    /// The substitute that was asked last in this turn or kept in an earlier one, as its index.
    #[must_use]
    pub(crate) fn asked(&self) -> Option<usize> {
        self.fallback.asked()
    }

    /// The journal, if the conversation is stored.
    #[must_use]
    pub(crate) fn journal(&self) -> Option<&dyn Journal> {
        let journal = self.journal.as_deref()?;
        Some(journal)
    }

    /// Sends a message, runs the tools that the model calls, and returns the complete answer. Events are reported to `sink`.
    ///
    /// # Errors
    /// If there is no complete answer. The conversation can continue: calls without a result get the result "aborted". A
    /// message that failed before any part of an answer is removed, so it can be sent again; one whose turn was stopped from
    /// outside remains.
    pub fn ask(
        &mut self,
        message: impl Into<UserMessage>,
        sink: &mut (dyn Sink + Send),
    ) -> Result<Reply, Stop> {
        self.turn(&message.into(), sink)
    }

    fn turn(&mut self, message: &UserMessage, sink: &mut dyn Sink) -> Result<Reply, Stop> {
        let control = self.control.clone();
        let running = control.begin().map_err(Stop::Ordered)?;
        self.policy.budget.check_turn(&self.spent)?;
        self.begin();
        let body = Arc::make_mut(&mut self.body);
        let change = self.effort.change.take().map(|effort| {
            let change = effort_change(&effort);
            body.push(&change);
            change
        });
        let item = message.push_to(body);
        if let Some(journal) = &mut self.journal {
            if self.turns > 0 {
                journal.turn(seconds(), &self.model.id, self.effort.head.as_deref());
            }
            for item in change.iter().chain([&item]) {
                journal.item(item);
            }
        }
        self.turns += 1;
        let mut driver = self.driver(&running, sink);
        let ended = driver.run(&control);
        if let Err(stop) = &ended {
            control.set_winding_up(true);
            driver.wind_up();
            driver.settle(stop);
            control.set_winding_up(false);
        }
        let answer = ended.map(Arc::from);
        let (usage, requests) = (driver.tally.usage, driver.tally.requests);
        let price = driver.model.price.filter(|_| !driver.tally.is_partial);
        let cost = price.map(|_| driver.tally.cost.dollars());
        let failed_calls = driver.tally.failed;
        let reported = driver
            .sink
            .take(Notice::Usage {
                usage,
                requests,
                cost,
            })
            .and_then(|()| driver.sink.flush());
        self.reading = driver.reading.take();
        if answer.is_err() {
            self.reading = None;
            self.reconnect();
        }
        let answer: Arc<Answer> = answer?;
        self.last = Some(Arc::clone(&answer));
        reported.map_err(Stop::Output)?;
        Ok(Reply {
            answer,
            model: self.model.id.clone(),
            usage,
            cost,
            requests,
            failed_calls,
        })
    }

    /// Compacts the conversation now, whatever its length. Returns false if there is nothing to remove. Events are reported to
    /// `sink`.
    ///
    /// # Errors
    /// If it cannot be compacted. It continues as it was.
    pub fn compact(&mut self, sink: &mut (dyn Sink + Send)) -> Result<bool, Stop> {
        let control = self.control.clone();
        let running = control.begin().map_err(Stop::Ordered)?;
        self.begin();
        let mut driver = self.driver(&running, sink);
        driver.unanswered = 0;
        let ended = driver.compact_now();
        if let Err(stop) = &ended {
            driver.wind_up();
            driver.settle(stop);
        }
        self.reading = driver.reading.take().filter(|_| ended.is_ok());
        if ended.is_err() {
            self.reconnect();
        }
        ended
    }

    /// Prepares for a turn.
    fn begin(&mut self) {
        self.tools.resume();
        self.client.begin_turn();
        self.fallback.begin_turn();
        // Without its end, the connection is closed, and the request opens another one.
        if let Some(mut stream) = self.reading.take().filter(|stream| !stream.is_stale()) {
            stream.drain(&Interrupt::default(), Instant::now() + BODY_END_TIMEOUT);
        }
        self.add_last_answer();
        let to_withdraw = std::mem::take(&mut self.to_withdraw);
        if let Some(journal) = self.journal.as_mut().filter(|_| to_withdraw > 0) {
            journal.withdraw(to_withdraw);
        }
    }

    /// Adds the last answer of the previous turn to the body.
    fn add_last_answer(&mut self) {
        if let Some(answer) = self.last.take() {
            history::add_answer(Arc::make_mut(&mut self.body), None, answer.items());
            self.compaction.joined(self.body.len());
        }
    }

    /// Undoes every compaction: the next request goes to a model or with a credential that cannot read it.
    fn expand(&mut self) {
        if let Some(whole) = self.compaction.whole(&self.body) {
            self.body = Arc::new(whole);
        }
        self.compaction.forget();
    }

    /// Sends the requests that follow with this client.
    pub(crate) fn connect(&mut self, client: Client) {
        client.authority().on_wait(self.control.hook());
        self.reading = None;
        if client.owner() != self.client.owner() {
            self.add_last_answer();
            self.expand();
        }
        std::mem::replace(&mut self.client, client).shutdown();
    }

    /// Uses a different model, or a different effort for the same one, from the next turn on. It is served by the same
    /// backend, with the same credential. `searches` is as in [`Blueprint`].
    pub(crate) fn switch(&mut self, profile: Profile, searches: bool) {
        let is_same = profile.model.id == self.model.id;
        if is_same && profile.effort == self.effort.current {
            return;
        }
        let by_item = is_same && profile.model.effort_updates && profile.backend.is_openai();
        if by_item && self.effort.head.is_some() && profile.effort.is_some() {
            // An item keeps the service's cache valid, a new head would not.
            self.effort.current.clone_from(&profile.effort);
            self.effort.change = profile.effort;
            return;
        }
        self.add_last_answer();
        let functions = self.tools.functions();
        let (body, others) = profile.bodies(&functions, self.thread.as_str());
        self.body = Arc::new(if is_same {
            // The service has accepted the shape of the current head.
            let shape = self.body.shape();
            let other = others.into_iter().find(|other| other.shape() == shape);
            self.body.with_head(other.unwrap_or(body))
        } else {
            self.expand();
            self.compaction.for_other_model(profile.clone());
            self.fallback = self.fallback.for_model(others, searches);
            self.body.for_other_model(body)
        });
        self.effort = TurnEffort::of(profile.effort);
        (self.model, self.provider) = (profile.model, profile.provider);
    }

    fn driver<'a>(
        &'a mut self,
        running: &'a RunningTurn<'_>,
        sink: &'a mut dyn Sink,
    ) -> Driver<'a> {
        let journal = self.journal.as_deref_mut();
        Driver {
            client: &mut self.client,
            body: &mut self.body,
            journal: journal.map(|journal| journal as &mut dyn Journal),
            fallback: &mut self.fallback,
            tools: Arc::clone(&self.tools),
            printed: Printed::new(self.policy.buffer),
            model: &mut self.model,
            effort: &mut self.effort,
            provider: &mut self.provider,
            replaced: None,
            policy: self.policy,
            compaction: &mut self.compaction,
            spent: &mut self.spent,
            sink,
            inputs: &running.inputs,
            sender: running.sender.clone(),
            running: 0,
            topics: Vec::new(),
            open: Vec::new(),
            outputs: Vec::new(),
            unanswered: 1,
            to_withdraw: &mut self.to_withdraw,
            kept_calls: Vec::new(),
            interrupt: running.interrupt.clone(),
            reading: None,
            interrupted: None,
            tally: Tally::default(),
            deadline: self.policy.turn_timeout.map(|limit| TurnDeadline {
                at: Instant::now() + limit,
                limit,
            }),
        }
    }

    /// Closes the connections; the next request opens new ones.
    fn reconnect(&mut self) {
        let client = self.client.renewed();
        std::mem::replace(&mut self.client, client).shutdown();
    }
}

impl Drop for Conversation {
    fn drop(&mut self) {
        self.client.shutdown();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_can_be_sent_to_another_thread() {
        fn check<T: Send>() {}
        check::<Conversation>();
        check::<Reply>();
    }
}
