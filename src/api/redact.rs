//! Secrets taken out of what the service says.

use crate::auth::Authority;
use crate::secret::Secret;

/// A key or token is longer than this, in bytes; what servers that want none are given, such as `none`, is not.
const MIN_SECRET_BYTES: usize = 8;

/// Takes our secrets out of what the service says: one that repeats what it was sent shall not make us print it.
/// A word that is too short to be a secret is left alone.
pub(super) fn redact(authority: &Authority, text: &str) -> String {
    let secrets = authority.secrets();
    let long = |secret: &&Secret| secret.expose().len() >= MIN_SECRET_BYTES;
    secrets
        .iter()
        .filter(long)
        .fold(text.to_owned(), |text, secret| secret.hide_in(&text))
}
