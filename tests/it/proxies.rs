//! Proxies with unsupported authentication, and SOCKS proxies: failures are blamed on the right side.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use crate::network::{NAMED, away, once};
use crate::proxy::Proxy;

#[test]
fn an_unsupported_proxy_authentication_is_reported() {
    for (offers, words, hint) in [
        (
            "Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM",
            "requires an authentication scheme that codex-run does not support (Negotiate, NTLM)",
            "use a local helper",
        ),
        (
            "Proxy-Authenticate: NTLM\r\nproxy-authenticate: Basic realm=\"x\"",
            "requires a user name and password",
            "http://NAME:PASSWORD@HOST:PORT",
        ),
    ] {
        let proxy = Proxy::start(&format!("407 Proxy Authentication Required\r\n{offers}"));
        let ran = away(NAMED, &[("https_proxy", &proxy.url())]).run();
        ran.exits(7)
            .stdout("")
            .says(&format!("the proxy {} {words}", proxy.address))
            .says(hint);
        assert_eq!(proxy.heads().len(), 1, "{offers}");
    }
}

#[test]
fn failures_of_a_socks_proxy_are_told_apart() {
    // A server that answers anything with these bytes.
    let answering = |answer: &'static [u8]| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a client");
            let _ = stream.read(&mut [0; 64]);
            let _ = stream.write_all(answer);
        });
        address
    };
    let check = |scheme: &str, answer: &'static [u8], words: &str, hint: &str| {
        let address = answering(answer);
        let url = format!("{scheme}://{address}");
        let ran = once(NAMED, &[("all_proxy", &url)]);
        ran.exits(7)
            .stdout("")
            .says(&format!("the proxy {address} {words}"))
            .says(hint);
    };
    let http = b"HTTP/1.1 400 Bad Request\r\n\r\n";
    check("socks5h", http, "does not speak SOCKS", "http://HOST:PORT");
    check(
        "socks5h",
        &[5, 0xff],
        "requires a user name and password",
        "NAME:PASSWORD",
    );
    check("socks5h", &[], "does not speak SOCKS", "check the port");
    // Proxies that are given an address need one.
    for scheme in ["socks5", "socks", "socks4"] {
        let words =
            "requires an IP address, but the server's name does not resolve on this machine";
        check(scheme, &[5, 0], words, "socks5h://");
    }
    let ran = once(NAMED, &[("all_proxy", "socks5h://proxy.invalid:1080")]);
    ran.exits(7)
        .says("the proxy proxy.invalid:1080 cannot be reached: the host name does not resolve");
}
