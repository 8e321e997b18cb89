//! Items of an answer that wait for a result: approvals, patches, calls of tools that were not offered, and items of
//! unknown types with a `call_id`.

use super::json::beginning;

/// Types of items that wait for the client even without a `call_id`.
const WAITING: &[&str] = &[
    "mcp_approval_request",
    "apply_patch_call",
    "shell_call",
    "local_shell_call",
    "computer_call",
    "custom_tool_call",
    "tool_search_call",
];

/// Size limit for an item's type in bytes.
const MAX_KIND_BYTES: usize = 100;

/// An item that waits for a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingItem {
    /// Its type, if it has one.
    pub kind: Option<String>,
    /// Ties it to its result, if present.
    pub call_id: Option<String>,
    /// Whether it is marked for execution by the client.
    pub client: bool,
}

impl PendingItem {
    /// The pending item, if an item of this type, with this `call_id` and this `execution`, waits.
    pub(super) fn read(
        kind: Option<&str>,
        call_id: Option<String>,
        execution: Option<&str>,
    ) -> Option<Self> {
        let waits = call_id.is_some() || kind.is_some_and(|kind| WAITING.contains(&kind));
        (waits && execution != Some("server")).then(|| Self {
            kind: kind.map(|kind| beginning(kind, MAX_KIND_BYTES)),
            call_id,
            client: execution == Some("client"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_with_a_call_id_or_known_type_waits_unless_the_service_runs_it() {
        let check = |kind: &str, call_id, execution, client: Option<bool>| {
            let call_id: Option<&str> = call_id;
            let read = PendingItem::read(Some(kind), call_id.map(str::to_owned), execution);
            let found = read.as_ref().map(|waiting| waiting.client);
            assert_eq!(found, client, "{kind} {call_id:?} {execution:?}");
            if let Some(waiting) = read {
                let found = (waiting.kind.as_deref(), waiting.call_id.as_deref());
                assert_eq!(found, (Some(kind), call_id));
            }
        };
        check("apply_patch_call", None, None, Some(false));
        check("brand_new_call", Some("c"), None, Some(false));
        check("brand_new_call", Some("c"), Some("client"), Some(true));
        check("tool_search_call", None, Some("client"), Some(true));
        check("tool_search_call", Some("c"), Some("server"), None);
        check("web_search_call", None, None, None);
        check("brand_new", None, None, None);
        assert!(PendingItem::read(None, Some("c".to_owned()), None).is_some());
        assert!(PendingItem::read(None, None, None).is_none());
    }
}
