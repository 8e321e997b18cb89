//! The tools of a run's servers, as they are offered to the model.

use std::sync::Arc;

use super::server_tool::{Server, tool};
use super::servers::StartedServer;
use crate::mcp::tool_names::offered_names;
use crate::tools::tool::Tool;

/// The tools of these servers, which are in the same order twice. The names are noted.
pub(super) fn tools_of(servers: &[Arc<Server>], started: &mut [StartedServer]) -> Vec<Tool> {
    let mut listed = Vec::new();
    for server in &*started {
        let name = &*server.settings.name;
        let offered = server
            .offer
            .tools
            .iter()
            .filter(|tool| server.settings.offers(tool));
        listed.extend(offered.map(|tool| (name, &*tool.name)));
    }
    let mut names = offered_names(&listed).into_iter();
    let mut tools = Vec::new();
    for (server, started) in servers.iter().zip(started) {
        for listed in &started.offer.tools {
            let name = match started.settings.offers(listed) {
                true => names.next().flatten(),
                false => None,
            };
            tools.extend(name.clone().map(|name| tool(server, name, listed)));
            started.names.push(name);
        }
    }
    tools
}
