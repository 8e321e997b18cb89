//! Waits for a browser sign-in: for the callback, for a pasted address, and for the timeout. The first response that belongs
//! to this sign-in wins.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::super::{say, warn};
use super::error::Error;
use crate::auth::callback::{Arrival, Callback, WaitingBrowser};
use crate::auth::opener::Opener;
use crate::auth::page::Page;
use crate::auth::redirect::{RedirectAnswer, of_paste};
use crate::exhausted::at_start;
use crate::http::Http;
use crate::secret::Secret;
use crate::stdin;

/// Time limit for the user.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(15 * 60);

/// A browser program that fails after this time was running, so the failure is not reported.
const BROWSER_TIMEOUT: Duration = Duration::from_secs(10);

/// An event during the wait.
enum LoginEvent {
    Arrived(Arrival),
    /// A line typed or pasted by the user.
    Pasted(String),
    /// Standard input has ended.
    NoPaste,
    /// No browser was opened, with the reason.
    NotOpened(String),
}

/// The open return channels: the callback server and standard input.
pub(super) struct ReturnChannels {
    callback: Option<Callback>,
    sender: Sender<LoginEvent>,
    events: Receiver<LoginEvent>,
    paste: Option<JoinHandle<()>>,
    over: Arc<AtomicBool>,
}

/// The issuer's response, and the browser that waits for the last page.
pub(super) struct LoginResponse {
    /// The authorization code, or the issuer's error code and description.
    pub(super) said: Result<Secret, (String, String)>,
    pub(super) page: Option<WaitingBrowser>,
}

impl ReturnChannels {
    /// Listens for the callback on the first free port.
    pub(super) fn open(http: &Http, state: &Secret) -> Result<Self, Error> {
        let (sender, events) = mpsc::channel();
        let arrived = {
            let sender = sender.clone();
            move |arrival| drop(sender.send(LoginEvent::Arrived(arrival)))
        };
        let callback = Callback::listen(http, state, arrived, |port| {
            warn(&format!(
                "port {port} is in use; asking the program that holds it to release it"
            ));
        });
        Ok(Self {
            callback: callback.map_err(Error::Thread)?,
            sender,
            events,
            paste: None,
            over: Arc::default(),
        })
    }

    /// The redirect URI, if the callback server runs.
    pub(super) fn redirect(&self) -> Option<String> {
        self.callback.as_ref().map(Callback::redirect)
    }

    /// Starts to read pasted text from standard input.
    pub(super) fn accept_paste(&mut self) -> Result<(), Error> {
        let (sender, over) = (self.sender.clone(), Arc::clone(&self.over));
        let reading = thread::Builder::new().spawn(move || {
            while let Some(text) = stdin::burst(&over) {
                if sender.send(LoginEvent::Pasted(text)).is_err() {
                    return;
                }
            }
            let _ = sender.send(LoginEvent::NoPaste);
        });
        let reading = reading.map_err(|error| Error::Thread(at_start(error)));
        self.paste = Some(reading?);
        Ok(())
    }

    /// Opens the address with the first of these programs that exists; without any, the user opens it. A failure is reported
    /// unless the program has run for a while: then it is the browser itself.
    pub(super) fn browse(&self, openers: Vec<Opener>, address: &str, without: &'static [&str]) {
        if openers.is_empty() {
            return;
        }
        let (sender, address) = (self.sender.clone(), address.to_owned());
        // This thread is not joined: a browser may run for days.
        let opening = thread::Builder::new().spawn({
            let sender = sender.clone();
            move || {
                if let Err(why) = open(&openers, &address, without) {
                    let _ = sender.send(LoginEvent::NotOpened(why));
                }
            }
        });
        if let Err(error) = opening {
            let why = format!("no browser can be started: {}", at_start(error));
            let _ = sender.send(LoginEvent::NotOpened(why));
        }
    }

    /// Waits for an authorization code or an error. A response to another sign-in is reported, and the wait continues.
    pub(super) fn wait(&self, state: &Secret) -> Result<LoginResponse, Error> {
        let until = Instant::now() + LOGIN_TIMEOUT;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let (said, page) = match self.events.recv_timeout(left) {
                Ok(LoginEvent::Arrived(Arrival::Redirect(said, page))) => (said, Some(page)),
                Ok(LoginEvent::Arrived(Arrival::Cancelled)) => return Err(Error::Cancelled),
                Ok(LoginEvent::Pasted(text)) => (of_paste(&text, state), None),
                Ok(LoginEvent::NoPaste) if self.callback.is_none() => return Err(Error::NoWayBack),
                Ok(LoginEvent::NoPaste) => continue,
                Ok(LoginEvent::NotOpened(why)) => {
                    warn(&format!("{why}; open the address above manually"));
                    continue;
                }
                Err(RecvTimeoutError::Timeout) => return Err(Error::TimedOut),
                Err(RecvTimeoutError::Disconnected) => return Err(Error::NoWayBack),
            };
            let said = match (said, &page) {
                (RedirectAnswer::Code(code), _) => Ok(code),
                (RedirectAnswer::No { code, words }, _) => Err((code, words)),
                (RedirectAnswer::Nothing, Some(_)) => {
                    Err(("missing_authorization_code".to_owned(), String::new()))
                }
                (RedirectAnswer::WrongState, _) => {
                    say(
                        "That address is from a different sign-in. Paste the address that this one ends on:",
                    );
                    continue;
                }
                (RedirectAnswer::Nothing, None) => {
                    say("That contains no code. Paste the full address of the page:");
                    continue;
                }
            };
            return Ok(LoginResponse { said, page });
        }
    }

    /// Serves the last page to every waiting browser, gives it time to arrive, and closes the channels.
    pub(super) fn close(mut self, page: Option<WaitingBrowser>, last_page: &Page) {
        let Some(callback) = self.callback.take() else {
            return;
        };
        callback.settle(last_page);
        while let Ok(event) = self.events.try_recv() {
            if let LoginEvent::Arrived(Arrival::Redirect(_, other)) = event {
                other.show(last_page);
            }
        }
        if let Some(page) = page {
            page.show(last_page);
            callback.linger();
        }
    }
}

impl Drop for ReturnChannels {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(paste) = self.paste.take() {
            let _ = paste.join();
        }
    }
}

/// Opens the address with the first program that exists.
fn open(openers: &[Opener], address: &str, without: &[&str]) -> Result<(), String> {
    let mut why = "no program to open a browser was found".to_owned();
    for opener in openers {
        let begun = Instant::now();
        match opener
            .open(address, without)
            .and_then(|mut child| child.wait())
        {
            Ok(status) if status.success() || begun.elapsed() >= BROWSER_TIMEOUT => return Ok(()),
            // The exit codes of a shell for a command that cannot be found or executed.
            Ok(status) if matches!(status.code(), Some(126 | 127)) => {
                why = format!("{}: command not found", opener.name());
            }
            Ok(status) => return Err(format!("{} failed ({status})", opener.name())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => why = format!("{}: {error}", opener.name()),
        }
    }
    Err(why)
}
