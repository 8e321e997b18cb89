//! The PKCE verifier and its S256 challenge (RFC 7636), and the state (RFC 6749, section 10.12). Pure: the caller
//! supplies the random bytes.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::secret::Secret;

/// Random bytes per sign-in: 64 for the verifier, 32 for the state.
pub const RANDOM_BYTES: usize = 96;

/// The values that bind a redirect to the program that started the sign-in.
#[derive(Clone, Debug)]
pub struct Pkce {
    /// Sent with the code to the token endpoint.
    pub verifier: Secret,
    /// The hash of the verifier, sent with the authorization request.
    pub challenge: String,
    /// Returned unchanged in the redirect.
    pub state: Secret,
}

impl Pkce {
    /// Derives the values from random bytes, which must not be reused.
    #[must_use]
    pub fn new(random: &[u8; RANDOM_BYTES]) -> Self {
        let (verifier, state) = random.split_at(64);
        let verifier = URL_SAFE_NO_PAD.encode(verifier);
        Self {
            challenge: challenge(&verifier),
            verifier: Secret::new(verifier),
            state: Secret::new(URL_SAFE_NO_PAD.encode(state)),
        }
    }
}

fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_matches_the_rfc() {
        // RFC 7636, appendix B.
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }

    #[test]
    fn verifier_and_state_have_the_expected_lengths() {
        let pkce = Pkce::new(&[0xa5; RANDOM_BYTES]);
        assert_eq!(
            (
                pkce.verifier.expose().len(),
                pkce.challenge.len(),
                pkce.state.expose().len()
            ),
            (86, 43, 43)
        );
        let url_safe = |text: &str| {
            text.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        };
        assert!(url_safe(pkce.verifier.expose()) && url_safe(pkce.state.expose()));
    }
}
