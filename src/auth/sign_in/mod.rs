//! Keeps a stored sign-in valid: returns an access token for each request, or the reason there is none. Any number of
//! processes may share the credentials file. A refresh token is single-use, so it is spent only while holding the
//! lock, after rereading the file, and once there is disk space for its successor.

mod attempt;
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
use super::renewal_plan::{Plan, plan, retry_at};
use super::signed_in::SignedIn;
use super::store::{
    self, CredentialStore, EditOutcome, Hold, LOCK_TIMEOUT, Memory, Past, READ_PAUSE, StoreEdit,
};
use super::token::TokenError;
use crate::clock::{millis, seconds};
use crate::secret::Secret;
use attempt::RenewalAttempt;
pub use error::{Error, Warning};
use state::SignInState;
use waiting::RenewalWatch;
pub use waiting::{Hook, RenewalWait};

/// Maximum renewal attempts per call.
const RENEWAL_ATTEMPTS: u32 = 3;

/// Time limit for a renewal, excluding waits for the lock. An attempt already in progress may run past it.
const RENEWAL_TIMEOUT: Duration = Duration::from_secs(30);

// A process that waits for the lock must outlast the renewal of the process that holds it.
const _: () = assert!(TOKEN_TIMEOUT.as_secs() < LOCK_TIMEOUT.as_secs());

/// How long to wait until another program that renewed first has written its tokens to the shared file.
const RIVAL_WRITE_TIMEOUT: Duration = Duration::from_secs(3);

/// A stored sign-in and the means to renew it.
#[derive(Debug)]
pub struct SignIn {
    store: CredentialStore,
    issuer: Issuer,
    critical: Critical,
    hook: Mutex<Option<Hook>>,
    state: Mutex<SignInState>,
}

impl SignIn {
    /// Creates a sign-in from what `store` holds.
    #[must_use]
    pub fn new(
        store: CredentialStore,
        issuer: Issuer,
        saved: SignedIn,
        critical: Critical,
    ) -> Self {
        Self {
            store,
            issuer,
            critical,
            hook: Mutex::default(),
            state: Mutex::new(SignInState::new(saved)),
        }
    }

    /// Checks, without a request or a change to the file, that the sign-in is valid or can be renewed.
    ///
    /// # Errors
    /// If the sign-in has expired and cannot be renewed.
    pub fn check(&self) -> Result<(), Error> {
        match self.read_plan(None, millis())? {
            Plan::Refused(refusal) => Err(Error::Refused(refusal)),
            Plan::Ended => Err(Error::Ended),
            _ => Ok(()),
        }
    }

    /// Returns the permanent refusal of the refresh token, if the issuer has refused it.
    #[must_use]
    pub fn refused(&self) -> Option<Error> {
        let refresh = self.saved().refresh?;
        match self.memory().of(&refresh) {
            Past::Refused(refusal) => Some(Error::Refused(refusal)),
            _ => None,
        }
    }

    /// Returns an access token for the next request, renewed first if it is about to expire.
    ///
    /// # Errors
    /// If no valid token is available.
    pub fn credential(&self) -> Result<Credential, Error> {
        if !self.state().saved.due(seconds()) {
            return Ok(self.token());
        }
        self.renew(None)
    }

    /// Returns an access token to replace this one, which the service has rejected; `None` if there is no refresh
    /// token.
    ///
    /// # Errors
    /// If no valid token is available.
    pub fn replacement_for(&self, rejected: &Secret) -> Result<Option<Credential>, Error> {
        match self.renew(Some(rejected)) {
            Err(Error::Ended) => Ok(None),
            other => other.map(Some),
        }
    }

    /// Returns the current sign-in.
    #[must_use]
    pub fn saved(&self) -> SignedIn {
        self.state().saved.clone()
    }

    /// Removes and returns the warnings recorded since the last call.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        std::mem::take(&mut self.state().warnings)
    }

    /// Sets the hook that reports each renewal wait longer than a second.
    pub fn on_wait(&self, hook: Hook) {
        *self.hook.lock().unwrap_or_else(PoisonError::into_inner) = Some(hook);
    }

    /// Returns every token this sign-in has used, so that output can be redacted.
    #[must_use]
    pub fn seen(&self) -> Vec<Secret> {
        self.state().seen.clone()
    }

    /// Prevents further renewals and waits for one in progress, at most `critical_section::MAX_DELAY`.
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
            let until = match self.read_plan(rejected, now)? {
                Plan::Use => return Ok(self.token()),
                Plan::UseUp(refusal) => return Ok(self.keep_token(Error::Refused(refusal))),
                Plan::Refused(refusal) => return Err(Error::Refused(refusal)),
                Plan::Ended => return Err(Error::Ended),
                Plan::Wait(until) => until,
                Plan::Renew(must) => match self.attempt(rejected, &watch) {
                    Ok(RenewalAttempt::Done) => return Ok(self.token()),
                    Ok(RenewalAttempt::Busy | RenewalAttempt::Replan) if !must => {
                        return Ok(self.token());
                    }
                    Ok(RenewalAttempt::Replan) => now,
                    Ok(RenewalAttempt::Busy) => {
                        let from = Instant::now();
                        let waiting = |locked: &store::Error| {
                            watch.report(&RenewalWait::Lock(locked.to_string()));
                        };
                        let awaited = self.store.await_lock(&mut hold, &waiting);
                        awaited.map_err(Error::Store)?;
                        waited += from.elapsed();
                        continue;
                    }
                    Err(error) if !must => return Ok(self.keep_token(error)),
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

    /// Reads the file, adopts the sign-in it holds, and plans the renewal.
    fn read_plan(&self, rejected: Option<&Secret>, now: u64) -> Result<Plan, Error> {
        let found = self.store.read();
        let mut state = self.state();
        // The file is needed only if the token is expired or rejected.
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

    /// Takes the lock, plans again, and spends the refresh token if a renewal is still due.
    fn attempt(
        &self,
        rejected: Option<&Secret>,
        watch: &RenewalWatch,
    ) -> Result<RenewalAttempt, Error> {
        let Some(guard) = self.critical.enter() else {
            // The process is shutting down.
            return Ok(RenewalAttempt::Replan);
        };
        let outcome = self.spend(rejected, watch);
        guard.end();
        outcome
    }

    fn spend(
        &self,
        rejected: Option<&Secret>,
        watch: &RenewalWatch,
    ) -> Result<RenewalAttempt, Error> {
        let lock = match self.store.try_lock() {
            Ok(Some(lock)) => lock,
            Ok(None) => return Ok(RenewalAttempt::Busy),
            Err(error) => return Err(Error::NotSpent(error)),
        };
        let recovered = self.store.recover(&lock, seconds());
        recovered.map_err(Error::NotSpent)?;
        match self.read_plan(rejected, millis())? {
            Plan::Renew(_) => {}
            // Another process renewed first.
            Plan::Use => return Ok(RenewalAttempt::Done),
            _ => return Ok(RenewalAttempt::Replan),
        }
        let saved = self.saved();
        let Some(refresh) = &saved.refresh else {
            return Err(Error::Ended);
        };
        let prepared = self.store.prepare(Some(refresh)).map_err(Error::NotSpent)?;
        let memory = self.memory();
        let before = memory.of(refresh);
        if !lock.holds() {
            return Ok(RenewalAttempt::Replan);
        }
        memory.note(refresh, &Past::Sent(std::process::id()));
        let request = watch.start_request();
        let issued = self.issuer.refresh(refresh);
        drop(request);
        let issued = match issued {
            Ok(issued) => issued,
            Err(error) => {
                drop(prepared);
                // A process that renewed first may need this lock to store its tokens.
                drop(lock);
                // A local resource ran out before anything was sent, so the refresh token is unspent.
                if error.is_exhausted() {
                    memory.note(refresh, &before);
                    return Err(Error::Failed(Some(error)));
                }
                let refused = matches!(&error, issuer::Error::Refused(no) if no.permanent());
                if refused && self.store.is_foreign() && self.renewed_elsewhere(refresh) {
                    return Ok(RenewalAttempt::Done);
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
        // Other programs may write the file without taking this lock.
        if let Ok(EditOutcome::Other(found)) = stored {
            return match found.sign_in {
                Some(Ok(other)) => self.adopt(other).map(|()| RenewalAttempt::Done),
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
            Ok(RenewalAttempt::Done)
        } else {
            Err(Error::Failed(Some(issuer::Error::Unreadable)))
        }
    }

    /// Records a failure for this process and others. `before` is the token's earlier outcome.
    fn failed(&self, refresh: &Secret, before: &Past, error: issuer::Error) -> Error {
        let (past, error) = match error {
            issuer::Error::Refused(mut refusal) if refusal.permanent() => {
                if let Past::Sent(process) = before {
                    refusal.interrupted = Some(*process);
                }
                (Past::Refused((*refusal).clone()), Error::Refused(*refusal))
            }
            // Waiting does not fix these errors, and once the user has fixed the cause, there must be no back-off.
            error if !error.may_pass() => (Past::Nothing, Error::Failed(Some(error))),
            error => {
                let count = match before {
                    Past::Failed(count, _) => count.saturating_add(1),
                    _ => 1,
                };
                let until = retry_at(count, error.retry_after(), millis());
                (Past::Failed(count, until), Error::Failed(Some(error)))
            }
        };
        self.memory().note(refresh, &past);
        self.state().past = past;
        error
    }

    /// Returns whether another program, which ignores this lock, writes different tokens to the shared file in time.
    fn renewed_elsewhere(&self, spent: &Secret) -> bool {
        let begun = Instant::now();
        loop {
            if let Some(Ok(saved)) = self.stored()
                && saved.refresh.as_ref() != Some(spent)
            {
                return self.adopt(saved).is_ok();
            }
            if begun.elapsed() >= RIVAL_WRITE_TIMEOUT {
                return false;
            }
            thread::sleep(READ_PAUSE);
        }
    }

    /// Returns the sign-in in the file, if it can be read.
    fn stored(&self) -> Option<Result<SignedIn, TokenError>> {
        self.store.read().ok()?.sign_in
    }

    /// Adopts a sign-in that another process stored, if it is for the same account.
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

    /// Records a warning and returns the current token.
    fn keep_token(&self, error: Error) -> Credential {
        let mut state = self.state();
        if !state.warned {
            state.warned = true;
            let until = state.saved.expires;
            state.warnings.push(Warning::NotRenewed(error, until));
        }
        drop(state);
        self.token()
    }

    /// Returns the current access token, valid or not.
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
