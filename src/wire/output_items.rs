//! The places of an answer's items. Events name a place by index, by id, or not at all, and servers differ in
//! what they do about it; here it is decided which item an event speaks of.

use std::collections::BTreeMap;
use std::ops::{Index, IndexMut};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::event::ItemPosition;
use super::fingerprint::mark;
use super::item::Item;
use super::json::fields;

/// The most items that one answer may have. Real ones have a few dozen.
pub(super) const MAX_ITEMS: usize = 10_000;

/// An id, as far as it is needed to be told from others: some servers make them thousands of bytes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id(u64);

impl Id {
    fn of(id: &str) -> Self {
        Self(mark(id))
    }
}

/// A place for an item of the answer.
#[derive(Debug, Default)]
pub(super) struct ItemSlot {
    pub(super) index: Option<u64>,
    pub(super) id: Option<Id>,
    /// It holds text for the user.
    pub(super) message: bool,
    /// It holds something that must be finished before the answer is complete: a message or a call.
    pub(super) owed: bool,
    /// The text as it streamed; once finished and shown, nothing.
    pub(super) text: String,
    /// How much of the text was shown, in bytes.
    pub(super) shown: usize,
    pub(super) item: Option<Item>,
    /// Finished and wholly shown.
    pub(super) closed: bool,
}

impl ItemSlot {
    /// Whether this place names another item than the one here.
    pub(super) fn has_other_id(&self, place: ItemPosition<'_>) -> bool {
        place.id.is_some_and(|id| self.id != Some(Id::of(id)))
    }
}

/// All places of an answer, in the order in which they came up.
#[derive(Debug, Default)]
pub(super) struct Slots {
    list: Vec<ItemSlot>,
    /// Where in `list` the item with this index is.
    by_index: BTreeMap<u64, usize>,
    /// Where in `list` the item with this id is.
    by_id: BTreeMap<Id, usize>,
    /// The one that the last event spoke of.
    recent: usize,
}

impl Slots {
    /// The slot of an item that begins. Some servers give every item the same index, so a new one does not take the
    /// place of one that is finished. Nothing where there is no room for one more.
    pub(super) fn begin(&mut self, place: ItemPosition<'_>) -> Option<usize> {
        if let Some(at) = place.index.and_then(|index| self.by_index.get(&index)) {
            let slot = &self.list[*at];
            if slot.item.is_some() && slot.has_other_id(place) {
                return self.push(place);
            }
        }
        self.find(place)
    }

    /// A new slot, which from now on is the one at this place; nothing where there is no room.
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

    /// Notes the id of the recent slot, if it has none.
    fn name(&mut self, id: Option<&str>) {
        let slot = &mut self.list[self.recent];
        if let (None, Some(id)) = (slot.id, id.map(Id::of)) {
            slot.id = Some(id);
            self.by_id.insert(id, self.recent);
        }
    }

    /// The slot that an event speaks of, found by index, else by id, else the recent one if that is open. Nothing where
    /// it would be a new one and there is no room.
    pub(super) fn find(&mut self, place: ItemPosition<'_>) -> Option<usize> {
        let recent = self
            .list
            .get(self.recent)
            .filter(|slot| slot.item.is_none());
        let known = match (place.index, place.id.map(Id::of)) {
            (Some(index), _) => self.by_index.get(&index).copied(),
            (None, None) => recent.map(|_| self.recent),
            // An id that comes up late belongs to what has come without one.
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

    /// The slots by index; those without one stay behind the one that they came after.
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

    /// The place at this position, if there is one.
    pub(super) fn get(&self, at: usize) -> Option<&ItemSlot> {
        self.list.get(at)
    }

    /// The place at this position, if there is one, to be changed.
    pub(super) fn get_mut(&mut self, at: usize) -> Option<&mut ItemSlot> {
        self.list.get_mut(at)
    }

    /// The places in the order in which they came up.
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

/// The place with the item's own id, where the event does not name it.
pub(super) fn with_id<'a>(place: ItemPosition<'a>, item: &'a RawValue) -> ItemPosition<'a> {
    #[derive(Deserialize)]
    struct SlotName<'a> {
        #[serde(borrow, default)]
        id: Option<&'a RawValue>,
    }
    if place.id.is_some() {
        return place;
    }
    let id = fields::<SlotName<'_>>(item.get()).and_then(|item| item.id);
    ItemPosition {
        id: id.map(RawValue::get),
        ..place
    }
}
