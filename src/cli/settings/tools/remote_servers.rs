//! MCP servers behind a URL, as a run asks them: the URL and the headers validated, and no credential of codex-run sent
//! to them.

use std::ffi::OsStr;
use std::sync::Arc;

use super::variable_guard::is_own;
use crate::cli::environment::Environment;
use crate::cli::network;
use crate::failure::Failure;
use crate::mcp::server_settings::{ServerSettings, SettingValue, Transport};
use crate::remote::{RemoteHeader, RemoteServer, RemoteUrl};
use crate::secret::Secret;
use crate::tools::server::client::ServerClient;

/// What a run knows about its servers behind URLs.
pub(super) struct RemoteContext<'a> {
    pub(super) environment: &'a Environment,
    /// The run allows the network.
    pub(super) network: bool,
    /// Whether a value holds a credential of codex-run.
    pub(super) is_credential: &'a dyn Fn(&OsStr) -> bool,
}

impl RemoteContext<'_> {
    /// What runs the calls of this server, if it is behind a URL.
    pub(super) fn client(
        &self,
        server: &ServerSettings,
    ) -> Result<Option<Arc<dyn ServerClient>>, Failure> {
        let Transport::Http { url, headers } = &server.transport else {
            return Ok(None);
        };
        let wrong = |what: &str, why: &str| {
            let (name, place) = (&server.name, &server.place);
            Failure::usage(format!(
                "cannot use the MCP server {name}, {place}: {what}: {why}"
            ))
        };
        let url = RemoteUrl::parse(url).map_err(|error| wrong("its URL", &error.to_string()))?;
        let mut unusable = match (server.network, self.network) {
            (true, true) => None,
            (true, false) => Some("a server behind a URL needs --network".to_owned()),
            (false, _) => {
                Some("a server behind a URL needs \"network\": true and --network".to_owned())
            }
        };
        let mut all = Vec::new();
        for (header, value) in headers {
            let what = format!("the header {header}");
            let text = match value {
                SettingValue::Text(text) => Some(Secret::new(text.clone())),
                SettingValue::Variable(name) if is_own(name) => {
                    let why = format!("{name} is reserved for codex-run");
                    return Err(wrong(&what, &why).hint(SEPARATE));
                }
                SettingValue::Variable(name) => {
                    let text = self.environment.secret(name);
                    if text.is_none() {
                        unusable.get_or_insert(format!("{name}, for {what}, is not set"));
                    }
                    text
                }
            };
            let Some(text) = text else { continue };
            if (self.is_credential)(OsStr::new(text.expose())) {
                return Err(wrong(&what, "it holds a credential of codex-run").hint(SEPARATE));
            }
            let header = RemoteHeader::parse(header, text);
            all.push(header.map_err(|error| wrong(&what, &error.to_string()))?);
        }
        let setup = network::setup(self.environment);
        Ok(Some(Arc::new(match unusable {
            None => RemoteServer::new(&setup, url, all),
            Some(why) => RemoteServer::new(&setup, url, Vec::new()).unusable(why),
        })))
    }
}

/// The hint for a header that would send a credential.
const SEPARATE: &str =
    "if the server needs a key, give it one of its own, in a variable with a different name";
