//! The items of earlier turns. They stay in the file of the conversation until the request body is built from it, so that a
//! long conversation is in memory once.

use std::borrow::Cow;
use std::ops::Range;

use crate::session::{Error, SessionFile};
use crate::wire::replay::{Recipient, with_placeholder, without_reasoning};
use crate::wire::request::RequestBody;

/// The items of earlier turns, in a form that the model accepts.
#[derive(Debug, Default)]
pub struct EarlierItems {
    file: Option<SessionFile>,
    items: Vec<EarlierItem>,
}

/// An item of an earlier turn.
#[derive(Debug)]
pub(super) enum EarlierItem {
    /// These bytes of the file.
    AsStored(Range<u64>),
    /// These bytes of the file, which are the output of a call.
    Output(Range<u64>),
    /// These bytes of the file, written for another model.
    OfOther(Range<u64>),
    /// An item that is not in the file yet.
    New(Vec<u8>),
}

impl EarlierItems {
    pub(super) fn new(file: SessionFile, items: Vec<EarlierItem>) -> Self {
        let file = Some(file);
        Self { file, items }
    }

    /// Passes on the items in order.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn each(&self, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        let mut room = Vec::new();
        for item in &self.items {
            if let Some(item) = self.read(item, &mut room)? {
                take(&item);
            }
        }
        Ok(())
    }

    /// Appends the items to a request body. Returns, for each number of items, how many the body has with them: some are
    /// left out for the model.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) fn push_to(&self, body: &mut RequestBody) -> Result<Vec<usize>, Error> {
        let mut room = Vec::new();
        let mut lengths = vec![body.len()];
        let bytes = self.items.iter().map(EarlierItem::length).sum();
        body.reserve(bytes, self.items.len());
        for item in &self.items {
            match (item, &self.file) {
                // Straight into the body, since it may be long.
                (EarlierItem::AsStored(range), Some(file)) => {
                    body.push_read(item.length(), |room| file.read(range.start, room))?;
                }
                _ => {
                    if let Some(item) = self.read(item, &mut room)? {
                        body.push_stored(&item);
                    }
                }
            }
            lengths.push(body.len());
        }
        Ok(lengths)
    }

    /// The item in a form that the model accepts, if there is one: it cannot decrypt the reasoning of another model, and items
    /// produced by that must not refer to it.
    fn read<'a>(
        &self,
        item: &'a EarlierItem,
        room: &'a mut Vec<u8>,
    ) -> Result<Option<Cow<'a, [u8]>>, Error> {
        let range = match (item, &self.file) {
            (EarlierItem::New(item), _) => return Ok(Some(Cow::Borrowed(item))),
            (_, None) => return Ok(None),
            (
                EarlierItem::AsStored(range)
                | EarlierItem::Output(range)
                | EarlierItem::OfOther(range),
                Some(file),
            ) => file.read_item(range, room)?,
        };
        Ok(match item {
            EarlierItem::OfOther(_) => without_reasoning(range, Recipient::Other)
                .map(|item| Cow::Owned(with_placeholder(&item).into_owned())),
            EarlierItem::Output(_) => Some(with_placeholder(range)),
            EarlierItem::AsStored(_) | EarlierItem::New(_) => Some(Cow::Borrowed(range)),
        })
    }
}

impl EarlierItem {
    /// Its length in bytes, as it is stored.
    fn length(&self) -> usize {
        match self {
            Self::AsStored(range) | Self::Output(range) | Self::OfOther(range) => {
                usize::try_from(range.end - range.start).unwrap_or(usize::MAX)
            }
            Self::New(item) => item.len(),
        }
    }
}
