//! `codex token`: a valid access token on standard output, its expiry on standard error.

use std::io::{self, Write};

use super::stdout::Stdout;
use super::{SignInSource, authority, warn};
use crate::auth::critical_section::Critical;
use crate::auth::sign_in;
use crate::auth::token::claims;
use crate::auth::{self, Authority, CredentialSource, FoundCredential, What, choose};
use crate::clock::{local, seconds};
use crate::failure::{self, Failure, Used};
use crate::http::HttpSetup;
use crate::outcome::Outcome;

/// The settings of the command.
#[derive(Debug)]
pub struct TokenSettings {
    /// The credentials found, in order of precedence.
    pub found: Vec<FoundCredential>,
    /// Where the sign-in is stored.
    pub sign_in_source: Option<SignInSource>,
    /// Warnings about the credentials file.
    pub warnings: Vec<String>,
    /// The user agent and the network settings.
    pub setup: HttpSetup,
}

/// Why there is no token.
#[derive(Debug)]
pub enum Error {
    /// A missing or unusable credential.
    Credential(auth::Error),
    /// There are only API keys; the source of the first one.
    Key(CredentialSource),
    /// The access token of this flag, variable or file has expired and cannot be renewed.
    Ended(CredentialSource, u64),
    /// The sign-in cannot be renewed.
    SignIn(sign_in::Error),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl Error {
    /// The failure of a command that used this credential.
    pub(crate) fn failure(self, used: Option<&Used>) -> Failure {
        match self {
            Error::Credential(error) => failure::of_credential(&error),
            Error::Key(source) => Failure::new(
                Outcome::SignIn,
                format!("no access token: the only credential is an API key, from {source}"),
            )
            .hint("run `codex login` to sign in with a ChatGPT account"),
            Error::Ended(source, when) => failure::of_ended(&source, when),
            Error::SignIn(error) => failure::of_sign_in(&error, used),
            Error::Output(error) => failure::of_output(&error),
        }
    }
}

/// The credentials found, without the API keys.
#[must_use]
pub fn tokens(found: &[FoundCredential]) -> Vec<FoundCredential> {
    let key = |found: &&FoundCredential| matches!(found.what, What::Key(_));
    found.iter().filter(|found| !key(found)).cloned().collect()
}

/// Prints an access token. API keys are skipped.
///
/// # Errors
/// If there is no valid access token.
pub fn run(settings: TokenSettings, critical: &Critical) -> Result<(), Error> {
    let mut stdout = Stdout::open().map_err(Error::Output)?;
    for warning in &settings.warnings {
        warn(warning);
    }
    let tokens = tokens(&settings.found);
    if let (true, Some(first)) = (tokens.is_empty(), settings.found.first()) {
        return Err(Error::Key(first.source.clone()));
    }
    let chosen = choose(&tokens).map_err(Error::Credential)?;
    let Some(authority) = authority(chosen, settings.sign_in_source, &settings.setup, critical)
    else {
        return Err(Error::Credential(auth::Error::Missing));
    };
    let credential = match &authority {
        // Its account does not matter here.
        Authority::Personal(_) => authority.current(),
        _ => authority.credential().map_err(Error::SignIn)?,
    };
    for warning in authority.warnings() {
        warn(&warning.to_string());
    }
    let expires = match &authority {
        Authority::SignIn(sign_in) => sign_in.saved().expires,
        Authority::Fixed(_) | Authority::Personal(_) => {
            claims(credential.secret().expose())
                .unwrap_or_default()
                .expires
        }
    };
    if let Some(expires) = expires.filter(|expires| *expires <= seconds()) {
        return Err(Error::Ended(tokens[0].source.clone(), expires));
    }
    let token = credential.secret().expose();
    let line = format!("{token}\n");
    stdout.write_all(line.as_bytes()).map_err(Error::Output)?;
    if let Some(expires) = expires {
        warn(&format!("the token is valid until {}", local(expires)));
    }
    Ok(())
}
