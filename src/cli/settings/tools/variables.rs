//! The tools' environment: the variables that every tool needs, those that `--env` and manifests add, and those that are
//! never passed on: variables reserved for codex-run, keys in `models.json` and `mcp.json`, and values that contain a credential.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::super::credentials::{self, SECRETS};
use super::super::key_commands;
use super::remote_servers::RemoteContext;
use super::servers::DeclaredServers;
use crate::auth::FoundCredential;
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::failure::Failure;
use crate::mcp::server_settings::{ServerSettings, SettingValue, Transport};
use crate::models::custom::Provider;
use crate::secret::Secret;
use crate::tools::environment;
use crate::tools::server::servers::{ServerKind, ServerToStart};
use crate::tools::setup::ToolSetup;
use crate::tools::tool::Tool;

/// The variables that only codex-run reads, in addition to those that begin with `OWN_FAMILY`.
const OWN: &[&str] = &[
    "CODEX_CA_CERTIFICATE",
    "CODEX_MODEL",
    "CODEX_RECORD",
    "CODEX_REPLAY",
];

/// The prefix of the others.
const OWN_FAMILY: &str = "CODEX_RUN_";

/// The minimum length of a prefix.
const MIN_PREFIX: usize = 3;

/// The minimum length of a credential that other variables are compared with. A placeholder key of a local server that
/// needs none, such as `none`, is the value of many variables.
const MIN_CREDENTIAL: usize = 8;

/// The minimum length of a credential that is searched for inside values, as in `Bearer KEY`.
const MIN_WITHIN: usize = 16;

/// Whether this variable is reserved for codex-run.
pub(crate) fn is_own(name: &str) -> bool {
    SECRETS.contains(&name) || OWN.contains(&name) || name.starts_with(OWN_FAMILY)
}

/// A value of `--env`.
#[derive(Debug, PartialEq, Eq)]
enum EnvPattern {
    /// The variable of this name.
    Name(String),
    /// All variables with this prefix.
    Prefix(String),
}

impl EnvPattern {
    /// Reads the value of the flag.
    fn parse(text: &OsStr, flag: &str) -> Result<Self, Failure> {
        let text = text.to_string_lossy();
        if text.is_empty() {
            return Err(
                Failure::usage(format!("invalid value for {flag}: it is empty"))
                    .hint("for example: --env NAME"),
            );
        }
        if let Some((name, _)) = text.split_once('=') {
            // The rest may be a secret.
            return Err(Failure::usage(format!(
                "invalid value for {flag}: {name}=... is not a name"
            ))
            .hint(format!(
                "set {name}=VALUE before the command, and use --env {name}"
            )));
        }
        let Some((prefix, rest)) = text.split_once('*') else {
            if is_own(&text) {
                return Err(refused(&text, "tools", "it is reserved for codex-run"));
            }
            return Ok(Self::Name(text.into_owned()));
        };
        let wrong = |what: &str| {
            Err(
                Failure::usage(format!("invalid value for {flag}: {text}: {what}"))
                    .hint("for example: --env 'NAME_*'"),
            )
        };
        match prefix.chars().count() {
            _ if !rest.is_empty() => wrong("a * is allowed only at the end of a name"),
            MIN_PREFIX.. => Ok(Self::Prefix(prefix.to_owned())),
            _ => wrong("a prefix needs at least three characters before the *"),
        }
    }
}

/// Validates the names in `--env`, as far as possible without reading values.
pub(crate) fn check(args: &Args) -> Result<(), Failure> {
    wanted(args).map(drop)
}

fn wanted(args: &Args) -> Result<Vec<EnvPattern>, Failure> {
    let flag = args.named("env");
    let parsed = args.env.iter().map(|text| EnvPattern::parse(text, &flag));
    parsed.collect()
}

/// The failure for a variable that is named in full and is not passed to tools.
fn refused(name: &str, whom: &str, why: &str) -> Failure {
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

/// Fills in the environment of this run's tools, given its secrets; returns the servers to start and the warnings.
pub(super) fn fill_environment(
    setup: &mut ToolSetup,
    offered: &[Tool],
    servers: DeclaredServers,
    (args, environment): (&Args, &Environment),
    known: &KnownSecrets<'_>,
) -> Result<(Vec<ServerToStart>, Vec<String>), Failure> {
    let mut warnings = Vec::new();
    let wanted = wanted(args)?;
    if offered.is_empty() && servers.servers.is_empty() {
        return Ok((Vec::new(), warnings));
    }
    let by_manifests = offered.iter().any(|tool| !tool.variables().is_empty());
    let mut guard = Guard::new(environment, known.found);
    if by_manifests || !wanted.is_empty() || servers.servers.iter().any(has_variables) {
        guard.look_further(args, environment, known);
    }
    let network = args.network || setup.policy.is_none();
    let remote = RemoteContext {
        environment,
        network,
        call_limit: setup.timeout,
        is_reserved: is_own,
        is_credential: &|value| guard.refuses("", value).is_some(),
    };
    let clients = servers.servers.iter().map(|server| remote.client(server));
    let clients = clients.collect::<Result<Vec<_>, Failure>>()?;
    // From here on, the keys of servers are credentials too.
    let keys = servers
        .keys
        .iter()
        .filter_map(|name| environment.secret(name));
    guard.credentials.extend(keys);
    guard.keys.extend(servers.keys);

    let selected = environment::for_tools(&environment.0, network);
    setup.environment = selected.variables;
    setup
        .environment
        .retain(|(name, value)| guard.refuses(&name.to_string_lossy(), value).is_none());
    setup.environment.extend(environment::non_interactive());

    let flag = args.named("env");
    for wanted in &wanted {
        match wanted {
            EnvPattern::Name(name) => match guard.by_name(name, environment) {
                Ok(Some(variable)) => setup.environment.push(variable),
                Ok(None) => warnings.push(format!("{flag} {name}: the variable is not set")),
                Err(why) => return Err(refused(name, "tools", why)),
            },
            EnvPattern::Prefix(prefix) => {
                let (taken, omitted) = guard.of_prefix(prefix, environment);
                if taken.is_empty() && omitted.is_empty() {
                    warnings.push(format!("{flag} {prefix}*: no such variable is set"));
                }
                if !omitted.is_empty() {
                    let omitted = omitted.join("; ");
                    warnings.push(format!("{flag} {prefix}* omits {omitted}"));
                }
                setup.environment.extend(taken);
            }
        }
    }

    for tool in offered {
        for name in tool.variables() {
            let whom = format!("the tool {}", tool.name);
            match guard.by_name(name, environment) {
                Ok(Some(variable)) => setup.variables.push(variable),
                Ok(None) => warnings.push(format!("{name}, named by {whom}, is not set")),
                Err(why) => return Err(refused(name, &whom, why)),
            }
        }
    }

    let mut to_start = Vec::new();
    for (settings, client) in servers.servers.into_iter().zip(clients) {
        if let Some(client) = client {
            let kind = ServerKind::Client(client);
            to_start.push(ServerToStart { settings, kind });
            continue;
        }
        let variables = guard.of_server(&settings, environment, &mut warnings)?;
        to_start.extend(ServerToStart::program(
            settings,
            &setup.directory,
            variables,
        ));
    }

    // Without the network a missing address rarely matters; with it, builds would fail for no visible reason.
    let is_passed_on = |name: &String| setup.environment.iter().any(|(key, _)| **key == **name);
    let left_out: Vec<String> = selected
        .left_out
        .into_iter()
        .filter(|name| network && !is_passed_on(name))
        .collect();
    if !left_out.is_empty() {
        warnings.push(format!(
            "not passed to tools, because the value looks like a credential: {}; {flag} NAME passes it on",
            left_out.join(" and ")
        ));
    }
    Ok((to_start, warnings))
}

/// The names of the variables that `--env` passes on.
pub(crate) fn names(environment: &Environment, providers: &[Provider]) -> Vec<String> {
    let mut guard = Guard::new(environment, &[]);
    let known = KnownSecrets {
        providers,
        ..KnownSecrets::default()
    };
    guard.look_further(&Args::default(), environment, &known);
    let variables = environment.0.iter();
    let named = variables.filter_map(|(name, value)| Some((name.to_str()?, value)));
    named
        .filter(|(name, value)| guard.refuses(name, value).is_none())
        .map(|(name, _)| name.to_owned())
        .collect()
}

/// Whether a server gets more variables than other tools.
pub(super) fn has_variables(server: &ServerSettings) -> bool {
    match &server.transport {
        Transport::Stdio { env, .. } => !env.is_empty(),
        Transport::Http { headers, .. } => !headers.is_empty(),
    }
}

/// A name and its value.
type Variable = (OsString, OsString);

/// The variables that are not passed to tools.
struct Guard {
    /// Variables that `models.json` or `mcp.json` uses as a key.
    keys: Vec<String>,
    /// The credentials of codex-run.
    credentials: Vec<Secret>,
}

impl Guard {
    /// Starts with the credentials that the run uses and those in the environment.
    fn new(environment: &Environment, found: &[FoundCredential]) -> Self {
        let of_environment = SECRETS.iter().filter_map(|name| environment.secret(name));
        let of_run = found.iter().flat_map(FoundCredential::secrets);
        let credentials = of_environment.chain(of_run).collect();
        Self {
            keys: Vec::new(),
            credentials,
        }
    }

    /// Adds those in `models.json` and in the credentials files, whether or not the run uses them.
    fn look_further(&mut self, args: &Args, environment: &Environment, known: &KnownSecrets<'_>) {
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
        let is_key = self.keys.iter().any(|key| key == name);
        is_key.then_some("models.json or mcp.json uses it as a key")
    }

    /// Returns why this variable is not passed on, or `None`.
    fn refuses(&self, name: &str, value: &OsStr) -> Option<&'static str> {
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
    fn by_name(
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
    fn of_server(
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
    fn of_prefix(&self, prefix: &str, environment: &Environment) -> (Vec<Variable>, Vec<String>) {
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
    fn a_name_or_a_prefix_is_read() {
        let check = |text: &str, expected: Result<EnvPattern, &str>| {
            let read =
                EnvPattern::parse(OsStr::new(text), "--env").map_err(|failure| failure.words());
            match (&read, &expected) {
                (Err(words), Err(expected)) => assert!(words.contains(expected), "{text}: {words}"),
                (Ok(read), Ok(expected)) => assert_eq!(read, expected, "{text}"),
                _ => panic!("{text}: {read:?} is not {expected:?}"),
            }
        };
        check("NAME", Ok(EnvPattern::Name("NAME".to_owned())));
        check("NAME_*", Ok(EnvPattern::Prefix("NAME_".to_owned())));
        check("NO_*", Ok(EnvPattern::Prefix("NO_".to_owned())));
        check("CODEX_*", Ok(EnvPattern::Prefix("CODEX_".to_owned())));
        check("", Err("invalid value for --env: it is empty"));
        check("A=secret", Err("A=... is not a name"));
        check("AB*", Err("at least three characters"));
        check("*", Err("at least three characters"));
        check("*_URL", Err("only at the end of a name"));
        check("NAME_**", Err("only at the end of a name"));
        for name in ["OPENAI_API_KEY", "CODEX_RUN_HOME", "CODEX_MODEL"] {
            check(name, Err("it is reserved for codex-run"));
        }
    }

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
        let mut guard = Guard::new(&environment, &[]);
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
                "APP_KEY: models.json or mcp.json uses it as a key"
            ]
        );
    }
}
