//! The HTTP setup from the environment: user agent, proxy and root certificates.

use std::path::Path;

use super::environment::Environment;
use super::named_files::{ROOTS, certificates};
use crate::http::{HttpSetup, Network};

/// The proxy variables; the first one set is used. All requests use https.
const PROXIES: &[&str] = &["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

/// The user agent and network settings. They are validated when they are used.
pub(super) fn setup(environment: &Environment) -> HttpSetup {
    let first = |names: &[&'static str]| {
        let mut set = names
            .iter()
            .filter_map(|name| Some((*name, environment.get(name)?)));
        set.next()
    };
    let mut network = Network::default();
    if let Some((name, address)) = first(PROXIES) {
        let exempt = first(&["no_proxy", "NO_PROXY"]).map(|(_, list)| list.to_string_lossy());
        network = network.with_proxy(
            name,
            &address.to_string_lossy(),
            &exempt.unwrap_or_default(),
        );
    }
    if let Some((name, file)) = first(ROOTS) {
        let path = Path::new(file).to_owned();
        let read = move || certificates(name, &path);
        network = network.with_roots(name, Path::new(file), read);
    }
    HttpSetup {
        user_agent: user_agent(),
        network,
    }
}

fn user_agent() -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    format!("codex-run/{} ({os}; {arch})", env!("CARGO_PKG_VERSION"))
}
