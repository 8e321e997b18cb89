//! The ports of the callback, taken by another program.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::thread;

use crate::browser::{SignIn, call, code, ports};
use crate::home::{Home, until};
use crate::needs::{Need, lacks};
use crate::standin::{Server, browse};

#[test]
fn a_busy_port_is_asked_once_to_give_way() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    // A server that answers `/cancel` and does not exit.
    let stubborn = TcpListener::bind((Ipv4Addr::LOCALHOST, 1455)).expect("it is free");
    let heard = thread::spawn(move || {
        let mut heard = Vec::new();
        stubborn.set_nonblocking(true).expect("a socket");
        until("a process requests the port", || match stubborn.accept() {
            Ok((mut stream, _)) => {
                stream.set_nonblocking(false).expect("a socket");
                let mut buffer = [0; 500];
                let count = stream.read(&mut buffer).unwrap_or_default();
                heard.push(String::from_utf8_lossy(&buffer[..count]).into_owned());
                let _ = stream.write_all(
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                );
                true
            }
            Err(_) => false,
        });
        (stubborn, heard)
    });
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    sign_in.redirects_to(1457);
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in.end().exits(0);
    let (stubborn, heard) = heard.join().expect("it does not panic");
    assert!(
        heard.len() == 1 && heard[0].starts_with("GET /cancel HTTP/1.1\r\n"),
        "{heard:?}"
    );
    assert!(stubborn.accept().is_err(), "it was asked once");
}

#[test]
fn with_both_ports_taken_only_pasting_is_left() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    let _taken =
        [1455, 1457].map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("free"));
    let mut sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    assert!(
        sign_in.said.contains("Ports 1455 and 1457 are in use"),
        "{}",
        sign_in.said
    );
    sign_in.redirects_to(1455);
    let code = code(&sign_in.address);
    sign_in.type_in(&format!("{code}\n"));
    sign_in.end().exits(0);
    // And if nothing can be pasted either, that is reported at once.
    let ran = home.codex(&server).args(["login", "--no-browser"]).run();
    ran.exits(74)
        .says("no standard input to paste into")
        .says("--device-auth");
}

#[test]
fn a_port_whose_other_address_is_taken_is_not_used() {
    let _turn = ports();
    if lacks(&Need::IPV6) {
        return;
    }
    let taken = TcpListener::bind((Ipv6Addr::LOCALHOST, 1455));
    let _taken = taken.expect("the lock");
    let (server, home) = (Server::start([]), Home::new());
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    sign_in.redirects_to(1457);
    assert_eq!(browse(&sign_in.address), Ok(200));
    sign_in.end().exits(0);
}

#[test]
fn a_second_sign_in_takes_over_the_port() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    let first = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    let second = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    first
        .end()
        .exits(4)
        .says("another sign-in requested the port");
    second.redirects_to(1455);
    assert_eq!(browse(&second.address), Ok(200));
    second.end().exits(0);
}

/// Requests that a page in the browser can cause do not end the sign-in; those of the official client do.
#[test]
fn a_page_in_the_browser_cannot_take_the_port() {
    let _turn = ports();
    let (server, home) = (Server::start([]), Home::new());
    let sign_in = SignIn::begin(home.codex(&server).piped().args(["login", "--no-browser"]));
    let ask = |method: &str, headers: &str| {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, 1455)).expect("it listens");
        let request = format!("{method} /cancel HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("text");
        answer.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    let here = "Host: localhost:1455\r\n";
    for (method, more) in [
        (
            "GET",
            "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Dest: image\r\n",
        ),
        ("GET", "sec-fetch-site: same-site\r\n"),
        ("GET", "Sec-Fetch-Site: same-origin\r\n"),
        ("GET", "Origin: https://evil.example\r\n"),
        ("GET", "Origin: null\r\n"),
        ("GET", "Referer: https://evil.example/\r\n"),
        ("POST", "Content-Length: 0\r\n"),
    ] {
        assert_eq!(
            ask(method, &format!("{here}{more}")),
            "403",
            "{method} {more}"
        );
    }
    assert_eq!(ask("GET", "Host: evil.example:1455\r\n"), "403");
    // It is still waiting.
    assert_eq!(call(1455, "/").0, 404);
    assert_eq!(ask("GET", "Host: 127.0.0.1:1455\r\n"), "200");
    sign_in
        .end()
        .exits(4)
        .says("another sign-in requested the port");
}
