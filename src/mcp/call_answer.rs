//! The answer of a server to the call of a tool: its texts and pictures for the model, and its content as a program
//! reads it. Links are named and never followed.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::text::one_line;

/// Maximum number of pictures in an answer. The others are named.
const MAX_PICTURES: usize = 8;

/// Maximum size of the content that is passed on as it is, in bytes of JSON.
const MAX_CONTENT_BYTES: usize = 64 << 10;

/// The answer to a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CallAnswer {
    /// The text for the model, of any length.
    pub text: String,
    /// The pictures for the model.
    pub pictures: Vec<Picture>,
    /// The tool has failed.
    pub is_error: bool,
    /// The content as the server wrote it, unless it is too large.
    pub content: Option<Value>,
    /// The structured content, unless it is too large.
    pub structured: Option<Value>,
}

/// A picture in an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its type, as the server states it.
    pub kind: String,
    /// Its bytes in base64, as the server wrote them.
    pub data: String,
}

#[derive(Deserialize)]
struct AnswerFields<'a> {
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "structuredContent")]
    structured: Option<&'a RawValue>,
    #[serde(default, rename = "isError")]
    is_error: Option<bool>,
    #[serde(borrow, default, rename = "resultType")]
    result_type: Option<Cow<'a, str>>,
}

/// A block of content, of any type.
#[derive(Deserialize)]
struct ContentBlock<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    data: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "mimeType")]
    mime: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    uri: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    description: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    resource: Option<EmbeddedResource<'a>>,
}

#[derive(Deserialize)]
struct EmbeddedResource<'a> {
    #[serde(borrow, default)]
    uri: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    blob: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "mimeType")]
    mime: Option<Cow<'a, str>>,
}

impl CallAnswer {
    /// An answer that says why the call failed.
    #[must_use]
    pub fn failed(text: String) -> Self {
        Self {
            text,
            is_error: true,
            ..Self::default()
        }
    }

    /// Parses the result of `tools/call`. One that cannot be read is a failed call.
    pub(super) fn parse(raw: &RawValue) -> Self {
        let Ok(fields) = serde_json::from_str::<AnswerFields<'_>>(raw.get()) else {
            return Self::failed("the server's answer could not be read".to_owned());
        };
        match fields.result_type.as_deref() {
            None | Some("complete") => {}
            Some("input_required") => {
                let text = "the server asks for further input, which is not supported";
                return Self::failed(text.to_owned());
            }
            Some(other) => {
                let text = format!(
                    "the server's answer is of an unknown type: {}",
                    short(other)
                );
                return Self::failed(text);
            }
        }
        let small = |raw: &&RawValue| raw.get().len() <= MAX_CONTENT_BYTES;
        let value = |raw: &RawValue| serde_json::from_str(raw.get()).ok();
        let mut answer = Self {
            is_error: fields.is_error.unwrap_or_default(),
            content: fields.content.filter(small).and_then(value),
            structured: fields.structured.filter(small).and_then(value),
            ..Self::default()
        };
        let content = fields.content.map_or("[]", RawValue::get);
        let blocks: Vec<&RawValue> = serde_json::from_str(content).unwrap_or_default();
        for block in &blocks {
            answer.add(block);
        }
        if blocks.is_empty() {
            let structured = fields.structured.map(RawValue::get);
            answer.text.push_str(structured.unwrap_or_default());
        }
        answer
    }

    fn add(&mut self, raw: &RawValue) {
        let Ok(block) = serde_json::from_str::<ContentBlock<'_>>(raw.get()) else {
            return self.line("[content that could not be read]");
        };
        let mime = block.mime.as_deref().map(short).unwrap_or_default();
        match (&*block.kind, block.text, block.data, block.resource) {
            ("text", Some(text), ..) => self.line(&text),
            ("image", _, Some(data), _) if self.pictures.len() < MAX_PICTURES => {
                self.pictures.push(Picture {
                    kind: mime,
                    data: data.into_owned(),
                });
            }
            ("image" | "audio", _, Some(data), _) => {
                let (kind, bytes) = (&block.kind, bytes_of(&data));
                self.line(&format!("[{kind} {mime}, {bytes} bytes: not shown]"));
            }
            ("resource_link", ..) => {
                let words = [&block.name, &block.uri, &block.description];
                let words = words.into_iter().flatten().map(|word| short(word));
                let words: Vec<String> = words.filter(|word| !word.is_empty()).collect();
                self.line(&format!("[link, not opened: {}]", words.join(" ")));
            }
            ("resource", _, _, Some(resource)) => {
                let uri = short(&resource.uri);
                let mime = resource.mime.as_deref().map(short).unwrap_or_default();
                match (resource.text, resource.blob) {
                    (Some(text), _) => self.line(&format!("[{uri}]\n{text}")),
                    (None, blob) => {
                        let bytes = bytes_of(&blob.unwrap_or_default());
                        self.line(&format!("[{uri}: {mime}, {bytes} bytes: not shown]"));
                    }
                }
            }
            (kind, ..) => self.line(&format!("[content of type {}: not shown]", short(kind))),
        }
    }

    /// Adds text, on a line of its own.
    pub fn line(&mut self, text: &str) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push_str(text);
    }
}

/// A word of a server inside a sentence.
fn short(text: &str) -> String {
    crate::text::shortened(&one_line(text), 300).into_owned()
}

/// How many bytes this base64 text stands for.
fn bytes_of(data: &str) -> usize {
    data.trim_end_matches('=').len() * 3 / 4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> CallAnswer {
        CallAnswer::parse(serde_json::from_str(text).expect("JSON"))
    }

    #[test]
    fn texts_are_joined_and_the_rest_is_named() {
        let check = |content: &str, expected: &str| {
            let answer = parse(&format!(r#"{{"content":[{content}]}}"#));
            assert_eq!(
                (&*answer.text, answer.is_error),
                (expected, false),
                "{content}"
            );
        };
        check("", "");
        check(
            r#"{"type":"text","text":"a"},{"type":"text","text":"b\n"},{"type":"text","text":"c"}"#,
            "a\nb\nc",
        );
        check(
            r#"{"type":"audio","data":"AAAA","mimeType":"audio/wav"}"#,
            "[audio audio/wav, 3 bytes: not shown]",
        );
        check(
            r#"{"type":"resource_link","uri":"http://127.0.0.1/x","name":"X","mimeType":"a/b"}"#,
            "[link, not opened: X http://127.0.0.1/x]",
        );
        check(
            r#"{"type":"resource","resource":{"uri":"file:///a","text":"A"}}"#,
            "[file:///a]\nA",
        );
        check(
            r#"{"type":"resource","resource":{"uri":"demo://b","mimeType":"image/png","blob":"AAAAAA=="}}"#,
            "[demo://b: image/png, 4 bytes: not shown]",
        );
        check(
            r#"{"type":"new\u001b","text":"a"}"#,
            "[content of type new^[: not shown]",
        );
        check(
            r#"{"type":"text"},7,{}"#,
            "[content of type text: not shown]\n[content that could not be read]\n[content that could not be read]",
        );
        check(r#"{"type":"image"}"#, "[content of type image: not shown]");
    }

    #[test]
    fn pictures_are_limited_in_number() {
        let picture = r#"{"type":"image","data":"AAAA","mimeType":"image/png"}"#;
        let answer = parse(&format!(r#"{{"content":[{}]}}"#, [picture; 10].join(",")));
        assert_eq!(answer.pictures.len(), MAX_PICTURES);
        assert_eq!(answer.text.lines().count(), 2);
        assert_eq!(
            (&*answer.pictures[0].kind, &*answer.pictures[0].data),
            ("image/png", "AAAA")
        );
    }

    #[test]
    fn failures_and_structured_content_are_facts() {
        let check = |text: &str, expected: &str, is_error: bool| {
            let answer = parse(text);
            assert_eq!(
                (&*answer.text, answer.is_error),
                (expected, is_error),
                "{text}"
            );
        };
        check(
            r#"{"content":[{"type":"text","text":"no"}],"isError":true}"#,
            "no",
            true,
        );
        check(r#"{"structuredContent":{"a": 1}}"#, r#"{"a": 1}"#, false);
        check(r#"{"content":[],"resultType":"complete"}"#, "", false);
        check(
            r#"{"resultType":"input_required"}"#,
            "the server asks for further input, which is not supported",
            true,
        );
        check(
            r#"{"resultType":"task"}"#,
            "the server's answer is of an unknown type: task",
            true,
        );
        check("7", "the server's answer could not be read", true);
        check(
            r#"{"isError":"yes"}"#,
            "the server's answer could not be read",
            true,
        );
        let answer =
            parse(r#"{"content":[{"type":"text","text":"a","_meta":{}}],"structuredContent":[1]}"#);
        assert_eq!(
            answer.content,
            Some(serde_json::json!([{"type": "text", "text": "a", "_meta": {}}]))
        );
        assert_eq!(answer.structured, Some(serde_json::json!([1])));
        let long = format!(
            r#"{{"content":[{{"type":"text","text":"{}"}}]}}"#,
            "x".repeat(MAX_CONTENT_BYTES)
        );
        let answer = parse(&long);
        assert_eq!(
            (answer.content, answer.text.len()),
            (None, MAX_CONTENT_BYTES)
        );
    }
}
