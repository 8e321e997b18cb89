//! What the answers about a device sign-in mean (pure).

use super::issuer::Error;
use super::refusal::Refusal;
use crate::secret::Secret;

/// What became of a device sign-in.
#[derive(Debug)]
pub enum Poll {
    /// The person has not decided yet.
    Pending,
    /// The same, and we ask too often.
    SlowDown,
    /// The person said yes: a code to be exchanged, and the verifier, which the issuer made.
    Granted(Secret, Secret),
}

/// Tells a device sign-in that is still waiting from one that is over. Both may come as 403.
pub(super) fn sort(refusal: Refusal) -> Result<Poll, Error> {
    let said = format!("{} {}", refusal.code, refusal.message.to_lowercase());
    let over = ["expired", "denied", "declined"];
    match (&*refusal.code, refusal.status) {
        ("slow_down", _) => Ok(Poll::SlowDown),
        ("deviceauth_authorization_pending" | "authorization_pending", _) => Ok(Poll::Pending),
        // A page says nothing of the device, and a country will not change while somebody waits.
        _ if refusal.page || refusal.is_blocked() => Err(Error::Refused(Box::new(refusal))),
        (_, 400 | 403 | 404) if over.iter().any(|word| said.contains(word)) => {
            Err(Error::Declined(Box::new(refusal)))
        }
        // Any other 403 or 404 says no more than that nobody has typed the code in.
        (_, 403 | 404) => Ok(Poll::Pending),
        _ => Err(Error::Refused(Box::new(refusal))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_waits_is_told_from_one_that_is_refused() {
        let check = |status: u16, body: &str, expected: &str| {
            let found = match sort(Refusal::of(status, body)) {
                Ok(Poll::Pending) => "pending",
                Ok(Poll::SlowDown) => "slow",
                Ok(Poll::Granted(..)) => "granted",
                Err(_) => "over",
            };
            assert_eq!(found, expected, "{status} {body}");
        };
        check(
            403,
            r#"{"error":{"code":"deviceauth_authorization_pending"}}"#,
            "pending",
        );
        check(400, r#"{"error":"authorization_pending"}"#, "pending");
        check(403, "", "pending");
        check(404, r#"{"detail":"Not Found"}"#, "pending");
        check(400, r#"{"error":"slow_down"}"#, "slow");
        check(
            403,
            r#"{"error":{"message":"Device authorization code has expired. Please request a new code."}}"#,
            "over",
        );
        check(403, r#"{"error":{"code":"access_denied"}}"#, "over");
        check(403, "<html>Cloudflare</html>", "over");
        check(
            403,
            r#"{"error":{"code":"unsupported_country_region_territory"}}"#,
            "over",
        );
        check(500, "", "over");
    }
}
