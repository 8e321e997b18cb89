//! The JSON body of a request, in the shapes that models want. It is one run of bytes with `input` as its last field:
//! the head is written once, each item is appended as the bytes it came in, and the closing `]}` is cut off and put back.

use serde_json::Value;
use serde_json::value::RawValue;

use super::input::{self, Output, Pictures};
use super::replay::{self, Recipient};
use super::request_head::{Head, Shape};

const CLOSE: &[u8] = b"]}";

/// A request's body, complete at every moment.
#[derive(Clone, Debug)]
pub struct Body {
    bytes: Vec<u8>,
    shape: Shape,
    takes: Pictures,
    /// Where the items of the conversation begin.
    begin: usize,
    /// Nothing stands before the next item.
    empty: bool,
    /// About how many tokens it has, and how many of them were there before the first item of the conversation.
    tokens: u64,
    of_head: u64,
}

/// About how many tokens this many bytes of text are: it is four for English and for code. Where it is less, the model's
/// own count is higher, and its service says so.
#[must_use]
pub fn estimate(bytes: usize) -> u64 {
    bytes as u64 / 4
}

/// About how many tokens a picture is.
const PICTURE: u64 = 1000;

impl Body {
    /// The body without an item of the conversation.
    #[must_use]
    pub fn new(head: &Head<'_>) -> Self {
        let mut bytes = head.json().into_bytes();
        let begin = bytes.len();
        let empty = bytes.ends_with(b"[");
        let tokens = estimate(begin);
        bytes.extend_from_slice(CLOSE);
        Self {
            bytes,
            shape: head.shape,
            takes: head.takes(),
            begin,
            empty,
            tokens,
            of_head: tokens,
        }
    }

    /// Adds an item, as the bytes that it is.
    pub fn push(&mut self, item: &[u8]) {
        self.tokens += estimate(item.len());
        self.bytes.truncate(self.bytes.len() - CLOSE.len());
        if !self.empty {
            self.bytes.push(b',');
        }
        self.empty = false;
        self.bytes.extend_from_slice(item);
        self.bytes.extend_from_slice(CLOSE);
    }

    /// Adds what the user says, with pictures as data URLs; the item.
    pub fn push_message(&mut self, text: &str, pictures: &[String]) -> Vec<u8> {
        let before = self.tokens;
        let item = input::user_message(text, pictures, self.takes);
        self.push(&item);
        // Escapes are no text, and pictures are not read as one.
        self.tokens = before + estimate(text.len()) + PICTURE * pictures.len() as u64;
        item
    }

    /// Adds what a tool answered; the item.
    pub fn push_output(&mut self, call_id: &str, output: &Output) -> Vec<u8> {
        let before = self.tokens;
        let item = input::call_output(call_id, output, self.takes);
        self.push(&item);
        self.tokens =
            before + estimate(output.text.len()) + output.image.iter().count() as u64 * PICTURE;
        item
    }

    /// Adds an item of an earlier run, whose pictures may have been sent to a model that takes them in another way.
    pub fn push_stored(&mut self, item: &[u8]) {
        if !holds(item, b"input_image") {
            return self.push(item);
        }
        let before = self.tokens;
        match serde_json::from_slice::<Value>(item) {
            Ok(mut read) => {
                self.takes.relook_all(&mut read);
                self.push(read.to_string().as_bytes());
            }
            Err(_) => self.push(item),
        }
        self.tokens = before + PICTURE;
    }

    /// Leaves out the reasoning of earlier answers, and what ties their other items to it.
    pub fn leave_reasoning_out(&mut self) {
        let head = self.bytes[..self.begin].to_vec();
        let items = self.items();
        self.bytes = head;
        self.empty = self.bytes.ends_with(b"[");
        self.bytes.extend_from_slice(CLOSE);
        let tokens = std::mem::replace(&mut self.tokens, self.of_head);
        for item in items {
            if let Some(item) = replay::without_reasoning(item.get().as_bytes(), Recipient::Same) {
                self.push(&item);
            }
        }
        // A picture was counted as one before, and not by its bytes.
        self.tokens = self.tokens.min(tokens);
    }

    /// The items of the conversation.
    fn items(&self) -> Vec<Box<RawValue>> {
        let items = &self.bytes[self.begin..self.bytes.len() - CLOSE.len()];
        let items = items.strip_prefix(b",").unwrap_or(items);
        serde_json::from_slice(&[b"[", items, b"]"].concat()).unwrap_or_default()
    }

    /// The same conversation behind the head of this other body, which is empty.
    #[must_use]
    pub fn behind(&self, mut other: Self) -> Self {
        let tokens = other.tokens + self.tokens.saturating_sub(self.of_head);
        let mut items = &self.bytes[self.begin..self.bytes.len() - CLOSE.len()];
        if let Some(rest) = items.strip_prefix(b",") {
            items = rest;
        }
        if items.is_empty() {
            return other;
        }
        if other.takes == self.takes || !holds(items, b"input_image") {
            other.push(items);
            other.tokens = tokens;
            return other;
        }
        let list = [b"[", items, b"]"].concat();
        let list: Vec<Value> = serde_json::from_slice(&list).unwrap_or_default();
        for mut item in list {
            other.takes.relook_all(&mut item);
            other.push(item.to_string().as_bytes());
        }
        other.tokens = tokens;
        other
    }

    /// About how many tokens it has.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// The shape that it has.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The body as it goes over the wire.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    memchr::memmem::find(bytes, word).is_some()
}

#[cfg(test)]
mod tests {
    use super::super::request::tests::{HEAD, json};
    use super::*;

    #[test]
    fn a_conversation_goes_behind_the_other_head_and_back() {
        let lite = Head {
            shape: Shape::Lite,
            ..HEAD
        };
        let mut body = Body::new(&HEAD);
        let to_lite = |body: &Body| body.behind(Body::new(&lite));
        let back = |body: &Body| body.behind(Body::new(&HEAD));
        assert_eq!(to_lite(&body).bytes(), Body::new(&lite).bytes());
        body.push(br#"{ "as": "it came" }"#);
        let there = to_lite(&body);
        assert!(there.bytes().ends_with(br#",{ "as": "it came" }]}"#));
        assert_eq!(back(&there).bytes(), body.bytes());
        assert_eq!(back(&there).tokens(), body.tokens());
        body.push_message("look", &["data:x".to_owned()]);
        let there = to_lite(&body);
        let part = &json(&there)["input"][2]["content"][1];
        assert!(
            part["image_url"] == "data:x" && part.get("detail").is_none(),
            "{part}"
        );
        assert_eq!(json(&back(&there)), json(&body));
    }
}
