//! `codex status`: which credential is used, why that one, and how long it lasts. It asks nobody, unless the
//! limits of the plan are wanted.

use std::io;
use std::path::PathBuf;

use super::status_report::Report;
use super::stdout::Stdout;
use super::{Keeper, authority, warn};
use crate::api::{Endpoints, usage};
use crate::auth::critical_section::Critical;
use crate::auth::{self, Authority, CredentialSource, FoundCredential, choose, sign_in};
use crate::clock::{date, seconds};
use crate::failure::{self, Failure, Used};
use crate::http::{Http, HttpSetup, IDLE_TIMEOUT};
use crate::outcome::Outcome;

/// Everything that the command is told.
#[derive(Debug)]
pub struct StatusSettings {
    /// The credentials that were found, in the order in which they count.
    pub found: Vec<FoundCredential>,
    /// Where a sign-in is kept.
    pub keeper: Option<Keeper>,
    /// What is to be told about the file.
    pub warnings: Vec<String>,
    /// Credentials files of other programs.
    pub elsewhere: Vec<PathBuf>,
    /// As JSON.
    pub json: bool,
    /// With the limits of the plan, from here.
    pub limits: Option<Endpoints>,
    /// Who calls, and what lies between.
    pub setup: HttpSetup,
}

/// Why there is no good answer.
#[derive(Debug)]
pub enum Error {
    /// Nobody is signed in. It was told on standard output already.
    NotSignedIn(auth::Error),
    /// The sign-in has ended and cannot be renewed. That was told already too.
    SignIn(sign_in::Error),
    /// The access token of this flag, variable or file has ended, and nothing renews it.
    Ended(CredentialSource, u64),
    /// The limits cannot be had.
    Limits(usage::Error),
    /// Standard output cannot be written.
    Output(io::Error),
}

impl Error {
    /// The failure, where this credential was used.
    pub(crate) fn failure(self, used: Option<&Used>) -> Failure {
        match self {
            Error::NotSignedIn(error) => {
                failure::of_credential(&error).with_outcome(Outcome::SignIn)
            }
            Error::SignIn(error) => failure::of_sign_in(&error, used),
            Error::Ended(source, when) => failure::of_ended(&source, when),
            Error::Limits(error) => failure::of_limits(&error, used),
            Error::Output(error) => failure::of_output(&error),
        }
    }
}

/// Tells which credential is used.
///
/// # Errors
/// When none can be used, or the limits cannot be had.
pub fn run(settings: StatusSettings, critical: &Critical) -> Result<(), Error> {
    let mut stdout = Stdout::open().map_err(Error::Output)?;
    for warning in &settings.warnings {
        warn(warning);
    }
    let mut report = Report::of(&settings.found);
    let ended = match choose(&settings.found) {
        Err(error) => {
            report.problem = Some(error.to_string());
            let files = settings.elsewhere.iter();
            report.elsewhere = files.map(|file| file.display().to_string()).collect();
            Err(Error::NotSignedIn(error))
        }
        Ok(chosen) => {
            let keeper = settings.keeper.clone();
            match authority(chosen, keeper, &settings.setup, critical) {
                Some(authority) => look(&settings, &authority, &mut report),
                None => Err(Error::NotSignedIn(auth::Error::Missing)),
            }
        }
    };
    let text = report.text(settings.json);
    stdout.print(&text).map_err(Error::Output)?;
    ended
}

/// Whether the credential is of use, and what the plan allows.
fn look(
    settings: &StatusSettings,
    authority: &Authority,
    report: &mut Report,
) -> Result<(), Error> {
    if let Authority::SignIn(sign_in) = authority {
        // One that was refused is told of, also while its token seems good: the service may know better.
        let refused = sign_in.refused().map_or(Ok(()), Err);
        if let Err(error) = sign_in.check().and(refused) {
            report.problem = Some(error.to_string());
            return Err(Error::SignIn(error));
        }
    } else if let Some(end) = report.expires.filter(|end| *end <= seconds()) {
        report.problem = Some(format!("it expired at {}", date(end)));
        return Err(Error::Ended(settings.found[0].source.clone(), end));
    }
    let Some(endpoints) = &settings.limits else {
        return Ok(());
    };
    if authority.account().is_none() {
        warn("an API key has no plan, so there are no limits to show");
        return Ok(());
    }
    let http = Http::new(&settings.setup, IDLE_TIMEOUT);
    let limits = usage::fetch(&http, endpoints, authority, seconds());
    for warning in authority.warnings() {
        warn(&warning.to_string());
    }
    // It may have been renewed for the question.
    match authority {
        Authority::SignIn(sign_in) => report.expires = sign_in.saved().expires,
        Authority::Personal(personal) => report.know(personal),
        Authority::Fixed(_) => {}
    }
    report.limits = Some(limits.map_err(Error::Limits)?);
    Ok(())
}
