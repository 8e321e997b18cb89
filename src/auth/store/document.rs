//! A JSON object that keeps the order of its keys and the bytes of unedited values (pure). Other programs keep their
//! data in the credentials file.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An object as written: keys in order, values as text. `Debug` shows the keys alone, because values may be secret.
#[derive(Clone, Default)]
pub struct Document(Vec<(String, Box<RawValue>)>);

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|(key, _)| key))
            .finish()
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Document;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Document(pairs))
            }
        }
        from.deserialize_map(Pairs)
    }
}

impl Document {
    /// Parses an object.
    ///
    /// # Errors
    /// If the text is not a JSON object, with line and column.
    pub fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Returns whether it has no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns whether it has an entry like those of pi's file: an object with a type.
    #[must_use]
    pub fn has_entries(&self) -> bool {
        self.0.iter().any(|(_, value)| {
            let entry = Self::read(value.get());
            entry.is_ok_and(|entry| entry.get("type").is_some())
        })
    }

    /// Returns the text of a value. If a key is repeated, the last one counts, as in most readers.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value.get())
    }

    /// Returns the value if it is a string that is not empty.
    #[must_use]
    pub fn string(&self, key: &str) -> Option<String> {
        let text: String = serde_json::from_str(self.get(key)?).ok()?;
        (!text.is_empty()).then_some(text)
    }

    /// Returns the value if it is an object.
    #[must_use]
    pub fn object(&self, key: &str) -> Option<Self> {
        Self::read(self.get(key)?).ok()
    }

    /// Replaces the value of a key, or appends the key.
    pub fn set(&mut self, key: &str, value: impl serde::Serialize) {
        if let Ok(value) = serde_json::value::to_raw_value(&value) {
            self.place(key, value);
        }
    }

    /// Replaces the value of a key with an object, indented one level, or appends it.
    pub fn set_object(&mut self, key: &str, object: &Self) {
        if let Ok(value) = RawValue::from_string(object.text(1)) {
            self.place(key, value);
        }
    }

    fn place(&mut self, key: &str, value: Box<RawValue>) {
        match self.0.iter_mut().rev().find(|(name, _)| name == key) {
            Some((_, old)) => *old = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    /// Removes a key.
    pub fn remove(&mut self, key: &str) {
        self.0.retain(|(name, _)| name != key);
    }

    /// Formats the object with one key per line, at this indentation depth.
    #[must_use]
    pub fn text(&self, depth: usize) -> String {
        if self.0.is_empty() {
            return "{}".to_owned();
        }
        let indent = "  ".repeat(depth);
        let lines: Vec<String> = self
            .0
            .iter()
            .map(|(key, value)| {
                format!(
                    "{indent}  {}: {value}",
                    serde_json::Value::from(key.as_str())
                )
            })
            .collect();
        format!("{{\n{}\n{indent}}}", lines.join(",\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unedited_values_keep_their_bytes() {
        let text = concat!(
            "{\n",
            "  \"z\": 1.50,\n",
            "  \"mine\": {\n    \"old\": true\n  },\n",
            "  \"a\\u0062\": {\n    \"deep\": [1,   2, 12345678901234567890123]\n  }\n",
            "}"
        );
        let mut document = Document::read(text).expect("an object");
        assert_eq!(document.text(0).replace("\"ab\"", "\"a\\u0062\""), text);
        let mut mine = document.object("mine").expect("an object");
        mine.set("old", false);
        mine.set("new", "x\n");
        document.set_object("mine", &mine);
        let expected = text.replace("\"old\": true", "\"old\": false,\n    \"new\": \"x\\n\"");
        assert_eq!(document.text(0).replace("\"ab\"", "\"a\\u0062\""), expected);
        document.remove("mine");
        assert!(document.get("mine").is_none() && document.get("ab").is_some());
        assert_eq!(Document::default().text(0), "{}");
    }

    #[test]
    fn a_document_does_not_print_its_values() {
        let document = Document::read(r#"{"refresh": "rt_1"}"#).expect("an object");
        assert_eq!(format!("{document:?}"), "[\"refresh\"]");
    }

    #[test]
    fn the_last_of_repeated_keys_counts() {
        let mut document = Document::read(r#"{"a": "1", "a": "2", "b": "", "c": 3}"#).expect("one");
        assert_eq!(document.string("a").as_deref(), Some("2"));
        assert_eq!((document.string("b"), document.string("c")), (None, None));
        document.set("a", "3");
        assert_eq!(document.string("a").as_deref(), Some("3"));
    }

    #[test]
    fn an_error_has_its_line_and_column() {
        let error = Document::read("{\n  \"a\": }").expect_err("no JSON");
        assert_eq!((error.line(), error.column()), (2, 8));
        for text in ["", "[]", "null", "{} {}", "{\"a\": 1"] {
            assert!(Document::read(text).is_err(), "{text}");
        }
    }
}
