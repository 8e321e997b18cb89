//! The service's list of models, asked for beside a run and never waited for: a run uses the list that there is, and the
//! next one finds the new one.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::api::models::{Listing, fetch};
use crate::api::{self, Endpoints};
use crate::auth::Authority;
use crate::clock::seconds;
use crate::http::Http;
use crate::models::cache::{Cache, List};
use crate::models::{Backend, Model, catalogue, remote};

/// Whoever asks for the list.
#[derive(Clone, Debug)]
pub(super) struct ModelLister {
    pub(super) http: Http,
    pub(super) endpoints: Endpoints,
    pub(super) authority: Authority,
    pub(super) cache: Cache,
    /// How long the answer may take.
    pub(super) patience: Duration,
}

/// Why the list could not be had.
#[derive(Debug)]
pub(super) enum Unlisted {
    /// No answer came, or a refusal.
    Api(api::Error),
    /// What came is no list.
    Malformed,
}

/// The right to write to the cache, until it is over.
#[derive(Debug, Default)]
pub(super) struct ListStore(Mutex<bool>);

impl ListStore {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the list, unless it is over. A home that cannot be written is no reason to have no list.
    fn keep(&self, cache: &Cache, change: impl FnOnce(&mut List)) {
        let over = self.lock();
        if !*over {
            let _ = cache.keep(change);
        }
    }
}

impl ModelLister {
    /// Asks for the list and keeps it.
    pub(super) fn ask(&self, store: &ListStore) -> Result<Vec<Model>, Unlisted> {
        let old = self.cache.list().unwrap_or_default();
        let begun = seconds();
        store.keep(&self.cache, |list| list.asked_at = begun);
        let mark = old.etag.as_deref().filter(|_| !old.models.is_empty());
        let listing = fetch(
            &self.http,
            &self.endpoints,
            &self.authority,
            mark,
            self.patience,
        );
        let (models, etag) = match listing.map_err(Unlisted::Api)? {
            Listing::Unchanged if old.models.is_empty() => return Err(Unlisted::Malformed),
            Listing::Unchanged => (old.models, old.etag),
            Listing::New(body, etag) => {
                let known = catalogue::of(Backend::Subscription);
                match remote::parse(&body, &known) {
                    Some(models) if !models.is_empty() => (models, etag),
                    _ => return Err(Unlisted::Malformed),
                }
            }
        };
        store.keep(&self.cache, |list| {
            *list = List {
                fetched_at: seconds(),
                asked_at: begun,
                etag,
                models: models.clone(),
            };
        });
        Ok(models)
    }
}

/// A thread that asks for the list while a run goes on.
pub(super) struct ModelListRefresh {
    store: Arc<ListStore>,
}

/// What is told of an answer that begins: the mark of the list, if the answer names it.
pub(super) type ListEtag = Option<String>;

impl ModelListRefresh {
    /// Asks once an answer has begun, if the list is old or the answer names another mark than the list's. So a renewal
    /// of the sign-in is over by then, and none is begun here.
    pub(super) fn start(lister: ModelLister) -> (Self, Sender<ListEtag>) {
        let (marks, heard) = mpsc::channel();
        let store = Arc::new(ListStore::default());
        let shared = Arc::clone(&store);
        // Without a thread the list stays as it is.
        let _ = thread::Builder::new().spawn(move || listen(&lister, &heard, &shared));
        (Self { store }, marks)
    }

    /// Nothing is written from here on.
    pub(super) fn end(&self) {
        *self.store.lock() = true;
    }
}

fn listen(lister: &ModelLister, heard: &Receiver<ListEtag>, store: &ListStore) {
    // The mark that was asked about last: one that stays strange is asked about once.
    let mut asked = None;
    while let Ok(mark) = heard.recv() {
        let list = lister.cache.list().unwrap_or_default();
        let changed = mark.is_some() && mark != list.etag && mark != asked;
        if changed && list.fetched_at > 0 {
            // Should the run be over before the answer comes, the next one asks.
            store.keep(&lister.cache, |list| list.fetched_at = 0);
        }
        if changed || list.is_due(seconds()) {
            let lister = ModelLister {
                authority: lister.authority.as_it_is(),
                ..lister.clone()
            };
            let _ = lister.ask(store);
            asked = mark;
        }
    }
}
