//! What each command does, top to bottom. It is given settings: flags, argv and the environment were read
//! before, and the words for what goes wrong are found after.

pub mod login;
pub mod logout;
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
mod status_report;
mod stderr;
pub mod stdout;
mod stdout_at_start;
mod stop_requests;
mod stop_watch;
pub mod token;
pub mod tool;

use std::io::{self, Write};
use std::sync::Arc;

use crate::auth::critical_section::Critical;
use crate::auth::issuer::Issuer;
use crate::auth::sign_in::{Hook, SignIn};
use crate::auth::store::{self, CredentialStore};
use crate::auth::{Authority, Chosen};
use crate::clock::span;
use crate::http::{BaseUrl, HttpSetup};
use crate::output::visible::{line, visible};

/// Where a sign-in is kept, and who renews it.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// The credentials file.
    pub store: CredentialStore,
    /// The issuer of tokens.
    pub issuer: BaseUrl,
}

impl Keeper {
    /// The issuer, to be asked.
    #[must_use]
    pub fn issuer(&self, setup: &HttpSetup) -> Issuer {
        Issuer::new(self.issuer.clone(), setup)
    }
}

/// What was chosen, as requests use it. A stored sign-in always comes with the place where it is kept.
fn authority(
    chosen: Chosen,
    keeper: Option<Keeper>,
    setup: &HttpSetup,
    critical: &Critical,
) -> Option<Authority> {
    let authority = match (chosen, keeper) {
        (Chosen::Fixed(credential), _) => Authority::Fixed(credential),
        (Chosen::Personal(personal), _) => Authority::Personal(personal),
        (Chosen::SignIn(_), None) => return None,
        (Chosen::SignIn(saved), Some(keeper)) => {
            let issuer = keeper.issuer(setup);
            let sign_in = SignIn::new(keeper.store, issuer, *saved, critical.clone());
            Authority::SignIn(Arc::new(sign_in))
        }
    };
    authority.on_wait(Hook::new(|waiting| match waiting.delay() {
        Some(delay) => warn(&format!("{waiting}; trying again in {}", span(delay))),
        None => warn(&waiting.to_string()),
    }));
    Some(authority)
}

/// Prints that the lock of the sign-in is waited for.
fn warn_of_wait(locked: &store::Error) {
    warn(&format!("{locked}; waiting for it"));
}

/// Tells a person something, on standard error. If nobody takes it, nothing is lost but that.
fn say(lines: &str) {
    let _ = io::stderr().write_all(format!("{}\n", visible(lines)).as_bytes());
}

/// The same for one line, in which there is something that others chose: a name, a path, words of the service.
fn say_line(words: &str) {
    say(&line(words));
}

/// Tells a person of something that went wrong and stops nothing.
fn warn(words: &str) {
    say_line(&format!("codex: {words}"));
}
