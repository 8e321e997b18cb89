//! The final response object of an answer, which says how the answer ends and lists the items again. Also decides what
//! to do with an item that arrives twice.

use std::collections::HashSet;
use std::mem::discriminant;
use std::ops::ControlFlow;

use memchr::arch::all::is_prefix;
use serde_json::value::RawValue;

use super::super::event::ItemPosition;
use super::super::item::{Item, ItemKind, Message, ReadItem};
use super::super::json::each;
use super::super::output_items::{self, with_id};
use super::super::response::Response;
use super::ending::{Ending, fault_in};
use super::excess::{Excess, MAX_ANSWER_BYTES};
use super::{Answer, Show};

/// How the final event of an answer usually begins.
const FINAL_EVENT: &[u8] = b"{\"type\":\"response.completed\"";

/// How its list of items usually begins.
const LIST_START: &[u8] = b"\"output\":[";

/// Size of a final event from which on it is shortened, in bytes.
const MIN_SHORTENED_BYTES: usize = 16 << 10;

impl Answer {
    /// A long final event without its list of items, if these are the bytes of the items that arrived, in their order. Then there
    /// is nothing to read in it, and a list that is left out says the same.
    pub(super) fn without_items<'f>(&self, frame: &'f [u8]) -> Option<Vec<u8>> {
        if frame.len() < MIN_SHORTENED_BYTES || !frame.starts_with(FINAL_EVENT) {
            return None;
        }
        // Inside a string, its quotes would be escaped.
        let start = memchr::memmem::find(frame, LIST_START)? + LIST_START.len();
        let mut rest = &frame[start..];
        for (number, item) in self.items().enumerate() {
            if number > 0 {
                rest = rest.strip_prefix(b",")?;
            }
            rest = rest.strip_prefix(item.raw())?;
        }
        rest.starts_with(b"]")
            .then(|| [&frame[..start], rest].concat())
    }

    pub(super) fn completed(&mut self, response: Option<&RawValue>, show: &mut Vec<Show>) {
        let fields = self.response(response, show);
        let failed = || Ending::Failed(fault_in(response));
        // The event's name and the status in its object should agree; the worse one counts.
        self.ending = Some(match (fields.status.as_deref(), fields.reason) {
            (Some("failed" | "cancelled"), _) => failed(),
            _ if fields.error => failed(),
            (_, Some(reason)) => Ending::Incomplete(Some(reason)),
            (Some("completed") | None, None) => Ending::Completed,
            (Some(status), None) => Ending::Incomplete(Some(status.to_owned())),
        });
    }

    /// Reads the final object: the usage, and items that arrived in no separate event.
    pub(super) fn response<'a>(
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
        self.is_counted = fields.is_counted;
        self.withheld.clone_from(&fields.withheld);
        let Some(output) = fields.output else {
            return fields;
        };
        let mut listed = Vec::new();
        each(output, |item| {
            listed.push(item);
            if listed.len() > output_items::MAX_ITEMS {
                self.excess = Some(Excess::Items);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        if self.excess.is_none() && !listed.is_empty() {
            // Anything in the final object's list was not lost.
            self.lost = self.list(&listed, show);
        }
        fields
    }

    /// Adds the listed items that are not known yet. Returns whether one could not be parsed. An item from its own
    /// event takes precedence: in the list, services re-encrypt reasoning and rename items.
    fn list(&mut self, listed: &[&str], show: &mut Vec<Show>) -> bool {
        let mut unreadable = false;
        let mut known = vec![false; self.slots.iter().count()];
        let mut seen = HashSet::new();
        let mut new = Vec::new();
        for (index, item) in (0..).zip(listed) {
            if listed.len() > 1 && has_id(item) && !seen.insert(*item) {
                continue; // listed twice
            }
            // Usually its bytes are those that arrived, and need not be read again.
            if let Some(at) = self.find_listed(&known, |there| there.json() == *item) {
                known[at] = true;
                continue;
            }
            let Some(read) = ReadItem::of(item) else {
                unreadable = true;
                continue;
            };
            // Each item that arrived is listed once. Positions may have shifted, and ids may have changed.
            match self.find_listed(&known, |there| is_listed(there, item, &read.kind)) {
                Some(at) => {
                    known[at] = true;
                    self.seal(at, item);
                }
                None => new.push((index, *item, read)),
            }
        }
        for (index, item, read) in new {
            self.take_listed(index, item, read, &known, show);
        }
        unreadable
    }

    /// The first slot with such an item that is not known to be listed yet.
    fn find_listed(&self, known: &[bool], is_it: impl Fn(&Item) -> bool) -> Option<usize> {
        let mut slots = self.slots.iter().zip(known);
        slots.position(|(slot, known)| !known && slot.item.as_ref().is_some_and(&is_it))
    }

    /// Adds the encrypted content to reasoning that arrived without it: some servers send it only with the final object
    /// (earendil-works/pi#6409).
    fn seal(&mut self, at: usize, listed: &str) {
        let there = self.slots[at].item.as_ref();
        let open = there.filter(|there| there.kind == (ItemKind::Reasoning { sealed: false }));
        let Some(sealed) = open.and_then(|there| there.sealed_by(listed)) else {
            return;
        };
        self.size += listed.len();
        if self.size > MAX_ANSWER_BYTES {
            self.excess = Some(Excess::Whole);
            return;
        }
        self.slots[at].item = Some(sealed);
    }

    /// Adds an item that is listed at this position but arrived in no event.
    fn take_listed(
        &mut self,
        index: u64,
        item: &str,
        read: ReadItem<'_>,
        known: &[bool],
        show: &mut Vec<Show>,
    ) {
        let place = ItemPosition {
            index: Some(index),
            id: None,
        };
        let at = self.slots.find(place);
        let Some(mut at) = self.slot_or_end(at) else {
            return;
        };
        if let Some(there) = &self.slots[at].item {
            let is_message = |kind: &ItemKind| matches!(kind, ItemKind::Message(_));
            let is_known = known.get(at).copied().unwrap_or_default();
            let kind = &read.kind;
            if !is_known && is_message(&there.kind) && is_message(kind) {
                // The service ended a message in two different ways, and only one of them was shown.
                self.differs = true;
                return;
            }
            if !is_known
                && discriminant(&there.kind) == discriminant(kind)
                && !is_message_or_call(kind)
            {
                return; // it arrived earlier, and was renamed and re-encrypted since
            }
            let another = self.slots.push(place);
            let Some(another) = self.slot_or_end(another) else {
                return;
            };
            at = another;
        }
        self.done(at, item, read, show);
    }

    /// The slot for a finished item at this slot's position: another slot if this one holds a different item, as with
    /// servers that give every item the same index. `None` if it is the same item.
    pub(super) fn place_of(
        &mut self,
        at: usize,
        place: ItemPosition<'_>,
        item: &str,
        read: &ReadItem<'_>,
    ) -> Option<usize> {
        let kind = &read.kind;
        if self.slots[at].item.is_none() {
            let is_it = |other: &Item| other.json() == item;
            if is_name(read.id) && self.items().any(is_it) {
                // The same item again, at another position.
                self.slots[at].required = false;
                return None;
            }
            return Some(at);
        }
        let slot = &self.slots[at];
        let there = slot.item.as_ref()?;
        if there.json() == item || there.kind == *kind && is_message_or_call(kind) {
            return None;
        }
        if slot.has_other_id(place) {
            let another = self.slots.push(place);
            return self.slot_or_end(another);
        }
        // The same item, finished twice with different content. Neither version can be trusted.
        self.differs |= is_message_or_call(kind);
        None
    }
}

/// Whether this is a message or a call, whose content is fully known.
fn is_message_or_call(kind: &ItemKind) -> bool {
    matches!(kind, ItemKind::Message(_) | ItemKind::Call(_))
}

/// Whether the listed item, of this kind and with other bytes, is the same as `there`.
fn is_listed(there: &Item, item: &str, kind: &ItemKind) -> bool {
    match (&there.kind, kind) {
        (ItemKind::Call(a), ItemKind::Call(b)) => a.call_id == b.call_id,
        (ItemKind::Message(a), ItemKind::Message(b)) => {
            // In an interrupted answer, some servers report a message as finished first and as unfinished in the end.
            let unfinished = a.unfinished;
            *a == Message {
                unfinished,
                ..b.clone()
            }
        }
        (ItemKind::Reasoning { .. }, ItemKind::Reasoning { .. })
        | (ItemKind::Result(_), ItemKind::Result(_))
        | (ItemKind::Other, ItemKind::Other) => has_id(item) && id(there.json()) == id(item),
        _ => false,
    }
}

fn id(item: &str) -> Option<&str> {
    with_id(ItemPosition::default(), item).id
}

/// Whether an item has a non-empty id, which identifies duplicates.
fn has_id(item: &str) -> bool {
    is_name(id(item))
}

/// Whether an id, in quotes, is not empty.
fn is_name(id: Option<&str>) -> bool {
    id.is_some_and(|id| id.len() > 2)
}

#[cfg(test)]
mod tests {
    use super::super::tests::message;
    use super::super::{Trouble, Verdict};
    use super::*;

    fn completed(items: &[&str]) -> String {
        format!(
            r#"{{"type":"response.completed","response":{{"output":[{}]}}}}"#,
            items.join(",")
        )
    }

    fn item(id: &str, text: &str) -> String {
        format!(
            r#"{{"type":"message","id":"{id}","content":[{{"type":"output_text","text":"{text}"}}]}}"#
        )
    }

    fn call(id: &str) -> String {
        format!(
            r#"{{"type":"function_call","id":"fc_{id}","call_id":"{id}","name":"t","arguments":"{{}}"}}"#
        )
    }

    fn done(index: u64, item: &str) -> String {
        format!(r#"{{"type":"response.output_item.done","output_index":{index},"item":{item}}}"#)
    }

    /// The shown texts and the verdict.
    fn outcome(events: &[String]) -> (Vec<String>, Verdict) {
        let (mut answer, mut show) = (Answer::default(), Vec::new());
        for event in events {
            answer.take(event.as_bytes(), &mut show);
        }
        let text = |show| match show {
            Show::Text(text) => Some(text),
            Show::MessageEnd | Show::Summary(_) | Show::Searched(_) | Show::Skipped => None,
        };
        (
            show.into_iter().filter_map(text).collect(),
            answer.verdict(),
        )
    }

    fn check_texts(events: &[String], texts: &[&str]) {
        assert_eq!(
            outcome(events),
            (
                texts.iter().map(|t| (*t).to_owned()).collect(),
                Verdict::Answered
            ),
            "{events:#?}"
        );
    }

    fn calls(events: &[String], ids: &[&str]) {
        let (_, Verdict::Calls(calls)) = outcome(events) else {
            panic!("no calls: {events:#?}");
        };
        let found: Vec<&str> = calls.iter().map(|call| &*call.call_id).collect();
        assert_eq!(found, ids, "{events:#?}");
    }

    #[test]
    fn items_that_share_a_position_are_all_kept() {
        let (one, two) = (item("m1", "one"), item("m2", "two"));
        check_texts(
            &[done(0, &one), done(0, &two), completed(&[])],
            &["one", "two"],
        );
        check_texts(&[done(0, &one), done(0, &one), completed(&[])], &["one"]);
        check_texts(
            &[done(0, &one), done(0, &item("m9", "one")), completed(&[])],
            &["one"],
        );
        calls(
            &[done(0, &call("a")), done(0, &call("b")), completed(&[])],
            &["a", "b"],
        );
        let twice = outcome(&[done(0, &one), done(0, &item("m1", "other")), completed(&[])]);
        assert_eq!(twice.1, Verdict::Trouble(Trouble::Differs));
    }

    #[test]
    fn items_in_the_final_object_are_not_duplicated() {
        let ok = |id| item(id, "OK");
        check_texts(&[completed(&[&ok("m1"), &ok("m2")])], &["OK", "OK"]);
        check_texts(
            &[message(0, "OK"), completed(&[&ok("m1"), &ok("m2")])],
            &["OK", "OK"],
        );
        check_texts(&[message(0, "OK"), completed(&[&ok("m1")])], &["OK"]);
        let thought = r#"{"type":"reasoning","id":"rs"}"#;
        check_texts(
            &[
                done(0, thought),
                message(1, "A"),
                completed(&[&item("b", "B"), &item("a", "A")]),
            ],
            &["A", "B"],
        );
        calls(
            &[
                done(0, thought),
                done(1, &item("a", "A")),
                completed(&[&call("c"), &item("a", "A")]),
            ],
            &["c"],
        );
        calls(
            &[done(0, &call("y")), completed(&[&call("x"), &call("y")])],
            &["y", "x"],
        );
        let differs = outcome(&[message(0, "A"), completed(&[&item("a", "B")])]);
        assert_eq!(differs.1, Verdict::Trouble(Trouble::Differs));
    }

    #[test]
    fn a_long_list_of_the_items_that_arrived_is_left_out() {
        let long = "x\\n".repeat(MIN_SHORTENED_BYTES);
        let (one, two) = (item("m1", &long), item("m2", "two"));
        let check = |came: &[&str], listed: &[&str], is_shortened: bool, verdict: &Verdict| {
            let (mut answer, mut show) = (Answer::default(), Vec::new());
            for (index, item) in (0..).zip(came) {
                answer.take(done(index, item).as_bytes(), &mut show);
            }
            // A malformed event may have carried an item.
            answer.take(
                br#"{"type":"response.output_item.done","item":{"#,
                &mut show,
            );
            let last = completed(listed);
            let short = answer.without_items(last.as_bytes());
            let expected = is_shortened.then(|| completed(&[]).into_bytes());
            assert_eq!(short, expected);
            answer.take(last.as_bytes(), &mut show);
            assert_eq!(answer.verdict(), *verdict);
        };
        let lost = Verdict::Trouble(Trouble::Unfinished);
        check(&[&one, &two], &[&one, &two], true, &Verdict::Answered);
        check(&[&one, &two], &[&two, &one], false, &Verdict::Answered);
        check(&[&one], &[&one, &two], false, &Verdict::Answered);
        check(&[&one, &two], &[&one], false, &Verdict::Answered);
        check(&[], &[], false, &lost);
    }

    #[test]
    fn reasoning_takes_encrypted_content_from_the_final_object() {
        let thought = |sealed: &str| {
            format!(
                r#"{{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":{sealed}}}"#
            )
        };
        let check = |came: &str, listed: &[&str], kept: &str| {
            let (mut answer, mut show) = (Answer::default(), Vec::new());
            let listed: Vec<String> = listed.iter().map(|item| (*item).to_owned()).collect();
            let listed: Vec<&str> = listed.iter().map(String::as_str).collect();
            for event in [done(0, came), done(1, &item("m", "A")), completed(&listed)] {
                answer.take(event.as_bytes(), &mut show);
            }
            let first = answer.items().next().expect("an item");
            let found: serde_json::Value = serde_json::from_slice(first.raw()).expect("JSON");
            assert_eq!(found["encrypted_content"].to_string(), kept, "{came}");
            let sealed = kept != "null";
            assert_eq!(first.kind, ItemKind::Reasoning { sealed });
            assert_eq!(answer.items().count(), 2);
        };
        let (open, sealed) = (thought("null"), thought("\"late\""));
        let without = open.replace(r#","encrypted_content":null"#, "");
        let said = item("m", "A");
        check(&open, &[&sealed, &said], "\"late\"");
        check(&without, &[&sealed, &said], "\"late\"");
        check(&open, &[&said, &sealed], "\"late\"");
        check(&open, &[], "null");
        check(&open, &[&open, &said], "null");
        let other = sealed.replace("rs_1", "rs_2");
        check(&open, &[&other, &said], "null");
        // The item from its own event takes precedence.
        check(&thought("\"early\""), &[&sealed, &said], "\"early\"");
    }
}
