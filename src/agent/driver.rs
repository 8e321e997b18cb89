//! What a turn does about an answer: shows it, asks again where it broke off, and hands its calls on.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::Instant;

use super::attempts::{Attempts, CLOCK_INTERVAL, Wait};
use super::budget::Spent;
use super::control::Control;
use super::fallback::{Changed, Fallback};
use super::history;
use super::input::{self, TurnInput};
use super::policy::Policy;
use super::printed_answer::Printed;
use super::reader::Reading;
use super::turn_usage::Tally;
use crate::api::{self, Client, Unanswered};
use crate::clock::seconds;
use crate::failure::{RunWarning, Stop};
use crate::models::Model;
use crate::output::{LimitWindow, Notice, Sink};
use crate::session::Journal;
use crate::tools::toolbox::Toolbox;
use crate::tools::topic::About;
use crate::wire::answer::{Answer, Trouble, Verdict};
use crate::wire::input::CallOutput;
use crate::wire::item::{Call, Item};
use crate::wire::request::RequestBody;
use crate::wire::response::Usage;

/// Everything that a turn has in hand. What the conversation keeps for the next one is borrowed.
pub(super) struct Driver<'a> {
    pub(super) client: &'a mut Client,
    pub(super) body: &'a mut Arc<RequestBody>,
    /// Where the conversation is stored, if it is.
    pub(super) journal: Option<&'a mut dyn Journal>,
    pub(super) fallback: &'a mut Fallback,
    pub(super) tools: Arc<Toolbox>,
    /// The model that is asked.
    pub(super) model: &'a mut Model,
    pub(super) policy: Policy,
    /// What the conversation has used up, this turn included.
    pub(super) spent: &'a mut Spent,
    pub(super) sink: &'a mut dyn Sink,
    pub(super) inputs: &'a Receiver<TurnInput>,
    pub(super) sender: Sender<TurnInput>,
    pub(super) printed: Printed,
    /// Calls that have not ended.
    pub(super) running: usize,
    /// What the calls that run are about.
    pub(super) abouts: Vec<(usize, About)>,
    /// The ids of the calls that have joined the conversation and have no result there yet.
    pub(super) open: Vec<String>,
    /// The outputs of those that had ended when the turn stopped, each at its call's place.
    pub(super) outputs: Vec<Option<CallOutput>>,
    /// An answer of the turn has joined the conversation.
    pub(super) joined: bool,
    /// The calls that were kept of answers that broke off.
    pub(super) kept: Vec<Call>,
    /// The reading of the last answer.
    pub(super) reading: Option<Reading>,
    pub(super) tally: Tally,
}

/// What became of one attempt at an answer.
enum Attempt {
    /// No answer began.
    Refused(api::Error),
    /// The answer broke off.
    BrokeOff(Box<Answer>, api::Break),
    /// The answer came to its end.
    Ended(Box<Answer>),
}

/// An answer that the turn builds on.
enum Answered {
    /// The last one.
    Whole(Box<Answer>),
    /// One with calls.
    Calls(Round),
}

/// The calls of one answer.
struct Round {
    /// At least one.
    calls: Vec<Call>,
    /// The answer broke off behind them, and the next request has to wait.
    again: Option<Wait>,
}

impl Driver<'_> {
    /// Asks, runs what the model calls, and asks again until it has answered; the last answer, which is stored and has not
    /// joined the conversation.
    pub(super) fn run(&mut self, control: &Control) -> Result<Box<Answer>, Stop> {
        loop {
            self.spent.requests += 1;
            let round = match self.answer()? {
                Answered::Whole(answer) => return Ok(answer),
                Answered::Calls(round) => round,
            };
            let calls = round.calls.len();
            self.policy.budget.check_calls(self.spent, calls)?;
            self.spent.calls += calls;
            self.run_calls(&round.calls, round.again.is_some())?;
            if let Some(wait) = round.again {
                self.sit_out(&wait)?;
            }
            for message in control.take_steering() {
                let item = message.push_to(Arc::make_mut(self.body));
                if let Some(journal) = self.journal.as_deref_mut() {
                    journal.item(&item);
                }
            }
        }
    }

    /// Leaves the conversation as it can go on after this stop: a call without a result gets one, and a question that
    /// failed before anything came of it is taken back.
    pub(super) fn settle(&mut self, stop: &Stop) {
        let calls = std::mem::take(&mut self.open);
        if !calls.is_empty() {
            let body = Arc::make_mut(self.body);
            let outputs = std::mem::take(&mut self.outputs);
            history::add_aborted(body, self.journal.as_deref_mut(), &calls, outputs);
        }
        let was_stopped = matches!(stop, Stop::Interrupted | Stop::Ordered(_));
        if !self.joined && !was_stopped {
            let body = Arc::make_mut(self.body);
            body.truncate(body.len().saturating_sub(1));
        }
    }

    /// Asks, again and again if need be, until an answer can be built on.
    fn answer(&mut self) -> Result<Answered, Stop> {
        let mut attempts = Attempts::new(self.policy.retries, self.policy.wait_for_reset);
        loop {
            let (answer, why) = match self.attempt()? {
                Attempt::Refused(error) => match self.fall_back(error)? {
                    None => continue,
                    Some(error) => (None, Unanswered::Refused(error)),
                },
                Attempt::BrokeOff(answer, broke) => {
                    self.count(&answer)?;
                    (Some(answer), Unanswered::BrokeOff(broke))
                }
                Attempt::Ended(answer) => {
                    self.count(&answer)?;
                    let trouble = match answer.verdict() {
                        Verdict::Trouble(trouble) => trouble,
                        _ if !self.printed.is_repeated() => Trouble::Another,
                        Verdict::Answered => {
                            self.finish(&answer)?;
                            return Ok(Answered::Whole(answer));
                        }
                        Verdict::Calls(calls) => {
                            return self.called(&answer, calls).map(Answered::Calls);
                        }
                    };
                    (Some(answer), Unanswered::Unusable(self.redacted(trouble)))
                }
            };
            if let Some(answer) = &answer {
                self.printed.broke_off(answer);
            }
            let Some(again) = attempts.next(&why, seconds()) else {
                return Err(self.given_up(why));
            };
            let wait = Wait::new(again, Instant::now(), jitter());
            let client = self.client.renewed();
            std::mem::replace(self.client, client).shutdown();
            let kept = answer.as_deref().map(Answer::kept).unwrap_or_default();
            let goes_on = !kept.calls.is_empty();
            self.notify(again.notice(&why, goes_on, self.policy.retries, seconds()))?;
            if let Some(answer) = answer.as_deref().filter(|_| goes_on) {
                self.refuse_repeated(&kept.calls)?;
                self.printed
                    .show_held(answer, |item| kept.holds(item), self.sink)?;
                self.join(kept.items.into_iter(), &kept.calls)?;
                self.kept.extend_from_slice(&kept.calls);
                return Ok(Answered::Calls(Round {
                    calls: kept.calls,
                    again: Some(wait),
                }));
            }
            // What is needed of it was noted; a long answer shall not be kept twice.
            drop(kept);
            drop(answer);
            self.sit_out(&wait)?;
        }
    }

    /// Shows and stores the answer that ends the turn.
    fn finish(&mut self, answer: &Answer) -> Result<(), Stop> {
        self.printed.complete();
        self.fallback.learn();
        self.printed.show_held(answer, |_| true, self.sink)?;
        if let Some(journal) = self.journal.as_deref_mut() {
            history::store_answer(journal, answer.items());
        }
        self.tell_unstored()
    }

    /// Takes an answer with calls.
    fn called(&mut self, answer: &Answer, calls: Vec<Call>) -> Result<Round, Stop> {
        self.printed.complete();
        self.refuse_repeated(&calls)?;
        self.fallback.learn();
        self.printed.show_held(answer, |_| true, self.sink)?;
        self.join(answer.items(), &calls)?;
        Ok(Round { calls, again: None })
    }

    /// Adds items of an answer to the conversation, these calls among them.
    fn join<'i>(
        &mut self,
        items: impl Iterator<Item = &'i Item>,
        calls: &[Call],
    ) -> Result<(), Stop> {
        let body = Arc::make_mut(self.body);
        history::add_answer(body, self.journal.as_deref_mut(), items);
        self.joined = true;
        let ids = calls.iter().map(|call| call.call_id.clone());
        self.open = ids.collect();
        self.tell_unstored()
    }

    /// The trouble without a secret in what the service says.
    fn redacted(&self, mut trouble: Trouble) -> Trouble {
        for words in trouble.service_texts() {
            *words = self.client.redact(words);
        }
        trouble
    }

    /// Why there is no answer, after the last attempt.
    fn given_up(&self, why: Unanswered) -> Stop {
        match why {
            Unanswered::Refused(error) if self.fallback.forbids_search(&error) => {
                Stop::NoSearch(Box::new(error))
            }
            why => Stop::unanswered(why, self.printed.is_begun()),
        }
    }

    /// Reports, once, that the conversation is not stored any more.
    pub(super) fn tell_unstored(&mut self) -> Result<(), Stop> {
        let failed = self
            .journal
            .as_mut()
            .and_then(|journal| journal.take_failure());
        match failed {
            Some((path, error)) => {
                self.notify(Notice::Warning(&RunWarning::StoredNoFurther(path, error)))
            }
            None => Ok(()),
        }
    }

    /// Counts the tokens of a request, and what they cost; and reports what the service kept from the model.
    fn count(&mut self, answer: &Answer) -> Result<(), Stop> {
        let usage = answer.usage();
        self.tally.count(usage, self.model.price.as_ref());
        let tokens = usage.input.saturating_add(usage.output);
        self.spent.tokens = self.spent.tokens.saturating_add(tokens);
        let number = self.tally.requests;
        // A request whose answer broke off has told nothing.
        if usage != Usage::default() {
            self.sink
                .take(Notice::Request { usage, number })
                .map_err(Stop::Output)?;
        }
        let withheld = answer.withheld();
        if !withheld.is_empty() && self.fallback.reports_withheld() {
            let redact = |reason: &String| self.client.redact(reason);
            let redacted = withheld.iter().map(|reason| reason.as_ref().map(redact));
            let warning = RunWarning::Withheld(redacted.collect());
            self.notify(Notice::Warning(&warning))?;
        }
        Ok(())
    }

    /// Changes the request if the service refuses it as it is and there is something else to try; otherwise the refusal.
    fn fall_back(&mut self, error: api::Error) -> Result<Option<api::Error>, Stop> {
        let has_begun = self.printed.is_begun() || !self.kept.is_empty();
        match self.fallback.next(error, self.body, has_begun) {
            Ok(Changed::Form(warning)) => self.notify(Notice::Warning(&warning))?,
            Ok(Changed::Model(substitute, error)) => {
                let profile = &substitute.profile;
                let model = &profile.model;
                self.model.clone_from(model);
                if let Some(journal) = self.journal.as_deref_mut() {
                    journal.model(seconds(), &model.id, profile.effort.as_deref());
                }
                self.notify(Notice::OtherModel {
                    model: &model.id,
                    reason: &error,
                })?;
                if let Some(note) = substitute.note {
                    self.notify(Notice::Warning(&RunWarning::Note(note)))?;
                }
                self.tell_unstored()?;
            }
            Err(error) => return Ok(Some(error)),
        }
        Ok(None)
    }

    /// Waits until the request may be made again.
    fn sit_out(&mut self, wait: &Wait) -> Result<(), Stop> {
        while !wait.is_over(Instant::now(), seconds()) {
            self.next(Some(wait.until.min(Instant::now() + CLOCK_INTERVAL)))?;
        }
        Ok(())
    }

    /// Sends the request and shows what is new in the answer, up to its end.
    fn attempt(&mut self) -> Result<Attempt, Stop> {
        let tokens = self.body.tokens();
        if let Some(window) = self.model.window().filter(|window| tokens > *window) {
            return Err(Stop::TooLong { tokens, window });
        }
        self.tally.requests += 1;
        let reading = Reading::start(self.client, self.body, self.tally.requests, &self.sender)?;
        self.reading = Some(reading);
        loop {
            match self.next(None)? {
                TurnInput::Shown(shows) => {
                    if let Some(reading) = &self.reading {
                        reading.was_shown();
                    }
                    self.printed.show(shows, self.sink)?;
                }
                TurnInput::Limits(limits) => {
                    let windows: Vec<LimitWindow<'_>> =
                        limits.iter().map(LimitWindow::from).collect();
                    self.notify(Notice::Limits(&windows))?;
                }
                TurnInput::Warned(warning) => {
                    self.notify(Notice::Warning(&RunWarning::SignIn(warning)))?;
                }
                TurnInput::Waits(waiting) => self.notify(Notice::Waits(&waiting))?,
                TurnInput::Refused(error) => return Ok(Attempt::Refused(error)),
                TurnInput::BrokeOff(answer, broke) => {
                    self.tell_skipped(&answer)?;
                    return Ok(Attempt::BrokeOff(answer, broke));
                }
                TurnInput::Answered(answer) => {
                    self.tell_skipped(&answer)?;
                    return Ok(Attempt::Ended(answer));
                }
                // The body of the answer before this one, or nothing at all.
                _ => {}
            }
        }
    }

    /// Reports how many events could not be read. The first one was reported when it came.
    fn tell_skipped(&mut self, answer: &Answer) -> Result<(), Stop> {
        match answer.skipped() {
            0 | 1 => Ok(()),
            count => self.notify(Notice::Warning(&RunWarning::Skipped(count))),
        }
    }

    /// Reports to the sink, and has it deliver.
    pub(super) fn notify(&mut self, notice: Notice<'_>) -> Result<(), Stop> {
        self.sink
            .take(notice)
            .and_then(|()| self.sink.flush())
            .map_err(Stop::Output)
    }

    /// The next input; a stop and a panic come back as the error. With a time, something that
    /// means nothing is returned when it has come.
    pub(super) fn next(&mut self, until: Option<Instant>) -> Result<TurnInput, Stop> {
        let stop = match input::wait(self.inputs, until, self.sink) {
            Ok(TurnInput::Order(order)) => Stop::Ordered(order),
            Ok(TurnInput::StopTurn) => Stop::Interrupted,
            Ok(TurnInput::ToolPanicked) => {
                self.running -= 1;
                Stop::Panicked
            }
            Ok(TurnInput::Panicked) | Err(RecvTimeoutError::Disconnected) => Stop::Panicked,
            Ok(input) => return Ok(input),
            Err(RecvTimeoutError::Timeout) => return Ok(TurnInput::Shown(Vec::new())),
        };
        self.sink.clear();
        Err(stop)
    }

    /// Stops the turn where one of these calls was kept of an answer that broke off: it has run.
    fn refuse_repeated(&self, calls: &[Call]) -> Result<(), Stop> {
        let has_run = |call: &&Call| self.kept.iter().any(|kept| kept.is_same(call));
        match calls.iter().find(has_run) {
            Some(call) => {
                let trouble = Trouble::Repeats(self.client.redact(&call.name));
                Err(Stop::unanswered(Unanswered::Unusable(trouble), false))
            }
            None => Ok(()),
        }
    }
}

/// A number that no other process has. Without one nothing is spread, which is no reason to fail.
fn jitter() -> u8 {
    let mut random = [0];
    let _ = getrandom::fill(&mut random);
    random[0]
}
