//! A conversation: one question after the other, on one connection, with what was said before. It owns who sends its
//! requests, what was said, its tools, and what was learned about how the service wants to be asked.

use std::borrow::Cow;
use std::sync::Arc;

use super::budget::Spent;
use super::control::{Control, RunningTurn};
use super::driver::Driver;
use super::fallback::{Fallback, Learned, Substitute};
use super::history;
use super::message::UserMessage;
use super::policy::Policy;
use super::printed_answer::Printed;
use super::profile::Profile;
use super::reader::Reading;
use super::turn_usage::Tally;
use crate::api::Client;
use crate::failure::Stop;
use crate::id::ThreadId;
use crate::models::Model;
use crate::output::{Notice, Sink};
use crate::session::Journal;
use crate::tools::toolbox::Toolbox;
use crate::wire::answer::Answer;
use crate::wire::item::Item;
use crate::wire::request::RequestBody;
use crate::wire::response::Usage;

/// What a conversation begins with.
#[derive(Debug)]
pub struct Blueprint {
    /// Its id, by which the service caches.
    pub thread: ThreadId,
    /// How its model is asked.
    pub profile: Profile,
    /// What is asked instead, before the first answer, where the service does not have the model.
    pub substitute: Option<Substitute>,
    /// The service is to search the web, for which its Lite shape has no room, so that this one is not tried.
    pub searches: bool,
    /// What was said before, each item as the bytes that go to the service.
    pub items: Vec<Vec<u8>>,
    /// What runs the calls.
    pub tools: Arc<Toolbox>,
}

impl Blueprint {
    /// The body of the request that would ask this first.
    #[must_use]
    pub fn request(&self, message: &UserMessage) -> RequestBody {
        let (mut body, _) = self.bodies();
        message.push_to(&mut body);
        body
    }

    /// The body with what was said before; and bodies without an item in the other shapes that may be tried.
    fn bodies(&self) -> (RequestBody, Vec<RequestBody>) {
        let functions = self.tools.functions();
        let (mut body, others) = self.profile.bodies(&functions, self.thread.as_str());
        for item in &self.items {
            body.push_stored(item);
        }
        (body, others)
    }
}

/// The answer to a question.
#[derive(Clone, Debug)]
pub struct Reply {
    answer: Arc<Answer>,
    /// The tokens of all requests of the turn.
    pub usage: Usage,
    /// What they cost by the list of prices, in US dollars, where it names one.
    pub cost: Option<f64>,
    /// How many requests were made.
    pub requests: usize,
    /// How many calls did not do what they were asked to.
    pub failed_calls: usize,
}

impl Reply {
    /// The last message of the model.
    #[must_use]
    pub fn message(&self) -> Cow<'_, str> {
        let message = self.answer.messages().last();
        message.map(Item::text).unwrap_or_default()
    }
}

/// A conversation.
#[derive(Debug)]
pub struct Conversation {
    thread: ThreadId,
    client: Client,
    body: Arc<RequestBody>,
    /// The last answer of the turn before, which has not joined the body: a long one is not kept twice for a request that
    /// may never follow.
    last: Option<Arc<Answer>>,
    fallback: Fallback,
    tools: Arc<Toolbox>,
    /// The model that is asked.
    model: Model,
    policy: Policy,
    /// What all turns have used up.
    spent: Spent,
    journal: Option<Box<dyn Journal + Send>>,
    control: Control,
    /// The reading of the last answer, whose body may not have come to its end.
    reading: Option<Reading>,
}

impl Conversation {
    /// A conversation whose requests this client sends. Nothing is sent before the first question.
    #[must_use]
    pub fn new(
        blueprint: Blueprint,
        client: Client,
        policy: Policy,
        journal: Option<Box<dyn Journal + Send>>,
        control: Control,
    ) -> Self {
        let (body, others) = blueprint.bodies();
        let mut fallback = Fallback::new(others, blueprint.searches);
        if let Some(substitute) = blueprint.substitute {
            let functions = blueprint.tools.functions();
            fallback = fallback.with(substitute, &functions, blueprint.thread.as_str());
        }
        client.authority().on_wait(control.hook());
        Self {
            thread: blueprint.thread,
            client,
            body: Arc::new(body),
            last: None,
            fallback,
            tools: blueprint.tools,
            model: blueprint.profile.model,
            policy,
            spent: Spent::default(),
            journal,
            control,
            reading: None,
        }
    }

    /// Its id.
    #[must_use]
    pub fn thread(&self) -> &ThreadId {
        &self.thread
    }

    /// The control of it, for other threads.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// What the answers have shown about how the model is asked.
    #[must_use]
    pub fn learned(&self) -> &Learned {
        self.fallback.learned()
    }

    /// Where it is stored, if it is.
    #[must_use]
    pub fn journal(&self) -> Option<&dyn Journal> {
        let journal = self.journal.as_deref()?;
        Some(journal)
    }

    /// Asks, runs what the model calls, and waits for the whole answer. What happens meanwhile is reported to the sink.
    ///
    /// # Errors
    /// When there is no whole answer. The conversation can go on: calls that were not run to their end are answered as
    /// aborted. A question that failed before the model had answered any of it is taken back, so that it may be asked
    /// again; one that was stopped from outside stays.
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
        self.tools.resume();
        self.client.begin_turn();
        // Two readings at a time would take two connections.
        if self
            .reading
            .take()
            .is_some_and(|reading| !reading.await_end())
        {
            self.reconnect();
        }
        let body = Arc::make_mut(&mut self.body);
        if let Some(answer) = self.last.take() {
            history::add_answer(body, None, answer.items());
        }
        let item = message.push_to(body);
        if let Some(journal) = &mut self.journal {
            journal.item(&item);
        }
        let mut driver = self.driver(&running, sink);
        let ended = driver.run(&control);
        if let Err(stop) = &ended {
            control.set_winding_up(true);
            driver.wind_up();
            control.set_winding_up(false);
            driver.settle(stop);
        }
        let answer = ended.map(Arc::from);
        let (usage, requests) = (driver.tally.usage, driver.tally.requests);
        let cost = driver.model.price.map(|_| driver.tally.cost);
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
            usage,
            cost,
            requests,
            failed_calls,
        })
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
            policy: self.policy,
            spent: &mut self.spent,
            sink,
            inputs: &running.inputs,
            sender: running.sender.clone(),
            running: 0,
            abouts: Vec::new(),
            open: Vec::new(),
            outputs: Vec::new(),
            joined: false,
            kept: Vec::new(),
            reading: None,
            tally: Tally::default(),
        }
    }

    /// Gives the connections up.
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
    fn a_conversation_may_go_to_another_thread() {
        fn check<T: Send>() {}
        check::<Conversation>();
        check::<Reply>();
    }
}
