//! A stored conversation that is resumed: its items in a form that the model accepts, and its reasoning effort.

use super::earlier_items::{EarlierItem, EarlierItems};
use crate::session::{Error, Journal, SessionFile, StoredConversation, TurnHeader, Writer};
use crate::wire::input::effort_change;

/// A compaction of a resumed conversation.
#[derive(Clone, Debug)]
pub struct ResumedCompaction {
    /// The name of the service with the credential that made it.
    pub owner: String,
    /// The number of items at the beginning of the resumed ones that it stands for.
    pub replaced: usize,
    /// The items that stand for them.
    pub items: Vec<Vec<u8>>,
}

/// A resumed conversation.
#[derive(Debug, Default)]
pub struct ResumedConversation {
    /// Its items in a form that the model accepts; a change of effort comes last.
    pub items: EarlierItems,
    /// The reasoning effort in the request head. It stays the same throughout a conversation with a model that accepts effort
    /// changes as items.
    pub effort: Option<String>,
    /// The compactions by this model.
    pub compactions: Vec<ResumedCompaction>,
    /// The length that was reported with the last answer of this model, in tokens, and the number of items that it counts.
    pub length: Option<(u64, usize)>,
    /// Results added for calls that had none.
    results: Vec<Vec<u8>>,
    /// The last item, if it changes the effort. An item keeps the service's cache valid, a new head would not.
    change: Option<Vec<u8>>,
}

impl ResumedConversation {
    /// Resumes the stored conversation in this file with this model, named as for `-m`. `takes_changes` means that an item can change the
    /// effort; `wanted` is the requested effort.
    ///
    /// # Errors
    /// If its file cannot be read.
    pub fn new(
        mut stored: StoredConversation,
        file: SessionFile,
        model: &str,
        takes_changes: bool,
        wanted: Option<&str>,
    ) -> Result<Self, Error> {
        let results = stored.settle(|item| file.bytes(item))?;
        let is_same = stored.model == model && takes_changes;
        let (effort, change) = match (&stored.effort.head, wanted) {
            (Some(head), Some(wanted)) if is_same => {
                let is_other = stored.effort.current() != Some(wanted);
                (Some(head.clone()), is_other.then(|| effort_change(wanted)))
            }
            (_, wanted) => (wanted.map(str::to_owned), None),
        };
        let changes_since = if is_same && stored.effort.head.is_some() {
            stored.effort.since
        } else {
            stored.items.len()
        };
        let (mut items, places) = items_for_model(&stored, model, changes_since);
        let new = results.iter().chain(&change).cloned();
        items.extend(new.map(EarlierItem::New));
        let own = std::mem::take(&mut stored.compactions.newest).into_iter();
        let own = own.filter(|compaction| compaction.model == model);
        let compactions = own.filter_map(|compaction| {
            Some(ResumedCompaction {
                replaced: *places.get(compaction.replaced)?,
                owner: compaction.owner,
                items: compaction.items,
            })
        });
        let length = stored.compactions.length.filter(|_| stored.model == model);
        let length = length.and_then(|(tokens, items)| Some((tokens, *places.get(items)?)));
        Ok(Self {
            items: EarlierItems::new(file, items),
            compactions: compactions.collect(),
            length,
            effort,
            results,
            change,
        })
    }

    /// Records the resumption in its file.
    pub fn record(&self, writer: &mut Writer, beginning: &TurnHeader<'_>) {
        for item in &self.results {
            writer.item(item);
        }
        writer.turn(&TurnHeader {
            effort: self.effort.as_deref(),
            ..*beginning
        });
        if let Some(item) = &self.change {
            writer.item(item);
        }
    }
}

/// The stored items, in a form that this model accepts. Effort changes before index `changes_since` were meant for another
/// model. Also returns, for each number of stored items, how many of these they are.
fn items_for_model(
    stored: &StoredConversation,
    model: &str,
    changes_since: usize,
) -> (Vec<EarlierItem>, Vec<usize>) {
    let mut items = Vec::with_capacity(stored.items.len() + 2);
    let mut places = vec![0];
    for (n, item) in stored.items.iter().enumerate() {
        let (range, of) = (item.range.clone(), stored.model_of(item));
        if n >= changes_since || !item.is_effort_change() {
            items.push(if of != model && !of.is_empty() {
                EarlierItem::OfOther(range)
            } else if item.is_output() {
                EarlierItem::Output(range)
            } else {
                EarlierItem::AsStored(range)
            });
        }
        places.push(items.len());
    }
    (items, places)
}
