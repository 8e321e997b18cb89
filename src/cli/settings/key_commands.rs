//! The key of a provider in `models.json`: the key itself, the name of a variable, or a command that prints it. Messages
//! contain none of these.

use super::credentials::SECRETS;
use crate::auth::{CredentialSource, FoundCredential, What, key_command};
use crate::cli::environment::Environment;
use crate::failure::Failure;
use crate::models::custom::Provider;
use crate::secret::Secret;

/// The credential for this server: its key, or none if the server needs none. A dry run does not resolve the key, because
/// a command that prints it should not run needlessly.
pub(super) fn found(
    provider: &Provider,
    environment: &Environment,
    dry_run: bool,
) -> Result<FoundCredential, Failure> {
    let name = provider.name.clone();
    let Some(text) = &provider.api_key else {
        return Ok(FoundCredential {
            what: What::NoKey,
            source: CredentialSource::Server(name),
        });
    };
    let source = CredentialSource::ServerKey(name);
    let key = if dry_run {
        Secret::new("***".to_owned())
    } else {
        resolve(text, &source, environment)?
    };
    Ok(FoundCredential {
        what: What::Key(key),
        source,
    })
}

/// The key that this text resolves to.
fn resolve(
    text: &str,
    source: &CredentialSource,
    environment: &Environment,
) -> Result<Secret, Failure> {
    if let Some(command) = text.strip_prefix('!') {
        return key_command::key(command, SECRETS).map_err(|error| {
            let exhausted = match error {
                key_command::Error::Exhausted(exhausted) => Some(exhausted),
                _ => None,
            };
            Failure::usage(format!("cannot use {source}: its command {error}"))
                .hint("run the command after the ! by hand; it must print only the key")
                .for_want_of(exhausted)
        });
    }
    if let Some(name) = variable(text, environment) {
        return environment.secret(name).ok_or_else(|| {
            Failure::usage(format!(
                "cannot use {source}: the variable {name} is not set"
            ))
            .hint(format!(
                "set {name}, or omit \"apiKey\" if the server needs none"
            ))
        });
    }
    Ok(Secret::new(text.to_owned()))
}

/// The variable that this text names, if any. As in pi, it may also be the bare name of a variable that is set.
pub(super) fn variable<'a>(text: &'a str, environment: &Environment) -> Option<&'a str> {
    if let Some(name) = text.strip_prefix('$') {
        let within = name
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'));
        return Some(within.unwrap_or(name));
    }
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    Some(text).filter(|text| text.chars().all(is_name) && environment.get(text).is_some())
}
