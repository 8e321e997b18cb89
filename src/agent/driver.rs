//! The answers of a turn: reports them, retries those that broke off, and passes their calls on.

use std::mem;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender};
use std::time::Instant;

use super::attempt::{AnswerCalls, Answered, Attempt};
use super::attempts::{Attempts, CLOCK_INTERVAL, Wait};
use super::budget::Spent;
use super::compaction::Compaction;
use super::control::Control;
use super::effort::TurnEffort;
use super::fallback::Fallback;
use super::history;
use super::input::{self, TurnDeadline, TurnInput};
use super::policy::Policy;
use super::printed_answer::Printed;
use super::reader;
use super::substitute::ReplacedModel;
use super::turn_usage::Tally;
use crate::api::{Client, Interrupt, Stream, Unanswered};
use crate::clock::seconds;
use crate::failure::{RunWarning, Stop};
use crate::models::Model;
use crate::output::{LimitWindow, Notice, Sink};
use crate::session::Journal;
use crate::tools::toolbox::Toolbox;
use crate::tools::topic::About;
use crate::wire::answer::{Answer, Trouble, Verdict};
use crate::wire::fault::Cause;
use crate::wire::input::CallOutput;
use crate::wire::item::{Call, Item};
use crate::wire::request::RequestBody;

/// The state of a turn. What outlives the turn is borrowed from the conversation.
pub(super) struct Driver<'a> {
    pub(super) client: &'a mut Client,
    pub(super) body: &'a mut Arc<RequestBody>,
    /// The journal, if the conversation is stored.
    pub(super) journal: Option<&'a mut dyn Journal>,
    pub(super) fallback: &'a mut Fallback,
    pub(super) tools: Arc<Toolbox>,
    /// The current model.
    pub(super) model: &'a mut Model,
    pub(super) effort: &'a mut TurnEffort,
    /// Its provider in `models.json`, if it has one.
    pub(super) provider: &'a mut Option<String>,
    /// The model that was replaced by the current one, which has not answered yet.
    pub(super) replaced: Option<ReplacedModel>,
    pub(super) policy: Policy,
    /// What was compacted, and how long the conversation is.
    pub(super) compaction: &'a mut Compaction,
    /// Usage of the conversation, including this turn.
    pub(super) spent: &'a mut Spent,
    pub(super) sink: &'a mut dyn Sink,
    pub(super) inputs: &'a Receiver<TurnInput>,
    pub(super) sender: Sender<TurnInput>,
    pub(super) printed: Printed,
    /// Number of calls that are running.
    pub(super) running: usize,
    /// The subjects of the running calls, by index.
    pub(super) topics: Vec<(usize, About)>,
    /// Ids of the calls in the conversation that have no result yet.
    pub(super) open: Vec<String>,
    /// Outputs of the calls that had ended when the turn stopped, by index.
    pub(super) outputs: Vec<Option<CallOutput>>,
    /// The number of user messages at the end of the conversation that no answer has followed.
    pub(super) unanswered: usize,
    /// The number of stored items to take back when another turn begins.
    pub(super) to_withdraw: &'a mut usize,
    /// Calls that were kept from answers that broke off.
    pub(super) kept_calls: Vec<Call>,
    /// Ends the wait for the next bytes of a response when an input comes.
    pub(super) interrupt: Interrupt,
    /// The response body of the last answer, which has ended; the body may not have.
    pub(super) reading: Option<Box<Stream>>,
    /// The answer that was being read when the turn stopped.
    pub(super) interrupted: Option<Box<Answer>>,
    pub(super) tally: Tally,
    /// The time limit for the turn.
    pub(super) deadline: Option<TurnDeadline>,
}

impl Driver<'_> {
    /// Sends the request and runs the calls, until an answer has no calls. That answer is returned; it is stored, but not yet
    /// part of the request body.
    pub(super) fn run(&mut self, control: &Control) -> Result<Box<Answer>, Stop> {
        // A turn that was stopped before it began sends nothing.
        input::check_stop(self.inputs)?;
        loop {
            self.make_room()?;
            self.spent.requests += 1;
            let round = match self.answer()? {
                Answered::Whole(answer) => return Ok(answer),
                Answered::Calls(round) => round,
            };
            let calls = round.calls.len();
            self.check_compacted()?;
            self.policy.budget.check_calls(self.spent, calls)?;
            self.spent.calls += calls;
            self.run_calls(&round.calls, round.retry.is_some())?;
            if let Some(wait) = round.retry {
                self.wait_for_retry(&wait)?;
            }
            for message in control.take_steering() {
                let item = message.push_to(Arc::make_mut(self.body));
                if let Some(journal) = self.journal.as_deref_mut() {
                    journal.item(&item);
                }
                self.unanswered += 1;
                self.notify(Notice::Steered(&message.text))?;
            }
        }
    }

    /// Sends the request, with retries, until there is an answer to continue from.
    fn answer(&mut self) -> Result<Answered, Stop> {
        let mut attempts = Attempts::new(self.policy.retries, self.policy.wait_for_reset);
        loop {
            let attempt = match self.attempt() {
                Err(stop @ Stop::TooLong { .. }) if !self.shorten()? => return Err(stop),
                Err(Stop::TooLong { .. }) => continue,
                attempt => attempt?,
            };
            let (answer, why) = match attempt {
                Attempt::Refused(error) => match self.next_form(error) {
                    Ok(warning) => {
                        self.notify(Notice::Warning(&warning))?;
                        continue;
                    }
                    Err(error) => (None, Unanswered::Refused(error)),
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
                            return self.accept_calls(&answer, calls).map(Answered::Calls);
                        }
                    };
                    (Some(answer), Unanswered::Unusable(self.redacted(trouble)))
                }
            };
            if let Some(answer) = &answer {
                self.printed.broke_off(answer);
            }
            let Some(next) = attempts.next(&why, seconds()) else {
                let is_too_long = why
                    .fault()
                    .is_some_and(|fault| fault.cause == Cause::Context);
                let goes_on = (is_too_long && self.shorten()?) || self.ask_substitute(&why)?;
                if !goes_on {
                    return Err(self.final_stop(why));
                }
                attempts = Attempts::new(self.policy.retries, self.policy.wait_for_reset);
                continue;
            };
            let wait = Wait::new(next, Instant::now(), jitter());
            let client = self.client.renewed();
            mem::replace(self.client, client).shutdown();
            let kept = answer.as_deref().map(Answer::kept).unwrap_or_default();
            let continues = !kept.calls.is_empty();
            self.notify(next.notice(&why, continues, self.policy.retries, seconds()))?;
            if let Some(answer) = answer.as_deref().filter(|_| continues) {
                self.keep_model();
                self.refuse_repeated(&kept.calls)?;
                self.printed
                    .show_held(answer, |item| kept.holds(item), self.sink)?;
                self.join(kept.items.into_iter(), &kept.calls)?;
                self.kept_calls.extend_from_slice(&kept.calls);
                return Ok(Answered::Calls(AnswerCalls {
                    calls: kept.calls,
                    retry: Some(wait),
                }));
            }
            // None of it is needed during the wait, which may be long.
            drop(kept);
            drop(answer);
            self.wait_for_retry(&wait)?;
        }
    }

    /// Reports and stores the answer that ends the turn.
    fn finish(&mut self, answer: &Answer) -> Result<(), Stop> {
        self.unanswered = 0;
        self.printed.complete();
        self.keep_model();
        self.fallback.learn();
        self.check_counted(answer)?;
        self.printed.show_held(answer, |_| true, self.sink)?;
        if let Some(journal) = self.journal.as_deref_mut() {
            history::store_answer(journal, answer.items());
        }
        self.measure(answer);
        self.report_storage_failure()
    }

    /// Accepts an answer with calls.
    fn accept_calls(&mut self, answer: &Answer, calls: Vec<Call>) -> Result<AnswerCalls, Stop> {
        self.printed.complete();
        self.refuse_repeated(&calls)?;
        self.keep_model();
        self.fallback.learn();
        self.check_counted(answer)?;
        self.printed.show_held(answer, |_| true, self.sink)?;
        self.join(answer.items(), &calls)?;
        self.measure(answer);
        self.compaction.joined(self.body.len());
        Ok(AnswerCalls { calls, retry: None })
    }

    /// Adds items of an answer to the conversation. They include `calls`.
    fn join<'i>(
        &mut self,
        items: impl Iterator<Item = &'i Item>,
        calls: &[Call],
    ) -> Result<(), Stop> {
        let body = Arc::make_mut(self.body);
        history::add_answer(body, self.journal.as_deref_mut(), items);
        self.unanswered = 0;
        let ids = calls.iter().map(|call| call.call_id.clone());
        self.open = ids.collect();
        self.report_storage_failure()
    }

    /// Removes secrets from the service's text in this trouble.
    pub(super) fn redacted(&self, mut trouble: Trouble) -> Trouble {
        for words in trouble.service_texts() {
            *words = self.client.redact(words);
        }
        trouble
    }

    /// The stop after the last attempt.
    pub(super) fn final_stop(&self, why: Unanswered) -> Stop {
        match why {
            Unanswered::Refused(error) if self.fallback.forbids_search(&error) => {
                Stop::NoSearch(Box::new(error))
            }
            why => Stop::unanswered(why, self.printed.is_begun()),
        }
    }

    /// Reports, once, that the conversation is no longer stored.
    pub(super) fn report_storage_failure(&mut self) -> Result<(), Stop> {
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

    /// Waits until the next attempt is due.
    pub(super) fn wait_for_retry(&mut self, wait: &Wait) -> Result<(), Stop> {
        while !wait.is_over(Instant::now(), seconds()) {
            self.next(Some(wait.until.min(Instant::now() + CLOCK_INTERVAL)))?;
        }
        Ok(())
    }

    /// Sends the request and reports the answer as it arrives, up to its end.
    fn attempt(&mut self) -> Result<Attempt, Stop> {
        let tokens = self.body.tokens();
        if let Some(window) = self.model.window().filter(|window| tokens > *window) {
            return Err(Stop::TooLong { tokens, window });
        }
        self.exchange(Arc::clone(self.body), true)
    }

    /// Sends a request, and reports the answer as it arrives if `reports`, up to its end.
    pub(super) fn exchange(
        &mut self,
        body: Arc<RequestBody>,
        reports: bool,
    ) -> Result<Attempt, Stop> {
        self.tally.requests += 1;
        // Two concurrent readings would need two connections.
        self.reading = None;
        reader::send(self.client, &body, &self.sender)?;
        // The thread drops the other one, so that the conversation is not copied when it grows.
        drop(body);
        self.tools.expect_calls();
        let stream = loop {
            match self.next(None)? {
                TurnInput::Warned(warning) => {
                    self.notify(Notice::Warning(&RunWarning::SignIn(warning)))?;
                }
                TurnInput::Waiting(waiting) => self.notify(Notice::Waiting(&waiting))?,
                TurnInput::Refused(error) => return Ok(Attempt::Refused(error)),
                TurnInput::Begun(stream) => break stream,
                // What a tool of the previous round has printed at last.
                _ => {}
            }
        };
        let limits = stream.limits();
        if !limits.is_empty() {
            let windows: Vec<LimitWindow<'_>> = limits.iter().map(LimitWindow::from).collect();
            self.notify(Notice::Limits(&windows))?;
        }
        self.read(stream, reports)
    }

    /// Reports the number of malformed events. The first one was reported when it arrived.
    pub(super) fn report_skipped(&mut self, answer: &Answer) -> Result<(), Stop> {
        match answer.skipped() {
            0 | 1 => Ok(()),
            count => self.notify(Notice::Warning(&RunWarning::Skipped(count))),
        }
    }

    /// Reports to the sink and flushes it.
    pub(super) fn notify(&mut self, notice: Notice<'_>) -> Result<(), Stop> {
        self.sink
            .take(notice)
            .and_then(|()| self.sink.flush())
            .map_err(Stop::Output)
    }

    /// Returns the next input; stop requests, panics and the end of the turn's time are errors. After `until`, it returns
    /// `Nothing`.
    pub(super) fn next(&mut self, until: Option<Instant>) -> Result<TurnInput, Stop> {
        let ended = match input::next(self.inputs, until, self.deadline, self.sink) {
            Ok(TurnInput::ToolPanicked) => {
                self.running -= 1;
                Err(Stop::Panicked)
            }
            next => next,
        };
        if ended.is_err() {
            self.sink.clear();
        }
        ended
    }

    /// Stops the turn if one of these calls was kept from an answer that broke off, because it has already run.
    fn refuse_repeated(&self, calls: &[Call]) -> Result<(), Stop> {
        let has_run = |call: &&Call| self.kept_calls.iter().any(|kept| kept.is_same(call));
        match calls.iter().find(has_run) {
            Some(call) => {
                let trouble = Trouble::Repeats(self.client.redact(&call.name));
                Err(Stop::unanswered(Unanswered::Unusable(trouble), false))
            }
            None => Ok(()),
        }
    }
}

/// A random number for jitter. If the system has none, retries have no jitter, which is no reason to fail.
pub(super) fn jitter() -> u8 {
    let mut random = [0];
    let _ = getrandom::fill(&mut random);
    random[0]
}
