//! The tools of a run's servers, as they are offered to the model.

use std::sync::Arc;

use super::client::ServerOffer;
use super::server_tool::{Server, tool};
use crate::mcp::listed_tool::ListedTool;
use crate::mcp::server_settings::ServerSettings;
use crate::mcp::tool_names::offered_names;
use crate::tools::tool::Tool;

/// A server that has started.
#[derive(Clone, Debug)]
pub struct StartedServer {
    /// How it is declared.
    pub settings: ServerSettings,
    /// What it offers.
    pub offer: ServerOffer,
    /// The names under which its tools are offered; `None` for a tool that is not.
    pub names: Vec<Option<String>>,
}

impl StartedServer {
    /// The size of the tools that are offered, in bytes: names, descriptions and schemas.
    #[must_use]
    pub fn offered_bytes(&self) -> usize {
        let tools = self.offer.tools.iter().zip(&self.names);
        let size =
            |(tool, name): (&ListedTool, &Option<String>)| Some(tool.bytes_as(name.as_ref()?));
        tools.filter_map(size).sum()
    }
}

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
            let is_chosen = started.settings.offers(listed);
            let name = is_chosen.then(|| names.next().flatten()).flatten();
            tools.extend(name.clone().map(|name| tool(server, name, listed)));
            started.names.push(name);
        }
    }
    tools
}
