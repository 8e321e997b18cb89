//! `codex mcp list`: starts the MCP servers, as a run would, and prints what they offer.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::run::server_notes;
use super::signals::take_over;
use super::stdout::Stdout;
use super::stop_requests::{ENDED, until_ended};
use super::warn;
use crate::agent::StopRequest;
use crate::exhausted::at_start;
use crate::failure::{self, Failure};
use crate::output::columns::{TableColumn, table};
use crate::output::visible::line;
use crate::text::one_line;
use crate::tools::child::reaper;
use crate::tools::launch::{LaunchError, set_close_on_exec};
use crate::tools::sandbox::confine::{self, SandboxScope};
use crate::tools::server::offer::StartedServer;
use crate::tools::server::servers::{ServerToStart, StartedServers, UnstartedServer};
use crate::tools::setup::ToolSetup;
use crate::tools::toolbox::Toolbox;

/// What to list.
#[derive(Debug)]
pub struct ServerListSettings {
    /// How to start tools.
    pub setup: ToolSetup,
    /// The servers.
    pub servers: Vec<ServerToStart>,
    /// Warnings about the settings.
    pub warnings: Vec<String>,
    /// Print JSON.
    pub json: bool,
}

/// Why there is no list, or it is not complete.
#[derive(Debug)]
pub enum Error {
    /// The sandbox cannot be set up.
    Sandbox(confine::Error),
    /// A system call failed.
    System(io::Error),
    /// Standard output cannot be written.
    Output(io::Error),
    /// A stop request ended it.
    Stopped(StopRequest),
    /// A server did not start; whether the network is allowed.
    Unstarted(Box<UnstartedServer>, bool),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Sandbox(error) => {
                Failure::usage(format!("cannot confine the MCP servers: {error}"))
                    .hint("-s danger-full-access starts them without a sandbox")
                    .for_want_of(error.exhausted())
            }
            Error::System(error) => failure::of_thread(&error),
            Error::Output(error) => failure::of_output(&error),
            Error::Stopped(request) => failure::of_order(request),
            Error::Unstarted(server, network) => server_notes::failure(&server, network),
        }
    }
}

/// Lists what the servers offer.
///
/// # Errors
/// If one that is required does not start, after the list of the others.
pub fn run(settings: ServerListSettings, mut stdout: Stdout) -> Result<(), Error> {
    for warning in &settings.warnings {
        warn(warning);
    }
    if settings.servers.is_empty() {
        warn("there are no MCP servers; declare them in mcp.json in CODEX_RUN_HOME, or with --mcp");
    } else if let Some(policy) = &settings.setup.policy {
        confine::check(policy).map_err(Error::Sandbox)?;
    }
    let network = settings
        .setup
        .policy
        .as_ref()
        .is_none_or(|policy| policy.network);
    let mut started = offers(settings.setup, settings.servers)?;
    let text = if settings.json {
        as_json(&started)
    } else {
        as_tables(&started.started, stdout.columns())
    };
    let is_required = |server: &UnstartedServer| server.settings.required;
    let required = started.failed.iter().position(is_required);
    let required = required.map(|at| started.failed.remove(at));
    for warning in server_notes::warnings(&started) {
        warn(&warning);
    }
    stdout.print(&text).map_err(Error::Output)?;
    match required {
        Some(server) => Err(Error::Unstarted(Box::new(server), network)),
        None => Ok(()),
    }
}

/// Starts and ends the servers. A signal ends them with everything that they started.
fn offers(setup: ToolSetup, servers: Vec<ServerToStart>) -> Result<StartedServers, Error> {
    set_close_on_exec();
    let adopted = reaper::adopt_orphans();
    let mut signals = take_over(&[]).map_err(Error::System)?;
    let (ended, ends) = UnixStream::pair().map_err(Error::System)?;
    signals.push((ENDED, ended));
    let tools = Toolbox::open_with(setup, Vec::new(), servers);
    let mut tools = tools.map_err(|error| match error {
        LaunchError::Place(place, error) => Error::Sandbox(confine::Error::Place(place, error)),
        LaunchError::Temporary(_, error) | LaunchError::Signal(error) => Error::System(error),
    })?;
    let is_stopped = AtomicBool::new(false);
    let (started, stopped) = thread::scope(|scope| {
        let tools = &mut tools;
        let start = || {
            let _ends = ends;
            let started = tools.add_servers(&|| is_stopped.load(Ordering::SeqCst));
            tools.close_servers(is_stopped.load(Ordering::SeqCst));
            started
        };
        let starting = thread::Builder::new().spawn_scoped(scope, start);
        let starting = starting.map_err(|error| Error::System(at_start(error)))?;
        let stopped = until_ended(&signals, || is_stopped.store(true, Ordering::SeqCst));
        let panicked = |_| Error::System(io::Error::other("the start panicked"));
        Ok((starting.join().map_err(panicked)?, stopped))
    })?;
    if adopted {
        reaper::end_all(SandboxScope::default(), || false);
    }
    if let Err((path, error)) = tools.clean() {
        let path = path.display();
        warn(&format!(
            "the temporary directory {path} could not be removed: {error}"
        ));
    }
    match stopped {
        Some(request) => Err(Error::Stopped(request)),
        None => Ok(started),
    }
}

/// A tool as it is offered: its name, the server's own name for it, its description, and its size in a request, in bytes.
struct OfferedTool<'a> {
    name: &'a str,
    own_name: &'a str,
    description: &'a str,
    bytes: usize,
}

fn offered(server: &StartedServer) -> impl Iterator<Item = OfferedTool<'_>> {
    let tools = server.names.iter().zip(&server.offer.tools);
    tools.filter_map(|(name, tool)| {
        Some(OfferedTool {
            name: name.as_deref()?,
            own_name: &tool.name,
            description: &tool.description,
            bytes: tool.bytes_as(name.as_deref()?),
        })
    })
}

/// A table of the servers, and one of their tools.
fn as_tables(servers: &[StartedServer], columns: Option<usize>) -> String {
    if servers.is_empty() {
        return String::new();
    }
    let of_servers: Vec<Vec<String>> = servers
        .iter()
        .map(|server| {
            let identity = &server.offer.server;
            let program = format!("{} {}", identity.name, identity.version);
            vec![
                server.settings.name.clone(),
                line(program.trim()).into_owned(),
                identity.protocol.clone(),
                offered(server).count().to_string(),
                size(server.offered_bytes()),
            ]
        })
        .collect();
    let heads = [
        TableColumn::fixed("server"),
        TableColumn {
            least: Some(10),
            rank: 1,
            ..TableColumn::fixed("program")
        },
        TableColumn {
            rank: 2,
            ..TableColumn::fixed("protocol")
        },
        TableColumn::fixed("tools"),
        TableColumn::fixed("size"),
    ];
    let mut text = table(&heads, &of_servers, columns);
    let of_tools: Vec<Vec<String>> = servers
        .iter()
        .flat_map(offered)
        .map(|tool| {
            let about = line(&one_line(tool.description)).into_owned();
            vec![tool.name.to_owned(), size(tool.bytes), about]
        })
        .collect();
    if !of_tools.is_empty() {
        let heads = [
            TableColumn::fixed("tool"),
            TableColumn::fixed("size"),
            TableColumn {
                least: Some(20),
                rank: 1,
                ..TableColumn::fixed("description")
            },
        ];
        text.push('\n');
        text.push_str(&table(&heads, &of_tools, columns));
    }
    text
}

/// A size in words: bytes, or KiB with one decimal.
fn size(bytes: usize) -> String {
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let tenths = (bytes * 10).div_ceil(1024);
    format!("{}.{} KiB", tenths / 10, tenths % 10)
}

fn as_json(servers: &StartedServers) -> String {
    let of_started = servers.started.iter().map(|server| {
        let tools: Vec<Value> = offered(server)
            .map(|tool| {
                json!({"name": tool.name, "tool": tool.own_name, "description": tool.description, "bytes": tool.bytes})
            })
            .collect();
        let (identity, settings) = (&server.offer.server, &server.settings);
        json!({"name": settings.name, "declared": settings.place, "program": identity.name, "version": identity.version,
            "protocol": identity.protocol, "tools": tools, "bytes": server.offered_bytes(), "error": null})
    });
    let of_failed = servers.failed.iter().map(|server| {
        let settings = &server.settings;
        json!({"name": settings.name, "declared": settings.place, "program": null, "version": null, "protocol": null,
            "tools": [], "bytes": 0, "error": server.to_string()})
    });
    let all: Vec<Value> = of_started.chain(of_failed).collect();
    format!("{:#}\n", json!({"servers": all}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_in_bytes_or_in_kib() {
        let check = |bytes, expected: &str| assert_eq!(size(bytes), expected);
        check(0, "0 B");
        check(1023, "1023 B");
        check(1024, "1.0 KiB");
        check(6963, "6.8 KiB");
    }
}
