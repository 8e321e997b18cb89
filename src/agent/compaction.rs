//! The compaction of a conversation: how long the conversation is, what was compacted before, and which requests compact it
//! again (pure). The driver sends them.

use super::profile::Profile;
use crate::wire::compaction::{self, TRIGGER};
use crate::wire::input::{ImageSupport, user_message};
use crate::wire::request::RequestBody;
use crate::wire::response::Usage;

/// The share of the model's window for the text that it summarizes, in bytes for each token: three of four.
const TRANSCRIPT_BYTES: u64 = 3;

/// The compaction of a conversation.
#[derive(Debug)]
pub(super) struct Compaction {
    /// The model that is asked for a summary.
    profile: Profile,
    cache_key: String,
    older: Option<OlderItems>,
    reported: Option<ReportedLength>,
    since: SinceCompaction,
    /// The service does not know the item that triggers a compaction.
    by_summary: bool,
}

/// The items that a compaction has removed. Another model gets them again.
#[derive(Debug)]
struct OlderItems {
    items: Vec<Vec<u8>>,
    /// The number of items at the beginning of the conversation that stand for them. The last one is new; the others are theirs.
    standing: usize,
}

/// The length of the conversation as the service has reported it with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReportedLength {
    pub(super) tokens: u64,
    /// The number of items that were counted; `None` if the answer has not joined the others.
    pub(super) items: Option<usize>,
}

/// What happened since the last compaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SinceCompaction {
    /// An answer has followed, or there was no compaction.
    Answered,
    /// No answer has followed.
    Nothing,
    /// The first answer was above the limit again, with this many tokens.
    Full(u64),
}

impl Compaction {
    /// The state of a conversation that this process has not compacted.
    pub(super) fn new(profile: Profile, cache_key: &str) -> Self {
        Self {
            profile,
            cache_key: cache_key.to_owned(),
            older: None,
            reported: None,
            since: SinceCompaction::Answered,
            by_summary: false,
        }
    }

    /// Continues from a stored compaction: its items replace the first ones.
    pub(super) fn restore(&mut self, body: &mut RequestBody, replaced: usize, items: &[Vec<u8>]) {
        let older = body.items().take(replaced).map(<[u8]>::to_vec);
        self.older = Some(OlderItems {
            items: older.collect(),
            standing: items.len(),
        });
        body.replace(0..replaced, items.iter().map(|item| &item[..]));
    }

    /// Sets the length that the service has reported before.
    pub(super) fn set_reported(&mut self, reported: Option<ReportedLength>) {
        self.reported = reported;
    }

    /// The number of tokens of the conversation: what the service reported last, and an estimate for what was added.
    pub(super) fn tokens(&self, body: &RequestBody) -> u64 {
        match self.reported {
            Some(ReportedLength { tokens, items }) => {
                let added = items.unwrap_or(body.len()).min(body.len())..body.len();
                tokens.saturating_add(body.tokens_of(added))
            }
            None => body.tokens(),
        }
    }

    /// Takes the length that an answer reports. `limit` is the one above which the conversation is compacted.
    pub(super) fn answered(&mut self, usage: Usage, limit: Option<u64>) {
        let tokens = usage.input.saturating_add(usage.output);
        self.reported = Some(ReportedLength {
            tokens,
            items: None,
        });
        self.check_first(tokens, limit);
    }

    /// Takes an answer that does not report its length: an estimate is checked instead.
    pub(super) fn answered_uncounted(&mut self, body: &RequestBody, limit: Option<u64>) {
        self.check_first(self.tokens(body), limit);
    }

    fn check_first(&mut self, tokens: u64, limit: Option<u64>) {
        let is_first = self.since == SinceCompaction::Nothing;
        self.since = match limit {
            Some(limit) if is_first && tokens > limit => SinceCompaction::Full(tokens),
            _ => SinceCompaction::Answered,
        };
    }

    /// The items of the last answer have joined the conversation, which has this many now.
    pub(super) fn joined(&mut self, items: usize) {
        if let Some(reported) = &mut self.reported {
            reported.items.get_or_insert(items);
        }
    }

    /// The length that the first answer after a compaction reported, if it was above the limit.
    pub(super) fn still_full(&self) -> Option<u64> {
        match self.since {
            SinceCompaction::Full(tokens) => Some(tokens),
            _ => None,
        }
    }

    /// Whether no answer has followed the last compaction.
    pub(super) fn is_fresh(&self) -> bool {
        self.since == SinceCompaction::Nothing
    }

    /// Whether the service is asked to compact, and not the model for a summary.
    pub(super) fn asks_service(&self) -> bool {
        self.profile.backend.is_openai() && !self.by_summary
    }

    /// The service does not know the trigger.
    pub(super) fn use_summaries(&mut self) {
        self.by_summary = true;
    }

    fn standing(&self) -> usize {
        self.older.as_ref().map_or(0, |older| older.standing)
    }

    /// The index of the item that an earlier compaction has added.
    fn earlier(&self) -> Option<usize> {
        self.standing().checked_sub(1)
    }

    /// The number of items that a compaction covers: all but the questions at the end, which no answer has followed.
    pub(super) fn covered(&self, body: &RequestBody) -> usize {
        let added = body.len() - self.standing().min(body.len());
        let newest = body.items().rev().take(added);
        let waiting = newest.take_while(|item| compaction::is_said(item));
        body.len() - waiting.count()
    }

    /// Whether a compaction would remove anything.
    pub(super) fn shortens(&self, body: &RequestBody) -> bool {
        let covered = self.covered(body);
        let earlier = self.earlier();
        let kept = compaction::kept(body.items().take(covered), earlier);
        kept.len() + usize::from(earlier.is_some()) < covered
    }

    /// The request that has the service compact the conversation: the same head and items, so that its cache stays valid.
    pub(super) fn trigger(&self, body: &RequestBody) -> RequestBody {
        let covered = self.covered(body);
        let mut request = body.clone();
        request.truncate(covered);
        request.push(TRIGGER);
        request
    }

    /// The length of the text that the model can summarize, in bytes.
    pub(super) fn room_for_transcript(&self) -> usize {
        let model = &self.profile.model;
        let window = model.context.or(model.most_context);
        let most = window.map(|tokens| tokens.saturating_mul(TRANSCRIPT_BYTES));
        most.map_or(usize::MAX, |most| {
            usize::try_from(most).unwrap_or(usize::MAX)
        })
    }

    /// The part to compact as text, in at most this many bytes. It begins with an earlier summary; what the service has
    /// compacted is not readable, so the older items take its place.
    pub(super) fn transcript(&self, body: &RequestBody, most: usize) -> String {
        let covered = body.items().take(self.covered(body));
        let earlier = self.earlier().and_then(|earlier| body.items().nth(earlier));
        match &self.older {
            Some(older) if earlier.is_some_and(|item| !compaction::is_said(item)) => {
                let older_items = older.items.iter().map(|item| &item[..]);
                let newer = covered.skip(older.standing);
                compaction::transcript(older_items.chain(newer), most)
            }
            _ => compaction::transcript(covered, most),
        }
    }

    /// The request for a summary of this text: without tools and schema.
    pub(super) fn summary(&self, body: &RequestBody, text: &str) -> RequestBody {
        let instructions = compaction::SUMMARY_PROMPT.split_whitespace();
        let profile = Profile {
            instructions: instructions.collect::<Vec<_>>().join(" "),
            search: None,
            format: None,
            summary: None,
            ..self.profile.clone()
        };
        let mut request = profile.body(body.shape(), &[], &self.cache_key);
        request.push(&user_message(text, &[], ImageSupport::Refused));
        request
    }

    /// Replaces the covered items by those that stay and this one.
    pub(super) fn apply(&mut self, body: &mut RequestBody, item: Vec<u8>) -> Vec<Vec<u8>> {
        let covered = self.covered(body);
        let kept = compaction::kept(body.items().take(covered), self.earlier());
        let mut standing: Vec<Vec<u8>> = kept.into_iter().map(Into::into).collect();
        standing.push(item);
        let added = body.items().take(covered).skip(self.standing());
        let added: Vec<Vec<u8>> = added.map(<[u8]>::to_vec).collect();
        let older = self.older.get_or_insert_with(|| OlderItems {
            items: Vec::new(),
            standing: 0,
        });
        older.items.extend(added);
        older.standing = standing.len();
        body.replace(0..covered, standing.iter().map(|item| &item[..]));
        self.reported = None;
        self.since = SinceCompaction::Nothing;
        standing
    }

    /// The conversation with the older items again, for another model or credential; `None` if nothing was compacted.
    pub(super) fn whole(&self, body: &RequestBody) -> Option<RequestBody> {
        let older = self.older.as_ref()?;
        let mut whole = body.clone();
        whole.replace(
            0..older.standing.min(body.len()),
            older.items.iter().map(|item| &item[..]),
        );
        Some(whole)
    }

    /// The body is the whole conversation again.
    pub(super) fn forget(&mut self) {
        (self.older, self.reported) = (None, None);
    }

    /// Continues with another model, for which the body is the whole conversation again. Returns the state before.
    pub(super) fn for_other_model(&mut self, profile: Profile) -> Self {
        let new = Self::new(profile, &self.cache_key);
        std::mem::replace(self, new)
    }
}

#[cfg(test)]
mod tests;
