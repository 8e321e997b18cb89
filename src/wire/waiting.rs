//! Items of an answer that wait for a result: approvals, patches, calls of tools that we did not offer, and whatever has a
//! `call_id` and is of a type that is not known here.

use super::json::beginning;

/// Types of items that wait for their client even without a `call_id`.
const WAITING: &[&str] = &[
    "mcp_approval_request",
    "apply_patch_call",
    "shell_call",
    "local_shell_call",
    "computer_call",
    "custom_tool_call",
    "tool_search_call",
];

/// The most of an item's type that is kept, in bytes.
const MAX_KIND_BYTES: usize = 100;

/// An item that waits for a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its type.
    pub kind: String,
    /// Ties it to its result; empty where it has none.
    pub call_id: String,
    /// It says itself that the client is to serve it.
    pub client: bool,
}

impl Waiting {
    /// What waits, if this is an item that does: one of this type, with this `call_id` and this `execution`, each empty
    /// where the item has none.
    pub(super) fn read(kind: &str, call_id: String, execution: &str) -> Option<Self> {
        let waits = !call_id.is_empty() || WAITING.contains(&kind);
        (waits && execution != "server").then(|| Self {
            kind: beginning(kind, MAX_KIND_BYTES),
            call_id,
            client: execution == "client",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_call_id_or_a_known_type_waits_unless_the_service_runs_it() {
        let check = |kind: &str, call_id: &str, execution: &str, client: Option<bool>| {
            let read = Waiting::read(kind, call_id.to_owned(), execution);
            let found = read.as_ref().map(|waiting| waiting.client);
            assert_eq!(found, client, "{kind} {call_id} {execution}");
            if let Some(waiting) = read {
                assert_eq!((&*waiting.kind, &*waiting.call_id), (kind, call_id));
            }
        };
        check("apply_patch_call", "", "", Some(false));
        check("brand_new_call", "c", "", Some(false));
        check("brand_new_call", "c", "client", Some(true));
        check("tool_search_call", "", "client", Some(true));
        check("tool_search_call", "c", "server", None);
        check("web_search_call", "", "", None);
        check("brand_new", "", "", None);
    }
}
