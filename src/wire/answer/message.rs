//! Messages of an answer: shown in order as they stream, and compared with their final text.

use std::borrow::Cow;

use super::super::event::ItemPosition;
use super::super::item::{Item, ItemKind, ReadItem};
use super::super::sse::MAX_EVENT_BYTES;
use super::excess::{Excess, MAX_ANSWER_BYTES};
use super::{Answer, Show};

impl Answer {
    /// Marks this slot as a message.
    pub(super) fn open(&mut self, at: usize) {
        if !self.slots[at].message {
            self.slots[at].message = true;
            self.slots[at].required = true;
            self.front = self.front.min(at);
        }
    }

    pub(super) fn text(&mut self, place: ItemPosition<'_>, delta: &str, show: &mut Vec<Show>) {
        let at = self.slots.find(place);
        let Some(at) = self.slot_or_end(at) else {
            return;
        };
        if self.slots[at].item.is_some() {
            // A delta after the message was finished is a contradiction.
            self.differs |= !delta.is_empty();
            return;
        }
        self.unfinished += delta.len();
        if self.unfinished > MAX_EVENT_BYTES {
            self.excess = Some(Excess::Text);
            return;
        }
        self.open(at);
        self.slots[at].text.push_str(delta);
        if self.find_front() == at {
            self.show_more(at, show);
        }
    }

    /// Takes a finished item: its JSON, and what it says.
    pub(super) fn done(&mut self, at: usize, json: &str, read: ReadItem<'_>, show: &mut Vec<Show>) {
        if self.slots[at].item.is_some() {
            return; // finished twice: the first version counts
        }
        self.size += json.len();
        if self.size > MAX_ANSWER_BYTES {
            self.excess = Some(Excess::Whole);
            return;
        }
        let ReadItem { kind, text, .. } = read;
        if let ItemKind::Message(_) = &kind {
            self.open(at);
            let slot = &mut self.slots[at];
            self.unfinished -= slot.text.len();
            let Some(length) = text.length_after(&slot.text[..slot.shown]) else {
                self.differs = true;
                return;
            };
            slot.all_shown = length == slot.shown;
            // The text may be long: from here on, the item alone has it.
            slot.text = String::new();
        } else if self.slots[at].message {
            self.differs = true; // it was a message until now
            return;
        }
        let item = Item::new(json, kind);
        if let Some(summary) = item.summary() {
            show.push(Show::Summary(summary));
        }
        if let Some(search) = item.searched() {
            show.push(Show::Searched(search));
        }
        self.slots[at].item = Some(item);
        self.show_front(show);
    }

    /// Shows the front message, and the following ones as long as each is finished.
    fn show_front(&mut self, show: &mut Vec<Show>) {
        loop {
            let front = self.find_front();
            let Some(slot) = self.slots.get_mut(front) else {
                return;
            };
            let Some(item) = &slot.item else {
                return self.show_more(front, show);
            };
            let rest = if slot.all_shown {
                String::new()
            } else {
                item.raw_text().after(slot.shown)
            };
            let any = slot.shown > 0 || !rest.is_empty();
            slot.shown = 0;
            slot.closed = true;
            if any {
                self.begin(front);
                show_text(show, Cow::Owned(rest));
                show.push(Show::MessageEnd);
            }
        }
    }

    /// Shows the part of an open message that has not been shown yet.
    fn show_more(&mut self, at: usize, show: &mut Vec<Show>) {
        let slot = &mut self.slots[at];
        let shown = std::mem::replace(&mut slot.shown, slot.text.len());
        if shown < slot.shown {
            self.begin(at);
            show_text(show, Cow::Borrowed(&self.slots[at].text[shown..]));
        }
    }

    /// Records that text of this message is shown.
    fn begin(&mut self, at: usize) {
        if self.shown_slots.last() != Some(&at) {
            self.shown_slots.push(at);
        }
    }

    /// The partly shown message, else the first open one, else the number of slots.
    fn find_front(&mut self) -> usize {
        if let Some(at) = self
            .shown_slots
            .last()
            .filter(|at| !self.slots[**at].closed)
        {
            return *at;
        }
        while self
            .slots
            .get(self.front)
            .is_some_and(|slot| !slot.message || slot.closed)
        {
            self.front += 1;
        }
        self.front
    }
}

fn show_text(show: &mut Vec<Show>, text: Cow<'_, str>) {
    match show.last_mut() {
        _ if text.is_empty() => {}
        Some(Show::Text(last)) => last.push_str(&text),
        _ => show.push(Show::Text(text.into_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::tests::{delta, message};
    use super::*;

    /// A slot of an unknown kind turns out to be a message while a later message is being shown.
    #[test]
    fn a_message_being_shown_is_shown_to_its_end() {
        let begun = |index: u64| {
            format!(
                r#"{{"type":"response.output_item.added","output_index":{index},"item":{{"type":"reasoning"}}}}"#
            )
        };
        let (mut answer, mut show) = (Answer::default(), Vec::new());
        for event in [
            begun(0),
            delta(1, "on it"),
            delta(0, "early"),
            message(0, "early"),
            message(1, "on it"),
            r#"{"type":"response.completed","response":{}}"#.to_owned(),
        ] {
            answer.take(event.as_bytes(), &mut show);
        }
        let text = |text: &str| Show::Text(text.to_owned());
        let expected = [
            text("on it"),
            Show::MessageEnd,
            text("early"),
            Show::MessageEnd,
        ];
        assert_eq!(show, expected);
        assert_eq!(answer.verdict(), Verdict::Answered);
        let order: Vec<String> = answer.shown().into_iter().map(|shown| shown.text).collect();
        assert_eq!(order, ["on it", "early"]);
    }

    #[test]
    fn events_that_repeat_the_text_change_nothing() {
        let shows = |unused: &str| {
            let (mut answer, mut show) = (Answer::default(), Vec::new());
            let unused = format!(r#"{{"type":"response.{unused}","output_index":0,"text":"other"#);
            for event in [delta(0, "a"), unused, message(0, "a")] {
                answer.take(event.as_bytes(), &mut show);
            }
            assert_eq!(answer.skipped(), usize::from(show.len() > 2));
            show
        };
        let expected = [Show::Text("a".to_owned()), Show::MessageEnd];
        for unused in ["output_text.done", "content_part.done"] {
            assert_eq!(shows(unused), expected, "{unused}");
        }
        assert!(shows("output_text.donee").contains(&Show::Skipped));
    }
}
