//! The variables that are never passed to tools: those reserved for codex-run, keys in `models.json` and `mcp.json`, and
//! values that contain a credential.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::super::credentials::{self, SECRETS};
use super::super::key_commands;
use crate::auth::FoundCredential;
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::failure::Failure;
use crate::mcp::server_settings::{ServerSettings, SettingValue, Transport};
use crate::models::custom::Provider;
use crate::secret::Secret;

/// The variables that only codex-run reads, in addition to those that begin with `OWN_FAMILY`.
const OWN: &[&str] = &[
    "CODEX_CA_CERTIFICATE",
    "CODEX_MODEL",
    "CODEX_RECORD",
    "CODEX_REPLAY",
];

/// The prefix of the others.
const OWN_FAMILY: &str = "CODEX_RUN_";

/// The minimum length of a credential that other variables are compared with. A placeholder key of a local server that
/// needs none, such as `none`, is the value of many variables.
const MIN_CREDENTIAL: usize = 8;

/// The minimum length of a credential that is searched for inside values, as in `Bearer KEY`.
const MIN_WITHIN: usize = 16;

/// Whether this variable is reserved for codex-run.
pub(super) fn is_own(name: &str) -> bool {
    SECRETS.contains(&name) || OWN.contains(&name) || name.starts_with(OWN_FAMILY)
}

/// The failure for a variable that is named in full and is not passed to tools.
pub(super) fn refused(name: &str, whom: &str, why: &str) -> Failure {
    Failure::usage(format!("cannot pass {name} to {whom}: {why}"))
        .hint("if a tool needs a key, give it a separate one, in a variable with a different name")
}

/// The secrets of a run, which are not passed to tools.
#[derive(Default)]
pub(crate) struct KnownSecrets<'a> {
    /// The credentials that the run uses.
    pub(crate) found: &'a [FoundCredential],
    /// The credentials file that was read for them.
    pub(crate) read: Option<&'a Path>,
    /// The servers in `models.json`, whose keys are secrets too.
    pub(crate) providers: &'a [Provider],
}

/// A name and its value.
pub(super) type Variable = (OsString, OsString);

/// The variables that are not passed to tools.
pub(super) struct VariableGuard {
    /// Variables that `models.json` uses as a key.
    keys: Vec<String>,
    /// Variables that an MCP server uses as a key.
    pub(super) server_keys: Vec<String>,
    /// The credentials of codex-run.
    pub(super) credentials: Vec<Secret>,
}

impl VariableGuard {
    /// Starts with the credentials that the run uses and those in the environment.
    pub(super) fn new(environment: &Environment, found: &[FoundCredential]) -> Self {
        let of_environment = SECRETS.iter().filter_map(|name| environment.secret(name));
        let of_run = found.iter().flat_map(FoundCredential::secrets);
        let credentials = of_environment.chain(of_run).collect();
        Self {
            keys: Vec::new(),
            server_keys: Vec::new(),
            credentials,
        }
    }

    /// Adds those in `models.json` and in the credentials files, whether or not the run uses them.
    pub(super) fn look_further(
        &mut self,
        args: &Args,
        environment: &Environment,
        known: &KnownSecrets<'_>,
    ) {
        for provider in known.providers {
            let Some(key) = &provider.api_key else {
                continue;
            };
            match key_commands::variable(key, environment) {
                Some(name) => {
                    self.credentials.extend(environment.secret(name));
                    self.keys.push(name.to_owned());
                }
                // The output of a command is known only to the run that uses it, which passes it in.
                None if key.starts_with('!') => {}
                None => self.credentials.push(Secret::new(key.clone())),
            }
        }
        let stored = credentials::stored_secrets(args, environment, known.read);
        self.credentials.extend(stored);
    }

    /// Returns why this variable is not passed on regardless of its value, or `None`.
    fn refuses_name(&self, name: &str) -> Option<&'static str> {
        if is_own(name) {
            return Some("it is reserved for codex-run");
        }
        let is_in = |keys: &[String]| keys.iter().any(|key| key == name);
        if is_in(&self.keys) {
            return Some("models.json uses it as a key");
        }
        is_in(&self.server_keys).then_some("an MCP server uses it as a key")
    }

    /// Returns why this variable is not passed on, or `None`.
    pub(super) fn refuses(&self, name: &str, value: &OsStr) -> Option<&'static str> {
        let value = value.to_string_lossy();
        let is_value = |secret: &Secret| {
            let secret = secret.expose().trim();
            (secret.len() >= MIN_CREDENTIAL && value.trim() == secret)
                || (secret.len() >= MIN_WITHIN && value.contains(secret))
        };
        self.refuses_name(name).or_else(|| {
            let is_credential = self.credentials.iter().any(is_value);
            is_credential.then_some("its value holds a credential of codex-run")
        })
    }

    /// Returns the variable of this name, if it is set, or why it is not passed on.
    pub(super) fn by_name(
        &self,
        name: &str,
        environment: &Environment,
    ) -> Result<Option<Variable>, &'static str> {
        let value = environment.get(name);
        let why = value.map_or_else(
            || self.refuses_name(name),
            |value| self.refuses(name, value),
        );
        why.map_or(Ok(()), Err)?;
        Ok(value.map(|value| (name.into(), value.to_owned())))
    }

    /// Returns the variables that a server names, with their values.
    pub(super) fn of_server(
        &self,
        server: &ServerSettings,
        environment: &Environment,
        warnings: &mut Vec<String>,
    ) -> Result<Vec<Variable>, Failure> {
        let Transport::Stdio { env, .. } = &server.transport else {
            return Ok(Vec::new());
        };
        let mut variables = Vec::new();
        let whom = format!("the MCP server {}", server.name);
        for (name, value) in env {
            let refused = |name: &str, why| Err(refused(name, &whom, why));
            match value {
                SettingValue::Text(text) => match self.refuses(name, text.as_ref()) {
                    Some(why) => return refused(name, why),
                    None => variables.push((name.into(), text.into())),
                },
                SettingValue::Variable(of) => match self.by_name(of, environment) {
                    Ok(Some((_, value))) => variables.push((name.into(), value)),
                    Ok(None) => warnings.push(format!("{of}, named by {whom}, is not set")),
                    Err(why) => return refused(of, why),
                },
            }
        }
        Ok(variables)
    }

    /// Returns the variables with this prefix, and the omitted ones, each with the reason.
    pub(super) fn of_prefix(
        &self,
        prefix: &str,
        environment: &Environment,
    ) -> (Vec<Variable>, Vec<String>) {
        let (mut taken, mut left_out) = (Vec::new(), Vec::new());
        for (name, value) in &environment.0 {
            let text = name.to_string_lossy();
            if value.is_empty() || !text.starts_with(prefix) {
                continue;
            }
            match self.refuses(&text, value) {
                Some(why) => left_out.push(format!("{text}: {why}")),
                None => taken.push((name.clone(), value.clone())),
            }
        }
        (taken, left_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_of_codex_run_are_refused_by_name_and_by_value() {
        let environment = Environment::new(
            [
                ("OPENAI_API_KEY", "sk-invented-1"),
                ("APP_COPY", " sk-invented-1\n"),
                ("APP_HEADER", "Bearer sk-invented-1-in-full"),
                ("APP_SHORT", "none"),
                ("APP_URL", "http://x"),
                ("APP_KEY", "of-a-server"),
                ("APP_EMPTY", ""),
            ]
            .map(|(name, value)| (name.into(), value.into()))
            .to_vec(),
        );
        let mut guard = VariableGuard::new(&environment, &[]);
        guard.keys.push("APP_KEY".to_owned());
        for credential in ["none", "sk-invented-1-in-full"] {
            guard.credentials.push(Secret::new(credential.to_owned()));
        }
        let (taken, left_out) = guard.of_prefix("APP_", &environment);
        let taken: Vec<_> = taken.iter().map(|(name, _)| name).collect();
        assert_eq!(taken, ["APP_SHORT", "APP_URL"]);
        assert_eq!(
            left_out,
            [
                "APP_COPY: its value holds a credential of codex-run",
                "APP_HEADER: its value holds a credential of codex-run",
                "APP_KEY: models.json uses it as a key"
            ]
        );
    }
}
