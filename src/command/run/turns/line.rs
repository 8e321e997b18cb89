//! A line of standard input as what it requests (pure).

use serde_json::{Map, Value};

/// What a line requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum InputLine {
    /// A turn with this message.
    User {
        text: String,
        images: Vec<InputImage>,
    },
    /// A message for the running turn.
    Steer { text: String },
    /// The end of the running turn.
    Interrupt,
    /// Another model or effort, from the next turn on.
    Settings {
        model: Option<String>,
        effort: Option<String>,
    },
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
    let value: Value = serde_json::from_str(line)
        .map_err(|error| format!("it is not valid JSON at column {}", error.column()))?;
    let Value::Object(fields) = value else {
        return Err("it is not a JSON object".to_owned());
    };
    let kind = string(&fields, "type")?
        .ok_or_else(|| format!("it has no \"type\"; the types are {TYPES}"))?;
    match kind {
        "user" => user(&fields),
        "steer" => match text(&fields)? {
            text if text.trim().is_empty() => Err("its \"text\" is empty".to_owned()),
            text => Ok(InputLine::Steer { text }),
        },
        "interrupt" => Ok(InputLine::Interrupt),
        "settings" => {
            let model = string(&fields, "model")?.map(str::to_owned);
            let effort = string(&fields, "effort")?.map(str::to_owned);
            if model.is_none() && effort.is_none() {
                return Err("it has neither \"model\" nor \"effort\"".to_owned());
            }
            Ok(InputLine::Settings { model, effort })
        }
        other => Err(format!(
            "its type {other:?} is unknown; the types are {TYPES}"
        )),
    }
    .map(Some)
}

/// A message, in our form or in that of Claude Code, which has a `message` with a `content`.
fn user(fields: &Map<String, Value>) -> Result<InputLine, String> {
    let (text, images) = match fields.get("message") {
        Some(message) => content(message)?,
        None => (text(fields)?, files(fields)?),
    };
    if text.trim().is_empty() && images.is_empty() {
        return Err("its message is empty".to_owned());
    }
    Ok(InputLine::User { text, images })
}

/// The field of this name, if it is there and not `null`.
fn string<'a>(fields: &'a Map<String, Value>, name: &str) -> Result<Option<&'a str>, String> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("its {name:?} is not a string")),
    }
}

fn text(fields: &Map<String, Value>) -> Result<String, String> {
    let text = string(fields, "text")?.ok_or("it has no \"text\"")?;
    Ok(text.to_owned())
}

/// The image files of a message.
fn files(fields: &Map<String, Value>) -> Result<Vec<InputImage>, String> {
    const WRONG: &str = "its \"images\" is not an array of file names";
    match fields.get("images") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(files)) => files
            .iter()
            .map(|file| {
                let file = file.as_str().ok_or(WRONG)?;
                Ok(InputImage::File(file.to_owned()))
            })
            .collect(),
        Some(_) => Err(WRONG.to_owned()),
    }
}

/// The content of a message in the form of Claude Code: a string, or blocks of text and images.
fn content(message: &Value) -> Result<(String, Vec<InputImage>), String> {
    if message["role"].as_str().is_some_and(|role| role != "user") {
        return Err("the role of its message is not \"user\"".to_owned());
    }
    let blocks = match &message["content"] {
        Value::String(text) => return Ok((text.clone(), Vec::new())),
        Value::Array(blocks) => blocks,
        _ => return Err("its message has no \"content\"".to_owned()),
    };
    let mut texts = Vec::new();
    let mut images = Vec::new();
    for block in blocks {
        let source = &block["source"];
        match (
            &block["type"],
            &block["text"],
            &source["type"],
            &source["data"],
        ) {
            (Value::String(kind), Value::String(text), ..) if kind == "text" => {
                texts.push(text.as_str());
            }
            (Value::String(kind), _, Value::String(encoding), Value::String(data))
                if kind == "image" && encoding == "base64" =>
            {
                images.push(InputImage::Base64(data.clone()));
            }
            (kind, ..) => {
                return Err(format!(
                    "its message has a block of type {kind}, which cannot be sent: use text, or an image in base64"
                ));
            }
        }
    }
    Ok((texts.join("\n"), images))
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
        Ok(Some(InputLine::User {
            text: text.to_owned(),
            images: images.to_vec(),
        }))
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
        let steer = InputLine::Steer {
            text: "b".to_owned(),
        };
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
        check(r#"{"type":"steer","text":""}"#, "its \"text\" is empty");
        check(
            r#"{"type":"user","text":"a","images":"a.png"}"#,
            "its \"images\" is not an array of file names",
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
        let not_text = parse(b"{\"type\":\"user\",\"text\":\"\xff\"}");
        assert_eq!(not_text, Err("it is not UTF-8 at byte 23".to_owned()));
    }
}
