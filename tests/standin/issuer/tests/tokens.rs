//! Tokens are refreshed, lost, revoked and refused.

use std::io::Write as _;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::form::encode;
use super::super::{CLIENT_ID, Issuer};
use super::{FOREVER, FORM, JSON, ask, refresh, server, text, usage};
use crate::standin::{Reply, jwt, now_unix};

#[test]
fn a_refresh_token_is_used_once_and_using_it_twice_ends_its_family() {
    let server = server();
    let first = server.issuer().grant("acct-1");
    let other = server.issuer().grant("acct-1");
    let got = refresh(&server, &first.refresh).json();
    let (second, access) = (text(&got["refresh_token"]), text(&got["access_token"]));
    assert_ne!(second, first.refresh);
    assert_ne!(access, first.access);
    assert!(server.issuer().is_live(second) && !server.issuer().is_live(&first.refresh));
    assert_eq!(usage(&server, &first.access, "acct-1").status, 200);

    let reused = refresh(&server, &first.refresh);
    reused.refused(401, "refresh_token_reused");
    let message = text(&reused.json()["error"]["message"]).to_owned();
    assert!(message.starts_with("Your refresh token has already been used to generate"));
    refresh(&server, second).refused(401, "refresh_token_invalidated");
    usage(&server, access, "acct-1").refused(401, "token_invalidated");
    refresh(&server, "rt_nobody").refused(401, "token_expired");
    assert_eq!(
        (server.issuer().refreshes(), server.issuer().refreshed()),
        (4, 1)
    );

    let body = encode(&[
        ("client_id", CLIENT_ID),
        ("grant_type", "refresh_token"),
        ("refresh_token", &other.refresh),
    ]);
    assert_eq!(ask(&server, "POST /oauth/token", FORM, &body).status, 200);
}

#[test]
fn of_many_concurrent_refreshes_one_gets_tokens() {
    let server = server();
    let token = server.issuer().grant("acct-1").refresh;
    let count = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| refresh(&server, &token)))
            .collect();
        let got = threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"));
        got.filter(|got| got.status == 200).count()
    });
    assert_eq!((count, server.issuer().refreshes()), (1, 8));
}

#[test]
fn revoked_tokens_are_refused_everywhere() {
    let server = server();
    let revoke = |headers, body: &str| ask(&server, "POST /oauth/revoke", headers, body);
    let tokens = server.issuer().grant("acct-1");
    let mut body = json!({"token": tokens.refresh, "token_type_hint": "refresh_token"});
    revoke(JSON, &body.to_string()).refused(400, "invalid_request");
    body["client_id"] = CLIENT_ID.into();
    assert_eq!(usage(&server, &tokens.access, "acct-1").status, 200);
    assert_eq!(revoke(JSON, &body.to_string()).json(), json!({}));
    usage(&server, &tokens.access, "acct-1").refused(401, "token_invalidated");
    refresh(&server, &tokens.refresh).refused(401, "refresh_token_invalidated");

    let tokens = server.issuer().grant("acct-1");
    let body = encode(&[
        ("token", &*tokens.access),
        ("token_type_hint", "access_token"),
    ]);
    assert_eq!(revoke(FORM, &body).status, 200);
    refresh(&server, &tokens.refresh).refused(401, "refresh_token_invalidated");
    let hint = &server.issuer().revocations()[2];
    assert_eq!(hint, &(tokens.access, "access_token".to_owned()));

    let tokens = server.issuer().grant("acct-1");
    server.issuer().revoke_answer(Reply::status(500, &[], ""));
    let body = encode(&[("token", &*tokens.refresh), ("client_id", CLIENT_ID)]);
    assert_eq!(revoke(FORM, &body).status, 500);
    assert!(server.issuer().is_live(&tokens.refresh));
}

#[test]
fn tokens_can_be_expired_ended_or_foreign() {
    let server = server();
    let issuer = server.issuer();
    let old = issuer.grant_until("acct-1", now_unix() - 1);
    usage(&server, &old.access, "acct-1").refused(401, "token_expired");
    issuer.lifetime(60);
    issuer.omit_id_token();
    issuer.rotate(false);
    let got = refresh(&server, &old.refresh).json();
    assert_eq!(
        (&got["id_token"], &got["refresh_token"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(got["expires_in"], 60);
    assert!(issuer.is_live(&old.refresh));
    let access = text(&got["access_token"]);
    issuer.invalidate(access);
    usage(&server, access, "acct-1").refused(401, "token_invalidated");
    let invented = jwt("acct-1", now_unix() + 60);
    assert_eq!(usage(&server, &invented, "acct-1").status, 200);
}

#[test]
fn responses_are_lost_on_request() {
    let server = server();
    let issuer = server.issuer();
    let token = issuer.grant("acct-1").refresh;
    issuer.fail(2, Reply::status(503, &[], ""));
    assert_eq!(refresh(&server, &token).status, 503);
    assert_eq!(refresh(&server, &token).status, 503);
    assert!(issuer.is_live(&token));
    issuer.swallow(1);
    assert_eq!(refresh(&server, &token).text, "");
    assert!(!issuer.is_live(&token));

    let token = issuer.grant("acct-1").refresh;
    issuer.garble(1);
    let garbled = refresh(&server, &token);
    assert_eq!(garbled.status, 200);
    assert!(serde_json::from_str::<Value>(garbled.body()).is_err());
    assert!(!issuer.is_live(&token));
}

/// Whether the token is spent during a long wait, which ends when the server is dropped.
fn spent_while_waiting(order: fn(&Issuer, Duration)) -> bool {
    let server = server();
    let token = server.issuer().grant("acct-1").refresh;
    order(server.issuer(), FOREVER * 100);
    let body = encode(&[
        ("client_id", CLIENT_ID),
        ("grant_type", "refresh_token"),
        ("refresh_token", &token),
    ]);
    let address = server.url().replace("http://", "");
    let mut socket = TcpStream::connect(address).expect("the server listens");
    let length = body.len();
    let request =
        format!("POST /oauth/token HTTP/1.1\r\ncontent-length: {length}\r\n{FORM}\r\n{body}");
    socket.write_all(request.as_bytes()).expect("it reads");
    let began = Instant::now();
    while server.requests().is_empty() && began.elapsed() < FOREVER {
        thread::yield_now();
    }
    // The token may be spent a moment after its request was recorded, but never before.
    let moment = Instant::now();
    while server.issuer().is_live(&token) && moment.elapsed() < Duration::from_millis(200) {
        thread::yield_now();
    }
    let spent = !server.issuer().is_live(&token);
    let began = Instant::now();
    drop(server);
    assert!(began.elapsed() < FOREVER);
    spent
}

#[test]
fn the_waits_are_before_and_after_the_token_is_spent() {
    assert!(!spent_while_waiting(Issuer::pause_before));
    assert!(spent_while_waiting(Issuer::pause));
}
