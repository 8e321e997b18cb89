//! A model that is asked instead of the first one, with its service.

use std::fmt;

use super::super::SignInSource;
use super::model_switch::ModelSwitch;
use crate::agent::SubstituteAfter;
use crate::api::Endpoints;
use crate::auth::FoundCredential;
use crate::failure::Used;
use crate::models::choice::Choice;
use crate::models::clamp::ClampedSettings;

/// A model that is asked instead of the first one.
#[derive(Debug)]
pub struct SubstituteModel {
    /// The model.
    pub choice: Choice,
    /// Its settings, clamped to what it accepts.
    pub clamped: ClampedSettings,
    /// The failures after which it is asked.
    pub after: SubstituteAfter,
    /// Its service, if that is not the one of the first model.
    pub service: Option<OtherService>,
}

/// A service other than that of the first model.
pub struct OtherService {
    /// The credentials for it, in order of precedence.
    pub found: Vec<FoundCredential>,
    /// The credentials file and issuer of a sign-in.
    pub sign_in_source: Option<SignInSource>,
    /// Its addresses.
    pub endpoints: Endpoints,
    /// The choice of another of its models between turns, if there can be several.
    pub model_switch: Option<ModelSwitch>,
    /// The credential, for failures.
    pub(crate) used: Option<Used>,
}

impl fmt::Debug for OtherService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OtherService")
            .field("found", &self.found)
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}
