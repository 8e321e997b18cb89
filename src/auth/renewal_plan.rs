//! The next step of a sign-in (pure): use it, renew it, wait, or stop.

use std::time::Duration;

use super::refusal::Refusal;
use super::signed_in::SignedIn;
use super::store::Past;
use crate::secret::Secret;

/// Longest back-off between attempts, in milliseconds.
const MAX_DELAY_MILLIS: u64 = 60_000;

/// The next step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// Use the access token, which is valid.
    Use,
    /// Use the access token, which expires soon and cannot be renewed for this reason.
    UseUp(Refusal),
    /// Renew the sign-in; `true` if that must succeed because the access token is unusable.
    Renew(bool),
    /// Wait until this time, in Unix milliseconds, then renew.
    Wait(u64),
    /// Stop: the issuer has permanently refused the renewal.
    Refused(Refusal),
    /// Stop: there is no refresh token.
    Ended,
}

/// Plans the next step for the sign-in in the file. `rejected` is the access token that the service has just
/// rejected; `now` is in Unix milliseconds.
pub(super) fn plan(saved: &SignedIn, rejected: Option<&Secret>, past: &Past, now: u64) -> Plan {
    let seconds = now / 1000;
    let must = rejected == Some(&saved.access) || saved.ended(seconds);
    if !must && !saved.due(seconds) {
        return Plan::Use;
    }
    // A time beyond the longest back-off was recorded by a wrong clock.
    let waits = |until: u64| now < until && until <= now.saturating_add(MAX_DELAY_MILLIS);
    match (past, must) {
        _ if saved.refresh.is_none() && must => Plan::Ended,
        _ if saved.refresh.is_none() => Plan::Use,
        (Past::Refused(refusal), true) => Plan::Refused(refusal.clone()),
        (Past::Refused(refusal), false) => Plan::UseUp(refusal.clone()),
        (Past::Failed(_, until), true) if waits(*until) => Plan::Wait(*until),
        (Past::Failed(_, until), false) if waits(*until) => Plan::Use,
        _ => Plan::Renew(must),
    }
}

/// Returns when to retry after a number of consecutive failures, in Unix milliseconds: exponential back-off from one
/// second, or the issuer's `Retry-After`, up to a minute.
pub(super) fn retry_at(failures: u32, asked: Option<Duration>, now: u64) -> u64 {
    let doubled = 1000 << failures.saturating_sub(1).min(6);
    let asked = asked.map_or(0, |time| {
        u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
    });
    now + asked.max(doubled).min(MAX_DELAY_MILLIS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::token::Claims;
    use crate::auth::token::tests::token_of;

    const NOW: u64 = 1_000_000_000;

    #[test]
    fn every_state_has_its_plan() {
        let refusal = Refusal::of(401, "");
        let refused = Past::Refused(refusal.clone());
        let check = |left: i64, refresh: bool, rejected: bool, past: &Past, expected: Plan| {
            let expires = (NOW / 1000).saturating_add_signed(left);
            let refresh = refresh.then(|| Secret::new("rt".to_owned()));
            let access = token_of("a", expires);
            let saved = SignedIn::new(access.clone(), refresh, None, Claims::default());
            let saved = saved.expect("a sign-in");
            let rejected = rejected.then_some(&access);
            let found = plan(&saved, rejected, past, NOW);
            assert_eq!(found, expected, "{left} s left, {rejected:?}, {past:?}");
        };
        let (nothing, later, now, odd) = (
            &Past::Nothing,
            &Past::Failed(1, NOW + 500),
            &Past::Failed(1, NOW),
            &Past::Failed(9, NOW + 60_001),
        );
        // Valid for more than five minutes: the rest does not matter.
        for past in [nothing, later, &refused] {
            check(301, true, false, past, Plan::Use);
        }
        // Expires soon: renewed if possible, otherwise used.
        check(300, true, false, nothing, Plan::Renew(false));
        check(1, true, false, now, Plan::Renew(false));
        check(300, true, false, later, Plan::Use);
        check(300, true, false, &refused, Plan::UseUp(refusal.clone()));
        check(300, false, false, nothing, Plan::Use);
        // Expired, or rejected by the service: renewed, or an error.
        for (left, rejected) in [(0, false), (-9000, false), (9000, true), (0, true)] {
            check(left, true, rejected, nothing, Plan::Renew(true));
            check(left, true, rejected, now, Plan::Renew(true));
            check(left, true, rejected, later, Plan::Wait(NOW + 500));
            check(left, true, rejected, odd, Plan::Renew(true));
            check(
                left,
                true,
                rejected,
                &refused,
                Plan::Refused(refusal.clone()),
            );
            check(left, false, rejected, nothing, Plan::Ended);
        }
    }

    #[test]
    fn a_token_other_than_the_rejected_one_is_used() {
        let saved = SignedIn::new(token_of("a", NOW), None, None, Claims::default());
        let other = token_of("a", NOW + 1);
        let found = plan(
            &saved.expect("a sign-in"),
            Some(&other),
            &Past::Nothing,
            NOW,
        );
        assert_eq!(found, Plan::Use);
    }

    #[test]
    fn failures_back_off_exponentially() {
        let delays: Vec<u64> = (1..9).map(|n| retry_at(n, None, 0) / 1000).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(retry_at(u32::MAX, None, 7), 60_007);
        assert_eq!(retry_at(1, Some(Duration::from_secs(5)), 7), 5_007);
        assert_eq!(retry_at(1, Some(Duration::MAX), 7), 60_007);
    }
}
