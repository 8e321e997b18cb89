//! `models_cache.json`: the service's lists of models as they came last, one for each account and address, and the
//! shapes that turned out to be right. What cannot be read is as good as nothing; what cannot be written is no reason
//! to fail.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rustix::fs::Mode;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Model;
use crate::clock::seconds;
use crate::file::{self, Directory, FileSlot, Replacement};
use crate::wire::request::Shape;

/// How long a list is taken to be true, in seconds.
pub const FRESH_SECONDS: u64 = 300;

/// How long nobody else asks while somebody does, in seconds.
const ASKING_SECONDS: u64 = 30;

/// The most lists that are kept.
const MAX_LISTS: usize = 8;

/// The most bytes of the file that are read.
const MAX_CACHE_BYTES: u64 = 4 << 20;

/// The file's name.
const NAME: &str = "models_cache.json";

/// How the name begins that a new file has until it is whole.
const NEW: &str = "models_cache.json.";

/// How old a new file is, in seconds, that a process has left behind which was killed.
const LEFT: u64 = 60;

/// A list as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct List {
    /// When, in Unix seconds; 0 if the service said since then that it has changed.
    pub fetched_at: u64,
    /// When somebody asked for it last, in Unix seconds.
    pub asked_at: u64,
    /// The service's mark of this state of it.
    pub etag: Option<String>,
    /// The models, the service's favourite first.
    pub models: Vec<Model>,
}

impl List {
    /// Whether it is to be taken as true at this time.
    #[must_use]
    pub fn is_fresh(&self, now: u64) -> bool {
        self.fetched_at <= now && now - self.fetched_at < FRESH_SECONDS
    }

    /// Whether it is time to ask for it, and nobody else does.
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        let asking = self.asked_at <= now && now - self.asked_at < ASKING_SECONDS;
        !self.is_fresh(now) && !asking
    }
}

/// What the file holds.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CachedLists {
    lists: BTreeMap<String, List>,
    shapes: BTreeMap<String, String>,
}

impl CachedLists {
    /// Reads the text of the file.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        serde_json::from_slice(text).unwrap_or_default()
    }

    #[cfg(test)]
    pub(crate) fn of(cache: &Cache, models: Vec<Model>, shapes: &[(&str, Shape)]) -> Self {
        let named = |(model, shape): &(&str, Shape)| (cache.named(model), shape.name().to_owned());
        let list = List {
            models,
            ..List::default()
        };
        Self {
            lists: [(cache.key.clone(), list)].into(),
            shapes: shapes.iter().map(named).collect(),
        }
    }
}

/// The file in a home, which is held from now on.
#[derive(Clone, Debug, Default)]
pub struct CacheFile(Option<FileSlot>);

impl CacheFile {
    /// The file in this home. Without a home nothing is kept.
    #[must_use]
    pub fn hold(home: Option<&Path>) -> Self {
        let home = home.and_then(|home| Directory::hold(home).ok());
        Self(home.map(|home| FileSlot::new(home, NAME.as_ref())))
    }

    /// What it holds.
    #[must_use]
    pub fn read(&self) -> CachedLists {
        let text = self
            .0
            .as_ref()
            .and_then(|slot| slot.read(MAX_CACHE_BYTES).ok());
        text.map_or_else(CachedLists::default, |text| CachedLists::parse(&text))
    }
}

/// The file, for one account and address.
#[derive(Clone, Debug)]
pub struct Cache {
    file: CacheFile,
    key: String,
}

impl Cache {
    /// The part of this file that is for this account at this address.
    #[must_use]
    pub fn of(file: CacheFile, account: &str, address: &str) -> Self {
        let hash = Sha256::digest(format!("{account}\n{address}"));
        Self {
            file,
            key: BASE64_URL_SAFE_NO_PAD.encode(&hash[..12]),
        }
    }

    /// The list as it is in the file now, as far as there is one.
    #[must_use]
    pub fn list(&self) -> Option<List> {
        self.list_in(&self.file.read()).cloned()
    }

    /// The list in what was read of the file.
    #[must_use]
    pub fn list_in<'a>(&self, lists: &'a CachedLists) -> Option<&'a List> {
        lists.lists.get(&self.key)
    }

    /// The shape that turned out to be right for this model, in what was read of the file.
    #[must_use]
    pub fn shape_in(&self, lists: &CachedLists, model: &str) -> Option<Shape> {
        Shape::of(lists.shapes.get(&self.named(model))?)
    }

    /// Remembers the shape that turned out to be right.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_shape(&self, model: &str, shape: Shape) -> io::Result<()> {
        self.change(|content| {
            content
                .shapes
                .insert(self.named(model), shape.name().to_owned());
        })
    }

    /// Changes the list.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, change: impl FnOnce(&mut List)) -> io::Result<()> {
        self.change(|content| {
            change(content.lists.entry(self.key.clone()).or_default());
            while content.lists.len() > MAX_LISTS {
                let oldest = content.lists.iter().filter(|(key, _)| **key != self.key);
                let oldest = oldest.min_by_key(|(_, list)| list.asked_at);
                let Some(key) = oldest.map(|(key, _)| key.clone()) else {
                    break;
                };
                content.lists.remove(&key);
            }
        })
    }

    fn named(&self, model: &str) -> String {
        format!("{} {model}", self.key)
    }

    /// Replaces the file as a whole. Of two who do so at once the later one wins: what is lost is asked for again.
    fn change(&self, change: impl FnOnce(&mut CachedLists)) -> io::Result<()> {
        let Some(slot) = &self.file.0 else {
            return Ok(());
        };
        let mut content = self.file.read();
        change(&mut content);
        let bytes = serde_json::to_vec(&content)?;
        if bytes.len() as u64 > MAX_CACHE_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        slot.directory().make()?;
        sweep(slot.directory());
        let beside = file::unused(NEW)?;
        let new = Replacement::begin(slot, &beside, Mode::RUSR | Mode::WUSR)?;
        file::give(new.file(), slot.directory().descriptor()?);
        new.write(&bytes)?;
        new.commit().map(drop)
    }
}

/// Removes what processes have left that were killed while they wrote.
fn sweep(home: &Directory) {
    let now = seconds();
    for name in home.names() {
        let left = FileSlot::new(home.clone(), &name);
        let is_old = || {
            let found = left.stat().ok().flatten();
            let changed = found.and_then(|found| u64::try_from(found.st_mtime).ok());
            changed.is_some_and(|changed| changed.saturating_add(LEFT) < now)
        };
        if name.to_string_lossy().starts_with(NEW) && is_old() {
            let _ = left.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_true_for_a_while_and_asked_for_by_one() {
        let list = List {
            fetched_at: 1000,
            asked_at: 1000,
            ..List::default()
        };
        let check = |now, fresh, due| {
            assert_eq!(
                (list.is_fresh(now), list.is_due(now)),
                (fresh, due),
                "{now}"
            );
        };
        check(1000, true, false);
        check(1299, true, false);
        check(1300, false, true);
        // A clock that was set back is no reason to believe for ever.
        check(900, false, true);
        let asked = List {
            asked_at: 2000,
            ..list.clone()
        };
        assert!(!asked.is_due(2010) && asked.is_due(2031));
        assert!(List::default().is_due(1_700_000_000));
    }
}
