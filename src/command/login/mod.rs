//! `codex login`: signs in by one of four methods and stores the credential. The previous sign-in stays valid until the new
//! one is stored.

mod error;
mod hidden_input;
pub(super) mod new_sign_in;
mod secret_line;
mod settings;
mod wait;

use std::io::{self, IsTerminal};
use std::time::Duration;

use super::{SignInSource, say, say_line, warn, warn_of_wait};
use crate::auth;
use crate::auth::callback::paste_redirect;
use crate::auth::critical_section::Critical;
use crate::auth::device;
use crate::auth::identity::is_personal;
use crate::auth::issuer::{self, Issuer};
use crate::auth::opener::{NoBrowser, Opener};
use crate::auth::page::Page;
use crate::auth::pkce::{Pkce, RANDOM_BYTES};
use crate::auth::signed_in::SignedIn;
use crate::auth::store::{self, Contents, CredentialKind, StoreEdit};
use crate::auth::store_change::change;
use crate::auth::token::Claims;
use crate::auth::token_response::Issued;
use crate::clock::{seconds, span};
use crate::http::{Http, IDLE_TIMEOUT};
use crate::input::without_mark;
use crate::output::visible::line;
use crate::secret::Secret;
use crate::stdin;
pub use error::Error;
pub use hidden_input::restore_terminal;
use new_sign_in::{fetch_models, revoke_previous, store, warn_if_overridden};
pub use settings::{LoginMethod, LoginSettings};
use wait::{LoginResponse, ReturnChannels};

/// Signs in.
///
/// # Errors
/// If the sign-in fails. The stored credentials are then unchanged.
pub fn run(settings: &LoginSettings, critical: &Critical) -> Result<(), Error> {
    let source = &settings.sign_in_source;
    source.store.make_home().map_err(Error::Store)?;
    for warning in &settings.warnings {
        warn(warning);
    }
    // Check the file before the user goes through the sign-in.
    let before =
        change(&source.store, critical, &warn_of_wait, |_| Vec::new()).map_err(Error::Store)?;
    let place = match settings.method {
        LoginMethod::Key => CredentialKind::Key,
        LoginMethod::Browser(_) | LoginMethod::Device(_) | LoginMethod::Token => {
            CredentialKind::SignIn
        }
    };
    if let Some(other) = before.other(place) {
        let named = source.store.named().to_owned();
        return Err(Error::Store(store::Error::NotOurs(named, other.clone())));
    }
    let issuer = source.issuer(&settings.setup);
    match &settings.method {
        LoginMethod::Browser(openers) => with_browser(settings, &issuer, openers, critical),
        LoginMethod::Device(why) => {
            let signed_in = with_device(&issuer, *why)?;
            let old = store(settings, &issuer, &signed_in, critical)?;
            revoke_previous(&issuer, old.as_ref());
            fetch_models(settings, &signed_in);
            Ok(())
        }
        LoginMethod::Token => {
            let signed_in = read_token(source, &issuer)?;
            let old = store(settings, &issuer, &signed_in, critical)?;
            revoke_previous(&issuer, old.as_ref());
            fetch_models(settings, &signed_in);
            Ok(())
        }
        LoginMethod::Key => {
            let key = read_secret("the key")?;
            let key = auth::key(&key, &auth::CredentialSource::Stdin).map_err(Error::Secret)?;
            let edit = |_: &Contents| vec![StoreEdit::Key(&key)];
            let before =
                change(&source.store, critical, &warn_of_wait, edit).map_err(Error::Store)?;
            say_line(&format!(
                "The key is stored in {}.",
                source.store.named().display()
            ));
            if (before.sign_in.is_some() || before.personal.is_some())
                && !source.store.is_official()
            {
                warn(
                    "a sign-in is also stored there and takes precedence; `codex logout` removes it",
                );
            }
            warn_if_overridden(&settings.before);
            Ok(())
        }
    }
}

fn with_browser(
    settings: &LoginSettings,
    issuer: &Issuer,
    openers: &[Opener],
    critical: &Critical,
) -> Result<(), Error> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random).map_err(Error::Random)?;
    let pkce = Pkce::new(&random);
    let mut channels =
        ReturnChannels::open(&Http::new(&settings.setup, IDLE_TIMEOUT), &pkce.state)?;
    let redirect = channels.redirect();
    let by_itself = redirect.is_some();
    let redirect = redirect.unwrap_or_else(paste_redirect);
    let address = issuer.authorize_url(&redirect, &pkce);
    if openers.is_empty() {
        say("Open this URL in a browser and sign in:");
    } else {
        say("Opening a browser. If it does not open, go to this URL and sign in:");
    }
    say(&format!("\n  {address}\n"));
    let paste = stdin::source() != stdin::StdinKind::Other;
    match (by_itself, paste) {
        (true, true) => {
            say("If the last page does not load, paste its address here and press Enter:");
        }
        (true, false) => {}
        (false, _) => say(
            "Ports 1455 and 1457 are in use by other programs, so the last page will not load. \
             Paste its address here and press Enter:",
        ),
    }
    channels.accept_paste()?;
    channels.browse(openers.to_vec(), &address, settings.secrets);
    let LoginResponse { said, page } = channels.wait(&pkce.state)?;
    let ended = match said {
        Err((code, words)) => Err(refusal(code, words)),
        Ok(code) => issuer
            .exchange(&code, &pkce.verifier, &redirect, &warn_of_retry)
            .map_err(Error::Exchange)
            .and_then(signed_in)
            .and_then(|new| Ok((store(settings, issuer, &new, critical)?, new))),
    };
    let last_page = match &ended {
        Ok(_) => Page::signed_in(),
        Err(error) => Page::failed(&error.to_string()),
    };
    channels.close(page, &last_page);
    let (old, new) = ended?;
    revoke_previous(issuer, old.as_ref());
    fetch_models(settings, &new);
    Ok(())
}

/// The error for a refusal of the issuer.
fn refusal(code: String, words: String) -> Error {
    let entitlement = words.to_lowercase().contains("missing_codex_entitlement");
    if code == "access_denied" && entitlement {
        Error::NotEntitled
    } else {
        Error::Denied(code, words)
    }
}

fn with_device(issuer: &Issuer, why: Option<NoBrowser>) -> Result<SignedIn, Error> {
    if let Some(why) = why {
        let why = match why {
            NoBrowser::Ssh => "this is an SSH session",
            NoBrowser::Container => "this is a container",
            NoBrowser::Ci => "CI is set",
            NoBrowser::NoDisplay => "there is no display",
        };
        say(&format!(
            "Cannot open a browser ({why}), so you sign in with a code. \
             To use a browser on another machine, run `codex login --no-browser`."
        ));
    }
    let device = issuer.device(&warn_of_retry).map_err(Error::Device)?;
    let expires = device::DEVICE_TIMEOUT.as_secs() / 60;
    say("Open this URL on any device and sign in:");
    say(&format!("\n  {}\n", issuer.device_url()));
    say("Then enter this code:");
    say(&format!("\n  {}\n", line(device.code.expose())));
    say(&format!(
        "The code expires in {expires} minutes. Enter only a code shown in your own terminal: \
         anyone who sends you a code wants to sign in as you."
    ));
    say(
        "If the page rejects every code, device codes are disabled: allow them in the account's security settings, \
         or ask the workspace's administrator.",
    );
    match device::wait(issuer, &device) {
        Ok((code, verifier)) => {
            let redirect = issuer.device_redirect();
            let tokens = issuer.exchange(&code, &verifier, &redirect, &warn_of_retry);
            signed_in(tokens.map_err(Error::Exchange)?)
        }
        Err(device::Ended::TimedOut | device::Ended::Cancelled) => Err(Error::TimedOut),
        Err(device::Ended::Failed(error)) => Err(Error::Device(error)),
    }
}

/// Warns that a request to the issuer is retried.
fn warn_of_retry(delay: Duration, error: &issuer::Error) {
    warn(&format!("{error}; trying again in {}", span(delay)));
}

fn signed_in(issued: Issued) -> Result<SignedIn, Error> {
    SignedIn::first(issued, seconds()).map_err(Error::Tokens)
}

/// Reads an access token, which codex-run cannot renew.
fn read_token(source: &SignInSource, issuer: &Issuer) -> Result<SignedIn, Error> {
    let access = read_secret("the access token")?;
    if is_personal(access.expose()) {
        let owner = issuer
            .whoami(&access, &warn_of_retry)
            .map_err(Error::Unidentified)?;
        // The official client's file can store only the token.
        if source.store.is_official() {
            let memory = source.store.memory(issuer.name());
            memory.remember(&access, &owner);
        }
        return owner.signed_in(access).map_err(Error::Tokens);
    }
    let signed_in = SignedIn::new(access, None, None, Claims::default());
    let signed_in = signed_in
        .map_err(|why| Error::Secret(auth::Error::NotAToken(auth::CredentialSource::Stdin, why)))?;
    match signed_in.expires {
        Some(when) if when <= seconds() => Err(Error::TokenEnded(when)),
        _ => Ok(signed_in),
    }
}

/// Reads a secret from standard input.
fn read_secret(what: &str) -> Result<Secret, Error> {
    if io::stdin().is_terminal() {
        let prompt = format!("Paste {what} and press Enter (it is not shown): ");
        let typed = hidden_input::read_hidden(&prompt).map_err(Error::Stdin)?;
        return auth::plain(&typed, &auth::CredentialSource::Stdin).map_err(Error::Secret);
    }
    let waiting = || warn(&format!("waiting for {what} on standard input"));
    let text = match stdin::read(true, None, waiting).map_err(Error::Stdin)? {
        stdin::InputText::Whole(bytes) => bytes,
        stdin::InputText::GivenUp | stdin::InputText::Ended => Vec::new(),
    };
    let text = String::from_utf8_lossy(&text);
    let text = Secret::new(without_mark(&text).to_owned());
    auth::plain(&text, &auth::CredentialSource::Stdin).map_err(Error::Secret)
}
