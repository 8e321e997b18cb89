//! What is known of a sign-in in use: its tokens, those before them, and what went wrong.

use super::Warning;
use crate::auth::signed_in::SignedIn;
use crate::auth::store::Past;
use crate::secret::Secret;

/// What is known of a sign-in in use.
#[derive(Debug)]
pub(super) struct SignInState {
    pub(super) saved: SignedIn,
    /// Every token that has passed through here, so that none is ever shown.
    pub(super) seen: Vec<Secret>,
    pub(super) warnings: Vec<Warning>,
    /// The same warning is given once.
    pub(super) warned: bool,
    /// What this process knows of its attempts, where nothing can be remembered beside the file.
    pub(super) past: Past,
}

impl SignInState {
    /// Uses this sign-in from now on.
    pub(super) fn use_from_now(&mut self, saved: SignedIn) {
        if saved.refresh != self.saved.refresh {
            self.past = Past::Nothing;
        }
        for secret in [
            Some(&saved.access),
            saved.refresh.as_ref(),
            saved.id.as_ref(),
        ] {
            if let Some(secret) = secret
                && !self.seen.contains(secret)
            {
                self.seen.push(secret.clone());
            }
        }
        self.saved = saved;
    }
}
