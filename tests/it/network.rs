//! Proxies from the environment: what is sent to them and what never is, and what is reported if one does not let a request
//! through. No TLS server is needed for that: a proxy receives a CONNECT request first.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::home::{Cmd, CommandOutput, Home};
use crate::proxy::Proxy;
use crate::standin::{Reply, Server};

/// A backend that is not on this machine, judging by its name. Nothing answers there.
pub(crate) const AWAY: &str = "https://0.0.0.0:9/backend-api/codex";

/// A backend whose name does not resolve. Finding that out is up to the proxy.
pub(crate) const NAMED: &str = "https://service.invalid/backend-api/codex";

/// Sends a request to a backend that is not on this machine, with these variables.
pub(crate) fn away(backend: &str, variables: &[(&str, &str)]) -> Cmd {
    let cmd = Home::with_token()
        .offline()
        .env("CODEX_RUN_BASE_URL", backend);
    let cmd = variables
        .iter()
        .fold(cmd, |cmd, (name, value)| cmd.env(name, value));
    cmd.args(["run", "--no-tools", "hi"])
}

pub(crate) fn once(backend: &str, variables: &[(&str, &str)]) -> CommandOutput {
    away(backend, variables).args(["--retries", "0"]).run()
}

/// All proxy variables, with this address.
pub(crate) fn all(url: &str) -> Vec<(&'static str, &str)> {
    let names = [
        "http_proxy",
        "HTTP_PROXY",
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
    ];
    names.map(|name| (name, url)).to_vec()
}

#[test]
fn the_first_named_proxy_is_used() {
    let proxy = Proxy::start("403 Forbidden");
    let (here, dead) = (proxy.url(), "http://127.0.0.1:9");
    for (variables, asked) in [
        (&[("https_proxy", &*here)][..], true),
        (&[("HTTPS_PROXY", &here)], true),
        (&[("all_proxy", &here)], true),
        (&[("ALL_PROXY", &here)], true),
        (&[("https_proxy", &here), ("HTTPS_PROXY", dead)], true),
        (&[("https_proxy", &here), ("all_proxy", dead)], true),
        (
            &[
                ("HTTPS_PROXY", &here),
                ("all_proxy", dead),
                ("ALL_PROXY", dead),
            ],
            true,
        ),
        (&[("all_proxy", &here), ("ALL_PROXY", dead)], true),
        (&[("https_proxy", ""), ("all_proxy", &here)], true),
        (&[("https_proxy", dead), ("all_proxy", &here)], false),
        (&[("http_proxy", &here), ("HTTP_PROXY", &here)], false),
        (&[], false),
    ] {
        let before = proxy.heads().len();
        let ran = once(AWAY, variables);
        ran.exits(7).stdout("");
        let heads = proxy.heads().split_off(before);
        assert_eq!(
            heads.len(),
            usize::from(asked),
            "{variables:?}: {}",
            ran.stderr
        );
        if asked {
            assert!(
                heads[0].starts_with("CONNECT 0.0.0.0:9 HTTP/1.1\r\n"),
                "{heads:?}"
            );
            ran.says(&format!(
                "the proxy {} rejected the request (HTTP 403)\n",
                proxy.address
            ));
        }
    }
}

#[test]
fn hosts_in_no_proxy_are_reached_directly() {
    let proxy = Proxy::start("403 Forbidden");
    let here = proxy.url();
    let check = |list: &[(&str, &str)], backend: &str, asked: bool| {
        let before = proxy.heads().len();
        let ran = once(backend, &[&[("all_proxy", &*here)], list].concat());
        ran.exits(7);
        let came = proxy.heads().len() - before;
        assert_eq!(came, usize::from(asked), "{list:?}: {}", ran.stderr);
        assert_eq!(ran.stderr.contains("the proxy "), asked, "{}", ran.stderr);
    };
    for list in [
        "*",
        "0.0.0.0",
        "a.invalid, 0.0.0.0",
        "a.invalid 0.0.0.0",
        "0.0.0.0:9",
        "0.0.0.0/8",
    ] {
        check(&[("NO_PROXY", list)], AWAY, false);
        check(&[("no_proxy", list)], AWAY, false);
    }
    for list in [
        "",
        "0.0.0.1",
        "0.0.0.0:443",
        "10.0.0.0/8",
        "0.0.0.0/99",
        "localhost",
    ] {
        check(&[("NO_PROXY", list)], AWAY, true);
    }
    check(&[("no_proxy", "a.invalid"), ("NO_PROXY", "*")], AWAY, true);
    for list in [
        "a.service.invalid",
        "vice.invalid",
        "service.invalid:8443",
        "invalid.service",
    ] {
        check(&[("NO_PROXY", list)], NAMED, true);
    }
    let heads = proxy.heads();
    let last = heads.last().expect("a request");
    assert!(
        last.starts_with("CONNECT service.invalid:443 HTTP/1.1\r\n"),
        "{last}"
    );
    assert!(
        !last.contains("eyJ") && !last.to_ascii_lowercase().contains("\r\nauthorization"),
        "{last}"
    );
}

#[test]
fn a_proxy_that_refuses_is_not_retried() {
    for (status, words, hint, code) in [
        (
            "407 Proxy Authentication Required",
            "requires a user name and password",
            "http://NAME:PASSWORD@HOST:PORT",
            7,
        ),
        (
            "403 Forbidden",
            "rejected the request (HTTP 403)",
            "NO_PROXY",
            7,
        ),
        (
            "404 Not Found",
            "rejected the request (HTTP 404)",
            "NO_PROXY",
            7,
        ),
    ] {
        let proxy = Proxy::start(status);
        let ran = away(NAMED, &[("https_proxy", &proxy.url())]).run();
        ran.exits(code)
            .stdout("")
            .says(&format!("the proxy {} {words}", proxy.address));
        ran.says("cannot reach the service at service.invalid")
            .says("codex: hint: ")
            .says(hint);
        assert_eq!(proxy.heads().len(), 1, "{status}");
        assert_eq!(ran.stderr.lines().count(), 2, "{}", ran.stderr);
    }
}

#[test]
fn a_busy_or_unreachable_proxy_is_retried() {
    let proxy = Proxy::start("502 Bad Gateway");
    let ran = away(NAMED, &[("https_proxy", &proxy.url())])
        .args(["--retries", "1"])
        .run();
    ran.exits(7)
        .stdout("")
        .says("(HTTP 502); trying again")
        .says("(HTTP 502)\n");
    assert_eq!(proxy.heads().len(), 2);
    let dead = "http://127.0.0.1:9";
    let ran = away(NAMED, &[("https_proxy", dead)])
        .args(["--retries", "1"])
        .run();
    ran.exits(7)
        .says("the proxy 127.0.0.1:9 cannot be reached: ")
        .says("(1 of 1)")
        .says("check https_proxy and all_proxy");
    // It lets the request through, and the connection ends there.
    let proxy = Proxy::start("200 Connection established");
    let ran = once(NAMED, &[("https_proxy", &proxy.url())]);
    ran.exits(7)
        .says("cannot reach the service at service.invalid");
}

#[test]
fn proxy_credentials_reach_the_proxy_and_no_message() {
    let pair = BASE64_STANDARD.encode("na@me:pa:ss word");
    for status in [
        "407 Proxy Authentication Required",
        "403 Forbidden",
        "502 Bad Gateway",
        "200 OK",
    ] {
        let proxy = Proxy::start(status);
        let url = format!("http://na%40me:pa%3Ass%20word@{}", proxy.address);
        let ran = away(NAMED, &[("https_proxy", &url)])
            .args(["--retries", "0", "-v"])
            .run();
        ran.exits(7);
        let heads = proxy.heads();
        let sent = heads[0].lines().filter_map(|line| line.split_once(": "));
        let mut sent = sent.filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"));
        let sent = sent.next().map(|(_, value)| value.to_ascii_lowercase());
        assert_eq!(
            sent,
            Some(format!("Basic {pair}").to_ascii_lowercase()),
            "{heads:?}"
        );
        for secret in ["pa%3A", "pa:ss", "na%40", "na@me", &pair] {
            assert!(!ran.stderr.contains(secret), "{}", ran.stderr);
        }
        let dry = away(NAMED, &[("https_proxy", &url)])
            .args(["--dry-run", "-v"])
            .run();
        dry.exits(0);
        assert!(!dry.text().contains("pa%3A") && !dry.stderr.contains("pa%3A"));
    }
}

#[test]
fn loopback_requests_never_use_the_proxy() {
    let proxy = Proxy::start("403 Forbidden");
    let server = Server::start(vec![Reply::text("ok"); 2]);
    let through = |cmd: Cmd| {
        let here = proxy.url();
        let cmd = all(&here)
            .into_iter()
            .fold(cmd, |cmd, (name, value)| cmd.env(name, value));
        cmd.run()
    };
    // It renews its sign-in first.
    let (home, _) = Home::expired(&server);
    let ran = through(home.codex(&server).args(["run", "--no-tools", "hi"]));
    ran.exits(0).stdout("ok\n").stderr("");
    assert_eq!(server.issuer().refreshed(), 1);
    through(home.codex(&server).args(["models"]))
        .exits(0)
        .stderr("");
    through(home.codex(&server).args(["status", "--limits"])).exits(0);
    through(home.codex(&server).args(["logout"])).exits(0);
    assert_eq!(server.issuer().revocations().len(), 1);
    server.issuer().approve_devices();
    server.issuer().interval(1);
    through(home.codex(&server).args(["login", "--device-auth"])).exits(0);
    let key = Home::with_key();
    through(key.codex(&server).args(["run", "--no-tools", "hi"]))
        .exits(0)
        .stdout("ok\n");
    // Also if the connection should be encrypted, and is not.
    let address = server.url().replace("http:", "https:");
    let ran = once(&address, &all(&proxy.url()));
    ran.exits(7).says("cannot establish a secure connection");
    assert_eq!(proxy.heads(), [""; 0]);
}

#[test]
fn an_invalid_proxy_address_is_exit_2_if_a_proxy_is_needed() {
    let server = Server::start(vec![Reply::text("ok"); 10]);
    for address in [
        "gopher://me:hidden@x",
        "http://",
        "http://[::1",
        "::",
        "http://me:hidden@",
        "socks9://x",
        " ",
    ] {
        for name in ["https_proxy", "ALL_PROXY"] {
            let ran = away(NAMED, &[(name, address)]).run();
            ran.exits(2)
                .stdout("")
                .says(&format!("codex: cannot use {name}: "))
                .says("codex: hint: ");
            assert!(!ran.stderr.contains("hidden"), "{}", ran.stderr);
        }
        let home = Home::with_token();
        let cmd = home.codex(&server).env("https_proxy", address);
        cmd.args(["run", "--no-tools", "hi"])
            .run()
            .exits(0)
            .stdout("ok\n")
            .stderr("");
    }
}

#[test]
fn a_proxy_with_an_invalid_port_is_refused() {
    for port in ["99999", "x"] {
        let ran = once(
            NAMED,
            &[("https_proxy", &format!("http://127.0.0.1:{port}"))],
        );
        ran.exits(2)
            .stdout("")
            .says("codex: cannot use https_proxy: ");
    }
}

#[test]
fn other_commands_report_proxy_errors_too() {
    let proxy = Proxy::start("407 Proxy Authentication Required");
    let reported = format!(
        "the proxy {} requires a user name and password",
        proxy.address
    );
    let here = proxy.url();
    let home = Home::new();
    let issuer = "https://issuer.invalid";
    let cmd = home
        .offline()
        .env("CODEX_RUN_ISSUER", issuer)
        .env("https_proxy", &here);
    cmd.args(["login", "--device-auth"])
        .run()
        .exits(7)
        .stdout("")
        .says(&reported)
        .says("NAME:PASSWORD");
    assert!(
        proxy
            .heads()
            .iter()
            .all(|head| head.starts_with("CONNECT issuer.invalid:443 "))
    );
    assert!(!proxy.heads().is_empty() && home.auth_text().is_none());

    // A sign-in that cannot be renewed now is not lost.
    let server = Server::start([]);
    let (home, tokens) = Home::expired(&server);
    let cmd = home
        .offline()
        .env("CODEX_RUN_ISSUER", issuer)
        .env("https_proxy", &here);
    cmd.args(["token"])
        .run()
        .exits(7)
        .stdout("")
        .says(&reported);
    assert_eq!(home.refresh_token(), tokens.refresh);

    let cmd = Home::with_token()
        .offline()
        .env("CODEX_RUN_BASE_URL", NAMED)
        .env("https_proxy", &here);
    let ran = cmd.args(["models"]).run();
    ran.exits(0)
        .says(&reported)
        .says("; showing the built-in list\n");
    assert!(ran.text().contains("gpt-6.2-sol *"), "{}", ran.text());
}
