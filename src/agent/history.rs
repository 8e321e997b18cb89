//! The items that the next request contains. The items of an answer go back as the bytes they came in, in the same order:
//! the service checks that reasoning comes directly before the item that it produced.

use std::borrow::Cow;

use crate::session::stored::ABORTED;
use crate::session::{Journal, on_one_line};
use crate::wire::input::CallOutput;
use crate::wire::item::{Call, Item, ItemKind};
use crate::wire::replay::{self, Recipient};
use crate::wire::request::RequestBody;

/// Adds the items of an answer, and stores them.
pub(super) fn add_answer<'a>(
    body: &mut RequestBody,
    mut journal: Option<&mut (dyn Journal + '_)>,
    items: impl Iterator<Item = &'a Item>,
) {
    for item in kept(items) {
        let line = on_one_line(&item);
        if let Some(journal) = journal.as_deref_mut() {
            journal.item(&line);
        }
        body.push(&line);
    }
}

/// Stores the items of the last answer of a turn. They are added to the body when another request follows.
pub(super) fn store_answer<'a>(journal: &mut dyn Journal, items: impl Iterator<Item = &'a Item>) {
    for item in kept(items) {
        journal.item(&on_one_line(&item));
    }
}

/// The items to send back. Reasoning that is not encrypted is omitted: the service does not store requests, so it accepts
/// reasoning only in encrypted form; items produced by it must then not refer to it. A call that the service ran itself
/// without showing its output is omitted too, since a call is sent back with its output or not at all.
fn kept<'a>(items: impl Iterator<Item = &'a Item>) -> Vec<Cow<'a, [u8]>> {
    let items: Vec<&Item> = items.collect();
    let results: Vec<&Option<String>> = items
        .iter()
        .filter_map(|item| match &item.kind {
            ItemKind::Result(call_id) => Some(call_id),
            _ => None,
        })
        .collect();
    let mut left_out = false;
    let mut kept = Vec::new();
    for item in items {
        match &item.kind {
            ItemKind::Reasoning { sealed } => left_out = !sealed,
            ItemKind::Waiting(waiting) if !results.contains(&&waiting.call_id) => continue,
            _ => {}
        }
        if left_out {
            kept.extend(replay::without_reasoning(item.raw(), Recipient::Same));
        } else {
            kept.push(Cow::Borrowed(item.raw()));
        }
    }
    kept
}

/// Adds the output of each call.
pub(super) fn add_outputs(
    body: &mut RequestBody,
    mut journal: Option<&mut (dyn Journal + '_)>,
    calls: &[Call],
    outputs: &[CallOutput],
) {
    for (call, output) in calls.iter().zip(outputs) {
        let item = body.push_output(&call.call_id, output);
        if let Some(journal) = journal.as_deref_mut() {
            journal.item(&item);
        }
    }
}

/// Adds a result for each call of a stopped turn: its output, or "aborted".
pub(super) fn add_aborted(
    body: &mut RequestBody,
    mut journal: Option<&mut (dyn Journal + '_)>,
    calls: &[String],
    outputs: Vec<Option<CallOutput>>,
) {
    let aborted = || CallOutput {
        text: ABORTED.to_owned(),
        images: Vec::new(),
    };
    let none = std::iter::repeat_with(|| None);
    for (call, output) in calls.iter().zip(outputs.into_iter().chain(none)) {
        let item = body.push_output(call, &output.unwrap_or_else(aborted));
        if let Some(journal) = journal.as_deref_mut() {
            journal.item(&item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::request::tests::HEAD;

    /// Checks which items of an answer the conversation sends back.
    fn check(came: &[&str], sent: &[&str]) {
        let items: Vec<Item> = came
            .iter()
            .filter_map(|raw| Item::parse(&serde_json::from_str::<Box<_>>(raw).ok()?))
            .collect();
        let (mut body, mut stored) = (RequestBody::new(&HEAD), Vec::new());
        add_answer(&mut body, Some(&mut stored), items.iter());
        let stored: Vec<&str> = stored
            .iter()
            .filter_map(|line| std::str::from_utf8(line).ok())
            .collect();
        assert_eq!(stored, sent);
        let input = format!(r#""input":[{}]}}"#, sent.join(","));
        let body = String::from_utf8(body.bytes().to_vec()).expect("UTF-8");
        assert!(body.ends_with(&input), "{body}");
    }

    const SEALED: &str = r#"{"type":"reasoning", "id":"rs_1","encrypted_content":"gA\u003d"}"#;
    const UNSEALED: &str = r#"{"type":"reasoning","id":"rs_2","summary":[]}"#;
    const CALL: &str =
        r#"{"type":"function_call","id":"fc_1","call_id":"c","name":"t","arguments":"{}"}"#;
    const SEARCH: &str = r#"{"type":"web_search_call","id":"ws_1"}"#;
    const MESSAGE: &str = r#"{"type":"message","id":"msg_1","role":"assistant","content":[{"type":"output_text","text":"a"}]}"#;

    #[test]
    fn items_are_sent_back_byte_for_byte() {
        let all = [SEALED, SEARCH, MESSAGE, CALL];
        check(&all, &all);
        check(&all[1..], &all[1..]);
    }

    #[test]
    fn unencrypted_reasoning_is_omitted_and_later_items_do_not_refer_to_it() {
        let call = r#"{"arguments":"{}","call_id":"c","name":"t","type":"function_call"}"#;
        let message = r#"{"content":"a","role":"assistant","type":"message"}"#;
        check(&[UNSEALED, SEARCH, MESSAGE, CALL], &[message, call]);
        // Items produced by other reasoning still refer to it.
        check(
            &[MESSAGE, UNSEALED, CALL, SEALED, MESSAGE],
            &[MESSAGE, call, SEALED, MESSAGE],
        );
    }

    #[test]
    fn a_call_that_the_service_ran_is_sent_back_with_its_output_or_not_at_all() {
        let call = r#"{"type":"shell_call","call_id":"s"}"#;
        let output = r#"{"type":"shell_call_output","call_id":"s","output":[]}"#;
        check(&[call, MESSAGE], &[MESSAGE]);
        check(&[call, output, MESSAGE], &[call, output, MESSAGE]);
    }

    #[test]
    fn calls_of_a_stopped_turn_get_results() {
        let (mut body, mut stored) = (RequestBody::new(&HEAD), Vec::new());
        let output = CallOutput {
            text: "done".to_owned(),
            images: Vec::new(),
        };
        let calls = ["a", "b", "c"].map(str::to_owned);
        add_aborted(
            &mut body,
            Some(&mut stored),
            &calls,
            vec![None, Some(output)],
        );
        let result = |call: &str, output: &str| {
            format!(r#"{{"type":"function_call_output","call_id":"{call}","output":"{output}"}}"#)
        };
        let expected = [("a", "aborted"), ("b", "done"), ("c", "aborted")];
        let expected = expected.map(|(call, output)| result(call, output).into_bytes());
        assert_eq!(stored, expected);
        assert_eq!(body.len(), 3);
    }

    #[test]
    fn outputs_refer_to_their_calls() {
        let call = Call {
            call_id: "c".into(),
            name: "t".into(),
            arguments: "{}".into(),
            unfinished: false,
        };
        let output = CallOutput {
            text: "done".to_owned(),
            images: Vec::new(),
        };
        let mut body = RequestBody::new(&HEAD);
        add_outputs(&mut body, None, &[call], &[output]);
        let input = r#""input":[{"type":"function_call_output","call_id":"c","output":"done"}]}"#;
        let body = String::from_utf8(body.bytes().to_vec()).expect("UTF-8");
        assert!(body.ends_with(input), "{body}");
    }
}
