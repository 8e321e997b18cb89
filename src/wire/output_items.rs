//! The output items of an answer. Events refer to an item by index, by id, or not at all, and servers differ in
//! this. This module decides which item an event refers to.

use std::collections::BTreeMap;
use std::ops::{Index, IndexMut};

use super::event::ItemPosition;
use super::fingerprint::fingerprint;
use super::item::Item;
use super::json::values;

/// Item limit of an answer. Real answers have a few dozen.
pub(super) const MAX_ITEMS: usize = 10_000;

/// A fingerprint of an id, sufficient for comparison: some servers send ids of thousands of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(u64);

impl Id {
    fn of(id: &str) -> Self {
        Self(fingerprint(id))
    }
}

/// A slot for an output item.
#[derive(Debug, Default)]
pub(super) struct ItemSlot {
    pub(super) index: Option<u64>,
    pub(super) id: Option<Id>,
    /// Whether it is a message for the user.
    pub(super) message: bool,
    /// Whether it must be finished before the answer is complete: a message or a call.
    pub(super) required: bool,
    /// The streamed text; empty once the message is finished.
    pub(super) text: String,
    /// Bytes of the text shown so far.
    pub(super) shown: usize,
    /// Whether the message is finished, and its text is shown.
    pub(super) all_shown: bool,
    pub(super) item: Option<Item>,
    /// Whether it is finished and fully shown.
    pub(super) closed: bool,
}

impl ItemSlot {
    /// Whether this position has an id that differs from this slot's.
    pub(super) fn has_other_id(&self, place: ItemPosition<'_>) -> bool {
        place.id.is_some_and(|id| self.id != Some(Id::of(id)))
    }
}

/// The slots of an answer, in order of creation.
#[derive(Debug, Default)]
pub(super) struct Slots {
    list: Vec<ItemSlot>,
    /// Index into `list` by `output_index`.
    by_index: BTreeMap<u64, usize>,
    /// Index into `list` by item id.
    by_id: BTreeMap<Id, usize>,
    /// The slot of the last event.
    recent: usize,
}

impl Slots {
    /// The slot for an item that begins. Some servers give every item the same index, so a new item does not replace a
    /// finished one. `None` if the item limit has been reached.
    pub(super) fn begin(&mut self, place: ItemPosition<'_>) -> Option<usize> {
        if let Some(at) = place.index.and_then(|index| self.by_index.get(&index)) {
            let slot = &self.list[*at];
            if slot.item.is_some() && slot.has_other_id(place) {
                return self.push(place);
            }
        }
        self.find(place)
    }

    /// Adds a slot and assigns it this position; `None` if the item limit has been reached.
    pub(super) fn push(&mut self, place: ItemPosition<'_>) -> Option<usize> {
        if self.list.len() == MAX_ITEMS {
            return None;
        }
        self.list.push(ItemSlot {
            index: place.index,
            ..ItemSlot::default()
        });
        self.recent = self.list.len() - 1;
        if let Some(index) = place.index {
            self.by_index.insert(index, self.recent);
        }
        self.name(place.id);
        Some(self.recent)
    }

    /// Sets the id of the recent slot, if it has none.
    fn name(&mut self, id: Option<&str>) {
        let slot = &mut self.list[self.recent];
        if let (None, Some(id)) = (slot.id, id.map(Id::of)) {
            slot.id = Some(id);
            self.by_id.insert(id, self.recent);
        }
    }

    /// The slot of an event: by index, else by id, else the recent one if that is open, else a new one. `None` if the
    /// item limit has been reached.
    pub(super) fn find(&mut self, place: ItemPosition<'_>) -> Option<usize> {
        let recent = self
            .list
            .get(self.recent)
            .filter(|slot| slot.item.is_none());
        let known = match (place.index, place.id.map(Id::of)) {
            (Some(index), _) => self.by_index.get(&index).copied(),
            (None, None) => recent.map(|_| self.recent),
            // A late id belongs to the open slot that has none yet.
            (None, Some(id)) => self.by_id.get(&id).copied().or_else(|| {
                recent
                    .filter(|slot| slot.id.is_none() && slot.index.is_none())
                    .map(|_| self.recent)
            }),
        };
        match known {
            Some(at) => {
                self.recent = at;
                self.name(place.id);
                Some(at)
            }
            None => self.push(place),
        }
    }

    /// The slots ordered by index. A slot without an index follows the slot created before it.
    pub(super) fn in_order(&self) -> Vec<&ItemSlot> {
        let mut last = 0;
        let mut slots: Vec<(u64, &ItemSlot)> = Vec::with_capacity(self.list.len());
        for slot in &self.list {
            last = slot.index.unwrap_or(last);
            slots.push((last, slot));
        }
        slots.sort_by_key(|(index, _)| *index);
        slots.into_iter().map(|(_, slot)| slot).collect()
    }

    pub(super) fn get(&self, at: usize) -> Option<&ItemSlot> {
        self.list.get(at)
    }

    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut ItemSlot> {
        self.list.get_mut(at)
    }

    /// The slots in order of creation.
    pub(super) fn iter(&self) -> impl Iterator<Item = &ItemSlot> {
        self.list.iter()
    }
}

impl Index<usize> for Slots {
    type Output = ItemSlot;

    fn index(&self, at: usize) -> &ItemSlot {
        &self.list[at]
    }
}

impl IndexMut<usize> for Slots {
    fn index_mut(&mut self, at: usize) -> &mut ItemSlot {
        &mut self.list[at]
    }
}

/// The position, with the id taken from the item if the event has none.
pub(super) fn with_id<'a>(place: ItemPosition<'a>, item: &'a str) -> ItemPosition<'a> {
    if place.id.is_some() {
        return place;
    }
    let id = values(item, ["id"]).and_then(|[id]| id);
    ItemPosition { id, ..place }
}
