//! JSON text whose keys stay in the order they were written. The real service sends `type` first,
//! and a client should be tested with that; a `serde_json::Value` sorts its keys.

use std::fmt::Write as _;

use serde_json::value::RawValue;

/// A complete piece of JSON.
#[derive(Debug, Clone)]
pub(super) struct Json(String);

impl Json {
    pub(super) fn null() -> Self {
        Self("null".to_owned())
    }

    pub(super) fn array(items: &[Self]) -> Self {
        let texts: Vec<&str> = items.iter().map(Self::as_str).collect();
        Self(format!("[{}]", texts.join(",")))
    }

    /// An object with these fields, in this order.
    pub(super) fn object(fields: &[(&str, Self)]) -> Self {
        let mut text = String::from("{");
        for (index, (key, value)) in fields.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(text, "{comma}\"{key}\":{value}", value = value.0);
        }
        text.push('}');
        Self(text)
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self(serde_json::Value::from(text).to_string())
    }
}

impl From<&String> for Json {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self(value.to_string())
    }
}

impl From<usize> for Json {
    fn from(number: usize) -> Self {
        Self(number.to_string())
    }
}

impl From<u64> for Json {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl From<&RawValue> for Json {
    fn from(raw: &RawValue) -> Self {
        Self(raw.get().to_owned())
    }
}
