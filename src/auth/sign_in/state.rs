//! The state of a sign-in in use: current and past tokens, and warnings.

use super::Warning;
use crate::auth::signed_in::SignedIn;
use crate::auth::store::Past;
use crate::secret::Secret;

#[derive(Debug)]
pub(super) struct SignInState {
    pub(super) saved: SignedIn,
    /// Every token used so far, for redaction.
    pub(super) seen: Vec<Secret>,
    pub(super) warnings: Vec<Warning>,
    /// Whether a renewal warning was recorded; there is at most one.
    pub(super) warned: bool,
    /// The outcome of this process's attempts, for when nothing can be recorded next to the file.
    pub(super) past: Past,
}

impl SignInState {
    /// The state of a sign-in that no request has used yet.
    pub(super) fn new(saved: SignedIn) -> Self {
        let mut state = Self {
            saved: saved.clone(),
            seen: Vec::new(),
            warnings: Vec::new(),
            warned: false,
            past: Past::Nothing,
        };
        state.use_from_now(saved);
        state
    }

    /// Makes this the current sign-in.
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
