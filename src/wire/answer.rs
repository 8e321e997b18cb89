//! Assembles an answer from its frames: returns text to show as it streams, and a verdict at the end. An item counts
//! once it is finished. Since text is shown as it streams, the shown part of a message must match its final text: a
//! missing tail is shown at the end, any other difference invalidates the answer.

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

use super::delta_form::DeltaForm;
use super::event::{self, Event, ItemPosition};
use super::fault::{self, FaultHead};
use super::item::{Item, ItemKind, PendingItem, ReadItem};
use super::json::short;
use super::output_items::{Slots, with_id};
use super::response::Usage;

/// Invalid UTF-8 sequences allowed in one event. Each takes more space once replaced.
const MAX_REPLACED: usize = 64 << 10;

/// An answer as it arrives.
#[derive(Debug, Default)]
pub struct Answer {
    slots: Slots,
    delta_form: DeltaForm,
    /// The last text that contained escapes.
    decoded: String,
    /// No message before this slot is open. Only one open message is shown at a time.
    front: usize,
    /// The messages with text shown, in that order. Only the last one may be open.
    shown_slots: Vec<usize>,
    differs: bool,
    excess: Option<Excess>,
    /// Total bytes of the finished items.
    size: usize,
    /// Total bytes of text of the unfinished messages.
    unfinished: usize,
    /// Events that could not be parsed.
    skipped: usize,
    /// Whether an item, or the final object, could not be parsed.
    lost: bool,
    ending: Option<Ending>,
    usage: Usage,
    is_counted: bool,
    /// Why the service withheld reasoning from earlier answers from the model: one entry for each item, with the reason
    /// if given.
    withheld: Vec<Option<String>>,
}

impl Answer {
    /// Processes a frame and appends to `show` what it adds to the output. Frames after the end are ignored.
    pub fn take(&mut self, frame: &[u8], show: &mut Vec<Show>) {
        if self.ended() {
            return;
        }
        let mut decoded = std::mem::take(&mut self.decoded);
        let read = self.delta_form.read(frame, &mut decoded);
        let is_read = read.is_some();
        if let Some(delta) = read {
            let place = ItemPosition {
                index: Some(delta.output_index),
                id: None,
            };
            self.text(place, delta.text, show);
        }
        self.decoded = decoded;
        if is_read || is_unused(frame) {
            return;
        }
        if let Some(short) = self.without_items(frame)
            && let Some(event) = event::parse(&short)
        {
            // Nothing in the final object's list was lost.
            self.lost = false;
            return self.event(event, &short, show);
        }
        match event::parse(frame) {
            Some(event) => {
                if let Event::Text(place, _) = &event
                    && let Some(index) = place.index
                {
                    self.delta_form.learn(frame, index);
                }
                self.event(event, frame, show);
            }
            None => match replaced(frame) {
                Some(text) => match event::parse(text.as_bytes()) {
                    Some(event) => self.event(event, text.as_bytes(), show),
                    None => self.skip(frame, show),
                },
                None => self.skip(frame, show),
            },
        }
    }

    /// Processes the data that a properly ended body left without a final blank line. By the standard, it is not an
    /// event, but some servers omit that line, so it is used if it says how the answer ends.
    pub fn take_remainder(&mut self, frame: &[u8], show: &mut Vec<Show>) {
        if let Some(Event::Completed(_) | Event::Incomplete(_) | Event::Failed(_) | Event::Error) =
            event::parse(frame)
        {
            self.take(frame, show);
        }
    }

    /// Skips a malformed frame. If it carried an item, only the final object can show which.
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

    /// The slot found for an item. If there is none, the answer has exceeded the item limit and ends.
    fn slot_or_end(&mut self, slot: Option<usize>) -> Option<usize> {
        if slot.is_none() {
            self.excess = Some(Excess::Items);
        }
        slot
    }

    fn event(&mut self, event: Event<'_>, frame: &[u8], show: &mut Vec<Show>) {
        match event {
            Event::Text(place, delta) => self.text(place, &delta, show),
            Event::Added(place, item) => {
                let item = item.get();
                let slot = self.slots.begin(with_id(place, item));
                let Some(slot) = self.slot_or_end(slot) else {
                    return;
                };
                match ReadItem::of(item).map(|item| item.kind) {
                    Some(ItemKind::Message(_)) => self.open(slot),
                    Some(ItemKind::Call(_) | ItemKind::Waiting(_)) => {
                        self.slots[slot].required = true
                    }
                    _ => {}
                }
            }
            Event::Part(place) => {
                let slot = self.slots.find(place);
                if let Some(slot) = self.slot_or_end(slot) {
                    self.slots[slot].required = true;
                }
            }
            Event::Done(place, item) => {
                let item = item.get();
                let read = ReadItem::of(item);
                let place = match &read {
                    Some(read) => ItemPosition {
                        id: place.id.or(read.id),
                        ..place
                    },
                    None => with_id(place, item),
                };
                let slot = self.slots.find(place);
                let Some(slot) = self.slot_or_end(slot) else {
                    return;
                };
                if let Some(read) = read {
                    if let Some(slot) = self.place_of(slot, place, item, &read) {
                        self.done(slot, item, read, show);
                    }
                } else {
                    self.slots[slot].required = true;
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
                // The event has already been decoded as text.
                let event = short(
                    std::str::from_utf8(frame).unwrap_or_default(),
                    MAX_REASON_BYTES,
                );
                self.ending = Some(Ending::Failed(fault::from_event(event.as_bytes())));
            }
            Event::Other => {}
        }
    }

    /// Completes a failure with its response head; `now` in Unix seconds.
    pub fn set_head(&mut self, head: &FaultHead, now: u64) {
        if let Some(Ending::Failed(fault)) = &mut self.ending {
            fault.set_head(head, now);
        }
    }

    /// Whether later frames cannot change the answer.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.ending.is_some() || self.differs || self.excess.is_some()
    }

    /// The number of events that could not be parsed and were skipped.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// The tokens that the service counted.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Whether the service reported the input and output tokens.
    #[must_use]
    pub fn is_counted(&self) -> bool {
        self.is_counted
    }

    /// Why the service withheld reasoning from earlier answers from the model: one entry for each item, with the
    /// service's reason if given.
    #[must_use]
    pub fn withheld(&self) -> &[Option<String>] {
        &self.withheld
    }

    /// The verdict, assuming that nothing more arrives.
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
        let (mut calls, mut has_text) = (Vec::new(), false);
        let mut refusals: Vec<&str> = Vec::new();
        let mut waits: Vec<&PendingItem> = Vec::new();
        for slot in self.slots.in_order() {
            match slot.item.as_ref().map(|item| &item.kind) {
                Some(ItemKind::Message(message)) if message.unfinished => {
                    return Verdict::Trouble(Trouble::Unfinished);
                }
                Some(ItemKind::Message(message)) => {
                    has_text |= message.has_text;
                    refusals.extend(message.refusal.as_deref());
                    // A later message shows that the service has handled it.
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
                None if slot.required => return Verdict::Trouble(Trouble::Unfinished),
                Some(ItemKind::Reasoning { .. } | ItemKind::Other) | None => {}
            }
        }
        match waits.pop() {
            Some(waiting) => Verdict::Trouble(Trouble::Waits(waiting.kind.clone())),
            None if !calls.is_empty() => Verdict::Calls(calls),
            None if !refusals.is_empty() => Verdict::Trouble(Trouble::Refused(refusals.concat())),
            None if has_text => Verdict::Answered,
            None => Verdict::Trouble(Trouble::Empty),
        }
    }

    /// The usable part of an interrupted answer.
    #[must_use]
    pub fn kept(&self) -> ResumePoint<'_> {
        // The lost item may have been at any position.
        if self.lost || self.differs {
            return ResumePoint::default();
        }
        ResumePoint::of(&self.slots)
    }

    /// The finished messages that were shown, in that order.
    pub fn messages(&self) -> impl Iterator<Item = &Item> {
        let slots = self.shown_slots.iter().map(|at| &self.slots[*at]);
        slots.filter_map(|slot| slot.item.as_ref())
    }

    /// The messages that were shown, in that order.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        let kept = self.kept();
        let slots = self.shown_slots.iter().map(|at| &self.slots[*at]);
        slots.map(|slot| Shown::of(slot, &kept)).collect()
    }

    /// The item for a compacted conversation: the only one of its kind in a complete answer.
    #[must_use]
    pub fn compaction(&self) -> Option<&Item> {
        if !matches!(self.ending, Some(Ending::Completed)) || self.lost {
            return None;
        }
        let mut found = self.items().filter(|item| item.is_compaction());
        found.next().filter(|_| found.next().is_none())
    }

    /// The finished items, in the answer's order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.slots
            .in_order()
            .into_iter()
            .filter_map(|slot| slot.item.as_ref())
    }
}

/// Whether this is an event whose content the finished item repeats, in the usual form. It can be as long as the answer, so it
/// is not parsed: whatever it says changes nothing.
fn is_unused(frame: &[u8]) -> bool {
    const UNUSED: [&[u8]; 4] = [
        b"output_text.done\"",
        b"content_part.done\"",
        b"function_call_arguments.done\"",
        b"reasoning_summary_text.done\"",
    ];
    frame
        .strip_prefix(b"{\"type\":\"response.")
        .is_some_and(|kind| UNUSED.iter().any(|unused| kind.starts_with(unused)))
}

/// The frame with invalid UTF-8 replaced by U+FFFD, as the standard requires. `None` if it is valid, or has too many
/// invalid sequences to be text.
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
