//! `codex logout`: removes the stored sign-in or key, and revokes the tokens.

use super::{SignInSource, say_line, warn, warn_of_wait};
use crate::auth::critical_section::Critical;
use crate::auth::identity::is_personal;
use crate::auth::store::{self, Contents, StoreEdit};
use crate::auth::store_change::change;
use crate::clock::{local, seconds};
use crate::http::HttpSetup;

/// The settings of a sign-out.
#[derive(Debug)]
pub struct LogoutSettings {
    /// Where the sign-in is stored.
    pub sign_in_source: SignInSource,
    /// Do not ask the issuer to revoke.
    pub local: bool,
    /// Remove the sign-in and the key.
    pub all: bool,
    /// The variables that will be used from now on, in order of precedence.
    pub left: Vec<String>,
    /// The user agent and the network settings.
    pub setup: HttpSetup,
}

/// Signs out: removes the sign-in, or the key if there is none. A sign-in is removed before it is revoked, so that no
/// process finds a revoked token.
///
/// # Errors
/// If the file cannot be read or written. Nothing is removed or revoked then.
pub fn run(settings: &LogoutSettings, critical: &Critical) -> Result<(), store::Error> {
    let store = &settings.sign_in_source.store;
    let place = store.named().display();
    let edits = |before: &Contents| {
        let mut edits = Vec::new();
        if has_sign_in(before) {
            edits.push(StoreEdit::RemoveSignIn);
        }
        if before.key.is_some() && (settings.all || edits.is_empty()) {
            edits.push(StoreEdit::RemoveKey);
        }
        edits
    };
    // With nothing to remove, nothing is created, not even a lock.
    let found = store.read()?;
    if edits(&found).is_empty() {
        if let Some(other) = found.others.into_iter().next() {
            return Err(store::Error::NotOurs(store.named().to_owned(), other));
        }
        say_line(&format!(
            "You are not signed in: neither a sign-in nor an API key is stored in {place}."
        ));
        warn_of_remaining(settings);
        return Ok(());
    }
    let before = change(store, critical, &warn_of_wait, edits)?;
    if let Some(sign_in) = &before.sign_in {
        match sign_in {
            Ok(old) => say_line(&format!(
                "Signed out: {} was removed from {place}.",
                old.who()
            )),
            Err(_) => say_line(&format!("The unusable sign-in was removed from {place}.")),
        }
    }
    if before.personal.is_some() {
        say_line(&format!(
            "Signed out: the access token of a workspace was removed from {place}."
        ));
    }
    for other in &before.others {
        warn(&format!("{place} still contains {other}"));
    }
    match (&before.key, !has_sign_in(&before) || settings.all) {
        (Some(_), true) => say_line(&format!("The API key was removed from {place}.")),
        (Some(_), false) => {
            warn("an API key is also stored there and will be used from now on; --all removes it")
        }
        (None, _) => {}
    }
    if let Some(Ok(old)) = &before.sign_in {
        let until = old.expires.filter(|expires| *expires > seconds());
        let alive = until.map_or(String::new(), |until| {
            format!(" A token already issued may work until {}.", local(until))
        });
        if is_personal(old.access.expose()) {
            say_line(NOT_REVOKED);
        } else if settings.local {
            say_line(&format!(
                "It was not revoked: any copy of it still works.{alive}"
            ));
        } else {
            let issuer = settings.sign_in_source.issuer(&settings.setup);
            match issuer.revoke(&old.access, old.refresh.as_ref()) {
                Ok(()) => say_line(
                    "It was revoked: every program and machine that uses this sign-in, through a copy of the file or \
                     of its tokens, is also signed out. Other sign-ins of the account are not affected.",
                ),
                Err(error) => warn(&format!("it could not be revoked: {error}.{alive}")),
            }
        }
    }
    if before.personal.is_some() {
        say_line(NOT_REVOKED);
    }
    warn_of_remaining(settings);
    Ok(())
}

/// The line for a token that only the workspace can revoke.
const NOT_REVOKED: &str = "It was not revoked: revoke it in the workspace settings.";

fn has_sign_in(contents: &Contents) -> bool {
    contents.sign_in.is_some() || contents.personal.is_some()
}

/// Warns about the source that will be used from now on.
fn warn_of_remaining(settings: &LogoutSettings) {
    if let Some(source) = settings.left.first() {
        warn(&format!(
            "{source} is still set and will be used from now on"
        ));
    }
}
