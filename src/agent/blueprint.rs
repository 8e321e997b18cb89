//! The initial state of a conversation, and its first request.

use std::sync::Arc;

use super::compact_mode::CompactMode;
use super::compaction::{Compaction, ReportedLength};
use super::earlier_items::EarlierItems;
use super::message::UserMessage;
use super::profile::Profile;
use super::resume::ResumedCompaction;
use super::substitute::Substitute;
use crate::id::ThreadId;
use crate::session;
use crate::tools::toolbox::Toolbox;
use crate::wire::request::RequestBody;

/// The initial state of a conversation.
#[derive(Debug)]
pub struct Blueprint {
    /// Its id, which is also the cache key.
    pub thread: ThreadId,
    /// The model and its request settings.
    pub profile: Profile,
    /// The models to fall back to before the first answer, in order.
    pub substitutes: Vec<Substitute>,
    /// The effort in effect. It is not that of the head if an item has changed it.
    pub effort: Option<String>,
    /// The service is to search the web. The Lite shape cannot express that, so it is not tried.
    pub searches: bool,
    /// Items of earlier turns.
    pub items: EarlierItems,
    /// The compactions of the items, of which one may belong to the service that is asked.
    pub compactions: Vec<ResumedCompaction>,
    /// The length that was reported with the last answer, in tokens, and the number of items that it counts.
    pub length: Option<(u64, usize)>,
    /// The tools that run the calls.
    pub tools: Arc<Toolbox>,
}

/// The first request of a conversation.
#[derive(Debug)]
pub struct FirstRequest {
    /// Its body.
    pub body: RequestBody,
    /// The number of tokens of the conversation, if this request compacts it before the message is sent.
    pub compacts: Option<u64>,
}

impl Blueprint {
    /// The first request, with this message, to the service and credential of this name.
    ///
    /// # Errors
    /// If the items of earlier turns cannot be read.
    pub fn request(
        &self,
        message: &UserMessage,
        mode: CompactMode,
        owner: &str,
    ) -> Result<FirstRequest, session::Error> {
        let (mut body, _, compaction) = self.begin(owner)?;
        message.push_to(&mut body);
        let tokens = compaction.tokens(&body);
        let limit = mode.limit(&self.profile.model);
        if limit.is_none_or(|limit| tokens <= limit) || !compaction.shortens(&body) {
            let compacts = None;
            return Ok(FirstRequest { body, compacts });
        }
        let request = if compaction.asks_service() {
            compaction.trigger(&body)
        } else {
            let text = compaction.transcript(&body, compaction.room_for_transcript());
            compaction.summary(&body, &text)
        };
        Ok(FirstRequest {
            body: request,
            compacts: Some(tokens),
        })
    }

    /// The body with the earlier items, empty bodies in the other shapes that may be tried, and what was compacted.
    pub(super) fn begin(
        &self,
        owner: &str,
    ) -> Result<(RequestBody, Vec<RequestBody>, Compaction), session::Error> {
        let functions = self.tools.functions();
        let (mut body, others) = self.profile.bodies(&functions, self.thread.as_str());
        let lengths = self.items.push_to(&mut body)?;
        let mut compaction = Compaction::new(self.profile.clone(), self.thread.as_str());
        let own = self.compactions.iter().rev();
        let own = own.filter(|stored| stored.owner == owner && stored.replaced < lengths.len());
        let own = own.max_by_key(|stored| stored.replaced);
        let (replaced, standing) =
            own.map_or((0, 0), |own| (lengths[own.replaced], own.items.len()));
        if let Some(own) = own {
            compaction.restore(&mut body, replaced, &own.items);
        }
        // A length counts what stood for the items then: the newest compaction.
        let newest = self.compactions.iter().map(|stored| stored.replaced).max();
        let is_newest = own.map(|own| own.replaced) == newest;
        // A length that was reported before counts items that are gone.
        let length = self
            .length
            .filter(|_| is_newest)
            .and_then(|(tokens, items)| Some((tokens, *lengths.get(items)?)));
        let length = length.filter(|(_, items)| *items > replaced);
        compaction.set_reported(length.map(|(tokens, items)| ReportedLength {
            tokens,
            items: Some(items - replaced + standing),
        }));
        Ok((body, others, compaction))
    }
}
