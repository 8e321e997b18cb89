//! The conversation as a request body: one buffer of JSON with `input` as its last field, and an index of each item's
//! end and estimated tokens. The head is written once, each item is appended as the bytes received, and the closing
//! `]}` is cut off and put back, so the body is complete at all times and a retry sends the same slice.

use std::borrow::Cow;
use std::ops::Range;

use serde_json::Value;

use super::input::{self, CallOutput, ImageSupport};
use super::replay::{self, Recipient};
use super::request_head::{RequestHead, Shape};

const CLOSE: &[u8] = b"]}";

/// The body of a request.
#[derive(Clone, Debug)]
pub struct RequestBody {
    bytes: Vec<u8>,
    shape: Shape,
    takes: ImageSupport,
    /// Length of the head in bytes.
    begin: usize,
    /// Whether the head itself puts items into `input`, so that a comma precedes the conversation's first item.
    head_has_items: bool,
    /// Estimated tokens of the head.
    head_tokens: u64,
    index: Vec<Indexed>,
}

/// The index entry of an item.
#[derive(Clone, Copy, Debug)]
struct Indexed {
    /// End offset in the body.
    end: usize,
    /// Estimated tokens.
    tokens: u64,
}

/// Estimates the tokens of this many bytes of text: one for every four bytes, as in English and in code. For other text
/// the model counts more, and the service reports that count.
#[must_use]
pub fn estimate(bytes: usize) -> u64 {
    bytes as u64 / 4
}

/// Estimated tokens of an image.
pub(super) const IMAGE_TOKENS: u64 = 1000;

impl RequestBody {
    /// A body without conversation items.
    #[must_use]
    pub fn new(head: &RequestHead<'_>) -> Self {
        let opening = head.opening();
        let mut bytes = opening.json.into_bytes();
        let begin = bytes.len();
        bytes.extend_from_slice(CLOSE);
        Self {
            bytes,
            shape: head.shape,
            takes: head.takes(),
            begin,
            head_has_items: opening.holds_items,
            head_tokens: estimate(begin),
            index: Vec::new(),
        }
    }

    /// Appends an item, given as the bytes of one JSON value.
    pub fn push(&mut self, item: &[u8]) {
        self.append(item, tokens_of(item));
    }

    /// Appends a user message, with images as data URLs. Returns the item.
    pub fn push_message(&mut self, text: &str, images: &[String]) -> Vec<u8> {
        let item = input::user_message(text, images, self.takes);
        // JSON escapes do not count as text, and image data is not read as text.
        let tokens = estimate(text.len()) + IMAGE_TOKENS * images.len() as u64;
        self.append(&item, tokens);
        item
    }

    /// Appends the output of a tool call. Returns the item.
    pub fn push_output(&mut self, call_id: &str, output: &CallOutput) -> Vec<u8> {
        let item = input::call_output(call_id, output, self.takes);
        let images = output.images.len() as u64;
        self.append(&item, estimate(output.text.len()) + IMAGE_TOKENS * images);
        item
    }

    /// Makes room for this many items of this many bytes in total.
    pub fn reserve(&mut self, bytes: usize, items: usize) {
        // With a comma for each.
        self.bytes.reserve_exact(bytes + items);
        self.index.reserve_exact(items);
    }

    /// Appends an item of an earlier run that `read` writes into a room of this length, as [`RequestBody::push_stored`] does.
    ///
    /// # Errors
    /// That of `read`. The body is as before.
    pub fn push_read<E>(
        &mut self,
        length: usize,
        read: impl FnOnce(&mut [u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let start = self.begin_item();
        self.bytes.resize(start + length, 0);
        if let Err(error) = read(&mut self.bytes[start..]) {
            self.bytes.truncate(self.end(self.len()));
            self.bytes.extend_from_slice(CLOSE);
            return Err(error);
        }
        if let Cow::Owned(adapted) = with_adapted_images(&self.bytes[start..], self.takes) {
            self.bytes.truncate(start);
            self.bytes.extend_from_slice(&adapted);
        }
        self.end_item(tokens_of(&self.bytes[start..]));
        Ok(())
    }

    /// Appends an item of an earlier run. Its images are adapted, since that run's model may have required a different
    /// form.
    pub fn push_stored(&mut self, item: &[u8]) {
        self.push(&with_adapted_images(item, self.takes));
    }

    /// The number of items in the conversation.
    #[must_use]
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether the conversation has no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The items of the conversation, as bytes.
    #[must_use]
    pub fn items(&self) -> impl DoubleEndedIterator<Item = &[u8]> + ExactSizeIterator {
        (0..self.len()).map(|n| &self.bytes[self.start(n)..self.index[n].end])
    }

    /// Removes all items after the first `count`.
    pub fn truncate(&mut self, count: usize) {
        if count < self.len() {
            self.index.truncate(count);
            self.bytes.truncate(self.end(count));
            self.bytes.extend_from_slice(CLOSE);
        }
    }

    /// Replaces the items in the range.
    ///
    /// # Panics
    /// When the range extends past the last item.
    pub fn replace<'a>(&mut self, range: Range<usize>, items: impl IntoIterator<Item = &'a [u8]>) {
        // A comma belongs to the item after it, so the one before the next item is removed and reinserted if
        // needed.
        let more = range.end < self.len();
        let end = if more {
            self.start(range.end)
        } else {
            self.end(range.end)
        };
        let cut = self.end(range.start)..end;
        let mut separated = self.head_has_items || range.start > 0;
        let mut bytes = Vec::new();
        let mut index = Vec::new();
        for item in items {
            if separated {
                bytes.push(b',');
            }
            separated = true;
            bytes.extend_from_slice(item);
            index.push(Indexed {
                end: cut.start + bytes.len(),
                tokens: tokens_of(item),
            });
        }
        if more && separated {
            bytes.push(b',');
        }
        for later in &mut self.index[range.end..] {
            later.end = later.end - cut.end + cut.start + bytes.len();
        }
        self.index.splice(range, index);
        self.bytes.splice(cut, bytes);
    }

    /// Removes the reasoning from earlier answers, and the ids that tie other items to it.
    pub fn remove_reasoning(&mut self) {
        let mut without = self.clone();
        without.truncate(0);
        for (item, indexed) in self.items().zip(&self.index) {
            match replay::without_reasoning(item, Recipient::Same) {
                Some(Cow::Borrowed(item)) => without.append(item, indexed.tokens),
                Some(Cow::Owned(item)) => {
                    without.append(&item, tokens_of(&item).min(indexed.tokens));
                }
                None => {}
            }
        }
        *self = without;
    }

    /// The same conversation after the head of `other`, which has no items.
    #[must_use]
    pub fn with_head(&self, mut other: Self) -> Self {
        let takes = other.takes;
        for (item, indexed) in self.items().zip(&self.index) {
            if takes == self.takes {
                other.append(item, indexed.tokens);
            } else {
                other.append(&with_adapted_images(item, takes), indexed.tokens);
            }
        }
        other
    }

    /// The same conversation for another model, after the head of `other`, which has no items: without the reasoning that only
    /// the earlier model understands and the ids that refer to it, and without its effort changes.
    #[must_use]
    pub fn for_other_model(&self, mut other: Self) -> Self {
        for item in self.items().filter(|item| !input::is_effort_change(item)) {
            if let Some(item) = replay::without_reasoning(item, Recipient::Other) {
                other.push_stored(&item);
            }
        }
        other
    }

    /// Estimated tokens of the whole body.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.head_tokens + self.tokens_of(0..self.len())
    }

    /// Estimated tokens of the items in the range.
    ///
    /// # Panics
    /// When the range extends past the last item.
    #[must_use]
    pub fn tokens_of(&self, range: Range<usize>) -> u64 {
        self.index[range].iter().map(|item| item.tokens).sum()
    }

    /// The request shape of the head.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The bytes to send.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn append(&mut self, item: &[u8], tokens: u64) {
        self.begin_item();
        self.bytes.extend_from_slice(item);
        self.end_item(tokens);
    }

    /// Removes the end of the body, so that an item can follow; returns where the item begins.
    fn begin_item(&mut self) -> usize {
        self.bytes.truncate(self.bytes.len() - CLOSE.len());
        if self.head_has_items || !self.is_empty() {
            self.bytes.push(b',');
        }
        self.bytes.len()
    }

    /// Adds the item that was written to the index.
    fn end_item(&mut self, tokens: u64) {
        let end = self.bytes.len();
        self.index.push(Indexed { end, tokens });
        self.bytes.extend_from_slice(CLOSE);
    }

    /// End offset of the first `count` items.
    fn end(&self, count: usize) -> usize {
        match count {
            0 => self.begin,
            count => self.index[count - 1].end,
        }
    }

    /// Start offset of item `n`.
    fn start(&self, n: usize) -> usize {
        let comma = self.head_has_items || n > 0;
        self.end(n) + usize::from(comma)
    }
}

/// Parses an item that holds an image; `None` for any other.
fn parse_with_image(item: &[u8]) -> Option<Value> {
    memchr::memmem::find(item, b"input_image")?;
    serde_json::from_slice(item).ok()
}

/// The item with its images in the form that a model accepts; borrowed if nothing changes.
fn with_adapted_images(item: &[u8], takes: ImageSupport) -> Cow<'_, [u8]> {
    let changed =
        parse_with_image(item).and_then(|mut read| takes.adapt_images(&mut read).then_some(read));
    changed.map_or(Cow::Borrowed(item), |read| {
        Cow::Owned(read.to_string().into_bytes())
    })
}

/// Estimated tokens of an item. Image data does not count as text.
fn tokens_of(item: &[u8]) -> u64 {
    let mut text = item.len();
    let mut count = 0;
    if let Some(read) = parse_with_image(item) {
        for url in input::image_urls(&read) {
            text = text.saturating_sub(url.len());
            count += 1;
        }
    }
    estimate(text) + IMAGE_TOKENS * count
}

#[cfg(test)]
mod tests;
