//! Tokens and responses of the token endpoint: never a panic, and a missing value is not made up.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use codex_run::auth::signed_in::SignedIn;
use codex_run::auth::token::{self, Claims};
use codex_run::auth::token_response::Issued;
use codex_run::secret::Secret;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let text = String::from_utf8_lossy(input);
    let _ = token::claims(&text);
    // And as the middle of a valid token.
    let whole = format!("eyJhbGciOiJub25lIn0.{}.c2ln", URL_SAFE_NO_PAD.encode(input));
    let claims = token::claims(&whole);
    assert_eq!(
        claims.is_ok(),
        serde_json::from_slice::<serde_json::Value>(input).is_ok()
    );
    let account = claims
        .as_ref()
        .ok()
        .and_then(|claims| claims.account.clone());
    assert_eq!(token::account(&whole).ok(), account);
    let signed_in = SignedIn::new(Secret::new(whole), None, None, Claims::default());
    assert_eq!(signed_in.is_ok(), account.is_some());
    if let Ok(signed_in) = signed_in {
        assert!(!signed_in.ended(0) || signed_in.expires == Some(0));
        assert!(
            !signed_in.ended(5) || signed_in.due(5),
            "what has ended is due"
        );
        assert!(!signed_in.who().is_empty());
    }
    let Some(issued) = Issued::read(input) else {
        return;
    };
    assert!(issued.access.is_some() || issued.refresh.is_some());
    for secret in [&issued.access, &issued.refresh, &issued.id]
        .into_iter()
        .flatten()
    {
        let fits = |byte: u8| byte.is_ascii_graphic();
        assert!(!secret.expose().is_empty() && secret.expose().bytes().all(fits));
    }
    let access = issued.access.clone();
    if let Ok(first) = SignedIn::first(issued.clone(), 1000) {
        assert_eq!(Some(&first.access), access.as_ref());
        let renewed = first.renewed(issued, u64::MAX);
        assert_eq!(renewed.account, first.account);
    }
});
