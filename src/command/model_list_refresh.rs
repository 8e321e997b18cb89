//! Background refresh of the service's list of models during a run. The run never waits for it: it uses the cached list, and
//! the next run finds the new one.

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

/// A client that fetches the list and caches it.
#[derive(Clone, Debug)]
pub(super) struct ModelLister {
    pub(super) http: Http,
    pub(super) endpoints: Endpoints,
    pub(super) authority: Authority,
    pub(super) cache: Cache,
    /// Timeout of the request.
    pub(super) timeout: Duration,
}

/// Why the list could not be fetched.
#[derive(Debug)]
pub(super) enum Unlisted {
    /// The request failed or was refused.
    Api(api::Error),
    /// The response is not a list of models.
    Malformed,
}

/// Write access to the cache. It holds `true` once writing is closed.
#[derive(Debug, Default)]
pub(super) struct ListStore(Mutex<bool>);

impl ListStore {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the cached list, unless writing is closed. Write errors are ignored: the list is still usable.
    fn update(&self, cache: &Cache, change: impl FnOnce(&mut List)) {
        let closed = self.lock();
        if !*closed {
            let _ = cache.keep(change);
        }
    }
}

impl ModelLister {
    /// Fetches the list and caches it.
    pub(super) fn fetch(&self, store: &ListStore) -> Result<Vec<Model>, Unlisted> {
        let old = self.cache.list().unwrap_or_default();
        let begun = seconds();
        store.update(&self.cache, |list| list.asked_at = begun);
        let etag = old.etag.as_deref().filter(|_| !old.models.is_empty());
        let listing = fetch(
            &self.http,
            &self.endpoints,
            &self.authority,
            etag,
            self.timeout,
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
        store.update(&self.cache, |list| {
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

/// A thread that refreshes the list during a run.
pub(super) struct ModelListRefresh {
    store: Arc<ListStore>,
}

/// The list's `ETag` in the headers of a response, if present.
pub(super) type ListEtag = Option<String>;

impl ModelListRefresh {
    /// Refreshes the list after an answer has begun, if the cached list is old or the response names another `ETag`. At that
    /// point the sign-in is already renewed, and this thread never renews it.
    pub(super) fn start(lister: ModelLister) -> (Self, Sender<ListEtag>) {
        let (etags, received) = mpsc::channel();
        let store = Arc::new(ListStore::default());
        let shared = Arc::clone(&store);
        // If no thread can be started, the list is not refreshed.
        let _ = thread::Builder::new().spawn(move || listen(&lister, &received, &shared));
        (Self { store }, etags)
    }

    /// Closes the cache for writing.
    pub(super) fn close(&self) {
        *self.store.lock() = true;
    }
}

fn listen(lister: &ModelLister, received: &Receiver<ListEtag>, store: &ListStore) {
    // The ETag that caused the last fetch: one that never matches must not cause a fetch for every answer.
    let mut fetched = None;
    while let Ok(etag) = received.recv() {
        let list = lister.cache.list().unwrap_or_default();
        let changed = etag.is_some() && etag != list.etag && etag != fetched;
        if changed && list.fetched_at > 0 {
            // If the run ends before the response arrives, the next run fetches the list.
            store.update(&lister.cache, |list| list.fetched_at = 0);
        }
        if changed || list.is_due(seconds()) {
            let lister = ModelLister {
                authority: lister.authority.without_renewal(),
                ..lister.clone()
            };
            let _ = lister.fetch(store);
            fetched = etag;
        }
    }
}
