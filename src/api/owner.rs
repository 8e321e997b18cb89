//! The name of a service with a credential, for what only that service can read with it.

use sha2::{Digest, Sha256};

use super::endpoints::Endpoints;
use crate::auth::Credential;

/// The name of the service with this credential: equal for equal ones, and without anything secret.
#[must_use]
pub fn owner(endpoints: &Endpoints, credential: &Credential) -> String {
    let (base, holder) = match credential {
        Credential::Token { account, .. } => (&endpoints.subscription, account.as_str()),
        Credential::Key(key) => (&endpoints.api, key.expose()),
    };
    let hash = Sha256::digest(format!("{}\n{holder}", base.join("/responses")));
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}
