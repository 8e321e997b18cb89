//! What a test, or the program's flags, can order of the issuer and ask it afterwards.

use std::collections::VecDeque;
use std::time::Duration;

use super::authorize::Decision;
use super::book::{Person, Tokens};
use super::device::{self, Stage};
use super::token::now_unix;
use super::{Bounds, Issuer, Reply};

/// How long access tokens live unless told otherwise, in seconds: 10 days, as the real ones do.
const TEN_DAYS: u64 = 10 * 24 * 3600;

/// What was ordered.
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

/// What was counted.
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
    /// Tokens of a new family, as if this account had just signed in. They are valid for 10 days.
    pub(crate) fn grant(&self, account: &str) -> Tokens {
        self.grant_until(account, now_unix() + TEN_DAYS)
    }

    /// The same with another end of the access and id token, in Unix seconds. It may be past.
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

    /// From now on the backends refuse this access token. Its refresh token still works.
    pub(crate) fn invalidate(&self, access: &str) {
        self.state().book.kill(access);
    }

    /// Ends the family of this access or refresh token, as if it had been revoked elsewhere.
    pub(crate) fn end(&self, token: &str) {
        self.state().book.end(token);
    }

    /// Whether this refresh token is known, unspent and of a living family.
    pub(crate) fn is_live(&self, refresh: &str) -> bool {
        self.state().book.is_live(refresh)
    }

    /// Who signs in from now on, instead of `acct-standin`.
    pub(crate) fn account(&self, account: &str) {
        account.clone_into(&mut self.state().knobs.account);
    }

    /// The plan of whoever signs in or is granted tokens from now on, instead of `plus`.
    pub(crate) fn plan(&self, plan: &str) {
        plan.clone_into(&mut self.state().knobs.plan);
    }

    /// What binds the workspace of whoever signs in or is granted tokens from now on.
    pub(crate) fn bind(&self, bounds: Bounds) {
        self.state().knobs.bounds = bounds;
    }

    /// How long the tokens live that `/oauth/token` mints from now on, in seconds.
    pub(crate) fn lifetime(&self, seconds: u64) {
        self.state().knobs.lifetime = seconds;
    }

    /// Whether a refresh spends its token and brings another, which is the default. Without, the
    /// answer has no refresh token and the old one stays good.
    pub(crate) fn rotate(&self, rotates: bool) {
        self.state().knobs.rotates = rotates;
    }

    /// From now on no answer has an id token.
    pub(crate) fn omit_id_token(&self) {
        self.state().knobs.omits_id_token = true;
    }
}

/// What goes wrong at `/oauth/token` and `/oauth/revoke`.
impl Issuer {
    /// A wait between the moment a token is spent and its answer. It ends early with the server or
    /// with the client.
    pub(crate) fn pause(&self, time: Duration) {
        self.state().knobs.pause = time;
    }

    /// A wait before anything is spent. A client that leaves during it has spent nothing.
    pub(crate) fn pause_before(&self, time: Duration) {
        self.state().knobs.pause_before = time;
    }

    /// The next `count` requests get this reply and spend nothing.
    pub(crate) fn fail(&self, count: usize, reply: Reply) {
        let failures = std::iter::repeat_n(reply, count);
        self.state().knobs.failures.extend(failures);
    }

    /// The next `count` good refreshes are spent, and the connection closes without an answer.
    pub(crate) fn swallow(&self, count: usize) {
        self.state().knobs.swallowed = count;
    }

    /// The next `count` good refreshes are spent, and answered 200 with what is no JSON.
    pub(crate) fn garble(&self, count: usize) {
        self.state().knobs.garbled = count;
    }

    /// Revocations get this reply and revoke nothing.
    pub(crate) fn revoke_answer(&self, reply: Reply) {
        self.state().knobs.revoke_answer = Some(reply);
    }

    /// A wait before a revocation is answered.
    pub(crate) fn revoke_pause(&self, time: Duration) {
        self.state().knobs.revoke_pause = time;
    }
}

/// What the person does.
impl Issuer {
    /// What `/oauth/authorize` answers those who are no browser, instead of yes.
    pub(crate) fn decide(&self, decision: Decision) {
        self.state().knobs.decision = decision;
    }

    /// Enters a device's code and says yes. Says whether a device waited for it.
    pub(crate) fn approve(&self, user_code: &str) -> bool {
        device::settle(&mut self.state(), &self.callbacks(), user_code, true)
    }

    /// Enters a device's code and says no. Says whether a device waited for it.
    pub(crate) fn deny(&self, user_code: &str) -> bool {
        device::settle(&mut self.state(), &self.callbacks(), user_code, false)
    }

    /// Lets a device's code grow old. Says whether there is such a code.
    pub(crate) fn expire(&self, user_code: &str) -> bool {
        let mut state = self.state();
        let mut devices = state.devices.iter_mut();
        let device = devices.find(|device| device.user_code == user_code);
        device.map(|device| device.stage = Stage::Expired).is_some()
    }

    /// Device codes are approved at their second poll.
    pub(crate) fn approve_devices(&self) {
        self.state().knobs.approves = true;
    }

    /// There is no sign-in by device code: 404.
    pub(crate) fn device_disabled(&self) {
        self.state().knobs.device_disabled = true;
    }

    /// How often a device shall ask, in seconds, instead of every 5.
    pub(crate) fn interval(&self, seconds: u64) {
        self.state().knobs.interval = seconds;
    }

    /// The next `count` polls are told that they come too often.
    pub(crate) fn slow_down(&self, count: usize) {
        self.state().knobs.slow_downs = count;
    }
}

/// What happened.
impl Issuer {
    /// Requests for a refresh, refused ones included.
    pub(crate) fn refreshes(&self) -> usize {
        self.state().counts.refreshes
    }

    /// Refreshes that spent their token, whether or not the answer arrived.
    pub(crate) fn refreshed(&self) -> usize {
        self.state().counts.refreshed
    }

    /// Requests to exchange a code, refused ones included.
    pub(crate) fn exchanges(&self) -> usize {
        self.state().counts.exchanges
    }

    /// Exchanges that brought tokens.
    pub(crate) fn exchanged(&self) -> usize {
        self.state().counts.exchanged
    }

    /// Every token that somebody wanted revoked, with the hint that came along, if any.
    pub(crate) fn revocations(&self) -> Vec<(String, String)> {
        self.state().counts.revocations.clone()
    }

    /// The user codes in the order they were given out.
    pub(crate) fn user_codes(&self) -> Vec<String> {
        let state = self.state();
        let codes = state.devices.iter().map(|device| device.user_code.clone());
        codes.collect()
    }
}
