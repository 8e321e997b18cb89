//! `models_cache.json`: the service's last list of models for each account and address, and the request shapes that
//! have worked. An unreadable file counts as empty, and a failed write is not fatal.

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

/// How long a list stays fresh, in seconds.
pub const FRESH_SECONDS: u64 = 300;

/// How long a request by one process keeps others from sending one, in seconds.
const ASKING_SECONDS: u64 = 30;

/// Maximum number of lists.
const MAX_LISTS: usize = 8;

/// Size limit for the file, in bytes.
const MAX_CACHE_BYTES: u64 = 4 << 20;

const NAME: &str = "models_cache.json";

/// Prefix of the temporary files that replace it.
const TEMPORARY_PREFIX: &str = "models_cache.json.";

/// Age in seconds at which a temporary file counts as left by a killed process.
const LEFTOVER_SECONDS: u64 = 60;

/// A list as received.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct List {
    /// When it was received, in Unix seconds; 0 if the service has since reported a change.
    pub fetched_at: u64,
    /// When it was last requested, in Unix seconds.
    pub asked_at: u64,
    /// The `ETag` of the list.
    pub etag: Option<String>,
    /// The models, in the service's order of preference.
    pub models: Vec<Model>,
}

impl List {
    /// Returns whether it is fresh at this time.
    #[must_use]
    pub fn is_fresh(&self, now: u64) -> bool {
        self.fetched_at <= now && now - self.fetched_at < FRESH_SECONDS
    }

    /// Returns whether it should be requested: it is stale and no other process is requesting it.
    #[must_use]
    pub fn is_due(&self, now: u64) -> bool {
        let asking = self.asked_at <= now && now - self.asked_at < ASKING_SECONDS;
        !self.is_fresh(now) && !asking
    }
}

/// The contents of the file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CachedLists {
    lists: BTreeMap<String, List>,
    shapes: BTreeMap<String, String>,
}

impl CachedLists {
    /// Parses the file.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        serde_json::from_slice(text).unwrap_or_default()
    }

    /// Returns the models of all lists.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.lists.values().flat_map(|list| &list.models)
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

/// The file in a home directory that is held open.
#[derive(Clone, Debug, Default)]
pub struct CacheFile(Option<FileSlot>);

impl CacheFile {
    /// Opens the file's directory. Without a home nothing is cached.
    #[must_use]
    pub fn hold(home: Option<&Path>) -> Self {
        let home = home.and_then(|home| Directory::hold(home).ok());
        Self(home.map(|home| FileSlot::new(home, NAME.as_ref())))
    }

    /// Reads the file.
    #[must_use]
    pub fn read(&self) -> CachedLists {
        let text = self
            .0
            .as_ref()
            .and_then(|slot| slot.read(MAX_CACHE_BYTES).ok());
        text.map_or_else(CachedLists::default, |text| CachedLists::parse(&text))
    }
}

/// The part of the file for one account and address.
#[derive(Clone, Debug)]
pub struct Cache {
    file: CacheFile,
    key: String,
}

impl Cache {
    /// Selects the part for this account and address.
    #[must_use]
    pub fn of(file: CacheFile, account: &str, address: &str) -> Self {
        let hash = Sha256::digest(format!("{account}\n{address}"));
        Self {
            file,
            key: BASE64_URL_SAFE_NO_PAD.encode(&hash[..12]),
        }
    }

    /// Reads the list from the file, if it has one.
    #[must_use]
    pub fn list(&self) -> Option<List> {
        self.list_in(&self.file.read()).cloned()
    }

    /// Returns the list from contents already read.
    #[must_use]
    pub fn list_in<'a>(&self, lists: &'a CachedLists) -> Option<&'a List> {
        lists.lists.get(&self.key)
    }

    /// Returns the shape that has worked for this model, from contents already read.
    #[must_use]
    pub fn shape_in(&self, lists: &CachedLists, model: &str) -> Option<Shape> {
        Shape::of(lists.shapes.get(&self.named(model))?)
    }

    /// Stores the shape that has worked.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_shape(&self, model: &str, shape: Shape) -> io::Result<()> {
        self.change(|content| {
            content
                .shapes
                .insert(self.named(model), shape.name().to_owned());
        })
    }

    /// Updates the list.
    ///
    /// # Errors
    /// If it cannot be written.
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

    /// Replaces the file as a whole. Of two concurrent writers, the later one wins; what is lost is requested again.
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
        let temporary = file::unused(TEMPORARY_PREFIX)?;
        let new = Replacement::begin(slot, &temporary, Mode::RUSR | Mode::WUSR)?;
        file::inherit_owner(new.file(), slot.directory().descriptor()?);
        new.write(&bytes)?;
        new.commit().map(drop)
    }
}

/// Removes temporary files of killed processes.
fn sweep(home: &Directory) {
    let now = seconds();
    for name in home.names() {
        let left = FileSlot::new(home.clone(), &name);
        let is_old = || {
            let found = left.stat().ok().flatten();
            let changed = found.and_then(|found| u64::try_from(found.st_mtime).ok());
            changed.is_some_and(|changed| changed.saturating_add(LEFTOVER_SECONDS) < now)
        };
        if name.to_string_lossy().starts_with(TEMPORARY_PREFIX) && is_old() {
            let _ = left.remove();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_fresh_for_a_while_and_requested_by_one_process() {
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
        // A list from the future, after the clock was set back, is not fresh.
        check(900, false, true);
        let asked = List {
            asked_at: 2000,
            ..list.clone()
        };
        assert!(!asked.is_due(2010) && asked.is_due(2031));
        assert!(List::default().is_due(1_700_000_000));
    }
}
