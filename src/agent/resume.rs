//! A stored conversation that is taken up again: its items as the model can be sent them, and how much it is to think.

use std::borrow::Cow;

use crate::session::stored::is_change;
use crate::session::{Journal, StoredConversation, TurnHeader, Writer};
use crate::wire::input::effort_change;
use crate::wire::replay::{Recipient, with_words, without_reasoning};

/// A stored conversation as it goes on.
#[derive(Clone, Debug, Default)]
pub struct ResumedConversation {
    /// Its items as the model can be sent them, a change of the effort at their end.
    pub items: Vec<Vec<u8>>,
    /// How much the model is to think, as the requests name it: the same throughout a conversation with a model that
    /// takes changes.
    pub effort: Option<String>,
    /// Results that calls were still without.
    results: Vec<Vec<u8>>,
    /// The item at the end that changes the effort, which leaves what the service has cached as it is.
    change: Option<Vec<u8>>,
}

impl ResumedConversation {
    /// A stored conversation that goes on with this model, as `-m` takes it. `takes_changes` says that its effort can be
    /// changed by an item; `wanted` is that effort.
    #[must_use]
    pub fn new(
        mut stored: StoredConversation,
        model: &str,
        takes_changes: bool,
        wanted: Option<&str>,
    ) -> Self {
        let results = stored.settle();
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
        let mut items = of_model(&stored, model, changes_since);
        items.extend(change.clone());
        Self {
            items,
            effort,
            results,
            change,
        }
    }

    /// Notes in its file that a run takes it up.
    pub fn note(&self, writer: &mut Writer, beginning: &TurnHeader<'_>) {
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

/// The items as this model can be sent them: it cannot read what another one has thought, and what came of that is not to
/// name it. Changes of the effort before this place were not for it.
fn of_model(stored: &StoredConversation, model: &str, changes_since: usize) -> Vec<Vec<u8>> {
    let items = stored.items.iter().zip(&stored.models).enumerate();
    items
        .filter(|(n, (item, _))| *n >= changes_since || !is_change(item))
        .filter_map(|(_, (item, of))| {
            let item = if of == model || of.is_empty() {
                Cow::Borrowed(&**item)
            } else {
                without_reasoning(item, Recipient::Other)?
            };
            Some(with_words(&item).into_owned())
        })
        .collect()
}
