//! The MCP servers of a run: those of `mcp.json` in the home and those of `--mcp`, with the environment of each.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::manifests::distrusted;
use super::trust::Trust;
use super::variable_guard::is_own;
use crate::cli::config;
use crate::cli::environment::Environment;
use crate::cli::flags::Args;
use crate::cli::named_files;
use crate::cli::nearest::unknown;
use crate::cli::values::duration;
use crate::failure::Failure;
use crate::mcp::command_line::{ArgumentError, ServerArgument};
use crate::mcp::server_file::{FileContext, parse};
use crate::mcp::server_settings::{ServerSettings, Transport, parse_tool_choice};

/// The file of servers in the home.
pub(super) const FILE: &str = "mcp.json";

/// The servers that a run starts.
#[derive(Default)]
pub(super) struct DeclaredServers {
    pub(super) servers: Vec<ServerSettings>,
    /// Variables that are the keys of servers, whether these are started or not.
    pub(super) keys: Vec<String>,
    /// A note that names those of `mcp.json`.
    pub(super) note: Option<String>,
}

/// Finds the servers.
pub(super) fn find(args: &Args, environment: &Environment) -> Result<DeclaredServers, Failure> {
    let trust = Trust::of(args.directory.as_deref().map_or(Path::new("."), Path::new));
    let mut found = DeclaredServers::default();
    let usual = environment.home().map(|home| home.join(FILE));
    if let Some(file) = usual.filter(|file| file.exists()) {
        if args.no_mcp || args.no_tools {
            // Its keys stay keys. What cannot be read names none.
            let text = config::read_settings(&file)
                .ok()
                .flatten()
                .unwrap_or_default();
            let servers = parse(&text, &context(&file.to_string_lossy()));
            found.keys = keys(&servers.unwrap_or_default());
        } else {
            let servers = in_home(&file, &trust)?;
            if !servers.is_empty() {
                let names: Vec<&str> = servers.iter().map(|server| &*server.name).collect();
                let (file, names) = (file.display(), names.join(", "));
                found.note = Some(format!("starting the MCP servers of {file}: {names}"));
            }
            found.servers = servers;
        }
    }
    for value in &args.mcp {
        found.servers.extend(of_flag(value, args, &trust)?);
    }
    check_names(&found.servers)?;
    choose_tools(&mut found.servers, args)?;
    found.keys.extend(keys(&found.servers));
    Ok(found)
}

fn context(file: &str) -> FileContext<'_> {
    FileContext {
        file,
        duration: |text| duration("timeout", Some(OsStr::new(text))).ok().flatten(),
        is_reserved: is_own,
    }
}

/// The variables that are the keys of these servers: those in the headers of requests.
fn keys(servers: &[ServerSettings]) -> Vec<String> {
    let headers = servers.iter().flat_map(|server| match &server.transport {
        Transport::Http { headers, .. } => &headers[..],
        Transport::Stdio { .. } => &[],
    });
    let names = headers.filter_map(|(_, value)| value.variable());
    names.map(str::to_owned).collect()
}

/// The servers of the file in the home.
fn in_home(file: &Path, trust: &Trust) -> Result<Vec<ServerSettings>, Failure> {
    if let Some((why, hint)) = distrusted(file, trust) {
        let file = file.display();
        return Err(Failure::usage(format!("cannot use {file}: {why}"))
            .hint(format!("{hint}; --no-mcp leaves its servers out")));
    }
    let text = config::read_settings(file)?.unwrap_or_default();
    read(&text, file)
}

/// Parses the text of a file.
fn read(text: &str, file: &Path) -> Result<Vec<ServerSettings>, Failure> {
    parse(text, &context(&file.to_string_lossy())).map_err(|mistake| {
        let failure = config::invalid("cannot use the MCP servers in", file, &mistake);
        match mistake.known {
            Some(_) => failure,
            None => failure.hint("`codex help mcp` describes the file"),
        }
    })
}

/// The servers of one value of `--mcp`.
fn of_flag(value: &OsStr, args: &Args, trust: &Trust) -> Result<Vec<ServerSettings>, Failure> {
    let flag = args.named("mcp");
    let text = value.to_string_lossy();
    let argument = ServerArgument::parse(&text, |path| Path::new(path).is_file());
    let argument = argument.map_err(|error| {
        let failure = Failure::usage(format!("invalid value for {flag}: {text}: {error}"));
        failure.hint(match error {
            ArgumentError::Name(_) => "for example: --mcp wiki='mcp-server-wiki --all'",
            ArgumentError::Url => "declare the server in mcp.json, or in a file for --mcp, with \"url\"; `codex help mcp` has an example",
            _ => "for example: --mcp 'mcp-server-git --repository .', or --mcp FILE.json",
        })
    })?;
    let (name, words) = match argument {
        ServerArgument::Command { name, words } => (name, words),
        ServerArgument::File(_) => {
            let file = Path::new(value);
            if let Some((why, hint)) = distrusted(file, trust) {
                let file = file.display();
                let what = format!("cannot use {file}, named by {flag}: {why}");
                return Err(Failure::usage(what).hint(hint));
            }
            let text = named_files::text(args, "mcp", value)?;
            return read(&text, file);
        }
    };
    Ok(vec![ServerSettings {
        place: format!("{flag} {text}"),
        ..ServerSettings::of_command(name, words)
    }])
}

/// Rejects two servers of one name.
fn check_names(servers: &[ServerSettings]) -> Result<(), Failure> {
    for (n, server) in servers.iter().enumerate() {
        let Some(other) = servers[..n].iter().find(|other| other.name == server.name) else {
            continue;
        };
        return Err(Failure::usage(format!(
            "two MCP servers are named {}: {} and {}",
            server.name, other.place, server.place
        ))
        .hint("give one of them another name (--mcp NAME=COMMAND), or leave out those of mcp.json with --no-mcp"));
    }
    Ok(())
}

/// Applies `--mcp-tools`.
fn choose_tools(servers: &mut [ServerSettings], args: &Args) -> Result<(), Failure> {
    let flag = args.named("mcp-tools");
    let mut chosen: Vec<(String, String)> = Vec::new();
    for value in &args.mcp_tools {
        let text = value.to_string_lossy();
        let choice = parse_tool_choice(&text).map_err(|wrong| {
            Failure::usage(format!("invalid value for {flag}: {wrong:?}"))
                .hint("for example: --mcp-tools 'git:git_*,wiki:search'")
        })?;
        for (server, glob) in choice {
            chosen.push((server.to_owned(), glob.to_owned()));
        }
    }
    let names: Vec<String> = servers.iter().map(|server| server.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (name, _) in &chosen {
        if !names.contains(&&**name) {
            let otherwise = match names[..] {
                [] => "--mcp starts a server".to_owned(),
                _ => format!("use any of {}", names.join(", ")),
            };
            let what = format!("MCP server in {flag}:");
            return Err(unknown(&what, name, &names, &otherwise));
        }
    }
    for server in servers {
        let globs = chosen.iter().filter(|(name, _)| *name == server.name);
        let globs: Vec<String> = globs.map(|(_, glob)| glob.clone()).collect();
        if !globs.is_empty() {
            server.tools = Some(globs);
        }
    }
    Ok(())
}

/// The files of `--mcp`.
pub(super) fn files(args: &Args) -> Vec<PathBuf> {
    let files = args.mcp.iter().filter(|value| {
        let text = value.to_string_lossy();
        let argument = ServerArgument::parse(&text, |path| Path::new(path).is_file());
        matches!(argument, Ok(ServerArgument::File(_)))
    });
    files.map(PathBuf::from).collect()
}
