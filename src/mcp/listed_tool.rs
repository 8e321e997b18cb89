//! A tool as a server lists it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::input_schema;

/// Maximum length of a tool's name, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// Maximum size of a tool's description and schema together, in bytes.
const MAX_TOOL_BYTES: usize = 64 << 10;

/// A tool of a server.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedTool {
    /// Its name, as the server spells it.
    pub name: String,
    /// The description for the model.
    pub description: String,
    /// JSON Schema of its arguments, in the form that the service accepts.
    pub parameters: Value,
}

#[derive(Deserialize)]
struct ToolFields<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    title: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "inputSchema")]
    schema: Option<&'a RawValue>,
}

impl ListedTool {
    /// The size of its definition in a request under this name, in bytes.
    #[must_use]
    pub fn bytes_as(&self, name: &str) -> usize {
        name.len() + self.description.len() + self.parameters.to_string().len()
    }

    /// Parses an entry of the list; `None` if it is not a tool, or one that is too large.
    pub(super) fn parse(raw: &RawValue) -> Option<Self> {
        let fields: ToolFields<'_> = serde_json::from_str(raw.get()).ok()?;
        let description = fields.description.or(fields.title).unwrap_or_default();
        let schema = fields.schema.map_or("{}", RawValue::get);
        let is_name = !fields.name.is_empty() && fields.name.len() <= MAX_NAME_BYTES;
        let fits = description.len() + schema.len() <= MAX_TOOL_BYTES;
        (is_name && fits).then_some(())?;
        let schema: Value = serde_json::from_str(schema).ok()?;
        Some(Self {
            name: fields.name.into_owned(),
            description: description.into_owned(),
            parameters: input_schema::accepted(schema),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<ListedTool> {
        ListedTool::parse(serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn an_entry_is_a_tool_or_left_out() {
        let tool = |text: &str| {
            let tool = parse(text).expect("a tool");
            (tool.name, tool.description, tool.parameters.to_string())
        };
        let any = r#"{"properties":{},"type":"object"}"#;
        let is = |name: &str, description: &str, schema: &str| {
            (name.to_owned(), description.to_owned(), schema.to_owned())
        };
        assert_eq!(tool(r#"{"name":"a","unknown":[{}]}"#), is("a", "", any));
        assert_eq!(
            tool(r#"{"name":"a","title":"T","description":"D","inputSchema":{"type":"object"}}"#),
            is("a", "D", any)
        );
        assert_eq!(
            tool(r#"{"name":"a.b","title":"T","inputSchema":null}"#),
            is("a.b", "T", any)
        );
        let long = "x".repeat(MAX_TOOL_BYTES);
        for text in [
            "{}",
            "7",
            r#"{"name":""}"#,
            r#"{"name":7}"#,
            r#"{"name":"a","description":7}"#,
            &format!(r#"{{"name":"{}"}}"#, &long[..300]),
            &format!(r#"{{"name":"a","description":"{long}"}}"#),
            &format!(r#"{{"name":"a","inputSchema":{{"title":"{long}"}}}}"#),
        ] {
            assert_eq!(parse(text), None, "{text:.80}");
        }
    }
}
