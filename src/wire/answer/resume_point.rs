//! The usable part of an interrupted answer, so that a retry repeats as little as possible, and the part that was
//! shown. A finished call can run: the call, and the items before it, need not be requested again.

use super::super::item::{Call, Item, ItemKind};
use super::super::output_items::{ItemSlot, Slots};

/// The part of an interrupted answer that joins the conversation: everything up to the last finished call with no
/// unfinished item before it. Empty if there is no such call.
#[derive(Debug, Default)]
pub struct ResumePoint<'a> {
    /// The items, in the answer's order; the last one is a call.
    pub items: Vec<&'a Item>,
    /// The calls among them.
    pub calls: Vec<Call>,
}

impl<'a> ResumePoint<'a> {
    /// The usable part of these slots.
    pub(super) fn of(slots: &'a Slots) -> Self {
        let mut kept = Self::default();
        let mut items = Vec::new();
        for item in slots.in_order().into_iter().map_while(finished) {
            items.push(item);
            if let ItemKind::Call(call) = &item.kind {
                kept.calls.push(call.clone());
                kept.items.append(&mut items);
            }
        }
        kept
    }

    /// Whether this item is part of it.
    #[must_use]
    pub fn holds(&self, item: &Item) -> bool {
        self.items.iter().any(|kept| std::ptr::eq(*kept, item))
    }
}

/// The shown part of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The text.
    pub text: String,
    /// Whether it was shown to its end.
    pub ended: bool,
    /// Whether it belongs to the part that joins the conversation.
    pub kept: bool,
}

impl Shown {
    /// The shown part of the message in this slot.
    pub(super) fn of(slot: &ItemSlot, kept: &ResumePoint<'_>) -> Self {
        let item = slot.item.as_ref();
        Self {
            text: match item {
                Some(item) if slot.closed => item.text().into_owned(),
                _ => slot.text.get(..slot.shown).unwrap_or_default().to_owned(),
            },
            ended: slot.closed,
            kept: item.is_some_and(|item| kept.holds(item)),
        }
    }
}

/// The finished item of a slot, if it can be sent back to the service.
fn finished(slot: &ItemSlot) -> Option<&Item> {
    slot.item.as_ref().filter(|item| match &item.kind {
        // A message queued behind an open one was not shown.
        ItemKind::Message(message) => slot.closed && !message.unfinished,
        ItemKind::Call(call) => !call.unfinished,
        ItemKind::Waiting(_) => false,
        ItemKind::Reasoning { .. } | ItemKind::Result(_) | ItemKind::Other => true,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Answer;

    /// Asserts the kept items and the shown messages of an answer interrupted after these events.
    fn check(events: &[&str], kept: &[&str], shown: &[(&str, bool, bool)]) {
        let mut answer = Answer::default();
        for event in events {
            answer.take(event.as_bytes(), &mut Vec::new());
        }
        let raws: Vec<String> = answer
            .kept()
            .items
            .iter()
            .map(|item| String::from_utf8_lossy(item.raw()).into_owned())
            .collect();
        assert_eq!(raws, kept, "{events:#?}");
        let found: Vec<(String, bool, bool)> = answer
            .shown()
            .into_iter()
            .map(|shown| (shown.text, shown.ended, shown.kept))
            .collect();
        let expected: Vec<(String, bool, bool)> = shown
            .iter()
            .map(|(text, ended, kept)| ((*text).to_owned(), *ended, *kept))
            .collect();
        assert_eq!(found, expected, "{events:#?}");
    }

    const THOUGHT: &str = r#"{"type":"reasoning","id":"rs_1","encrypted_content":"g"}"#;
    const WORDS: &str =
        r#"{"type":"message","id":"m","content":[{"type":"output_text","text":"words"}]}"#;
    const CALL: &str =
        r#"{"type":"function_call","id":"fc","call_id":"c1","name":"t","arguments":"{}"}"#;
    const OTHER: &str =
        r#"{"type":"function_call","id":"fd","call_id":"c2","name":"t","arguments":"{}"}"#;

    fn done(index: usize, item: &str) -> String {
        format!(r#"{{"type":"response.output_item.done","output_index":{index},"item":{item}}}"#)
    }

    fn delta(index: usize, text: &str) -> String {
        format!(
            r#"{{"type":"response.output_text.delta","output_index":{index},"delta":"{text}"}}"#
        )
    }

    #[test]
    fn all_up_to_the_last_finished_call_is_kept() {
        let (thought, words, call) = (done(0, THOUGHT), done(1, WORDS), done(2, CALL));
        let (again, part) = (done(3, THOUGHT), delta(4, "pa"));
        check(&[&thought, &words], &[], &[("words", true, false)]);
        check(
            &[&thought, &words, &call],
            &[THOUGHT, WORDS, CALL],
            &[("words", true, true)],
        );
        check(
            &[&thought, &words, &call, &again, &part],
            &[THOUGHT, WORDS, CALL],
            &[("words", true, true), ("pa", false, false)],
        );
        let second = done(3, OTHER);
        check(
            &[&done(0, CALL), &done(1, THOUGHT), &second],
            &[CALL, THOUGHT, OTHER],
            &[],
        );
    }

    #[test]
    fn nothing_after_an_unfinished_item_is_kept() {
        let begun = CALL.replace("\"{}\"", "\"\"");
        let begun =
            format!(r#"{{"type":"response.output_item.added","output_index":0,"item":{begun}}}"#);
        check(&[&begun, &done(1, OTHER)], &[], &[]);
        check(
            &[&delta(0, "wo"), &done(1, CALL)],
            &[],
            &[("wo", false, false)],
        );
        let cut = OTHER.replace("\"id\":\"fd\"", "\"status\":\"incomplete\"");
        check(&[&done(0, CALL), &done(1, &cut)], &[CALL], &[]);
        // The message is finished, but another one is being shown.
        check(
            &[&delta(5, "late"), &done(0, WORDS), &done(1, CALL)],
            &[],
            &[("late", false, false)],
        );
        let patch = r#"{"type":"apply_patch_call"}"#;
        check(&[&done(0, patch), &done(1, CALL)], &[], &[]);
        let lost = r#"{"type":"response.output_item.done","output_index":0,"item":{"#;
        check(&[lost, &done(1, CALL)], &[], &[]);
    }
}
