//! A sign-in that stays valid: an access token whenever one is needed, or the reason there is none. Any number
//! of processes may share the file. A refresh token can be used once, so it is spent under the lock, after the
//! file was read again, and only when its successor has a place on the disk.

mod error;
mod state;
mod waiting;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::credential::Credential;
use super::critical_section::Critical;
use super::issuer::limit::TOKEN_TIMEOUT;
use super::issuer::{self, Issuer};
use super::renewal_plan::{Plan, again, plan};
use super::signed_in::SignedIn;
use super::store::{
    self, CredentialStore, EditOutcome, Hold, LOCK_TIMEOUT, Memory, Past, READ_PAUSE, StoreEdit,
};
use super::token::TokenError;
use crate::clock::{millis, seconds};
use crate::secret::Secret;
pub use error::{Error, Warning};
use state::SignInState;
use waiting::RenewalWatch;
pub use waiting::{Hook, RenewalWait};

/// How often one process asks the issuer before it gives up.
const RENEWAL_ATTEMPTS: u32 = 3;

/// How long one process tries to renew the sign-in, its waits for the lock left out. An attempt that has begun may take
/// longer.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(30);

// Whoever waits for the lock waits until the renewal of its holder has ended, one way or the other.
const _: () = assert!(TOKEN_TIMEOUT.as_secs() < LOCK_TIMEOUT.as_secs());

/// How long another program that was faster is given to put its tokens into the file they share.
const OVERTAKEN: Duration = Duration::from_secs(3);

/// A stored sign-in in use.
#[derive(Debug)]
pub struct SignIn {
    store: CredentialStore,
    issuer: Issuer,
    critical: Critical,
    hook: Mutex<Option<Hook>>,
    state: Mutex<SignInState>,
}

impl SignIn {
    /// The sign-in that was read from this file.
    #[must_use]
    pub fn new(
        store: CredentialStore,
        issuer: Issuer,
        saved: SignedIn,
        critical: Critical,
    ) -> Self {
        let mut state = SignInState {
            saved: saved.clone(),
            seen: Vec::new(),
            warnings: Vec::new(),
            warned: false,
            past: Past::Nothing,
        };
        state.use_from_now(saved);
        Self {
            store,
            issuer,
            critical,
            hook: Mutex::default(),
            state: Mutex::new(state),
        }
    }

    /// Whether there is any use in going on: nothing is asked, and nothing is changed.
    ///
    /// # Errors
    /// When the sign-in has ended and cannot be renewed.
    pub fn check(&self) -> Result<(), Error> {
        match self.look(None, millis())? {
            Plan::Refused(refusal) => Err(Error::Refused(refusal)),
            Plan::Ended => Err(Error::Ended),
            _ => Ok(()),
        }
    }

    /// The refusal of a renewal, if there was one for good.
    #[must_use]
    pub fn refused(&self) -> Option<Error> {
        let refresh = self.saved().refresh?;
        match self.memory().of(&refresh) {
            Past::Refused(refusal) => Some(Error::Refused(refusal)),
            _ => None,
        }
    }

    /// An access token that is good for the next request.
    ///
    /// # Errors
    /// When there is none.
    pub fn credential(&self) -> Result<Credential, Error> {
        if !self.state().saved.due(seconds()) {
            return Ok(self.token());
        }
        self.renew(None)
    }

    /// Another access token in place of this one, which the service has refused; nothing if there cannot be one.
    ///
    /// # Errors
    /// When there is none.
    pub fn instead_of(&self, rejected: &Secret) -> Result<Option<Credential>, Error> {
        match self.renew(Some(rejected)) {
            Err(Error::Ended) => Ok(None),
            other => other.map(Some),
        }
    }

    /// The sign-in as it is now.
    #[must_use]
    pub fn saved(&self) -> SignedIn {
        self.state().saved.clone()
    }

    /// What went wrong since this was last asked.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut self.state().warnings)
    }

    /// Has every wait of a renewal reported here that takes more than a second.
    pub fn on_wait(&self, hook: Hook) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    /// Every token that has passed through here.
    #[must_use]
    pub fn seen(&self) -> Vec<Secret> {
        self.state().seen.clone()
    }

    /// Spends no token any more, and waits for one that is being spent; no longer than an end may be put off.
    pub fn settle(&self) {
        let _ = self.critical.close(super::critical_section::MAX_DELAY);
    }

    fn renew(&self, rejected: Option<&Secret>) -> Result<Credential, Error> {
        let begun = Instant::now();
        let mut waited = Duration::ZERO;
        let mut hold = Hold::default();
        let hook = self.hook.lock().unwrap_or_else(PoisonError::into_inner);
        let watch = RenewalWatch::new(hook.clone());
        drop(hook);
        let mut attempts = 0;
        let mut failed = None;
        loop {
            let now = millis();
            let until = match self.look(rejected, now)? {
                Plan::Use => return Ok(self.token()),
                Plan::UseUp(refusal) => return Ok(self.without(Error::Refused(refusal))),
                Plan::Refused(refusal) => return Err(Error::Refused(refusal)),
                Plan::Ended => return Err(Error::Ended),
                Plan::Wait(until) => until,
                Plan::Renew(must) => match self.attempt(rejected, &watch) {
                    Ok(Tried::Done) => return Ok(self.token()),
                    Ok(Tried::Busy | Tried::Again) if !must => return Ok(self.token()),
                    Ok(Tried::Again) => now,
                    Ok(Tried::Busy) => {
                        let from = Instant::now();
                        let waiting = |locked: &store::Error| {
                            watch.report(&RenewalWait::Lock(locked.to_string()));
                        };
                        let awaited = self.store.await_lock(&mut hold, &waiting);
                        awaited.map_err(Error::Store)?;
                        waited += from.elapsed();
                        continue;
                    }
                    Err(error) if !must => return Ok(self.without(error)),
                    Err(error) if error.is_exhausted() => return Err(error),
                    Err(Error::Failed(error)) => {
                        attempts += 1;
                        let passes = error.as_ref().is_none_or(issuer::Error::may_pass);
                        failed = error;
                        if attempts == RENEWAL_ATTEMPTS || !passes {
                            return Err(Error::Failed(failed));
                        }
                        continue;
                    }
                    Err(error) => return Err(error),
                },
            };
            let pause = Duration::from_millis(until.saturating_sub(now)).max(READ_PAUSE);
            if begun.elapsed().saturating_sub(waited) + pause > RENEWAL_TIMEOUT {
                return Err(if until > now {
                    Error::Failed(failed)
                } else {
                    Error::Store(self.store.locked(None))
                });
            }
            if until > now {
                let why = failed.as_ref().map(ToString::to_string);
                let why = why.unwrap_or_else(|| Error::Failed(None).to_string());
                watch.report(&RenewalWait::Again(why, pause));
            }
            thread::sleep(pause);
        }
    }

    /// Reads the file and says what to do about it. What can be used is used from now on.
    fn look(&self, rejected: Option<&Secret>, now: u64) -> Result<Plan, Error> {
        let found = self.store.read();
        let mut state = self.state();
        // A token that is good needs no file; only what has ended does.
        let must = rejected == Some(&state.saved.access) || state.saved.ended(now / 1000);
        let saved = match found.map(|found| found.sign_in) {
            Ok(Some(Ok(saved))) => saved,
            _ if !must => return Ok(Plan::Use),
            Ok(_) => return Err(Error::Gone(self.store.named().to_owned())),
            Err(error) => return Err(Error::Store(error)),
        };
        if saved.account != state.saved.account {
            return Err(Error::OtherAccount(self.store.named().to_owned()));
        }
        let past = match &saved.refresh {
            Some(refresh)
                if Some(refresh) == state.saved.refresh.as_ref() && state.past != Past::Nothing =>
            {
                state.past.clone()
            }
            Some(refresh) => self.memory().of(refresh),
            None => Past::Nothing,
        };
        let plan = plan(&saved, rejected, &past, now);
        state.use_from_now(saved);
        Ok(plan)
    }

    /// Takes the lock, looks again, and spends the refresh token if that is still what is to be done.
    fn attempt(&self, rejected: Option<&Secret>, watch: &RenewalWatch) -> Result<Tried, Error> {
        let Some(moment) = self.critical.enter() else {
            // The process is about to end.
            return Ok(Tried::Again);
        };
        let tried = self.spend(rejected, watch);
        moment.end();
        tried
    }

    fn spend(&self, rejected: Option<&Secret>, watch: &RenewalWatch) -> Result<Tried, Error> {
        let lock = match self.store.try_lock() {
            Ok(Some(lock)) => lock,
            Ok(None) => return Ok(Tried::Busy),
            Err(error) => return Err(Error::NotSpent(error)),
        };
        let recovered = self.store.recover(&lock, seconds());
        recovered.map_err(Error::NotSpent)?;
        match self.look(rejected, millis())? {
            Plan::Renew(_) => {}
            // Somebody else was faster.
            Plan::Use => return Ok(Tried::Done),
            _ => return Ok(Tried::Again),
        }
        let saved = self.saved();
        let Some(refresh) = &saved.refresh else {
            return Err(Error::Ended);
        };
        let prepared = self.store.prepare(Some(refresh)).map_err(Error::NotSpent)?;
        let memory = self.memory();
        let before = memory.of(refresh);
        if !lock.holds() {
            return Ok(Tried::Again);
        }
        memory.note(refresh, &Past::Sent(std::process::id()));
        let asked = watch.asks();
        let issued = self.issuer.refresh(refresh);
        drop(asked);
        let issued = match issued {
            Ok(issued) => issued,
            Err(error) => {
                drop(prepared);
                // Whoever was faster may be waiting for this lock to store what it got.
                drop(lock);
                // This machine lacks something, and nothing was sent: the token is as good as before.
                if error.is_exhausted() {
                    memory.note(refresh, &before);
                    return Err(Error::Failed(Some(error)));
                }
                let refused = matches!(&error, issuer::Error::Refused(no) if no.permanent());
                if refused && self.store.is_foreign() && self.overtaken(refresh) {
                    return Ok(Tried::Done);
                }
                return Err(self.failed(refresh, &before, error));
            }
        };
        let now = seconds();
        let issued_access = issued.access.is_some();
        let renewed = saved.renewed(issued, now);
        let usable = issued_access || !renewed.ended(now);
        let edits = [StoreEdit::Renew(&renewed, refresh)];
        let stored = self.store.replace(prepared, &lock, &edits, now);
        // Not everybody who writes to the file takes our lock.
        if let Ok(EditOutcome::Other(found)) = stored {
            return match found.sign_in {
                Some(Ok(other)) => self.adopt(other).map(|()| Tried::Done),
                _ => Err(Error::Gone(self.store.named().to_owned())),
            };
        }
        let mut state = self.state();
        if renewed.refresh.as_ref() == Some(refresh) {
            memory.note(refresh, &Past::Nothing);
        }
        state.past = Past::Nothing;
        state.use_from_now(renewed);
        if let Err(error) = stored {
            state.warnings.push(Warning::NotStored(error));
        }
        if usable {
            Ok(Tried::Done)
        } else {
            Err(Error::Failed(Some(issuer::Error::Unreadable)))
        }
    }

    /// Remembers a failure, for this process and for others. `before` is what was known of the token until now.
    fn failed(&self, refresh: &Secret, before: &Past, error: issuer::Error) -> Error {
        let (past, error) = match error {
            issuer::Error::Refused(mut refusal) if refusal.permanent() => {
                if let Past::Sent(process) = before {
                    refusal.interrupted = Some(*process);
                }
                (Past::Refused((*refusal).clone()), Error::Refused(*refusal))
            }
            // Waiting does not help, and whoever has helped it shall not wait.
            error if !error.may_pass() => (Past::Nothing, Error::Failed(Some(error))),
            error => {
                let count = match before {
                    Past::Failed(count, _) => count.saturating_add(1),
                    _ => 1,
                };
                let until = again(count, error.retry_after(), millis());
                (Past::Failed(count, until), Error::Failed(Some(error)))
            }
        };
        self.memory().note(refresh, &past);
        self.state().past = past;
        error
    }

    /// Whether another program, which does not wait for our lock, puts other tokens into the file that we share.
    fn overtaken(&self, spent: &Secret) -> bool {
        let begun = Instant::now();
        loop {
            if let Some(Ok(saved)) = self.stored()
                && saved.refresh.as_ref() != Some(spent)
            {
                return self.adopt(saved).is_ok();
            }
            if begun.elapsed() >= OVERTAKEN {
                return false;
            }
            thread::sleep(READ_PAUSE);
        }
    }

    /// What the file holds, as far as it can be read.
    fn stored(&self) -> Option<Result<SignedIn, TokenError>> {
        self.store.read().ok()?.sign_in
    }

    /// Uses what somebody else has stored, if it is of the same account.
    fn adopt(&self, other: SignedIn) -> Result<(), Error> {
        let mut state = self.state();
        if other.account != state.saved.account {
            return Err(Error::OtherAccount(self.store.named().to_owned()));
        }
        state.use_from_now(other);
        Ok(())
    }

    fn memory(&self) -> Memory {
        self.store.memory(self.issuer.name())
    }

    /// Goes on with the token that there is.
    fn without(&self, error: Error) -> Credential {
        let mut state = self.state();
        if !state.warned {
            state.warned = true;
            let until = state.saved.expires;
            state.warnings.push(Warning::NotRenewed(error, until));
        }
        drop(state);
        self.token()
    }

    /// The access token as it is now, whether or not it is still good.
    pub(super) fn token(&self) -> Credential {
        let saved = self.saved();
        Credential::Token {
            access: saved.access,
            account: saved.account,
            bounds: saved.bounds,
        }
    }

    fn state(&self) -> MutexGuard<'_, SignInState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What became of an attempt.
enum Tried {
    /// There is a good token, ours or somebody else's.
    Done,
    /// Another process holds the lock.
    Busy,
    /// Things have changed: look again.
    Again,
}
