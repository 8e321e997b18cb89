//! The requests that compact a conversation within a turn: to the service, or to the model for a summary. Nothing of their
//! answers is printed.

use std::mem;
use std::sync::Arc;
use std::time::Instant;

use super::attempt::Attempt;
use super::attempts::{Attempts, Wait};
use super::driver::{Driver, jitter};
use crate::api::{self, Unanswered};
use crate::clock::seconds;
use crate::failure::{RunWarning, Stop};
use crate::output::{CompactedNotice, Notice};
use crate::session::{CompactionRecord, on_one_line};
use crate::wire::answer::{Answer, Trouble, Verdict};
use crate::wire::compaction::{CompactedBy, summary_message};
use crate::wire::fault::Cause;
use crate::wire::item::Item;

/// How often a summary is requested of a shorter text, because the service found it too long.
const MAX_SHORTENED: usize = 3;

/// A request that compacts the conversation.
enum CompactionRequest<'t> {
    /// To the service.
    Trigger,
    /// To the model, for a summary of this text.
    Summary(&'t str),
}

/// The answer to such a request, or why it could not be had.
type Asked = Result<Box<Answer>, Unanswered>;

impl Driver<'_> {
    /// Compacts the conversation if it has become too long for the next request.
    pub(super) fn make_room(&mut self) -> Result<(), Stop> {
        let Some(limit) = self.policy.compact.limit(self.model) else {
            return Ok(());
        };
        let is_due = self.compaction.tokens(self.body) > limit && !self.compaction.is_fresh();
        if !is_due || !self.compaction.shortens(self.body) {
            return Ok(());
        }
        self.check_compacted()?;
        self.compact(2)
    }

    /// Checks that the first answer after a compaction was within the limit: the next compaction would not help either.
    pub(super) fn check_compacted(&self) -> Result<(), Stop> {
        let limit = self.policy.compact.limit(self.model);
        match (self.compaction.still_full(), limit) {
            (Some(tokens), Some(limit)) => Err(Stop::StillTooLong { tokens, limit }),
            _ => Ok(()),
        }
    }

    /// Compacts the conversation once after a request that was too long. Returns false if that is not possible.
    pub(super) fn shorten(&mut self) -> Result<bool, Stop> {
        if !self.may_shorten() {
            return Ok(false);
        }
        self.check_compacted()?;
        // The request itself is counted already.
        self.compact(1)?;
        Ok(true)
    }

    fn may_shorten(&self) -> bool {
        self.policy.compact.is_on()
            && !self.compaction.is_fresh()
            && !self.printed.is_begun()
            && self.compaction.shortens(self.body)
    }

    /// Compacts the conversation now. Returns false if there is nothing to remove.
    pub(super) fn compact_now(&mut self) -> Result<bool, Stop> {
        let shortens = self.compaction.shortens(self.body);
        if shortens {
            loop {
                self.compact(1)?;
                // A substitute that took over has room without a compaction; the user wants one.
                if self.compaction.is_fresh() {
                    break;
                }
            }
            self.keep_model();
        }
        Ok(shortens)
    }

    /// Compacts the conversation. `requests` is how many requests that takes, with the one that it makes room for.
    fn compact(&mut self, requests: usize) -> Result<(), Stop> {
        let before = self.compaction.tokens(self.body);
        let asked = match self.ask_service(requests)? {
            Ok(Some(item)) => Ok((item, CompactedBy::Service)),
            Ok(None) => {
                let summary = self.ask_for_summary(requests)?;
                summary.map(|item| (item, CompactedBy::Summary))
            }
            Err(why) => Err(why),
        };
        let (item, how) = match asked {
            Ok(found) => found,
            Err(why) if self.ask_substitute(&why)? => return self.make_room(),
            Err(why) => return Err(self.final_stop(why)),
        };
        let body = Arc::make_mut(self.body);
        let tail = body.len() - self.compaction.covered(body);
        let items = self.compaction.apply(body, item);
        let after = self.compaction.tokens(body);
        if let Some(journal) = self.journal.as_deref_mut() {
            journal.compacted(&CompactionRecord {
                at: seconds(),
                model: &self.model.id,
                provider: self.provider.as_deref(),
                owner: &self.client.owner(),
                how,
                tokens: (before, after),
                items: &items,
                tail,
            });
        }
        self.notify(Notice::Compacted(CompactedNotice { before, after, how }))?;
        self.report_storage_failure()
    }

    /// Has the service compact the conversation. Returns its item; `None` if the model has to write a summary.
    fn ask_service(
        &mut self,
        requests: usize,
    ) -> Result<Result<Option<Vec<u8>>, Unanswered>, Stop> {
        if !self.compaction.asks_service() {
            return Ok(Ok(None));
        }
        Ok(
            match self.ask_aside(&CompactionRequest::Trigger, requests)? {
                Ok(answer) => Ok(answer
                    .compaction()
                    .map(|item| on_one_line(item.raw()).into_owned())),
                Err(why) => match why.fault().map(|fault| fault.cause) {
                    // The service may not know the trigger.
                    Some(Cause::Request) => {
                        self.compaction.use_summaries();
                        Ok(None)
                    }
                    Some(Cause::Context | Cause::Size) => Ok(None),
                    _ => Err(why),
                },
            },
        )
    }

    /// Has the model write a summary. Returns the message that contains it.
    fn ask_for_summary(&mut self, requests: usize) -> Result<Result<Vec<u8>, Unanswered>, Stop> {
        let mut most = self.compaction.room_for_transcript();
        for shortened in 0.. {
            let text = self.compaction.transcript(self.body, most);
            let why = match self.ask_aside(&CompactionRequest::Summary(&text), requests)? {
                Ok(answer) => match answer.verdict() {
                    Verdict::Answered => {
                        let texts: Vec<_> = answer.messages().map(Item::text).collect();
                        return Ok(Ok(summary_message(&texts.join("\n\n"))));
                    }
                    Verdict::Calls(_) => Unanswered::Unusable(Trouble::Empty),
                    Verdict::Trouble(trouble) => Unanswered::Unusable(self.redacted(trouble)),
                },
                Err(why) => why,
            };
            let cause = why.fault().map(|fault| fault.cause);
            let is_too_long = matches!(cause, Some(Cause::Context | Cause::Size));
            if is_too_long && shortened < MAX_SHORTENED {
                most = text.len() / 2;
                continue;
            }
            let is_refused = match (&why, cause) {
                (_, Some(cause)) => is_too_long || matches!(cause, Cause::Request | Cause::Policy),
                (Unanswered::Unusable(trouble), None) => *trouble != Trouble::Cut,
                _ => false,
            };
            if is_refused {
                return Err(Stop::NotCompacted(Box::new(why)));
            }
            return Ok(Err(why));
        }
        Ok(Err(Unanswered::Unusable(Trouble::Empty)))
    }

    /// Sends a request that is not part of the conversation, with retries. Its answer is complete, but may be unusable.
    fn ask_aside(
        &mut self,
        request: &CompactionRequest<'_>,
        requests: usize,
    ) -> Result<Asked, Stop> {
        self.policy.budget.check_compaction(self.spent, requests)?;
        self.spent.requests += 1;
        let mut attempts = Attempts::new(self.policy.retries, self.policy.wait_for_reset);
        loop {
            let body = match request {
                CompactionRequest::Trigger => self.compaction.trigger(self.body),
                CompactionRequest::Summary(text) => self.compaction.summary(self.body, text),
            };
            let why = match self.exchange(Arc::new(body), false)? {
                Attempt::Refused(error) => match self.next_form(error) {
                    Ok(warning) => {
                        self.notify(Notice::Warning(&warning))?;
                        continue;
                    }
                    Err(error) => Unanswered::Refused(error),
                },
                Attempt::BrokeOff(answer, broke) => {
                    self.count(&answer)?;
                    Unanswered::BrokeOff(broke)
                }
                Attempt::Ended(answer) => {
                    self.count(&answer)?;
                    let Verdict::Trouble(trouble @ (Trouble::Cut | Trouble::Failed(_))) =
                        answer.verdict()
                    else {
                        self.fallback.learn();
                        self.check_counted(&answer)?;
                        return Ok(Ok(answer));
                    };
                    Unanswered::Unusable(self.redacted(trouble))
                }
            };
            let Some(next) = attempts.next(&why, seconds()) else {
                return Ok(Err(why));
            };
            let wait = Wait::new(next, Instant::now(), jitter());
            let client = self.client.renewed();
            mem::replace(self.client, client).shutdown();
            self.notify(next.notice(&why, false, self.policy.retries, seconds()))?;
            self.wait_for_retry(&wait)?;
        }
    }

    /// The next form of the request to try after this refusal. Without the reasoning of earlier answers, a compaction that
    /// depends on it goes too, and the older items come back.
    pub(super) fn next_form(&mut self, error: api::Error) -> Result<RunWarning, api::Error> {
        if error.is_about_reasoning()
            && let Some(whole) = self.compaction.whole(self.body)
        {
            *self.body = Arc::new(whole);
            self.compaction.forget();
            Arc::make_mut(self.body).remove_reasoning();
            return Ok(RunWarning::WithoutReasoning);
        }
        self.fallback.next_form(error, self.body)
    }
}
