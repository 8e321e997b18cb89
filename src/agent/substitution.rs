//! The change to another model within a turn: made before the first answer, kept once the model answers, undone if none does.

use std::mem;
use std::sync::Arc;

use super::driver::Driver;
use super::effort::TurnEffort;
use super::substitute::{ReplacedModel, Substitute};
use crate::api::Unanswered;
use crate::clock::seconds;
use crate::failure::{RunWarning, Stop};
use crate::output::Notice;

impl Driver<'_> {
    /// Continues with the next substitute after this failure. Returns false if no substitute is left.
    pub(super) fn ask_substitute(&mut self, why: &Unanswered) -> Result<bool, Stop> {
        let body = Arc::clone(self.body);
        // Only the current model can read what it has compacted.
        if let Some(whole) = self.compaction.whole(&body) {
            *self.body = Arc::new(whole);
        }
        let current = (self.provider.as_deref(), &*self.model.id);
        let Some(substitute) = self.fallback.next_model(why, self.body, current) else {
            *self.body = body;
            return Ok(false);
        };
        let Substitute {
            profile,
            note,
            client,
            ..
        } = *substitute;
        let before = self.client.renewed();
        if client.is_some() || !matches!(why, Unanswered::Refused(_)) {
            let mut client = client.unwrap_or_else(|| self.client.renewed());
            client.begin_turn();
            mem::replace(self.client, client).shutdown();
        }
        let replaced = ReplacedModel {
            client: before,
            body,
            compaction: self.compaction.for_other_model(profile.clone()),
            model: mem::replace(self.model, profile.model),
            provider: mem::replace(self.provider, profile.provider),
            effort: mem::replace(self.effort, TurnEffort::of(profile.effort)),
        };
        self.replaced.get_or_insert(replaced);
        let model = self.model.id.clone();
        self.notify(Notice::OtherModel {
            model: &model,
            reason: why,
        })?;
        if let Some(note) = note {
            self.notify(Notice::Warning(&RunWarning::Note(note)))?;
        }
        Ok(true)
    }

    /// Keeps the model from now on: a part of its answer was reported, or a call of it will run. A substitute is recorded only
    /// now, because the conversation belongs to the model that answered.
    pub(super) fn keep_model(&mut self) {
        self.fallback.keep_model();
        if self.replaced.take().is_some()
            && let Some(journal) = self.journal.as_deref_mut()
        {
            let (provider, effort) = (self.provider.as_deref(), self.effort.head.as_deref());
            journal.model(seconds(), &self.model.id, provider, effort);
        }
    }

    /// Returns to the first model of the turn if no substitute has answered.
    pub(super) fn restore_model(&mut self) {
        let Some(replaced) = self.replaced.take() else {
            return;
        };
        mem::replace(self.client, replaced.client).shutdown();
        *self.body = replaced.body;
        *self.model = replaced.model;
        *self.provider = replaced.provider;
        *self.effort = replaced.effort;
        *self.compaction = replaced.compaction;
        self.fallback.restore_model();
    }
}
