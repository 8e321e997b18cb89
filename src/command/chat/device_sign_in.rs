//! A sign-in on the screen, with a device code. It runs on a thread of its own and can be cancelled while it waits.

use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::super::login::new_sign_in::{fetch_models, store_sign_in};
use super::super::login::{Error, LoginSettings};
use super::channel::Reporter;
use super::engine_command::EngineCommand;
use super::error::in_one_notice;
use crate::auth::critical_section::Critical;
use crate::auth::device::{self, Ended, wait_unless};
use crate::auth::signed_in::SignedIn;
use crate::auth::store::{self, CredentialKind};
use crate::auth::store_change::change;
use crate::chat::event::{ChatEvent, NoticeLevel, SignInEvent};
use crate::clock::{seconds, span};
use crate::exhausted::at_start;
use crate::failure::Failure;
use crate::output::visible::line;

/// A sign-in that runs.
#[derive(Debug)]
pub(super) struct DeviceSignIn {
    /// Dropping it cancels the sign-in.
    cancel: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a sign-in works with.
#[derive(Debug)]
pub(super) struct SignInParts {
    pub(super) settings: LoginSettings,
    pub(super) critical: Critical,
    pub(super) reporter: Reporter,
    pub(super) engine: Sender<EngineCommand>,
}

impl DeviceSignIn {
    /// Starts it.
    pub(super) fn start(parts: SignInParts) -> io::Result<Self> {
        let (cancel, cancelled) = mpsc::channel();
        let thread = thread::Builder::new().spawn(move || parts.run(&cancelled));
        Ok(Self {
            cancel: Some(cancel),
            thread: Some(thread.map_err(at_start)?),
        })
    }

    /// Whether it has not ended.
    pub(super) fn is_running(&self) -> bool {
        self.thread
            .as_ref()
            .is_some_and(|thread| !thread.is_finished())
    }

    /// Cancels it. A request that is under way ends by itself.
    pub(super) fn cancel(&mut self) {
        self.cancel = None;
    }
}

/// How a sign-in ended.
enum SignInFailure {
    Cancelled,
    Failed(Error),
}

impl From<Error> for SignInFailure {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl SignInParts {
    fn report(&self, event: SignInEvent) {
        let _ = self.reporter.event(ChatEvent::SignIn(event));
    }

    fn run(&self, cancelled: &Receiver<()>) {
        match self.sign_in(cancelled) {
            // Whoever cancelled it knows.
            Err(SignInFailure::Cancelled) => {}
            Err(SignInFailure::Failed(error)) => {
                let text = in_one_notice(&Failure::from(error));
                self.report(SignInEvent::Failed(text));
            }
            Ok(new) => {
                fetch_models(&self.settings, &new);
                // The engine uses it before the screen sends what waits for it.
                let _ = self.engine.send(EngineCommand::SignedIn);
                let account = line(&new.who()).into_owned();
                self.report(SignInEvent::Done { account });
                if let Some(source) = self.settings.before.first() {
                    let text = format!("{source} is set and comes before the new sign-in");
                    let _ = self
                        .reporter
                        .event(ChatEvent::Notice(NoticeLevel::Warning, text));
                }
            }
        }
    }

    fn sign_in(&self, cancelled: &Receiver<()>) -> Result<SignedIn, SignInFailure> {
        let source = &self.settings.sign_in_source;
        let waiting = |locked: &store::Error| {
            let text = format!("{locked}; waiting for it");
            let _ = self
                .reporter
                .event(ChatEvent::Notice(NoticeLevel::Note, text));
        };
        let on_retry = |delay: Duration, error: &crate::auth::issuer::Error| {
            let text = format!("{error}; trying again in {}", span(delay));
            let _ = self
                .reporter
                .event(ChatEvent::Notice(NoticeLevel::Note, text));
        };
        // Check the file before the user goes through the sign-in.
        source.store.make_home().map_err(Error::Store)?;
        let before = change(&source.store, &self.critical, &waiting, |_| Vec::new());
        let before = before.map_err(Error::Store)?;
        if let Some(other) = before.other(CredentialKind::SignIn) {
            let named = source.store.named().to_owned();
            return Err(Error::Store(store::Error::NotOurs(named, other.clone())).into());
        }
        let issuer = source.issuer(&self.settings.setup);
        let device = issuer.device(&on_retry).map_err(Error::Device)?;
        self.report(SignInEvent::Code {
            address: issuer.device_url(),
            code: line(device.code.expose()).into_owned(),
        });
        let is_cancelled = |pause| {
            !matches!(
                cancelled.recv_timeout(pause),
                Err(RecvTimeoutError::Timeout)
            )
        };
        let (code, verifier) = match wait_unless(&issuer, &device, is_cancelled) {
            Ok(granted) => granted,
            Err(Ended::Cancelled) => return Err(SignInFailure::Cancelled),
            Err(Ended::TimedOut) => return Err(Error::TimedOut.into()),
            Err(device::Ended::Failed(error)) => return Err(Error::Device(error).into()),
        };
        let redirect = issuer.device_redirect();
        let tokens = issuer.exchange(&code, &verifier, &redirect, &on_retry);
        let new = SignedIn::first(tokens.map_err(Error::Exchange)?, seconds());
        let new = new.map_err(Error::Tokens)?;
        let replaced = store_sign_in(&source.store, &issuer, &new, &self.critical, &waiting)?;
        if let Some(old) = replaced.old {
            // It ends by itself if it cannot be revoked.
            let _ = issuer.revoke(&old.access, old.refresh.as_ref());
        }
        Ok(new)
    }
}
