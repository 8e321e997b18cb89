//! The commands. Each receives validated settings, which `cli` makes from argv and the environment, and returns an error,
//! which `failure` turns into a message.

pub mod chat;
mod check_item;
mod lent_terminal;
pub mod login;
pub mod logout;
pub mod mcp_list;
mod model_list_refresh;
mod model_table;
pub mod models;
pub mod run;
mod screen;
pub mod sessions;
pub mod signal_shield;
pub mod signals;
pub mod startup_deadline;
pub mod status;
mod status_check;
mod status_report;
mod stderr;
pub mod stdout;
mod stdout_at_start;
mod stop_requests;
mod stop_watch;
mod time_limit;
pub mod token;
pub mod tool;
pub mod undo;

use std::io::{self, Write};
use std::sync::Arc;

use crate::auth::critical_section::Critical;
use crate::auth::issuer::Issuer;
use crate::auth::sign_in::{Hook, SignIn};
use crate::auth::store::{self, CredentialStore};
use crate::auth::{Authority, Chosen};
use crate::clock::span;
use crate::http::{BaseUrl, HttpSetup};
use crate::output::columns::wrap;
use crate::output::visible::{line, visible};

/// The credentials file of a sign-in, and the issuer that renews it.
#[derive(Clone, Debug)]
pub struct SignInSource {
    /// The credentials file.
    pub store: CredentialStore,
    /// The address of the issuer.
    pub issuer: BaseUrl,
}

impl SignInSource {
    /// A client for the issuer.
    #[must_use]
    pub fn issuer(&self, setup: &HttpSetup) -> Issuer {
        Issuer::new(self.issuer.clone(), setup)
    }
}

/// The chosen credential, ready to sign requests. `None` if it is a stored sign-in without its source.
fn authority(
    chosen: Chosen,
    source: Option<SignInSource>,
    setup: &HttpSetup,
    critical: &Critical,
) -> Option<Authority> {
    let authority = match (chosen, source) {
        (Chosen::Fixed(credential), _) => Authority::Fixed(credential),
        (Chosen::Personal(personal), _) => Authority::Personal(personal),
        (Chosen::SignIn(_), None) => return None,
        (Chosen::SignIn(saved), Some(source)) => {
            let issuer = source.issuer(setup);
            let sign_in = SignIn::new(source.store, issuer, *saved, critical.clone());
            Authority::SignIn(Arc::new(sign_in))
        }
    };
    authority.on_wait(Hook::new(|waiting| match waiting.delay() {
        Some(delay) => warn(&format!("{waiting}; trying again in {}", span(delay))),
        None => warn(&waiting.to_string()),
    }));
    Some(authority)
}

/// Warns that another process holds the lock of the sign-in.
fn warn_of_wait(locked: &store::Error) {
    warn(&format!("{locked}; waiting for it"));
}

/// Prints lines to standard error, wrapped at the width of a terminal. Write errors are ignored.
fn say(lines: &str) {
    print_wrapped(lines, 0);
}

fn print_wrapped(lines: &str, indent: usize) {
    let mut text = visible(lines).into_owned();
    if let Some(columns) = stdout::columns(&io::stderr()) {
        text = wrap(&text, columns, indent);
    }
    let _ = io::stderr().write_all(format!("{text}\n").as_bytes());
}

/// Prints one line that contains untrusted text: a name, a path, a message from the service.
fn say_line(words: &str) {
    say(&line(words));
}

/// Prints a warning to standard error.
pub fn warn(words: &str) {
    const MARK: &str = "codex: ";
    print_wrapped(&line(&format!("{MARK}{words}")), MARK.len());
}
