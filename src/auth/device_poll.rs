//! What the responses to a device sign-in poll mean (pure).

use super::issuer::Error;
use super::refusal::Refusal;
use crate::secret::Secret;

/// The state of a device sign-in.
#[derive(Debug)]
pub enum Poll {
    /// The user has not decided yet.
    Pending,
    /// Still pending, and the polling is too fast.
    SlowDown,
    /// The user approved: the authorization code and the verifier, which the issuer generated.
    Granted(Secret, Secret),
}

/// Distinguishes a pending device sign-in from one that is over. Both may come as 403.
pub(super) fn poll_state(refusal: Refusal) -> Result<Poll, Error> {
    let text = format!("{} {}", refusal.code, refusal.message.to_lowercase());
    let over = ["expired", "denied", "declined"];
    match (&*refusal.code, refusal.status) {
        ("slow_down", _) => Ok(Poll::SlowDown),
        ("deviceauth_authorization_pending" | "authorization_pending", _) => Ok(Poll::Pending),
        // A web page says nothing about the device, and a blocked country does not change while polling.
        _ if refusal.page || refusal.is_blocked() => Err(Error::Refused(Box::new(refusal))),
        (_, 400 | 403 | 404) if over.iter().any(|word| text.contains(word)) => {
            Err(Error::Declined(Box::new(refusal)))
        }
        // Any other 403 or 404 only means that the code has not been entered yet.
        (_, 403 | 404) => Ok(Poll::Pending),
        _ => Err(Error::Refused(Box::new(refusal))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pending_device_is_distinguished_from_a_refused_one() {
        let check = |status: u16, body: &str, expected: &str| {
            let found = match poll_state(Refusal::of(status, body)) {
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
