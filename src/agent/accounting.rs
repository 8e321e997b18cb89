//! What an answer counts for: tokens, cost, and the length of the conversation.

use super::driver::Driver;
use crate::failure::{RunWarning, Stop};
use crate::output::Notice;
use crate::wire::answer::Answer;
use crate::wire::response::Usage;

impl Driver<'_> {
    /// Counts the tokens and the cost of a request, and reports reasoning that the service withheld from the model.
    pub(super) fn count(&mut self, answer: &Answer) -> Result<(), Stop> {
        let usage = answer.usage();
        let cost = self.tally.count(usage, self.model.price.as_ref());
        self.spent.cost = self.spent.cost.plus(cost);
        let tokens = usage.input.saturating_add(usage.output);
        self.spent.tokens = self.spent.tokens.saturating_add(tokens);
        let number = self.tally.requests;
        // An answer that broke off reports no usage.
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

    /// Takes the length of the conversation that an answer reports.
    pub(super) fn measure(&mut self, answer: &Answer) {
        let usage = answer.usage();
        let limit = self.policy.compact.limit(self.model);
        if answer.is_counted() {
            self.compaction.answered(usage, limit);
            let tokens = usage.input.saturating_add(usage.output);
            // Far from the limit, an estimate will do for a run that resumes the conversation.
            if limit.is_some_and(|limit| tokens > limit / 2)
                && let Some(journal) = self.journal.as_deref_mut()
            {
                journal.length(tokens);
            }
        } else {
            self.compaction.answered_uncounted(self.body, limit);
        }
    }

    /// Reports, once, that the service does not report the tokens that a budget is for.
    pub(super) fn check_counted(&mut self, answer: &Answer) -> Result<(), Stop> {
        if answer.is_counted() {
            return Ok(());
        }
        self.tally.is_partial = true;
        if !self.policy.budget.needs_usage() || std::mem::replace(&mut self.spent.is_partial, true)
        {
            return Ok(());
        }
        self.notify(Notice::Warning(&RunWarning::Uncounted))
    }
}
