//! What a run does about an answer: shows it, asks again where it broke off, and hands its calls on.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use super::again::{self, Again, Attempts};
use super::fallback::{Changed, Fallback};
use super::said::{Differs, Said};
use super::{End, Input, Policy, history, reader};
use crate::api::{self, Client};
use crate::clock::seconds;
use crate::output::{Notice, Sink, Window};
use crate::session::Journal;
use crate::tools::toolbox::Toolbox;
use crate::tools::topic::About;
use crate::wire::answer::{Answer, Show, Trouble, Verdict};
use crate::wire::fault::Limit;
use crate::wire::item::{Call, Item};
use crate::wire::request::Body;
use crate::wire::response::Usage;

/// Everything that a run has in hand.
pub(super) struct Driver<'a> {
    pub(super) client: Client,
    pub(super) body: Arc<Body>,
    /// Where the conversation is stored, if it is.
    pub(super) journal: Option<&'a mut dyn Journal>,
    /// The last message of the answer that ends the run, if somebody wants it.
    pub(super) last: Option<&'a mut Option<String>>,
    pub(super) fallback: Fallback<'a>,
    pub(super) tools: Arc<Toolbox>,
    pub(super) policy: Policy,
    pub(super) words: fn(&Trouble, Option<&api::Error>) -> String,
    pub(super) sink: &'a mut dyn Sink,
    pub(super) inputs: &'a Receiver<Input>,
    pub(super) sender: Sender<Input>,
    /// Calls that have not ended.
    pub(super) running: usize,
    /// Calls that did not do what they were asked to.
    pub(super) failed: usize,
    /// What the calls that run are about.
    pub(super) abouts: Vec<(usize, About)>,
    /// Calls that were run.
    pub(super) calls: usize,
    pub(super) usage: Usage,
    /// What the requests cost, in US dollars.
    pub(super) cost: f64,
    /// Requests that were made.
    pub(super) requests: usize,
    /// What was shown of an answer that broke off.
    pub(super) said: Said,
    /// The calls that were kept of answers that broke off.
    pub(super) kept: Vec<Call>,
}

/// An answer that the run builds on.
pub(super) struct Turned {
    /// The calls in it, at least one.
    pub(super) calls: Vec<Call>,
    /// It broke off behind them, and the next request has to wait.
    pub(super) again: Option<Wait>,
}

/// Until when the next request has to wait.
pub(super) struct Wait {
    until: Instant,
    again: Again,
}

impl Driver<'_> {
    /// Asks, again and again if need be, until an answer can be built on; the calls in it, or the end of the run.
    pub(super) fn turn(&mut self) -> Result<Turned, End> {
        let mut attempts = Attempts::new(self.policy.retries, self.policy.wait_for_reset);
        loop {
            let (answer, error) = self.answer()?;
            self.count(answer.usage())?;
            if let Some(words) = self.fallback.withheld(answer.withheld()) {
                let words = self.client.redact(&words);
                self.notify(Notice::Warning(&words))?;
            }
            let error = match error.map(|error| self.fall_back(error)).transpose()? {
                Some(None) => continue,
                counts => counts.flatten(),
            };
            let mut trouble = match answer.verdict() {
                Verdict::Trouble(trouble) => trouble,
                _ if !self.said.is_repeated() => Trouble::Another,
                verdict => {
                    self.said = Said::default();
                    if let Verdict::Calls(calls) = &verdict {
                        self.refuse_repeated(calls)?;
                    }
                    self.fallback.learn();
                    self.show_held(&answer, |_| true)?;
                    let Verdict::Calls(calls) = verdict else {
                        if let Some(journal) = self.journal.as_deref_mut() {
                            history::store_answer(journal, answer.items());
                        }
                        if let Some(last) = self.last.as_deref_mut() {
                            let message = answer.messages().last();
                            *last = message.map(|item| item.text().into_owned());
                        }
                        self.tell_unstored()?;
                        return Err(End::Answered);
                    };
                    history::add_answer(
                        Arc::make_mut(&mut self.body),
                        self.journal.as_deref_mut(),
                        answer.items(),
                    );
                    self.tell_unstored()?;
                    return Ok(Turned { calls, again: None });
                }
            };
            for words in trouble.words_of_the_service() {
                *words = self.client.redact(words);
            }
            if !self.policy.buffer {
                self.said.broke_off(answer.shown());
            }
            let Some(again) = attempts.next(&trouble, error.as_ref(), seconds()) else {
                let partial = self.said.is_begun();
                return Err(match error {
                    Some(error) if self.fallback.forbids_search(&error) => {
                        End::NoSearch(Box::new(error))
                    }
                    Some(error) if trouble == Trouble::Cut && error.is_refusal() => {
                        End::Refused(Box::new(error), partial)
                    }
                    error => End::Trouble(Box::new(trouble), error.map(Box::new), partial),
                });
            };
            let wait = Wait {
                until: Instant::now() + again.wait(jitter()),
                again,
            };
            let client = self.client.renewed();
            std::mem::replace(&mut self.client, client).shutdown();
            let kept = answer.kept();
            let reason = (self.words)(&trouble, error.as_ref());
            self.tell_again(&again, &reason, !kept.calls.is_empty())?;
            if !kept.calls.is_empty() {
                self.refuse_repeated(&kept.calls)?;
                self.show_held(&answer, |item| kept.holds(item))?;
                history::add_answer(
                    Arc::make_mut(&mut self.body),
                    self.journal.as_deref_mut(),
                    kept.items.into_iter(),
                );
                self.tell_unstored()?;
                self.kept.extend_from_slice(&kept.calls);
                let (calls, again) = (kept.calls, Some(wait));
                return Ok(Turned { calls, again });
            }
            // What is needed of it was noted; a long answer shall not be kept twice.
            drop(kept);
            drop(answer);
            self.sit_out(&wait)?;
        }
    }

    /// Tells, once, that the conversation is not stored any more.
    pub(super) fn tell_unstored(&mut self) -> Result<(), End> {
        let failed = self
            .journal
            .as_mut()
            .and_then(|journal| journal.take_failure());
        let Some((path, error)) = failed else {
            return Ok(());
        };
        let path = path.display();
        let words =
            format!("the conversation is not stored any further: cannot write {path}: {error}");
        self.notify(Notice::Warning(&words))
    }

    /// Counts the tokens of a request, and what they cost.
    fn count(&mut self, usage: Usage) -> Result<(), End> {
        self.usage.add(usage);
        let number = self.requests;
        // A request that was refused, or whose answer broke off, has told nothing.
        if usage != Usage::default() {
            self.sink
                .take(Notice::Request { usage, number })
                .map_err(End::Output)?;
        }
        if let Some(price) = &self.policy.price {
            self.cost += price.of(&usage);
        }
        Ok(())
    }

    /// Changes the request if the service refuses it as it is and there is something else to try; otherwise the refusal.
    fn fall_back(&mut self, error: api::Error) -> Result<Option<api::Error>, End> {
        let has_begun = self.said.is_begun() || !self.kept.is_empty();
        match self.fallback.next(error, &mut self.body, has_begun) {
            Ok(Changed::Form(words)) => self.notify(Notice::Warning(&words))?,
            Ok(Changed::Model(other, error)) => {
                (self.policy.window, self.policy.price) = (other.window, other.price);
                if let Some(journal) = self.journal.as_deref_mut() {
                    journal.model(seconds(), &other.model, other.effort.as_deref());
                }
                let reason = (self.words)(&Trouble::Cut, Some(&error));
                let reason = self.client.redact(&reason);
                self.notify(Notice::OtherModel {
                    model: &other.model,
                    reason: &reason,
                })?;
                if let Some(note) = &other.note {
                    self.notify(Notice::Warning(note))?;
                }
                self.tell_unstored()?;
            }
            Err(error) => return Ok(Some(error)),
        }
        Ok(None)
    }

    /// Whether what was used up leaves room for so many calls and the request behind them.
    pub(super) fn afford(&mut self, calls: usize) -> Result<(), End> {
        let tokens = self.usage.input.saturating_add(self.usage.output);
        if let Some(most) = self.policy.max_tokens.filter(|most| tokens > *most) {
            return Err(End::Tokens(tokens, most));
        }
        self.calls += calls;
        match self.policy.max_calls {
            Some(most) if self.calls > most => Err(End::Calls(self.calls, most)),
            _ => Ok(()),
        }
    }

    /// Waits until the request may be made again.
    pub(super) fn sit_out(&mut self, wait: &Wait) -> Result<(), End> {
        while Instant::now() < wait.until && !wait.again.is_over(seconds()) {
            self.next(Some(wait.until.min(Instant::now() + again::GLANCE)))?;
        }
        Ok(())
    }

    /// Sends the request and shows what is new in the answer, up to its end.
    fn answer(&mut self) -> Result<(Box<Answer>, Option<api::Error>), End> {
        let (tokens, window) = (self.body.tokens(), self.policy.window);
        if let Some(window) = window.filter(|window| tokens > *window) {
            return Err(End::TooLong(tokens, window));
        }
        self.requests += 1;
        let spent = reader::start(&self.client, &self.body, self.requests, &self.sender)?;
        loop {
            match self.next(None)? {
                Input::Shown(shows) => {
                    let _ = spent.try_recv();
                    self.show(shows)?;
                }
                Input::Limits(limits) => {
                    let windows: Vec<Window<'_>> = limits.iter().map(as_window).collect();
                    self.notify(Notice::Limits(&windows))?;
                }
                Input::Warned(words) => self.notify(Notice::Warning(&words))?,
                Input::Waits(delay, words) => {
                    let reason = &words;
                    self.notify(Notice::Waits { delay, reason })?;
                }
                Input::Answered(answer, error) => {
                    // The first one was told when it came.
                    if answer.skipped() > 1 {
                        let words = format!(
                            "{} events of the answer could not be read and were skipped",
                            answer.skipped()
                        );
                        self.notify(Notice::Warning(&words))?;
                    }
                    return Ok((answer, error));
                }
                // The body of the answer before this one, or nothing at all.
                _ => {}
            }
        }
    }

    /// Tells the sink, and has it deliver.
    pub(super) fn notify(&mut self, notice: Notice<'_>) -> Result<(), End> {
        self.sink
            .take(notice)
            .and_then(|()| self.sink.flush())
            .map_err(End::Output)
    }

    /// Tells that the request is made again, or that the run goes on from the calls which the answer has brought.
    fn tell_again(&mut self, again: &Again, reason: &str, goes_on: bool) -> Result<(), End> {
        let notice = match *again {
            Again::Reset { at, .. } => {
                let now = seconds();
                Notice::Reset { at, now, reason }
            }
            Again::Retry { .. } if goes_on => Notice::GoesOn { reason },
            Again::Retry { attempt, delay } => Notice::Retry {
                attempt,
                of: self.policy.retries,
                delay,
                reason,
            },
        };
        self.notify(notice)
    }

    /// The next input; an ordered end and a panic come back as the error. With a time, something that
    /// means nothing is returned when it has come.
    pub(super) fn next(&mut self, until: Option<Instant>) -> Result<Input, End> {
        let input = self.wait(until);
        if let Ok(Input::Order(_) | Input::ToolPanicked | Input::Panicked) | Err(_) = &input {
            self.sink.clear();
        }
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

    /// Waits for an input, and lets the sink show that.
    fn wait(&mut self, until: Option<Instant>) -> Result<Input, RecvTimeoutError> {
        loop {
            let now = Instant::now();
            self.sink.beat(now);
            let left = until.map(|until| until.saturating_duration_since(now));
            let pulse = self
                .sink
                .pulse()
                .filter(|pulse| left.is_none_or(|left| *pulse < left));
            let input = match pulse.or(left) {
                Some(time) => self.inputs.recv_timeout(time),
                None => self
                    .inputs
                    .recv()
                    .map_err(|_| RecvTimeoutError::Disconnected),
            };
            match input {
                Err(RecvTimeoutError::Timeout) if pulse.is_some() => {}
                input => return input,
            }
        }
    }

    /// What one read brought goes out together, before the next one is waited for.
    fn show(&mut self, shows: Vec<Show>) -> Result<(), End> {
        for show in shows {
            match self.said.new_of(show) {
                Ok(Some(Show::Searched(query))) => self.sink.take(Notice::Searched(&query)),
                Ok(Some(Show::Summary(words))) => self.sink.take(Notice::Summary(&words)),
                Ok(Some(Show::Skipped)) => {
                    let words = "an event of the answer could not be read and was skipped";
                    self.sink.take(Notice::Warning(words))
                }
                // With all of the answer in hand, its items are shown.
                Ok(Some(_)) if self.policy.buffer => Ok(()),
                Ok(Some(Show::Text(text))) => self.sink.take(Notice::Text(&text)),
                Ok(Some(Show::MessageEnd)) => self.sink.take(Notice::MessageEnd),
                Ok(None) => Ok(()),
                Err(Differs) => return Err(End::Trouble(Box::new(Trouble::Another), None, true)),
            }
            .map_err(End::Output)?;
        }
        self.sink.flush().map_err(End::Output)
    }

    /// Shows the messages of an answer that are meant, where they were held back until now.
    fn show_held(&mut self, answer: &Answer, meant: impl Fn(&Item) -> bool) -> Result<(), End> {
        if !self.policy.buffer {
            return Ok(());
        }
        for item in answer.messages().filter(|item| meant(item)) {
            self.sink
                .take(Notice::Text(&item.text()))
                .and_then(|()| self.sink.take(Notice::MessageEnd))
                .map_err(End::Output)?;
        }
        self.sink.flush().map_err(End::Output)
    }

    /// Ends the run where one of these calls was kept of an answer that broke off: it has run.
    fn refuse_repeated(&self, calls: &[Call]) -> Result<(), End> {
        let has_run = |call: &&Call| self.kept.iter().any(|kept| kept.is_same(call));
        match calls.iter().find(has_run) {
            Some(call) => {
                let name = self.client.redact(&call.name);
                Err(End::Trouble(Box::new(Trouble::Repeats(name)), None, false))
            }
            None => Ok(()),
        }
    }
}

fn as_window(limit: &Limit) -> Window<'_> {
    Window {
        name: &limit.name,
        used: limit.used,
        minutes: limit.minutes,
        resets_at: limit.resets_at,
    }
}

/// A number that no other process has. Without one nothing is spread, which is no reason to fail.
fn jitter() -> u8 {
    let mut random = [0];
    let _ = getrandom::fill(&mut random);
    random[0]
}
