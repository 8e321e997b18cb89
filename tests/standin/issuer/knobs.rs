//! Settings of the issuer for tests and the program's flags, and its counters.

use std::collections::VecDeque;
use std::time::Duration;

use super::authorize::Decision;
use super::book::{Person, Tokens};
use super::device::{self, Stage};
use super::token::now_unix;
use super::{Bounds, Issuer, Reply};

/// Default lifetime of access tokens, in seconds: 10 days, like the real ones.
const TEN_DAYS: u64 = 10 * 24 * 3600;

/// The settings.
#[allow(clippy::struct_excessive_bools, reason = "each is an order of its own")]
pub(super) struct Knobs {
    pub(super) account: String,
    pub(super) plan: String,
    pub(super) bounds: Bounds,
    pub(super) lifetime: u64,
    pub(super) rotates: bool,
    pub(super) omits_id_token: bool,
    pub(super) pause: Duration,
    pub(super) pause_before: Duration,
    pub(super) failures: VecDeque<Reply>,
    pub(super) swallowed: usize,
    pub(super) garbled: usize,
    pub(super) revoke_answer: Option<Reply>,
    pub(super) revoke_pause: Duration,
    pub(super) decision: Decision,
    pub(super) interval: u64,
    pub(super) device_disabled: bool,
    pub(super) slow_downs: usize,
    pub(super) approves: bool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            account: "acct-standin".to_owned(),
            plan: "plus".to_owned(),
            bounds: Bounds::default(),
            lifetime: TEN_DAYS,
            rotates: true,
            omits_id_token: false,
            pause: Duration::ZERO,
            pause_before: Duration::ZERO,
            failures: VecDeque::new(),
            swallowed: 0,
            garbled: 0,
            revoke_answer: None,
            revoke_pause: Duration::ZERO,
            decision: Decision::Allow,
            interval: 5,
            device_disabled: false,
            slow_downs: 0,
            approves: false,
        }
    }
}

/// The counters.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) refreshes: usize,
    pub(super) refreshed: usize,
    pub(super) exchanges: usize,
    pub(super) exchanged: usize,
    pub(super) whoamis: usize,
    pub(super) revocations: Vec<(String, String)>,
}

/// Tokens.
impl Issuer {
    /// Issues tokens of a new family, as if this account had just signed in. They are valid for 10 days.
    pub(crate) fn grant(&self, account: &str) -> Tokens {
        self.grant_until(account, now_unix() + TEN_DAYS)
    }

    /// The same with a different expiry of the access and id token, in Unix seconds. It may be past.
    pub(crate) fn grant_until(&self, account: &str, expires_unix: u64) -> Tokens {
        let mut state = self.state();
        let person = Person {
            account: account.to_owned(),
            plan: state.knobs.plan.clone(),
            scope: "openid profile email offline_access".to_owned(),
            bounds: state.knobs.bounds.clone(),
        };
        let family = state.book.begin(person);
        state.book.mint(family, expires_unix, now_unix())
    }

    /// Makes the backends refuse this access token. Its refresh token still works.
    pub(crate) fn invalidate(&self, access: &str) {
        self.state().book.kill(access);
    }

    /// Ends the family of this access or refresh token, as if it had been revoked elsewhere.
    pub(crate) fn end(&self, token: &str) {
        self.state().book.end(token);
    }

    /// Whether this refresh token is known, unused and of a living family.
    pub(crate) fn is_live(&self, refresh: &str) -> bool {
        self.state().book.is_live(refresh)
    }

    /// Sets the account that signs in from now on, instead of `acct-standin`.
    pub(crate) fn account(&self, account: &str) {
        account.clone_into(&mut self.state().knobs.account);
    }

    /// Sets the plan of later sign-ins and grants, instead of `plus`.
    pub(crate) fn plan(&self, plan: &str) {
        plan.clone_into(&mut self.state().knobs.plan);
    }

    /// Sets the restrictions of the workspace of later sign-ins and grants.
    pub(crate) fn bind(&self, bounds: Bounds) {
        self.state().knobs.bounds = bounds;
    }

    /// Sets the lifetime of tokens that `/oauth/token` mints from now on, in seconds.
    pub(crate) fn lifetime(&self, seconds: u64) {
        self.state().knobs.lifetime = seconds;
    }

    /// Sets whether a refresh spends its token and returns a new one, which is the default. Otherwise
    /// the response has no refresh token and the old one stays valid.
    pub(crate) fn rotate(&self, rotates: bool) {
        self.state().knobs.rotates = rotates;
    }

    /// Omits the id token from all later responses.
    pub(crate) fn omit_id_token(&self) {
        self.state().knobs.omits_id_token = true;
    }
}

/// Faults at `/oauth/token` and `/oauth/revoke`.
impl Issuer {
    /// Waits between spending a token and responding. The wait ends early with the server or
    /// with the client.
    pub(crate) fn pause(&self, time: Duration) {
        self.state().knobs.pause = time;
    }

    /// Waits before anything is spent. A client that leaves meanwhile has spent nothing.
    pub(crate) fn pause_before(&self, time: Duration) {
        self.state().knobs.pause_before = time;
    }

    /// Answers the next `count` requests with this reply and spends nothing.
    pub(crate) fn fail(&self, count: usize, reply: Reply) {
        let failures = std::iter::repeat_n(reply, count);
        self.state().knobs.failures.extend(failures);
    }

    /// Spends the next `count` valid refreshes, and closes the connection without a response.
    pub(crate) fn swallow(&self, count: usize) {
        self.state().knobs.swallowed = count;
    }

    /// Spends the next `count` valid refreshes, and answers 200 with invalid JSON.
    pub(crate) fn garble(&self, count: usize) {
        self.state().knobs.garbled = count;
    }

    /// Answers revocations with this reply and revokes nothing.
    pub(crate) fn revoke_answer(&self, reply: Reply) {
        self.state().knobs.revoke_answer = Some(reply);
    }

    /// Waits before answering a revocation.
    pub(crate) fn revoke_pause(&self, time: Duration) {
        self.state().knobs.revoke_pause = time;
    }
}

/// The person's actions.
impl Issuer {
    /// Sets the response of `/oauth/authorize` to clients that are not browsers, instead of approval.
    pub(crate) fn decide(&self, decision: Decision) {
        self.state().knobs.decision = decision;
    }

    /// Enters a device's code and approves it. Returns whether a device was waiting for it.
    pub(crate) fn approve(&self, user_code: &str) -> bool {
        device::settle(&mut self.state(), &self.callbacks(), user_code, true)
    }

    /// Enters a device's code and denies it. Returns whether a device was waiting for it.
    pub(crate) fn deny(&self, user_code: &str) -> bool {
        device::settle(&mut self.state(), &self.callbacks(), user_code, false)
    }

    /// Lets a device's code expire. Returns whether there is such a code.
    pub(crate) fn expire(&self, user_code: &str) -> bool {
        let mut state = self.state();
        let mut devices = state.devices.iter_mut();
        let device = devices.find(|device| device.user_code == user_code);
        device.map(|device| device.stage = Stage::Expired).is_some()
    }

    /// Approves device codes at their second poll.
    pub(crate) fn approve_devices(&self) {
        self.state().knobs.approves = true;
    }

    /// Disables sign-in by device code: 404.
    pub(crate) fn device_disabled(&self) {
        self.state().knobs.device_disabled = true;
    }

    /// Sets the polling interval of a device, in seconds, instead of 5.
    pub(crate) fn interval(&self, seconds: u64) {
        self.state().knobs.interval = seconds;
    }

    /// Answers the next `count` polls that they come too often.
    pub(crate) fn slow_down(&self, count: usize) {
        self.state().knobs.slow_downs = count;
    }
}

/// What happened.
impl Issuer {
    /// Number of refresh requests, including refused ones.
    pub(crate) fn refreshes(&self) -> usize {
        self.state().counts.refreshes
    }

    /// Number of refreshes that spent their token, whether or not the response arrived.
    pub(crate) fn refreshed(&self) -> usize {
        self.state().counts.refreshed
    }

    /// Number of requests to exchange a code, including refused ones.
    pub(crate) fn exchanges(&self) -> usize {
        self.state().counts.exchanges
    }

    /// Number of exchanges that returned tokens.
    pub(crate) fn exchanged(&self) -> usize {
        self.state().counts.exchanged
    }

    /// Every token whose revocation was requested, with its hint, if any.
    pub(crate) fn revocations(&self) -> Vec<(String, String)> {
        self.state().counts.revocations.clone()
    }

    /// The user codes in the order they were issued.
    pub(crate) fn user_codes(&self) -> Vec<String> {
        let state = self.state();
        let codes = state.devices.iter().map(|device| device.user_code.clone());
        codes.collect()
    }
}
