//! The line for a compaction: the items that stand for those before it, which stay in the file.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::wire::compaction::CompactedBy;

/// A compaction to be stored.
#[derive(Clone, Copy, Debug)]
pub struct CompactionRecord<'a> {
    /// The time, in Unix seconds.
    pub at: u64,
    /// The model.
    pub model: &'a str,
    /// Its provider in `models.json`, if it has one.
    pub provider: Option<&'a str>,
    /// The name of the service with the credential.
    pub owner: &'a str,
    /// What wrote the last of the items.
    pub how: CompactedBy,
    /// The tokens of the conversation before and after it.
    pub tokens: (u64, u64),
    /// The items that stand for the older ones.
    pub items: &'a [Vec<u8>],
    /// The number of items at the end of the conversation that are not compacted.
    pub tail: usize,
}

impl CompactionRecord<'_> {
    /// The line, with this type.
    pub(super) fn line(&self, kind: &str) -> Vec<u8> {
        let mut fields = json!({"type": kind, "at": self.at, "model": self.model, "owner": self.owner, "how": self.how.name(),
            "tokens_before": self.tokens.0, "tokens_after": self.tokens.1, "tail": self.tail});
        if let Some(provider) = self.provider {
            fields["provider"] = provider.into();
        }
        let mut line = fields.to_string().into_bytes();
        line.pop();
        line.extend_from_slice(b",\"items\":[");
        line.extend_from_slice(&self.items.join(&b','));
        line.extend_from_slice(b"]}");
        line
    }
}

/// A line that was stored. The items stay as they are.
#[derive(Deserialize)]
pub(super) struct CompactionLine<'a> {
    model: String,
    #[serde(default)]
    provider: Option<String>,
    owner: String,
    #[serde(default)]
    tail: usize,
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
}

/// A stored compaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCompaction {
    /// The model, as `-m` accepts it.
    pub model: String,
    /// The name of the service with the credential.
    pub owner: String,
    /// The number of items that it stands for.
    pub replaced: usize,
    /// Its items.
    pub items: Vec<Vec<u8>>,
}

impl StoredCompaction {
    /// Reads a line after this many items; `None` if it cannot be read. The older items are there without it.
    pub(super) fn read(line: &[u8], items: usize) -> Option<Self> {
        let line: CompactionLine<'_> = serde_json::from_slice(line).ok()?;
        let own = line.items.iter().map(|item| item.get().as_bytes().to_vec());
        let own: Vec<Vec<u8>> = own.collect();
        Some(Self {
            model: match line.provider {
                Some(provider) => format!("{provider}/{}", line.model),
                None => line.model,
            },
            owner: line.owner,
            replaced: items.checked_sub(line.tail).filter(|_| !own.is_empty())?,
            items: own,
        })
    }
}

/// The compactions of a conversation, and its length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredCompactions {
    /// The newest one for each model and owner.
    pub newest: Vec<StoredCompaction>,
    /// The numbers of items after which the conversation was compacted.
    pub after: Vec<usize>,
    /// The length that was reported last, in tokens, and the number of items that it counts.
    pub length: Option<(u64, usize)>,
}

impl StoredCompactions {
    /// Takes a line after this many items.
    pub(super) fn take(&mut self, line: &[u8], items: usize) {
        if let Some(new) = StoredCompaction::read(line, items) {
            self.after.push(new.replaced);
            let is_other =
                |old: &StoredCompaction| old.model != new.model || old.owner != new.owner;
            self.newest.retain(is_other);
            self.newest.push(new);
            self.length = None;
        }
    }

    /// The items after these were taken back.
    pub(super) fn withdrawn(&mut self, left: usize) {
        self.newest.retain(|compaction| compaction.replaced <= left);
        self.length = self.length.filter(|(_, items)| *items <= left);
    }

    /// This item was removed.
    pub(super) fn removed(&mut self, item: usize) {
        for compaction in &mut self.newest {
            compaction.replaced -= usize::from(item < compaction.replaced);
        }
        self.length = None;
    }
}
