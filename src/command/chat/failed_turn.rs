//! A turn that failed, as the screen shows it.

use super::engine::Engine;
use crate::chat::event::{CredentialRemedy, TurnEnd};
use crate::failure::{Failure, Used};
use crate::outcome::Outcome;

impl Engine {
    /// The end of a turn that failed.
    pub(super) fn failed(&self, failure: &Failure) -> TurnEnd {
        TurnEnd::Failed {
            what: failure.what().to_owned(),
            hint: failure.advice().map(str::to_owned),
            credential: self.remedy(failure),
        }
    }

    /// What helps, if the failure is one of the credential.
    fn remedy(&self, failure: &Failure) -> Option<CredentialRemedy> {
        let is_replaced = self.used.as_ref().is_none_or(Used::is_replaced_by_sign_in);
        let remedy = if is_replaced {
            CredentialRemedy::SignIn
        } else {
            CredentialRemedy::Replace
        };
        (failure.outcome() == Outcome::SignIn).then_some(remedy)
    }
}
