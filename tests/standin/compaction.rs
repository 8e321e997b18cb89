//! Compaction: the item that triggers it, the item that it returns, and what may precede that item later.

use serde_json::{Value, json};

use super::check::Refusal;
use super::id;

/// The type of the item that triggers it.
const TRIGGER: &str = "compaction_trigger";

/// The type of the item that stands for what was compacted.
const COMPACTION: &str = "compaction";

/// Whether this input is to be compacted.
pub(super) fn is_requested(input: &Value) -> bool {
    let items = input.as_array().map_or(&[][..], Vec::as_slice);
    items.last().is_some_and(|item| item["type"] == TRIGGER)
}

/// Whether this request is for a summary: it has messages only, and no tools.
pub(super) fn is_for_summary(body: &Value) -> bool {
    let items = body["input"].as_array().map_or(&[][..], Vec::as_slice);
    let is_message = |item: &Value| item["role"].is_string() && item["type"] != "additional_tools";
    body.get("tools").is_none() && items.iter().all(is_message)
}

/// The refusal of a service that does not know the trigger.
pub(super) fn unknown(input: &Value) -> Refusal {
    let place = input.as_array().map_or(0, Vec::len).saturating_sub(1);
    let message = format!(
        "Invalid value: '{TRIGGER}'. Supported values are: 'message', 'reasoning', 'function_call', and \
         'function_call_output'."
    );
    let param = format!("input[{place}].type");
    Refusal::error(&message, &param, Some("invalid_value"))
}

/// The trigger is the last item and has no other fields. At most one item stands for what was compacted; it is as the stand-in
/// has made it, and only messages, those of the model without ids, and changes of the effort precede it. The service's own rules are not known: a
/// client that breaks these has mixed the items of two conversations.
pub(super) fn check(items: &[Value]) -> Result<(), Refusal> {
    let refuse = |message: String| Err(Refusal::error(&message, "input", Some("invalid_value")));
    for (place, item) in items.iter().enumerate() {
        if item["type"] == TRIGGER && (place + 1 < items.len() || *item != json!({"type": TRIGGER}))
        {
            return refuse(format!(
                "'input[{place}]': the trigger is not the last item, or has a field."
            ));
        }
    }
    let is_compaction = |item: &&Value| item["type"] == COMPACTION;
    let Some(place) = items.iter().rposition(|item| is_compaction(&item)) else {
        return Ok(());
    };
    let content = items[place]["encrypted_content"].as_str();
    if !content.is_some_and(id::is_sealed) {
        return refuse(format!(
            "'input[{place}]': the compacted conversation could not be verified."
        ));
    }
    for (before, item) in items[..place].iter().enumerate() {
        let is_kept = item["role"].is_string() || item["type"] == "configuration_update";
        if !is_kept || (item["role"] == "assistant" && item.get("id").is_some()) {
            let kind = item["type"].as_str().unwrap_or_default();
            return refuse(format!(
                "'input[{before}]': an item of type '{kind}' precedes a compaction."
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_messages_precede_a_compaction() {
        let said = |items: &Value| {
            let items = items.as_array().expect("items").clone();
            check(&items).map_or_else(|refusal| refusal.body, |()| String::new())
        };
        let user = json!({"type": "message", "role": "user", "content": "hi"});
        let call = json!({"type": "function_call", "call_id": "1"});
        let compacted =
            json!({"type": COMPACTION, "id": "cmp_1", "encrypted_content": id::sealed(7)});
        let trigger = json!({"type": TRIGGER});
        assert_eq!(said(&json!([user, call, trigger])), "");
        assert_eq!(said(&json!([user, compacted, call, trigger])), "");
        let named = json!({"type": "message", "role": "assistant", "id": "msg_1"});
        for (items, complaint) in [
            (json!([user, trigger, user]), "not the last item"),
            (json!([user, {"type": TRIGGER, "id": "x"}]), "has a field"),
            (json!([call, compacted]), "'function_call' precedes"),
            (json!([named, compacted]), "'message' precedes"),
            (json!([compacted, compacted]), "'compaction' precedes"),
            (
                json!([{"type": COMPACTION, "encrypted_content": "gAAA"}]),
                "could not be verified",
            ),
        ] {
            let said = said(&items);
            assert!(said.contains(complaint), "{items}: {said}");
        }
    }
}
