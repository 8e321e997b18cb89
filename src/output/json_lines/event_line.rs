//! The form of a line: its type comes first.

use serde_json::Value;

/// Formats one line: the type, then the object's fields.
pub(super) fn line(kind: &str, fields: Value) -> String {
    let fields = fields.to_string();
    let rest = fields.strip_prefix('{').unwrap_or(&fields);
    let comma = if rest == "}" { "" } else { "," };
    format!("{{\"type\":\"{kind}\"{comma}{rest}\n")
}

/// The beginning of a line: its type, and the name of its first field.
pub(super) fn beginning(kind: &str, field: &str) -> String {
    format!("{{\"type\":\"{kind}\",\"{field}\":")
}
