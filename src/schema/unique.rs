//! Parses JSON like `serde_json`, but rejects duplicate keys and anything around the value, so that programs in a
//! pipeline can rely on it. RFC 8259 (section 4) does not define which of two equal keys counts, and parsers differ, so
//! two readers of the same answer would see different values.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::words::escaped;

/// Why JSON text is rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The location in the value, as a JSON pointer (RFC 6901); empty for the whole text.
    pub at: String,
    /// What is wrong there, with line and column where that helps.
    pub why: String,
}

/// Parses one JSON value.
///
/// # Errors
/// When the text is not JSON, has anything around the value, or has a duplicate key.
pub fn parse(text: &str) -> Result<Value, Malformed> {
    let whole = |why: String| Malformed {
        at: String::new(),
        why,
    };
    let start = text.trim_start();
    if start.is_empty() {
        return Err(whole("it is empty".to_owned()));
    }
    if is_fence(start) {
        return Err(whole(
            "it is wrapped in a Markdown fence (```), but must be only JSON".to_owned(),
        ));
    }
    let mut state = HashState::default();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Seed(&mut state)
        .deserialize(&mut deserializer)
        .map_err(|error| Malformed {
            at: state.path.concat(),
            why: match (state.twice.take(), error.is_eof()) {
                (Some(key), _) => format!("duplicate key {key:?}"),
                (None, true) => format!("it is truncated: {error}"),
                (None, false) if !start.starts_with(BEGINNINGS) => {
                    "it begins with text, but must be only JSON".to_owned()
                }
                (None, false) => format!("it is not JSON: {error}"),
            },
        })?;
    if let Err(error) = deserializer.end() {
        let place = error.to_string();
        let place = place.split_once(" at ").map_or("", |(_, place)| place);
        let after = text
            .lines()
            .skip(error.line().saturating_sub(1))
            .any(|line| is_fence(line.trim_start()));
        let what = if after { "a Markdown fence" } else { "text" };
        return Err(whole(format!(
            "there is {what} after the JSON, at {place}, but it must be only JSON"
        )));
    }
    Ok(value)
}

/// The first characters of JSON values.
const BEGINNINGS: fn(char) -> bool =
    |c| matches!(c, '{' | '[' | '"' | '-' | '0'..='9' | 't' | 'f' | 'n');

fn is_fence(text: &str) -> bool {
    text.starts_with("```") || text.starts_with("~~~")
}

#[derive(Default)]
struct HashState {
    /// The segments of the JSON pointer, each with its slash; after an error, those of its location.
    path: Vec<String>,
    /// The duplicate key.
    twice: Option<String>,
}

struct Seed<'a>(&'a mut HashState);

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        loop {
            self.0.path.push(format!("/{}", list.len()));
            let Some(item) = items.next_element_seed(Seed(self.0))? else {
                break;
            };
            self.0.path.pop();
            list.push(item);
        }
        self.0.path.pop();
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            self.0.path.push(format!("/{}", escaped(&key)));
            if map.contains_key(&key) {
                self.0.twice = Some(key);
                return Err(A::Error::custom("twice"));
            }
            let value = fields.next_value_seed(Seed(self.0))?;
            self.0.path.pop();
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_json_gives_the_same_value_as_serde() {
        let check = |text: &str| {
            let expected: Value = serde_json::from_str(text).expect("JSON");
            assert_eq!(parse(text), Ok(expected), "{text}");
        };
        check(" {\"a\": [1, -2, 1.5, 1e300, 18446744073709551615, null, true, \"\\u00e9\\n\"]}\n");
        check("[]");
        check("[[], [[]], {\"\": {\"\": {}}}]");
        check("\"x\"");
        check("-0.0");
        check(&format!("{}{}", "[".repeat(127), "]".repeat(127)));
    }

    #[test]
    fn an_error_has_a_location_and_a_reason() {
        let check = |text: &str, at: &str, why: &str| {
            let malformed = parse(text).expect_err(text);
            assert_eq!((&*malformed.at, &*malformed.why), (at, why), "{text}");
        };
        check("{\"a\": 1, \"a\": 1}", "/a", "duplicate key \"a\"");
        check(
            "{\"a\": [{}, {\"b/c\": 1, \"d\": [1], \"b/c\": 2}]}",
            "/a/1/b~1c",
            "duplicate key \"b/c\"",
        );
        check("{\"\\u0061\": 1, \"a\": 1}", "/a", "duplicate key \"a\"");
        check(" \n", "", "it is empty");
        check(
            "\n```json\n{}\n```",
            "",
            "it is wrapped in a Markdown fence (```), but must be only JSON",
        );
        check(
            "{}\n```\n",
            "",
            "there is a Markdown fence after the JSON, at line 2 column 1, but it must be only JSON",
        );
        check(
            "{} {}",
            "",
            "there is text after the JSON, at line 1 column 4, but it must be only JSON",
        );
        check(
            "Here it is: {}",
            "",
            "it begins with text, but must be only JSON",
        );
        check(
            "\u{feff}{}",
            "",
            "it begins with text, but must be only JSON",
        );
        check(
            "{\"a\": [1, {\"b\": \"x",
            "/a/1/b",
            "it is truncated: EOF while parsing a string at line 1 column 18",
        );
        check(
            "{\"a\": [1, 2,]}",
            "/a/2",
            "it is not JSON: trailing comma at line 1 column 13",
        );
        check(
            "{\"a\": nul}",
            "/a",
            "it is not JSON: expected ident at line 1 column 10",
        );
        check(
            &"[".repeat(1000),
            &"/0".repeat(127),
            "it is not JSON: recursion limit exceeded at line 1 column 128",
        );
    }
}
