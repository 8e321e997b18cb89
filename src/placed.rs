//! JSON whose mistakes are told with their places.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A mistake in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The line, counted from 1.
    pub line: usize,
    /// The column in it, in characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
    /// The word that was not understood, and what there is.
    pub known: Option<(String, Vec<String>)>,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.what)
    }
}

/// Finds the places of what it reads.
pub(crate) struct Reader<'a> {
    text: &'a str,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text }
    }

    /// The fields, each a piece of the text.
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
        let Fields(fields) = serde_json::from_str(self.text).map_err(|error| {
            // Its column counts bytes; its words end with the place, which is told already.
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
        for (n, (key, value)) in fields.iter().enumerate() {
            if !known.contains(&key.as_str()) {
                // The key stands before its value.
                let before = &self.text[..self.offset(value.get())];
                let at = before.rfind(&format!("{key:?}")).unwrap_or(before.len());
                return Err(Mistake {
                    known: Some((
                        key.clone(),
                        known.iter().map(|&name| name.to_owned()).collect(),
                    )),
                    ..self.mistake(&self.text[at..], format!("there is no field {key:?}"))
                });
            }
            if fields[..n].iter().any(|(other, _)| other == key) {
                return Err(self.mistake(value.get(), format!("the field {key:?} is given twice")));
            }
        }
        Ok(fields)
    }

    pub(crate) fn typed<T: Deserialize<'a>>(
        &self,
        raw: &'a RawValue,
        wanted: &str,
    ) -> Result<T, Mistake> {
        serde_json::from_str(raw.get())
            .map_err(|_| self.mistake(raw.get(), format!("this must be {wanted}")))
    }

    /// Where a piece of the text begins, in bytes.
    fn offset(&self, piece: &str) -> usize {
        (piece.as_ptr().addr())
            .saturating_sub(self.text.as_ptr().addr())
            .min(self.text.len())
    }

    /// A mistake where this piece of the text begins.
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

/// An object's fields in their order, none dropped.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Fields<'de>;

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
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}
