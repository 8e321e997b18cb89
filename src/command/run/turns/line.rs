//! A line of standard input as what it requests (pure).

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;
use std::marker::PhantomData;

use crate::text::first_characters;

/// What a line requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InputLine {
    /// A turn with this message.
    User(InputMessage),
    /// A message for the running turn.
    Steer(InputMessage),
    /// The end of the running turn.
    Interrupt,
    /// Another model or effort, from the next turn on.
    Settings {
        model: Option<String>,
        effort: Option<String>,
    },
}

/// A message whose images are not read yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct InputMessage {
    pub(super) text: String,
    pub(super) images: Vec<InputImage>,
}

/// An image of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InputImage {
    /// In this file.
    File(String),
    /// In the line itself, encoded as base64.
    Base64(String),
}

/// The types of lines, in messages.
const TYPES: &str = "user, steer, interrupt and settings";

/// The maximum number of images or blocks of a message.
const MAX_PARTS: usize = 1000;

/// The maximum length of the name of a model or an effort, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// The maximum number of characters of a line that a message quotes.
const MAX_QUOTED_CHARACTERS: usize = 100;

/// The fields of a line. Other fields are skipped without being kept, so a line takes little more memory than its size.
#[derive(Default, Deserialize)]
#[serde(default)]
struct LineFields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    images: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow)]
    model: Option<&'a RawValue>,
    #[serde(borrow)]
    effort: Option<&'a RawValue>,
}

/// A message in the form of Claude Code.
#[derive(Default, Deserialize)]
#[serde(default)]
struct MessageFields<'a> {
    #[serde(borrow)]
    role: Option<&'a RawValue>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

/// A block of such a message.
#[derive(Default, Deserialize)]
#[serde(default)]
struct BlockFields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    #[serde(borrow)]
    source: Option<&'a RawValue>,
}

/// The source of an image.
#[derive(Default, Deserialize)]
#[serde(default)]
struct SourceFields<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

/// Parses a line; `None` if it is blank.
///
/// # Errors
/// Why it cannot be used.
pub(super) fn parse(line: &[u8]) -> Result<Option<InputLine>, String> {
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let line = std::str::from_utf8(line)
        .map_err(|error| format!("it is not UTF-8 at byte {}", error.valid_up_to()))?;
    let raw: &RawValue = serde_json::from_str(line)
        .map_err(|error| format!("it is not valid JSON at column {}", error.column()))?;
    let fields: LineFields<'_> = object(raw).ok_or("it is not a JSON object")?;
    let kind = string(fields.kind, "type")?
        .ok_or_else(|| format!("it has no \"type\"; the types are {TYPES}"))?;
    match &*kind {
        "user" => message(&fields).map(InputLine::User),
        "steer" => message(&fields).map(InputLine::Steer),
        "interrupt" => Ok(InputLine::Interrupt),
        "settings" => {
            let (model, effort) = (name(fields.model, "model")?, name(fields.effort, "effort")?);
            if model.is_none() && effort.is_none() {
                return Err("it has neither \"model\" nor \"effort\"".to_owned());
            }
            Ok(InputLine::Settings { model, effort })
        }
        other => Err(format!(
            "its type {:?} is unknown; the types are {TYPES}",
            first_characters(other, MAX_QUOTED_CHARACTERS)
        )),
    }
    .map(Some)
}

/// A JSON object's fields; `None` if it is not an object. An array would be accepted as the fields in order.
fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    let raw = raw.get();
    raw.starts_with('{')
        .then(|| serde_json::from_str(raw).ok())?
}

/// A field, unless it is `null`.
fn given(field: Option<&RawValue>) -> Option<&RawValue> {
    field.filter(|raw| raw.get() != "null")
}

/// The string in the field of this name, if there is one.
fn string(field: Option<&RawValue>, name: &str) -> Result<Option<String>, String> {
    let Some(raw) = given(field) else {
        return Ok(None);
    };
    let text = serde_json::from_str(raw.get());
    text.map(Some)
        .map_err(|_| format!("its {name:?} is not a string"))
}

/// The name of a model or an effort.
fn name(field: Option<&RawValue>, name: &str) -> Result<Option<String>, String> {
    match string(field, name)? {
        Some(text) if text.len() > MAX_NAME_BYTES => Err(format!(
            "its {name:?} is longer than {MAX_NAME_BYTES} bytes"
        )),
        text => Ok(text),
    }
}

/// A message, in our form or in that of Claude Code, which has a `message` with a `content`.
fn message(fields: &LineFields<'_>) -> Result<InputMessage, String> {
    let mut message = match given(fields.message) {
        Some(message) => content(message)?,
        None => InputMessage {
            text: string(fields.text, "text")?.ok_or("it has no \"text\"")?,
            images: Vec::new(),
        },
    };
    message.images.extend(files(fields.images)?);
    if message.text.trim().is_empty() && message.images.is_empty() {
        return Err("its message is empty".to_owned());
    }
    Ok(message)
}

/// The image files of a message.
fn files(field: Option<&RawValue>) -> Result<Vec<InputImage>, String> {
    let Some(raw) = given(field) else {
        return Ok(Vec::new());
    };
    let Bounded(files): Bounded<String> = serde_json::from_str(raw.get())
        .map_err(|_| format!("its \"images\" is not an array of at most {MAX_PARTS} file names"))?;
    Ok(files.into_iter().map(InputImage::File).collect())
}

/// The content of a message in the form of Claude Code: a string, or blocks of text and images.
fn content(message: &RawValue) -> Result<InputMessage, String> {
    let fields: MessageFields<'_> = object(message).ok_or("its \"message\" is not an object")?;
    let role = string(fields.role, "role")?;
    if role.is_some_and(|role| role != "user") {
        return Err("the role of its message is not \"user\"".to_owned());
    }
    let content = given(fields.content).ok_or("its message has no \"content\"")?;
    if let Ok(text) = serde_json::from_str(content.get()) {
        return Ok(InputMessage {
            text,
            images: Vec::new(),
        });
    }
    let Bounded(blocks): Bounded<&RawValue> = serde_json::from_str(content.get()).map_err(|_| {
        format!("the \"content\" of its message is neither a string nor an array of at most {MAX_PARTS} blocks")
    })?;
    let mut texts = Vec::new();
    let mut images = Vec::new();
    for block in blocks {
        let block: BlockFields<'_> = object(block).unwrap_or_default();
        let kind = string(block.kind, "type")?.unwrap_or_default();
        let source: SourceFields<'_> = block.source.and_then(object).unwrap_or_default();
        let is_base64 = string(source.kind, "type")?.as_deref() == Some("base64");
        match (&*kind, string(block.text, "text")?) {
            ("text", Some(text)) => texts.push(text),
            ("image", _) if is_base64 => {
                let data = string(source.data, "data")?.unwrap_or_default();
                images.push(InputImage::Base64(data));
            }
            (kind, _) => {
                return Err(format!(
                    "its message has a block of type {:?}, which cannot be sent: use text, or an image in base64",
                    first_characters(kind, MAX_QUOTED_CHARACTERS)
                ));
            }
        }
    }
    Ok(InputMessage {
        text: texts.join("\n"),
        images,
    })
}

/// An array of at most `MAX_PARTS` elements.
struct Bounded<T>(Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Bounded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Elements<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
            type Value = Vec<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<T>, A::Error> {
                let mut elements = Vec::new();
                while let Some(element) = from.next_element()? {
                    if elements.len() == MAX_PARTS {
                        return Err(A::Error::custom("it has too many elements"));
                    }
                    elements.push(element);
                }
                Ok(elements)
            }
        }

        deserializer
            .deserialize_seq(Elements(PhantomData))
            .map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Result<Option<InputLine>, &str>) {
        assert_eq!(
            parse(line.as_bytes()),
            expected.map_err(str::to_owned),
            "{line}"
        );
    }

    fn user(text: &str, images: &[InputImage]) -> Result<Option<InputLine>, &'static str> {
        Ok(Some(InputLine::User(InputMessage {
            text: text.to_owned(),
            images: images.to_vec(),
        })))
    }

    #[test]
    fn lines_that_can_be_used() {
        check(r#"{"type":"user","text":"a"}"#, user("a", &[]));
        check(
            "  {\"type\":\"user\",\"text\":\" a\\n\",\"id\":1,\"images\":null}\r",
            user(" a\n", &[]),
        );
        let image = InputImage::File("a.png".to_owned());
        check(
            r#"{"type":"user","text":"","images":["a.png"]}"#,
            user("", &[image]),
        );
        check(
            r#"{"type":"user","message":{"role":"user","content":"a"},"session_id":""}"#,
            user("a", &[]),
        );
        let image = InputImage::Base64("AAAA".to_owned());
        check(
            r#"{"type":"user","message":{"content":[{"type":"text","text":"a"},{"type":"text","text":"b"},
                {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]}}"#,
            user("a\nb", &[image]),
        );
        let steer = InputLine::Steer(InputMessage {
            text: "b".to_owned(),
            images: Vec::new(),
        });
        check(r#"{"type":"steer","text":"b"}"#, Ok(Some(steer)));
        check(r#"{"type":"interrupt"}"#, Ok(Some(InputLine::Interrupt)));
        let settings = InputLine::Settings {
            model: None,
            effort: Some("high".to_owned()),
        };
        check(
            r#"{"type":"settings","model":null,"effort":"high"}"#,
            Ok(Some(settings)),
        );
        check("", Ok(None));
        check(" \t\r", Ok(None));
    }

    #[test]
    fn lines_that_cannot_be_used_say_why() {
        let check = |line: &str, why: &str| check(line, Err(why));
        check("hello", "it is not valid JSON at column 1");
        check("[]", "it is not a JSON object");
        check(
            "{}",
            "it has no \"type\"; the types are user, steer, interrupt and settings",
        );
        check(r#"{"type":1}"#, "its \"type\" is not a string");
        check(
            r#"{"type":"stop"}"#,
            "its type \"stop\" is unknown; the types are user, steer, interrupt and settings",
        );
        check(r#"{"type":"user"}"#, "it has no \"text\"");
        check(r#"{"type":"user","text":" "}"#, "its message is empty");
        check(r#"{"type":"steer","text":""}"#, "its message is empty");
        check(
            r#"{"type":"user","text":"a","images":"a.png"}"#,
            "its \"images\" is not an array of at most 1000 file names",
        );
        check(
            r#"{"type":"settings"}"#,
            "it has neither \"model\" nor \"effort\"",
        );
        check(
            r#"{"type":"user","message":{}}"#,
            "its message has no \"content\"",
        );
        check(
            r#"{"type":"user","message":{"role":"assistant","content":"a"}}"#,
            "the role of its message is not \"user\"",
        );
        check(
            r#"{"type":"user","message":{"content":[{"type":"tool_result"}]}}"#,
            "its message has a block of type \"tool_result\", which cannot be sent: use text, or an image in base64",
        );
        check(
            r#"{"type":"user","message":1}"#,
            "its \"message\" is not an object",
        );
        let long = format!(r#"{{"type":"settings","model":"{}"}}"#, "a".repeat(257));
        check(&long, "its \"model\" is longer than 256 bytes");
        let many = format!(
            r#"{{"type":"user","text":"a","images":["a"{}]}}"#,
            r#","a""#.repeat(1000)
        );
        check(
            &many,
            "its \"images\" is not an array of at most 1000 file names",
        );
        let not_text = parse(b"{\"type\":\"user\",\"text\":\"\xff\"}");
        assert_eq!(not_text, Err("it is not UTF-8 at byte 23".to_owned()));
    }
}
