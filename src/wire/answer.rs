//! One answer as it arrives: frames go in, text to show comes out, and at the end stands the verdict.
//! An item counts once it is finished. Text is shown as it streams, so what was shown of a message must
//! equal its final text: a missing tail is shown then, any other difference spoils the answer.

mod ending;
mod excess;
mod final_object;
mod message;
mod resume_point;
mod show;
mod trouble;

use ending::{Ending, MAX_REASON_BYTES, fault_in};
pub use excess::Excess;
pub use resume_point::{ResumePoint, Shown};
pub use show::Show;
pub use trouble::{Trouble, Verdict};

use super::event::{self, Event};
use super::fault::{self, FaultHead};
use super::item::{Item, ItemKind, PendingItem};
use super::json::short;
use super::output_items::{Slots, with_id};
use super::response::Usage;

/// The most sequences of bytes that are no UTF-8 in one event. Each of them takes more room once it is replaced.
const MAX_REPLACED: usize = 64 << 10;

/// One answer as it arrives.
#[derive(Debug, Default)]
pub struct Answer {
    slots: Slots,
    /// No message before this slot is open. Only one open message is shown as it comes.
    front: usize,
    /// The messages of which text was shown, in that order. Only the last one may be open.
    begun: Vec<usize>,
    differs: bool,
    excess: Option<Excess>,
    /// How many bytes the finished items have.
    size: usize,
    /// How many bytes of text the messages have that are not finished.
    unfinished: usize,
    /// How many events could not be read.
    skipped: usize,
    /// An item, or the final object, could not be read.
    lost: bool,
    ending: Option<Ending>,
    usage: Usage,
    /// Why the service kept reasoning of earlier answers from the model, once for each item, where it gave a reason.
    withheld: Vec<Option<String>>,
}

impl Answer {
    /// Takes one frame and adds to `show` what there is to show now. What comes after the end is ignored.
    pub fn take(&mut self, frame: &[u8], show: &mut Vec<Show>) {
        if self.ended() {
            return;
        }
        match event::parse(frame) {
            Some(event) => self.event(event, frame, show),
            None => match replaced(frame) {
                Some(text) => match event::parse(text.as_bytes()) {
                    Some(event) => self.event(event, text.as_bytes(), show),
                    None => self.skip(frame, show),
                },
                None => self.skip(frame, show),
            },
        }
    }

    /// Takes what a body that has come to its proper end has left without the blank line behind it. By the standard it
    /// is no event; but some servers forget that line, and where it says how the answer ends, that was said.
    pub fn take_left(&mut self, frame: &[u8], show: &mut Vec<Show>) {
        if let Some(Event::Completed(_) | Event::Incomplete(_) | Event::Failed(_) | Event::Error) =
            event::parse(frame)
        {
            self.take(frame, show);
        }
    }

    /// Leaves out a malformed frame. If it was to bring an item, only the final object can tell which.
    fn skip(&mut self, frame: &[u8], show: &mut Vec<Show>) {
        self.lost |= memchr::memmem::find(frame, b"response.output_item.done").is_some();
        self.note_skipped(show);
    }

    fn note_skipped(&mut self, show: &mut Vec<Show>) {
        if self.skipped == 0 {
            show.push(Show::Skipped);
        }
        self.skipped = self.skipped.saturating_add(1);
    }

    /// The slot that was found for an item; where there is no room for it, the answer ends here.
    fn placed(&mut self, slot: Option<usize>) -> Option<usize> {
        if slot.is_none() {
            self.excess = Some(Excess::Items);
        }
        slot
    }

    fn event(&mut self, event: Event<'_>, frame: &[u8], show: &mut Vec<Show>) {
        match event {
            Event::Text(place, delta) => self.text(place, &delta, show),
            Event::Added(place, item) => {
                let slot = self.slots.begin(with_id(place, item));
                let Some(slot) = self.placed(slot) else {
                    return;
                };
                match ItemKind::read(item) {
                    Some(ItemKind::Message(_)) => self.open(slot),
                    Some(ItemKind::Call(_) | ItemKind::Waiting(_)) => self.slots[slot].owed = true,
                    _ => {}
                }
            }
            Event::Part(place) => {
                let slot = self.slots.find(place);
                if let Some(slot) = self.placed(slot) {
                    self.slots[slot].owed = true;
                }
            }
            Event::Done(place, item) => {
                let place = with_id(place, item);
                let slot = self.slots.find(place);
                let Some(slot) = self.placed(slot) else {
                    return;
                };
                if let Some(item) = Item::parse(item) {
                    if let Some(slot) = self.place_of(slot, place, &item) {
                        self.done(slot, item, show);
                    }
                } else {
                    self.slots[slot].owed = true;
                    self.note_skipped(show);
                }
            }
            Event::Completed(response) => self.completed(response, show),
            Event::Incomplete(response) => {
                let reason = self.response(response, show).reason;
                self.ending = Some(Ending::Incomplete(reason));
            }
            Event::Failed(response) => {
                self.ending = Some(Ending::Failed(fault_in(response)));
            }
            Event::Error => {
                // What comes as an event was read as text.
                let event = short(
                    std::str::from_utf8(frame).unwrap_or_default(),
                    MAX_REASON_BYTES,
                );
                self.ending = Some(Ending::Failed(fault::of_event(event.as_bytes())));
            }
            Event::Other => {}
        }
    }

    /// Notes what the answer came with, which a fault in it is reported with; `now` in Unix seconds.
    pub fn came_with(&mut self, head: &FaultHead, now: u64) {
        if let Some(Ending::Failed(fault)) = &mut self.ending {
            fault.came_with(head, now);
        }
    }

    /// Whether nothing that still comes can change the answer.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ending.is_some() || self.differs || self.excess.is_some()
    }

    /// How many events could not be read and were skipped.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// The tokens that the service counted.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Why the service kept reasoning of earlier answers from the model, in its own word where it gave one, once for each
    /// item.
    #[must_use]
    pub fn withheld(&self) -> &[Option<String>] {
        &self.withheld
    }

    /// What follows from the answer, taking it that nothing more comes.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.differs {
            return Verdict::Trouble(Trouble::Differs);
        }
        if let Some(excess) = self.excess {
            return Verdict::Trouble(Trouble::TooMuch(excess));
        }
        match &self.ending {
            None => return Verdict::Trouble(Trouble::Cut),
            Some(Ending::Incomplete(reason)) => {
                return Verdict::Trouble(Trouble::Incomplete(reason.clone()));
            }
            Some(Ending::Failed(fault)) => return Verdict::Trouble(Trouble::Failed(fault.clone())),
            Some(Ending::Completed) if self.lost => return Verdict::Trouble(Trouble::Unfinished),
            Some(Ending::Completed) => {}
        }
        let (mut calls, mut said) = (Vec::new(), false);
        let mut refusals: Vec<&str> = Vec::new();
        let mut waits: Vec<&PendingItem> = Vec::new();
        for slot in self.slots.in_order() {
            match slot.item.as_ref().map(|item| &item.kind) {
                Some(ItemKind::Message(message)) if message.unfinished => {
                    return Verdict::Trouble(Trouble::Unfinished);
                }
                Some(ItemKind::Message(message)) => {
                    said |= message.said;
                    refusals.extend(message.refusal.as_deref());
                    // A message after it shows that the service served it by itself.
                    waits.retain(|waiting| waiting.client);
                }
                Some(ItemKind::Call(call)) if call.unfinished => {
                    return Verdict::Trouble(Trouble::Unfinished);
                }
                Some(ItemKind::Call(call)) => calls.push(call.clone()),
                Some(ItemKind::Waiting(waiting)) => waits.push(waiting),
                Some(ItemKind::Result(id)) => {
                    waits.retain(|waiting| id.is_none() || waiting.call_id != *id);
                }
                None if slot.owed => return Verdict::Trouble(Trouble::Unfinished),
                Some(ItemKind::Reasoning { .. } | ItemKind::Other) | None => {}
            }
        }
        match waits.pop() {
            Some(waiting) => Verdict::Trouble(Trouble::Waits(waiting.kind.clone())),
            None if !calls.is_empty() => Verdict::Calls(calls),
            None if !refusals.is_empty() => Verdict::Trouble(Trouble::Refused(refusals.concat())),
            None if said => Verdict::Answered,
            None => Verdict::Trouble(Trouble::Empty),
        }
    }

    /// What of the answer can be built on although it broke off.
    #[must_use]
    pub fn kept(&self) -> ResumePoint<'_> {
        // An item that was lost on the way may have stood anywhere.
        if self.lost || self.differs {
            return ResumePoint::default();
        }
        ResumePoint::of(&self.slots)
    }

    /// The finished messages that were shown, in the order in which they were.
    pub fn messages(&self) -> impl Iterator<Item = &Item> {
        let slots = self.begun.iter().map(|at| &self.slots[*at]);
        slots.filter_map(|slot| slot.item.as_ref())
    }

    /// The messages that were shown, in the order in which they were.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        let kept = self.kept();
        let slots = self.begun.iter().map(|at| &self.slots[*at]);
        slots.map(|slot| Shown::of(slot, &kept)).collect()
    }

    /// The finished items, in the answer's order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.slots
            .in_order()
            .into_iter()
            .filter_map(|slot| slot.item.as_ref())
    }
}

/// The frame with U+FFFD for what is no UTF-8, as the standard has it; `None` where all of it is, or where so much is
/// not that it cannot be meant as text.
fn replaced(frame: &[u8]) -> Option<String> {
    if std::str::from_utf8(frame).is_ok() {
        return None;
    }
    let wrong = frame
        .utf8_chunks()
        .filter(|chunk| !chunk.invalid().is_empty());
    (wrong.take(MAX_REPLACED + 1).count() <= MAX_REPLACED)
        .then(|| String::from_utf8_lossy(frame).into_owned())
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod recorded_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod waiting_tests;
