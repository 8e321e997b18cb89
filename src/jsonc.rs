//! JSON with comments, and errors with line and column.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

/// An error in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// The unknown word, and the known ones.
    pub known: Option<(String, Vec<String>)>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

/// The text as plain JSON: `//` comments and trailing commas become blanks, so that every position stays the same.
pub(crate) fn plain(text: &str) -> String {
    let mut plain: Vec<char> = Vec::with_capacity(text.len());
    let (mut quoted, mut comma) = (false, None);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if quoted {
            plain.push(c);
            match c {
                '\\' => plain.extend(chars.next()),
                '"' => quoted = false,
                _ => {}
            }
            continue;
        }
        if c == '/' && chars.peek() == Some(&'/') {
            plain.push(' ');
            while let Some(comment_char) = chars.next_if(|c| *c != '\n') {
                plain.push(if comment_char == '\r' { '\r' } else { ' ' });
            }
            continue;
        }
        match c {
            '"' => quoted = true,
            ',' => comma = Some(plain.len()),
            ']' | '}' => {
                if let Some(at) = comma {
                    plain[at] = ' ';
                }
            }
            _ => {}
        }
        if !c.is_whitespace() && c != ',' {
            comma = None;
        }
        plain.push(c);
    }
    plain.into_iter().collect()
}

/// A parser that knows the position of each value.
pub(crate) struct PositionReader<'a> {
    text: &'a str,
}

impl<'a> PositionReader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text }
    }

    /// The fields, each a slice of the text.
    pub(crate) fn fields(&self, known: &[&str]) -> Result<Vec<(String, &'a RawValue)>, Mistake> {
        if self.text.trim().is_empty() {
            return Err(self.mistake(self.text, "the file is empty".to_owned()));
        }
        if self.text.starts_with('\u{feff}') {
            return Err(self.mistake(
                self.text,
                "it begins with a byte order mark, which JSON does not allow".to_owned(),
            ));
        }
        let ObjectFields(fields) = serde_json::from_str(self.text).map_err(|error| {
            // serde's column counts bytes, and its message ends with the position, which is reported anyway.
            let line = self
                .text
                .split('\n')
                .nth(error.line().max(1) - 1)
                .unwrap_or_default();
            let before = line.get(..error.column().saturating_sub(1)).unwrap_or(line);
            Mistake {
                line: error.line().max(1),
                column: before.chars().count() + 1,
                what: error
                    .to_string()
                    .split(" at line ")
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                known: None,
            }
        })?;
        self.check(&fields, Some(known))?;
        Ok(fields)
    }

    /// The fields of a nested object; any name is accepted if `known` is empty.
    pub(crate) fn object(
        &self,
        raw: &'a RawValue,
        known: Option<&[&str]>,
    ) -> Result<Vec<(String, &'a RawValue)>, Mistake> {
        let ObjectFields(fields) = self.typed(raw, "an object")?;
        self.check(&fields, known)?;
        Ok(fields)
    }

    fn check(
        &self,
        fields: &[(String, &'a RawValue)],
        known: Option<&[&str]>,
    ) -> Result<(), Mistake> {
        for (n, (key, value)) in fields.iter().enumerate() {
            let known = known.filter(|known| !known.contains(&key.as_str()));
            if let Some(known) = known {
                // The key precedes its value.
                let before = &self.text[..self.offset(value.get())];
                let at = before.rfind(&format!("{key:?}")).unwrap_or(before.len());
                return Err(Mistake {
                    known: Some((
                        key.clone(),
                        known.iter().map(|&name| name.to_owned()).collect(),
                    )),
                    ..self.mistake(&self.text[at..], format!("unknown field {key:?}"))
                });
            }
            if fields[..n].iter().any(|(other, _)| other == key) {
                return Err(self.mistake(value.get(), format!("duplicate field {key:?}")));
            }
        }
        Ok(())
    }

    pub(crate) fn typed<T: Deserialize<'a>>(
        &self,
        raw: &'a RawValue,
        wanted: &str,
    ) -> Result<T, Mistake> {
        serde_json::from_str(raw.get())
            .map_err(|_| self.mistake(raw.get(), format!("this must be {wanted}")))
    }

    /// The offset in bytes of a slice of the text.
    fn offset(&self, piece: &str) -> usize {
        (piece.as_ptr().addr())
            .saturating_sub(self.text.as_ptr().addr())
            .min(self.text.len())
    }

    /// An error at the start of this slice of the text.
    pub(crate) fn mistake(&self, piece: &str, what: String) -> Mistake {
        let before = &self.text[..self.offset(piece)];
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        Mistake {
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            what,
            known: None,
        }
    }
}

/// The fields of an object in their order, duplicates included.
struct ObjectFields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for ObjectFields<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = ObjectFields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: serde::de::MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    fields.push(entry);
                }
                Ok(ObjectFields(fields))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_become_blanks() {
        let check = |text: &str, expected: &str| assert_eq!(plain(text), expected, "{text}");
        check("{\"a\": 1, // \u{e9}\n}", "{\"a\": 1      \n}");
        check("[1, 2 , ]", "[1, 2   ]");
        check(
            r#"{"u": "http://x,]", "q": "\",}"}"#,
            r#"{"u": "http://x,]", "q": "\",}"}"#,
        );
        check("[1, 2]", "[1, 2]");
        check("{,}", "{ }");
    }

    #[test]
    fn a_nested_error_has_its_position_in_the_file() {
        let text = "{\n \"a\": {\"b\": 1, \"c\": 2}}";
        let reader = PositionReader::new(text);
        let fields = reader.fields(&["a"]).expect("fields");
        let wrong = reader.object(fields[0].1, Some(&["b"])).map(drop);
        assert_eq!(
            wrong.map_err(|m| m.to_string()),
            Err("2:16: unknown field \"c\"".to_owned())
        );
        assert!(reader.object(fields[0].1, None).is_ok());
    }
}
