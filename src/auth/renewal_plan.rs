//! What to do about a sign-in (pure): use it, renew it, wait, or give up.

use std::time::Duration;

use super::refusal::Refusal;
use super::signed_in::SignedIn;
use super::store::Past;
use crate::secret::Secret;

/// The longest pause between two attempts, in milliseconds.
const MAX_DELAY_MILLIS: u64 = 60_000;

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// The access token is good.
    Use,
    /// It is good for a little longer, and cannot be renewed for this reason.
    UseUp(Refusal),
    /// Renew it. Whether that must succeed, because the token is of no use any more.
    Renew(bool),
    /// It must be renewed, and cannot be before this moment, in Unix milliseconds.
    Wait(u64),
    /// It must be renewed, and the issuer has refused that for good.
    Refused(Refusal),
    /// It must be renewed, and there is no refresh token.
    Ended,
}

/// What to do about what the file holds. `rejected` is the access token that the service has just refused;
/// `now` is in Unix milliseconds.
pub(super) fn plan(saved: &SignedIn, rejected: Option<&Secret>, past: &Past, now: u64) -> Plan {
    let seconds = now / 1000;
    let must = rejected == Some(&saved.access) || saved.ended(seconds);
    if !must && !saved.due(seconds) {
        return Plan::Use;
    }
    // What lies further ahead than we ever wait was noted by a clock that was wrong.
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

/// When to try again after so many failures in a row, in Unix milliseconds: one second, then twice as long each
/// time, or as long as the issuer asks for, up to a minute.
pub(super) fn again(failures: u32, asked: Option<Duration>, now: u64) -> u64 {
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
        // Good for longer than five minutes: nothing else matters.
        for past in [nothing, later, &refused] {
            check(301, true, false, past, Plan::Use);
        }
        // Good for a little: renewed if that is possible, used if not.
        check(300, true, false, nothing, Plan::Renew(false));
        check(1, true, false, now, Plan::Renew(false));
        check(300, true, false, later, Plan::Use);
        check(300, true, false, &refused, Plan::UseUp(refusal.clone()));
        check(300, false, false, nothing, Plan::Use);
        // Ended, or refused by the service: renewed, or nothing.
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
    fn another_token_than_the_rejected_one_is_used() {
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
    fn failures_are_spaced_out() {
        let delays: Vec<u64> = (1..9).map(|n| again(n, None, 0) / 1000).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(again(u32::MAX, None, 7), 60_007);
        assert_eq!(again(1, Some(Duration::from_secs(5)), 7), 5_007);
        assert_eq!(again(1, Some(Duration::MAX), 7), 60_007);
    }
}
