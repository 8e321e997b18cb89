//! The tools' environment: the variables that every tool needs, and those that `--env`, manifests and MCP servers add.

use std::ffi::OsStr;

use super::remote_servers::RemoteContext;
use super::servers::DeclaredServers;
use super::variable_guard::{KnownSecrets, VariableGuard, is_own, refused};
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::failure::Failure;
use crate::mcp::server_settings::{ServerSettings, Transport};
use crate::models::custom::Provider;
use crate::tools::environment;
use crate::tools::server::servers::{ServerKind, ServerToStart};
use crate::tools::setup::ToolSetup;
use crate::tools::tool::Tool;

/// The minimum length of a prefix.
const MIN_PREFIX: usize = 3;

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
    let mut guard = VariableGuard::new(environment, known.found);
    if by_manifests || !wanted.is_empty() || servers.servers.iter().any(has_variables) {
        guard.look_further(args, environment, known);
    }
    let network = args.network || setup.policy.is_none();
    let remote = RemoteContext {
        environment,
        network,
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
    guard.server_keys.extend(servers.keys);

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
    let mut guard = VariableGuard::new(environment, &[]);
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
}
