//! Which items the next request carries. The items of an answer go back as the bytes they came in and in
//! their order: the service checks that its reasoning stands directly before what came of it.

use crate::session::{Journal, on_one_line};
use crate::wire::input::Output;
use crate::wire::item::{Call, Item, Kind};
use crate::wire::request::Body;

/// Adds what an answer brought, and stores it.
pub(super) fn add_answer<'a>(
    body: &mut Body,
    mut journal: Option<&mut (dyn Journal + '_)>,
    items: impl Iterator<Item = &'a Item>,
) {
    for item in kept(items) {
        let line = on_one_line(item.raw());
        if let Some(journal) = journal.as_deref_mut() {
            journal.item(&line);
        }
        body.push(&line);
    }
}

/// Stores what the last answer of a run brought. No request follows that would carry it.
pub(super) fn store_answer<'a>(journal: &mut dyn Journal, items: impl Iterator<Item = &'a Item>) {
    for item in kept(items) {
        journal.item(&on_one_line(item.raw()));
    }
}

/// The items that go back. Reasoning that is not sealed stays behind: without its encrypted form the service, which stores
/// nothing for us, cannot take it.
fn kept<'a>(items: impl Iterator<Item = &'a Item>) -> impl Iterator<Item = &'a Item> {
    items.filter(|item| item.kind != (Kind::Reasoning { sealed: false }))
}

/// Adds the output of each call.
pub(super) fn add_outputs(
    body: &mut Body,
    mut journal: Option<&mut (dyn Journal + '_)>,
    calls: &[Call],
    outputs: &[Output],
) {
    for (call, output) in calls.iter().zip(outputs) {
        let item = body.push_output(&call.call_id, output);
        if let Some(journal) = journal.as_deref_mut() {
            journal.item(&item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::request::tests::HEAD;

    #[test]
    fn items_go_back_as_they_came_and_unsealed_reasoning_stays_behind() {
        let raws = [
            r#"{"type":"reasoning", "id":"rs_1","encrypted_content":"gA\u003d"}"#,
            r#"{"type":"reasoning","id":"rs_2","summary":[]}"#,
            r#"{"type":"function_call","call_id":"c","name":"t","arguments":"{}","namespace":"n"}"#,
            r#"{"type":"web_search_call","id":"ws_1"}"#,
        ];
        let items: Vec<Item> = raws
            .iter()
            .filter_map(|raw| Item::parse(&serde_json::from_str::<Box<_>>(raw).ok()?))
            .collect();
        let call = Call {
            call_id: "c".into(),
            name: "t".into(),
            arguments: "{}".into(),
            unfinished: false,
        };
        let mut body = Body::new(&HEAD);
        add_answer(&mut body, None, items.iter());
        let output = Output {
            text: "done".to_owned(),
            image: None,
        };
        add_outputs(&mut body, None, &[call], &[output]);
        let input = format!(
            r#""input":[{},{},{},{{"type":"function_call_output","call_id":"c","output":"done"}}]}}"#,
            raws[0], raws[2], raws[3]
        );
        let body = String::from_utf8(body.bytes().to_vec()).expect("UTF-8");
        assert!(body.ends_with(&input), "{body}");
    }
}
