//! Redaction of secrets in text from the service.

use crate::auth::Authority;
use crate::secret::Secret;

/// Minimum length in bytes of a secret. Placeholders such as `none`, for servers without keys, are shorter.
const MIN_SECRET_BYTES: usize = 8;

/// Removes the credential's secrets from text sent by the service, which may echo what it received. Values too short to
/// be secret are kept.
pub(super) fn redact(authority: &Authority, text: &str) -> String {
    let secrets = authority.secrets();
    let long = |secret: &&Secret| secret.expose().len() >= MIN_SECRET_BYTES;
    secrets
        .iter()
        .filter(long)
        .fold(text.to_owned(), |text, secret| secret.hide_in(&text))
}
