//! The items that the client writes: user messages and tool outputs. Both may hold images, in the form that the model
//! accepts.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

/// How a model accepts images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageSupport {
    /// It does not accept images.
    Refused,
    /// Without a `detail` field.
    Bare,
    /// With this `detail`: `auto` or `original`.
    Detail(&'static str),
}

impl ImageSupport {
    /// An image as a content part; `None` if the model does not accept images.
    fn part(self, url: &str) -> Option<String> {
        let url = quoted(url);
        match self {
            Self::Refused => None,
            Self::Bare => Some(format!(r#"{{"type":"input_image","image_url":{url}}}"#)),
            Self::Detail(detail) => Some(format!(
                r#"{{"type":"input_image","image_url":{url},"detail":"{detail}"}}"#
            )),
        }
    }

    /// Gives every image in an item the form that this model requires, or replaces it by a placeholder. Returns whether the item
    /// changed.
    pub(super) fn adapt_images(self, item: &mut Value) -> bool {
        let mut changed = false;
        for place in PART_FIELDS {
            let parts = item.get_mut(place).and_then(Value::as_array_mut);
            for part in parts.into_iter().flatten().filter(|part| is_image(part)) {
                changed |= self.adapt(part);
            }
        }
        changed
    }

    fn adapt(self, image: &mut Value) -> bool {
        let word = match self {
            Self::Refused => {
                *image = json!({"type": "input_text", "text": IMAGE_OMITTED});
                return true;
            }
            Self::Detail(detail) => Some(Value::from(detail)),
            Self::Bare => None,
        };
        if image.get("detail") == word.as_ref() {
            return false;
        }
        if let Some(fields) = image.as_object_mut() {
            fields.remove("detail");
            fields.extend(word.map(|word| ("detail".to_owned(), word)));
        }
        true
    }
}

/// The fields of an item that hold parts.
const PART_FIELDS: [&str; 2] = ["content", "output"];

pub(super) fn is_image(part: &Value) -> bool {
    part["type"] == "input_image"
}

/// The URLs of an item's images, most of them data URLs.
pub(super) fn image_urls(item: &Value) -> impl Iterator<Item = &str> {
    let parts = PART_FIELDS
        .iter()
        .filter_map(|place| item[place].as_array());
    let images = parts.flatten().filter(|part| is_image(part));
    images.map(|part| part["image_url"].as_str().unwrap_or_default())
}

/// A user message, with images as data URLs.
#[must_use]
pub fn user_message(text: &str, images: &[String], takes: ImageSupport) -> Vec<u8> {
    message("user", text, images, takes).into_bytes()
}

/// A message with this role.
pub(super) fn message(role: &str, text: &str, images: &[String], takes: ImageSupport) -> String {
    let text = quoted(text);
    let mut content = format!(r#"{{"type":"input_text","text":{text}}}"#);
    for part in images.iter().filter_map(|url| takes.part(url)) {
        content.push(',');
        content.push_str(&part);
    }
    format!(r#"{{"type":"message","role":"{role}","content":[{content}]}}"#)
}

/// A model message as plain text, without an id.
#[must_use]
pub fn assistant_message(text: &str) -> Vec<u8> {
    let text = quoted(text);
    format!(r#"{{"type":"message","role":"assistant","content":{text}}}"#).into_bytes()
}

/// The type of an item that changes the reasoning effort.
pub const EFFORT_CHANGE: &str = "configuration_update";

/// Whether an item changes the reasoning effort.
#[must_use]
pub fn is_effort_change(item: &[u8]) -> bool {
    if memchr::memmem::find(item, EFFORT_CHANGE.as_bytes()).is_none() {
        return false;
    }
    let item: Value = serde_json::from_slice(item).unwrap_or_default();
    item["type"] == EFFORT_CHANGE
}

/// An item that changes the reasoning effort from this point on. Unlike a changed field of the request head, it keeps
/// the service's prompt cache valid.
#[must_use]
pub fn effort_change(effort: &str) -> Vec<u8> {
    let effort = quoted(effort);
    format!(r#"{{"type":"{EFFORT_CHANGE}","reasoning":{{"effort":{effort}}}}}"#).into_bytes()
}

/// Placeholder for a tool output that is empty or blank.
pub(super) const NO_OUTPUT: &str = "(no output)";

/// The output of a call: text, and images as data URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallOutput {
    /// The text. The service rejects an empty or blank output, so one is replaced by a placeholder.
    pub text: String,
    /// The images.
    pub images: Vec<String>,
}

/// Placeholder for an image that the model does not accept.
const IMAGE_OMITTED: &str = "(image omitted: this model accepts only text)";

/// The output of a tool call, as an item.
#[must_use]
pub fn call_output(call_id: &str, output: &CallOutput, takes: ImageSupport) -> Vec<u8> {
    let text = match &*output.text {
        text if text.trim().is_empty() => NO_OUTPUT,
        text => text,
    };
    let parts: Option<Vec<String>> = output.images.iter().map(|url| takes.part(url)).collect();
    let output = match parts.as_deref() {
        Some([]) => quoted(text),
        None => quoted(&format!("{text}\n{IMAGE_OMITTED}")),
        Some(parts) => {
            let (text, parts) = (quoted(text), parts.join(","));
            format!(r#"[{{"type":"input_text","text":{text}}},{parts}]"#)
        }
    };
    let call_id = quoted(call_id);
    format!(r#"{{"type":"function_call_output","call_id":{call_id},"output":{output}}}"#)
        .into_bytes()
}

/// The media type of an image that begins with these bytes, if models accept it.
#[must_use]
pub fn image_type(start: &[u8]) -> Option<&'static str> {
    match start {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => Some("image/gif"),
        [
            b'R',
            b'I',
            b'F',
            b'F',
            _,
            _,
            _,
            _,
            b'W',
            b'E',
            b'B',
            b'P',
            ..,
        ] => Some("image/webp"),
        _ => None,
    }
}

/// An image as a data URL; `None` if models do not accept it.
#[must_use]
pub fn data_url(image: &[u8]) -> Option<String> {
    let kind = image_type(image)?;
    Some(format!(
        "data:{kind};base64,{}",
        BASE64_STANDARD.encode(image)
    ))
}

/// A string as JSON.
///
/// # Panics
/// Never: every string has a JSON form.
#[must_use]
pub fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_items_are_json() {
        let item = |call_id: &str, text: &str, image: Option<&str>, takes| {
            let images = image.map(str::to_owned).into_iter().collect();
            let text = text.to_owned();
            String::from_utf8(call_output(call_id, &CallOutput { text, images }, takes))
                .expect("UTF-8")
        };
        let auto = ImageSupport::Detail("auto");
        assert_eq!(
            item("c\"1", "a\u{0}b", None, auto),
            r#"{"type":"function_call_output","call_id":"c\"1","output":"a\u0000b"}"#
        );
        for blank in ["", " \n", "\t", "\u{a0}"] {
            assert!(item("c", blank, None, auto).ends_with(r#""output":"(no output)"}"#));
        }
        let image = r#""output":[{"type":"input_text","text":"a"},{"type":"input_image","image_url":"data:x","detail":"auto"}]}"#;
        assert!(item("c", "a", Some("data:x"), auto).ends_with(image));
        let bare = r#",{"type":"input_image","image_url":"data:x"}]}"#;
        assert!(item("c", "a", Some("data:x"), ImageSupport::Bare).ends_with(bare));
        let output = CallOutput {
            text: "a".to_owned(),
            images: ["data:x", "data:y"].map(str::to_owned).to_vec(),
        };
        let two = String::from_utf8(call_output("c", &output, ImageSupport::Bare)).expect("UTF-8");
        assert!(two.ends_with(
            r#",{"type":"input_image","image_url":"data:x"},{"type":"input_image","image_url":"data:y"}]}"#
        ));
        let left_out = item("c", "a", Some("data:x"), ImageSupport::Refused);
        assert!(
            left_out.ends_with(r#""output":"a\n(image omitted: this model accepts only text)"}"#)
        );
    }

    #[test]
    fn images_are_recognized_by_their_first_bytes() {
        assert_eq!(image_type(b"\x89PNG\r\n\x1a\nrest"), Some("image/png"));
        assert_eq!(image_type(b"RIFF1234WEBPVP8 "), Some("image/webp"));
        assert_eq!(image_type(b"GIF89a"), Some("image/gif"));
        assert_eq!(image_type(b"\xff\xd8\xff\xe0"), Some("image/jpeg"));
        for no in [&b"PNG"[..], b"", b"RIFF1234WAVE", b"GIF88a"] {
            assert_eq!(image_type(no), None);
        }
    }

    #[test]
    fn images_follow_the_text_of_a_message() {
        let images = ["data:x".to_owned(), "data:y".to_owned()];
        let message_json =
            |takes| String::from_utf8(user_message("hi", &images, takes)).expect("UTF-8");
        let text =
            r#"{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}"#;
        assert_eq!(message_json(ImageSupport::Refused), format!("{text}]}}"));
        assert!(
            message_json(ImageSupport::Bare)
                .ends_with(r#",{"type":"input_image","image_url":"data:y"}]}"#)
        );
        assert!(
            message_json(ImageSupport::Detail("original"))
                .contains(r#""image_url":"data:x","detail":"original"},"#)
        );
    }
}
