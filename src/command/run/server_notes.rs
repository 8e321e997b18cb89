//! What is worth a line about the MCP servers of a run, in words.

use crate::failure::Failure;
use crate::mcp::server_settings::Transport;
use crate::tools::server::offer::StartedServer;
use crate::tools::server::servers::{StartedServers, UnstartedServer};
use crate::tools::server::start_error::StartError;

/// The size of the tools of servers above which a note names it, in bytes: they are part of every request.
const MAX_QUIET_BYTES: usize = 32 << 10;

/// Programs that load what they run from a registry.
const LOADERS: &[&str] = &["npx", "uvx", "bunx", "pnpx", "pipx", "dlx"];

/// The failure of a run whose server did not start; `network` says whether the run allows the network.
pub(in crate::command) fn failure(server: &UnstartedServer, network: bool) -> Failure {
    let settings = &server.settings;
    let loads = match &settings.transport {
        Transport::Stdio { command, .. } => command.first().is_some_and(|program| {
            let name = program.rsplit('/').next().unwrap_or(program);
            LOADERS.contains(&name)
        }),
        Transport::Http { .. } => false,
    };
    let lacks_network = matches!(settings.transport, Transport::Http { .. }) && !network;
    let is_moved = matches!(&settings.transport, Transport::Stdio { cwd: Some(_), .. });
    // A program may have a blank in its name, but more often it is the whole command.
    let is_line = matches!(&settings.transport, Transport::Stdio { command, .. }
        if command.first().is_some_and(|program| program.contains(' ')));
    let place = &settings.place;
    let hint = match (loads, network, settings.network) {
        (true, false, true) => {
            "it loads its program from the network: install that first, or allow the network with --network".to_owned()
        }
        (true, false, false) => format!(
            "it loads its program from the network: install that first, or allow the network with --network and \"network\": true in {place}"
        ),
        (true, true, false) => format!(
            "it loads its program from the network: install that first, or set \"network\": true in {place}"
        ),
        (true, true, true) => {
            "it loads its program from the network into a cache, which it must be allowed to change: install the server first and name its program instead".to_owned()
        }
        _ if lacks_network && settings.network => format!(
            "allow the network with --network, or set \"required\": false in {place}"
        ),
        _ if place.starts_with("--mcp ") => {
            "run the command by itself to see what it needs; `codex help mcp` says what the sandbox allows".to_owned()
        }
        _ if is_moved && matches!(server.error, StartError::NotStarted(_)) => format!(
            "\"cwd\" in {place} must be a directory, relative to the working directory of the tools"
        ),
        _ if is_line => format!(
            "\"command\" in {place} is the program alone; its arguments belong in \"args\""
        ),
        _ => format!("correct {place}, or set \"required\": false there; --no-mcp leaves out the servers of mcp.json"),
    };
    Failure::usage(server.to_string()).hint(hint)
}

/// Warnings about servers that did not start and tools that are not offered.
pub(in crate::command) fn warnings(servers: &StartedServers) -> Vec<String> {
    let unstarted = servers
        .failed
        .iter()
        .map(|server| format!("{server}; it is left out"));
    let mut warnings: Vec<String> = unstarted.collect();
    for server in &servers.started {
        let StartedServer {
            settings,
            offer,
            names,
        } = server;
        let name = &settings.name;
        let is_chosen = |n: &usize| settings.offers(&offer.tools[*n]);
        let ambiguous = (0..offer.tools.len())
            .filter(is_chosen)
            .filter(|n| names[*n].is_none());
        let left_out = offer.left_out + ambiguous.count();
        if left_out > 0 {
            warnings.push(format!(
                "the MCP server {name} lists {left_out} more tools, which are not offered: they are too many, too large or not well-formed"
            ));
        }
        if names.iter().all(Option::is_none) {
            warnings.push(match &settings.tools {
                Some(globs) if !offer.tools.is_empty() => format!(
                    "no tool of the MCP server {name} matches {}",
                    globs.join(", ")
                ),
                _ => format!("the MCP server {name} offers no tools"),
            });
        }
    }
    warnings
}

/// A note if the tools of servers make every request much larger.
pub(super) fn notes(servers: &StartedServers) -> Option<String> {
    let sizes: Vec<(&str, usize)> = servers
        .started
        .iter()
        .map(|server| (&*server.settings.name, server.offered_bytes()))
        .collect();
    let whole: usize = sizes.iter().map(|(_, bytes)| bytes).sum();
    (whole > MAX_QUIET_BYTES).then(|| {
        let kib = |bytes: usize| bytes.div_ceil(1 << 10);
        let each = sizes.iter().map(|(name, bytes)| format!("{name} {} KiB", kib(*bytes)));
        let each: Vec<String> = each.collect();
        format!(
            "the tools of MCP servers add {} KiB to every request ({}); --mcp-tools chooses among them",
            kib(whole),
            each.join(", ")
        )
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::mcp::server_settings::ServerSettings;

    /// A server that did not start.
    pub(in super::super) fn unstarted(
        command: &str,
        place: &str,
        network: bool,
    ) -> UnstartedServer {
        let command = command.split(' ').map(str::to_owned).collect();
        UnstartedServer {
            settings: ServerSettings {
                place: place.to_owned(),
                network,
                ..ServerSettings::of_command("git".to_owned(), command)
            },
            error: StartError::Ended,
            last_words: "exit code 1".to_owned(),
        }
    }

    #[test]
    fn a_loader_without_the_network_gets_a_hint() {
        let check = |server: UnstartedServer, network: bool, expected: &str| {
            let failure = failure(&server, network);
            assert_eq!(
                failure.what(),
                "cannot start the MCP server git: it ended before it answered: exit code 1"
            );
            let hint = failure.advice().unwrap_or_default();
            assert!(hint.contains(expected), "{hint}");
        };
        let loader = "/usr/bin/npx -y x";
        check(
            unstarted(loader, "--mcp x", true),
            false,
            "first, or allow the network with --network",
        );
        check(
            unstarted(loader, "--mcp x", true),
            true,
            "install the server first",
        );
        check(
            unstarted("x", "--mcp x", true),
            true,
            "run the command by itself",
        );
        let file = "mcp.json:2:9";
        check(
            unstarted("uvx x", file, false),
            false,
            "with --network and \"network\": true in mcp.json:2:9",
        );
        check(
            unstarted("uvx x", file, false),
            true,
            "or set \"network\": true in mcp.json:2:9",
        );
        let mut lost = unstarted("mcp-server-git --all", file, false);
        if let Transport::Stdio { command, .. } = &mut lost.settings.transport {
            *command = vec!["mcp-server-git --all".to_owned()];
        }
        check(lost, false, "its arguments belong in \"args\"");
        check(
            unstarted("x", file, false),
            false,
            "correct mcp.json:2:9, or set \"required\": false",
        );
    }
}
