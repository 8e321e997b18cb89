//! The steps after a successful sign-in: store it, revoke the one that it replaces, and fetch the account's list of models.

use std::time::Duration;

use super::super::model_list_refresh::{ListStore, ModelLister};
use super::super::{say, say_line, warn, warn_of_wait};
use super::error::Error;
use super::settings::LoginSettings;
use crate::auth::critical_section::Critical;
use crate::auth::identity::is_personal;
use crate::auth::issuer::Issuer;
use crate::auth::signed_in::SignedIn;
use crate::auth::store::{self, Contents, CredentialStore, StoreEdit};
use crate::auth::store_change::change;
use crate::auth::{Authority, Credential};
use crate::clock::{local, seconds};
use crate::http::{Http, IDLE_TIMEOUT};
use crate::models::cache::{Cache, CacheFile};

/// Timeout of the request for the list of models.
const LIST_TIMEOUT: Duration = Duration::from_secs(5);

/// What a sign-in found where it is stored.
pub(in crate::command) struct Replaced {
    /// This sign-in was stored before.
    pub(in crate::command) is_known: bool,
    /// The sign-in that it replaced and that can be revoked.
    pub(in crate::command) old: Option<SignedIn>,
}

/// Stores a sign-in and returns the one that it replaces.
pub(super) fn store(
    settings: &LoginSettings,
    issuer: &Issuer,
    new: &SignedIn,
    critical: &Critical,
) -> Result<Option<SignedIn>, Error> {
    let store = &settings.sign_in_source.store;
    let Replaced { is_known, old } = store_sign_in(store, issuer, new, critical, &warn_of_wait)?;
    let who = new.who();
    let place = store.named().display();
    if is_known {
        say_line(&format!(
            "This sign-in is already stored in {place}: {who}."
        ));
    } else {
        say_line(&format!(
            "Signed in as {who}. The sign-in is stored in {place}."
        ));
    }
    if new.refresh.is_none() && !is_known {
        say(&match new.expires {
            Some(when) => format!(
                "The token is valid until {} and is not renewed.",
                local(when)
            ),
            None => "The token is not renewed.".to_owned(),
        });
    }
    warn_if_overridden(&settings.before);
    Ok(old)
}

/// Stores a sign-in without a word. A long wait for the lock of the file is reported to `waiting`.
pub(in crate::command) fn store_sign_in(
    store: &CredentialStore,
    issuer: &Issuer,
    new: &SignedIn,
    critical: &Critical,
    waiting: &dyn Fn(&store::Error),
) -> Result<Replaced, Error> {
    // A token that is already stored, possibly with its refresh token, changes nothing.
    let known = |before: &Contents| {
        if before.personal.as_ref() == Some(&new.access) {
            return true;
        }
        let old = before.sign_in.as_ref().and_then(|old| old.as_ref().ok());
        old.is_some_and(|old| old.access == new.access)
    };
    let edit = |before: &Contents| {
        if known(before) {
            Vec::new()
        } else {
            vec![StoreEdit::SignIn(new)]
        }
    };
    let before = change(store, critical, waiting, edit).map_err(|error| {
        // Revoke tokens issued for this sign-in that cannot be stored. Not a token that the user passed in.
        if new.refresh.is_some() {
            let _ = issuer.revoke(&new.access, new.refresh.as_ref());
        }
        Error::Store(error)
    })?;
    let is_known = known(&before);
    let old = before.sign_in.and_then(Result::ok);
    // Only the workspace can revoke its access token.
    let old = old.filter(|old| {
        !is_personal(old.access.expose())
            && old.access != new.access
            && (old.refresh.is_none() || old.refresh != new.refresh)
    });
    Ok(Replaced { is_known, old })
}

/// Revokes the tokens of the previous sign-in.
pub(super) fn revoke_previous(issuer: &Issuer, old: Option<&SignedIn>) {
    let Some(old) = old else {
        return;
    };
    match issuer.revoke(&old.access, old.refresh.as_ref()) {
        Ok(()) => {
            say("The previous sign-in has been revoked, including copies of it on other machines.");
        }
        Err(error) if !old.ended(seconds()) => {
            warn(&format!(
                "the previous sign-in could not be revoked: {error}"
            ));
        }
        Err(_) => {}
    }
}

/// Fetches the account's list of models for the first run. A failure is not reported: the run fetches the list again.
pub(in crate::command) fn fetch_models(settings: &LoginSettings, new: &SignedIn) {
    let Some(endpoints) = &settings.endpoints else {
        return;
    };
    let address = endpoints.subscription.as_str();
    let lister = ModelLister {
        http: Http::new(&settings.setup, IDLE_TIMEOUT),
        cache: Cache::of(
            CacheFile::hold(settings.home.as_deref()),
            new.account.as_str(),
            address,
        ),
        endpoints: endpoints.clone(),
        authority: Authority::Fixed(Credential::Token {
            access: new.access.clone(),
            account: new.account.clone(),
            bounds: new.bounds.clone(),
        }),
        timeout: LIST_TIMEOUT,
    };
    let _ = lister.fetch(&ListStore::default());
}

/// Warns if another credential takes precedence over the stored one.
pub(super) fn warn_if_overridden(before: &[String]) {
    if let Some(source) = before.first() {
        warn(&format!(
            "{source} is set and takes precedence; `codex status` shows which credential is used"
        ));
    }
}
