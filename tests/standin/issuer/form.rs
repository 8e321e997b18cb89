//! Encoded names and values: queries, forms and flat JSON objects, parsed strictly and written
//! like a form (WHATWG URL, section 5).

use serde_json::Value;

use super::Recorded;

/// The digits of a percent-encoded byte.
const DIGITS: &[u8; 16] = b"0123456789ABCDEF";

/// The encoding of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Form,
    Json,
}

/// Names and their values, each name once. Every error is a sentence for the client.
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The query of a request's target.
    pub(super) fn query(target: &str) -> Result<Self, String> {
        let query = target.split_once('?').map_or("", |(_, query)| query);
        Self::form(query)
    }

    /// `name=value` pairs with `&` between them.
    pub(super) fn form(text: &str) -> Result<Self, String> {
        let mut fields = Self(Vec::new());
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.add(decode(name)?, decode(value)?)?;
        }
        Ok(fields)
    }

    /// A request's body, decoded according to its content type.
    pub(super) fn body(request: &Recorded) -> Result<(Self, Kind), String> {
        let content_type = request.header("content-type").unwrap_or_default();
        let essence = content_type.split(';').next().unwrap_or_default().trim();
        let text = std::str::from_utf8(&request.body).map_err(|_| "the body is not UTF-8")?;
        match essence.to_ascii_lowercase().as_str() {
            "application/x-www-form-urlencoded" => Ok((Self::form(text)?, Kind::Form)),
            "application/json" => Ok((Self::json(text)?, Kind::Json)),
            "" => Err("the content-type is missing".to_owned()),
            other => Err(format!("the content-type {other} is not supported")),
        }
    }

    fn json(text: &str) -> Result<Self, String> {
        let Ok(Value::Object(object)) = serde_json::from_str(text) else {
            return Err("the body is not a JSON object".to_owned());
        };
        let mut fields = Self(Vec::new());
        for (name, value) in object {
            match value {
                Value::String(value) => fields.add(name, value)?,
                Value::Null => {}
                _ => return Err(format!("{name} is not a string")),
            }
        }
        Ok(fields)
    }

    fn add(&mut self, name: String, value: String) -> Result<(), String> {
        if self.get(&name).is_some() {
            return Err(format!("{name} is given twice"));
        }
        self.0.push((name, value));
        Ok(())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A required value that is not empty.
    pub(super) fn need(&self, name: &str) -> Result<&str, String> {
        match self.get(name) {
            None => Err(format!("{name} is missing")),
            Some("") => Err(format!("{name} is empty")),
            Some(value) => Ok(value),
        }
    }

    /// A value that must be this one.
    pub(super) fn is(&self, name: &str, wanted: &str) -> Result<(), String> {
        let value = self.need(name)?;
        if value == wanted {
            return Ok(());
        }
        Err(format!("{name} is {value:?} and must be {wanted:?}"))
    }
}

/// Decodes a name or a value: `+` is a space, `%2B` a plus.
pub(super) fn decode(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digit = |at: usize| {
                    let byte = after.get(at)?;
                    char::from(*byte).to_digit(16)
                };
                let (Some(high), Some(low)) = (digit(0), digit(1)) else {
                    return Err("a percent sign is not followed by two digits".to_owned());
                };
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = &after[2..];
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| "what is percent-encoded is not UTF-8".to_owned())
}

/// The pairs as a query or a form.
pub(super) fn encode(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| format!("{}={}", escape(name), escape(value));
    pairs.iter().map(pair).collect::<Vec<_>>().join("&")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'*' => {
                out.push(char::from(byte));
            }
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.push(char::from(DIGITS[usize::from(byte >> 4)]));
                out.push(char::from(DIGITS[usize::from(byte & 15)]));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_of_a_space_are_decoded_and_forms_round_trip() {
        assert_eq!(decode("a+b%20c%2Bd").expect("it is well-formed"), "a b c+d");
        let odd = "a b+c&d=e%f/g?h#i~ü\n";
        let fields = Fields::form(&encode(&[("x y", odd)])).expect("it is well-formed");
        assert_eq!(fields.get("x y"), Some(odd));
    }

    #[test]
    fn malformed_forms_are_refused_with_a_message() {
        for text in ["a=%", "a=%4", "a=%zz", "a=%+1", "a=%ff", "a=1&a=2"] {
            assert!(Fields::form(text).is_err(), "{text}");
        }
        let fields = Fields::query("/p?a=&b=2").expect("it is well-formed");
        assert_eq!(fields.need("a"), Err("a is empty".to_owned()));
        assert_eq!(fields.need("c"), Err("c is missing".to_owned()));
        assert_eq!(
            fields.is("b", "3"),
            Err("b is \"2\" and must be \"3\"".to_owned())
        );
    }
}
