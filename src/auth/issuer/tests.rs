//! Tests of requests to the issuer and their timeouts.

use super::*;

/// A server that never pauses for long and never finishes: it sends one byte at a time.
fn trickle(head: &'static str) -> String {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let _ = stream.read(&mut [0; 4096]);
        let endless = head.bytes().chain(std::iter::repeat(b' '));
        for byte in endless {
            if stream.write_all(&[byte]).is_err() {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    format!("http://{address}")
}

#[test]
fn a_whole_token_response_has_a_timeout() {
    for head in [
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n",
        "HTTP/1.1 200 OK\r\nx-endless: ",
    ] {
        let base = BaseUrl::parse(&trickle(head)).expect("an address");
        let issuer = Issuer {
            tokens: Duration::from_millis(300),
            ..Issuer::new(base, &http::HttpSetup::new("test"))
        };
        let error = issuer.refresh(&Secret::new("rt".to_owned())).map(drop);
        assert!(
            matches!(error, Err(Error::Http(http::Error::Late))),
            "{head:?}: {error:?}"
        );
    }
}

#[test]
fn the_authorization_url_has_every_required_parameter() {
    let base = BaseUrl::parse("https://issuer.example").expect("an address");
    let pkce = Pkce::new(&[7; crate::auth::pkce::RANDOM_BYTES]);
    let url = Issuer::new(base, &http::HttpSetup::new("test"))
        .authorize_url("http://localhost:1455/auth/callback", &pkce);
    assert!(
        url.starts_with("https://issuer.example/oauth/authorize?response_type=code&client_id=app_")
    );
    assert!(url.contains("redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback&"));
    assert!(url.contains("scope=openid%20profile%20email%20offline_access&"));
    assert!(url.contains("code_challenge_method=S256") && !url.contains(pkce.verifier.expose()));
}
