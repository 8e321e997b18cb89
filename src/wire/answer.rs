//! One answer as it arrives: frames go in, text to show comes out, and at the end stands the verdict.
//! An item counts once it is finished. Text is shown as it streams, so what was shown of a message must
//! equal its final text: a missing tail is shown then, any other difference spoils the answer.

mod carry;
mod message;
mod trouble;

use std::ops::ControlFlow;

use serde_json::value::RawValue;

pub use carry::{Kept, Shown};
pub use trouble::{Excess, Trouble, Verdict};

use super::event::{self, Event, Place};
use super::fault::{self, Fault, Head};
use super::item::{Item, Kind};
use super::json::{each, short};
use super::response::{Response, Usage};
use super::slots::{self, Slots, with_id};

/// The most that an answer's finished items may have together, in bytes.
const WHOLE: usize = 256 << 20;

/// The longest field, in bytes, in which the service's reasons for a failure are looked for.
const REASON: usize = 64 << 10;

/// The most sequences of bytes that are no UTF-8 in one event. Each of them takes more room once it is replaced.
const REPLACED: usize = 64 << 10;

/// Something to show, in this order.
#[derive(Debug, PartialEq, Eq)]
pub enum Show {
    /// More of the message in hand.
    Text(String),
    /// The message in hand has ended; what follows belongs to another one.
    MessageEnd,
    /// An event could not be read and was skipped. Told of the first one only; how many there were is told by
    /// [`Answer::skipped`].
    Skipped,
}

/// How the service ended an answer.
#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Completed,
    Incomplete(String),
    Failed(Fault),
}

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
                match Kind::read(item) {
                    Some(Kind::Message(_)) => self.open(slot),
                    Some(Kind::Call(_) | Kind::Waiting(_)) => self.slots[slot].owed = true,
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
                let slot = self.slots.find(with_id(place, item));
                let Some(slot) = self.placed(slot) else {
                    return;
                };
                if let Some(item) = Item::parse(item) {
                    self.done(slot, item, show);
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
                let event = short(std::str::from_utf8(frame).unwrap_or_default(), REASON);
                self.ending = Some(Ending::Failed(fault::of_event(event.as_bytes())));
            }
            Event::Other => {}
        }
    }

    /// Notes what the answer came with, which a fault in it is reported with; `now` in Unix seconds.
    pub fn came_with(&mut self, head: &Head, now: u64) {
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
        let (mut calls, mut said, mut refusal, mut waits) =
            (Vec::new(), false, String::new(), None);
        for slot in self.slots.in_order() {
            match slot.item.as_ref().map(|item| &item.kind) {
                Some(Kind::Message(message)) if message.unfinished => {
                    return Verdict::Trouble(Trouble::Unfinished);
                }
                Some(Kind::Message(message)) => {
                    said |= message.said;
                    refusal.push_str(&message.refusal);
                    // A message after it shows that the service served it by itself.
                    waits = None;
                }
                Some(Kind::Call(call)) if call.unfinished => {
                    return Verdict::Trouble(Trouble::Unfinished);
                }
                Some(Kind::Call(call)) => calls.push(call.clone()),
                Some(Kind::Waiting(kind)) => waits = Some(kind.clone()),
                None if slot.owed => return Verdict::Trouble(Trouble::Unfinished),
                Some(Kind::Reasoning { .. } | Kind::Other) | None => {}
            }
        }
        match (waits, refusal) {
            (Some(kind), _) => Verdict::Trouble(Trouble::Waits(kind)),
            _ if !calls.is_empty() => Verdict::Calls(calls),
            (None, refusal) if !refusal.is_empty() => Verdict::Trouble(Trouble::Refused(refusal)),
            _ if said => Verdict::Answered,
            _ => Verdict::Trouble(Trouble::Empty),
        }
    }

    /// The finished items, in the answer's order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.slots
            .in_order()
            .into_iter()
            .filter_map(|slot| slot.item.as_ref())
    }

    fn completed(&mut self, response: Option<&RawValue>, show: &mut Vec<Show>) {
        let fields = self.response(response, show);
        let failed = || Ending::Failed(fault_in(response));
        // The event's name and the object it brings must agree; the worse of the two counts.
        self.ending = Some(match &*fields.status {
            "failed" | "cancelled" => failed(),
            _ if fields.error => failed(),
            _ if !fields.reason.is_empty() => Ending::Incomplete(fields.reason),
            "completed" | "" => Ending::Completed,
            status => Ending::Incomplete(status.to_owned()),
        });
    }

    /// Reads the final object: the usage, and items that came in no event of their own.
    fn response<'a>(
        &mut self,
        response: Option<&'a RawValue>,
        show: &mut Vec<Show>,
    ) -> Response<'a> {
        let Some(response) = response else {
            return Response::default();
        };
        let Some(fields) = Response::read(response.get()) else {
            self.lost = true;
            return Response::default();
        };
        self.usage = fields.usage;
        let Some(output) = fields.output else {
            return fields;
        };
        let (mut index, mut unreadable) = (0, false);
        each(output, |item| {
            if index == 0 {
                // What the final object lists cannot have been lost on the way.
                self.lost = false;
            }
            unreadable |= !self.listed(index, item, show);
            index += 1;
            if self.excess.is_none() && index > slots::MOST as u64 {
                self.excess = Some(Excess::Items);
            }
            match self.excess {
                Some(_) => ControlFlow::Break(()),
                None => ControlFlow::Continue(()),
            }
        });
        self.lost |= unreadable;
        fields
    }

    /// Takes an item that the final object lists, if it is not known yet; false where it cannot be read.
    fn listed(&mut self, index: u64, item: &RawValue, show: &mut Vec<Show>) -> bool {
        let known = |same: &dyn Fn(&Item) -> bool| {
            let mut slots = self.slots.iter();
            slots.any(|slot| slot.item.as_ref().is_some_and(same))
        };
        if known(&|other| other.raw() == item.get().as_bytes()) {
            return true;
        }
        let Some(kind) = Kind::read(item) else {
            return false;
        };
        // Positions may have shifted and ids changed, so known is also what says the same.
        let same = |other: &Item| match (&other.kind, &kind) {
            (Kind::Call(a), Kind::Call(b)) => a.call_id == b.call_id,
            (Kind::Message(a), Kind::Message(b)) => a == b,
            _ => false,
        };
        if known(&same) {
            return true;
        }
        let at = self.slots.find(Place {
            index: Some(index),
            id: "",
        });
        let Some(at) = self.placed(at) else {
            return true;
        };
        let there = self.slots[at].item.as_ref().map(|item| &item.kind);
        if let (Some(Kind::Message(there)), Kind::Message(listed)) = (there, &kind) {
            // The service ends a message in two ways, and only one of them was shown.
            self.differs |= there.mark != listed.mark;
        } else if let Some(item) = Item::parse(item) {
            self.done(at, item, show);
        }
        true
    }
}

/// What went wrong, by the response object that says so.
fn fault_in(response: Option<&RawValue>) -> Fault {
    fault::of_response(&short(response.map_or("null", RawValue::get), REASON))
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
    (wrong.take(REPLACED + 1).count() <= REPLACED)
        .then(|| String::from_utf8_lossy(frame).into_owned())
}

#[cfg(test)]
mod damage_tests;
#[cfg(test)]
mod recorded_tests;
#[cfg(test)]
mod tests;
