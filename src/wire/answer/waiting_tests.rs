//! Items that wait for a result, and what shows that the service has handled them.

use super::tests::{COMPLETED, check, message, trouble};
use super::*;

#[test]
fn an_unhandled_item_is_named() {
    let done = |index: usize, item: &str| {
        format!(r#"{{"type":"response.output_item.done","output_index":{index},"item":{item}}}"#)
    };
    let waits = |kind: &str| trouble(Trouble::Waits(Some(kind.into())));
    // Any item with a call_id waits until its result or a message shows that the service has handled it.
    let new = done(0, r#"{"type":"brand_new","call_id":"c"}"#);
    check(&[&new, COMPLETED], "", waits("brand_new"));
    let result = done(1, r#"{"type":"brand_new_output","call_id":"c"}"#);
    check(&[&new, &result, COMPLETED], "", trouble(Trouble::Empty));
    let other = done(1, r#"{"type":"brand_new_output","call_id":"d"}"#);
    check(&[&new, &other, COMPLETED], "", waits("brand_new"));
    check(
        &[&new, &message(1, "done"), COMPLETED],
        "done|",
        Verdict::Answered,
    );
    // An item for the client can be handled only by the client.
    let client = r#"{"type":"tool_search_call","call_id":"c","execution":"client"}"#;
    let client = done(0, client);
    let searches = waits("tool_search_call");
    check(&[&client, COMPLETED], "", searches);
    check(
        &[&client, &message(1, "done"), COMPLETED],
        "done|",
        waits("tool_search_call"),
    );
    let server = r#"{"type":"tool_search_call","call_id":"c","execution":"server"}"#;
    check(
        &[&done(0, server), &message(1, "done"), COMPLETED],
        "done|",
        Verdict::Answered,
    );
}
