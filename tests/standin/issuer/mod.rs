//! The OAuth issuer: it signs people in, in a browser or with a device code, issues tokens,
//! accepts each refresh token once, and revokes. It shares the port with the backends, which ask
//! it about the tokens that it minted; its records are in `book`, its settings in `knobs`.

mod authorize;
mod book;
mod device;
mod form;
mod knobs;
mod page;
pub(super) mod personal;
mod revoke;
#[cfg(test)]
mod tests;
mod token;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use serde_json::json;

use super::bound::Bounds;
use super::http::Recorded;
use super::lock;
use super::reply::Reply;

#[allow(
    unused_imports,
    reason = "the program and the tests use different names"
)]
pub(crate) use {authorize::Decision, book::Tokens};

/// The public client of all sign-ins.
pub(crate) const CLIENT_ID: &str = "app_EMoamEEZ73f0CkXaXp7hrann";

/// The issuer claim of every token.
const ISSUER: &str = "https://auth.openai.com";

const TOKEN: &str = "/oauth/token";

/// The issuer of one server, whose base address is the server's own.
pub(crate) struct Issuer {
    port: u16,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    book: book::Book,
    personal: HashMap<String, book::Person>,
    devices: Vec<device::Device>,
    knobs: knobs::Knobs,
    counts: knobs::Counts,
}

impl Issuer {
    pub(super) fn new(port: u16) -> Self {
        Self {
            port,
            state: Mutex::default(),
        }
    }

    /// The answer to a request, if it is for the issuer.
    pub(super) fn answer(&self, request: &Recorded) -> Option<Reply> {
        Some(match (request.method.as_str(), request.bare_path()) {
            ("GET", "/oauth/authorize") => authorize::answer(self, request),
            ("POST", TOKEN) => token::answer(self, request),
            ("POST", "/oauth/revoke") => revoke::answer(self, request),
            ("POST", "/api/accounts/deviceauth/usercode") => device::begin(self, request),
            ("POST", "/api/accounts/deviceauth/token") => device::poll(self, request),
            ("GET", "/api/accounts/v1/user-auth-credential/whoami") => {
                personal::whoami(self, request)
            }
            ("GET", "/codex/device") => device::form(request),
            ("POST", "/codex/device") => device::answered(self, request),
            _ => return None,
        })
    }

    /// How long to wait before this request is handled.
    pub(super) fn wait_before(&self, request: &Recorded) -> Duration {
        if request.bare_path() == TOKEN {
            return self.state().knobs.pause_before;
        }
        Duration::ZERO
    }

    /// The restrictions of the workspace of this access token, or of a workspace's own one.
    pub(super) fn bounds(&self, access: &str) -> Bounds {
        let state = self.state();
        let person = state.personal.get(access);
        let person = person.or_else(|| state.book.person_of(access));
        person.map_or_else(Bounds::default, |person| person.bounds.clone())
    }

    /// Whether the backends must refuse this access token.
    pub(super) fn refuses(&self, access: &str) -> bool {
        self.state().book.is_dead(access)
    }

    /// The verification address of a device code: this server, under any of its names.
    fn callbacks(&self) -> [String; 2] {
        let port = self.port;
        ["127.0.0.1", "localhost"].map(|host| format!("http://{host}:{port}/deviceauth/callback"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }
}

/// A refusal in the service's format, as for refresh tokens and devices.
fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let error = json!({"message": message, "type": "invalid_request_error",
        "param": null, "code": code});
    Reply::json(status, &json!({ "error": error }))
}
