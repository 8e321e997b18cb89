//! What stands for a key in `models.json`: the key itself, the name of a variable, or a command that prints it. None of
//! it is ever shown.

use super::credentials::SECRETS;
use super::failure::Failure;
use super::settings::Environment;
use crate::auth::printed;
use crate::secret::Secret;

/// The key that this text stands for.
pub(super) fn resolve(
    text: &str,
    source: &str,
    environment: &Environment,
) -> Result<Secret, Failure> {
    if let Some(command) = text.strip_prefix('!') {
        return printed::key(command, SECRETS).map_err(|error| {
            let exhausted = match error {
                printed::Error::Exhausted(exhausted) => Some(exhausted),
                _ => None,
            };
            Failure::usage(format!("cannot use {source}: its command {error}"))
                .hint(
                    "run what stands behind the ! by hand; it must print the key and nothing else",
                )
                .for_want_of(exhausted)
        });
    }
    if let Some(name) = text.strip_prefix('$') {
        let name = name
            .strip_prefix('{')
            .and_then(|name| name.strip_suffix('}'))
            .unwrap_or(name);
        return environment.secret(name).ok_or_else(|| {
            Failure::usage(format!(
                "cannot use {source}: the variable {name} is not set"
            ))
            .hint(format!(
                "set {name}, or leave \"apiKey\" out if the server wants none"
            ))
        });
    }
    // pi takes the bare name of a variable that is set.
    let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    match environment.secret(text) {
        Some(found) if text.chars().all(is_name) => Ok(found),
        _ => Ok(Secret::new(text.to_owned())),
    }
}
